"""Every request has its turn, its line in the log and its count; what is written is never written twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import httpx
import pytest
import respx
import stamina
from hypothesis import given
from hypothesis import strategies as st

from adapters.qualtrics.addresses import Addresses
from adapters.qualtrics.client import QualtricsClient
from adapters.qualtrics.credentials import ApiToken, ClientCredentials
from adapters.qualtrics.datacentres import ROOTS, home
from adapters.qualtrics.errors import Closed
from bot.errors import Ambiguous, Gone, Malformed, Rejected, SurveybotError, Throttled, Unavailable
from bot.ports.records import RequestLine

ROOT = "https://co1.qualtrics.com/API/v3/"
WHOAMI = f"{ROOT}whoami"
SUBSCRIPTIONS = f"{ROOT}eventsubscriptions"
ID = "852606ad-40e5-46be-9f40-659377fab60f"
GOOD = {"result": {"brandId": "acme", "userId": "UR_1"}, "meta": {"requestId": ID}}
CREATED = {"result": {"id": "SUB_8pSh6Kbqjgvwynb"}, "meta": {"requestId": ID}}


@dataclass
class Turns:
    """A pace that lets everybody through, and writes down what it was told."""

    given: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    room: bool = True
    closed: list[tuple[str, float, float | None]] = field(default_factory=list)

    async def turn(self, template: str) -> float:
        if not self.room or (self.closed and (self.closed[-1][2] or 0) > 120):
            self.refused.append(template)
            raise Closed("no room", retry_after=5.0)
        self.given.append(template)
        return float(len(self.given))

    async def throttled(self, template: str, granted_at: float, retry_after: float | None) -> None:
        self.closed.append((template, granted_at, retry_after))


@pytest.fixture
def turns() -> Turns:
    return Turns()


@pytest.fixture
def lines() -> list[RequestLine]:
    return []


@pytest.fixture
async def paced(token: str, turns: Turns, lines: list[RequestLine]) -> AsyncIterator[QualtricsClient]:
    async with QualtricsClient(ROOT, ApiToken(token), pace=turns, on_request=lines.append) as it:
        yield it


def told(lines: list[RequestLine]) -> list[tuple[str, str, int | None, str | None]]:
    return [(it.method, it.path, it.status, it.request_id) for it in lines]


async def test_every_attempt_has_its_turn_and_its_line(
    api: respx.Router, paced: QualtricsClient, turns: Turns, lines: list[RequestLine]
) -> None:
    before = datetime.now(UTC)
    answers = [
        httpx.Response(429, headers={"Retry-After": "7"}),
        httpx.ReadTimeout("x"),
        httpx.Response(500),
        httpx.Response(200, json=GOOD),
    ]
    api.get(WHOAMI).mock(side_effect=answers)
    assert (await paced.account()).brand_id == "acme"
    assert told(lines) == [("GET", "/whoami", status, ID if status == 200 else None) for status in (429, None, 500, 200)]
    assert all(before <= it.at <= datetime.now(UTC) and 0 <= it.duration_ms < 60_000 for it in lines)
    assert turns == Turns(given=["/whoami"] * 4, closed=[("/whoami", 1.0, 7.0)])
    assert paced.calls == 4


async def test_the_pace_decides_how_long_a_refused_call_waits(api: respx.Router, paced: QualtricsClient, turns: Turns) -> None:
    api.get(WHOAMI).respond(429, headers={"Retry-After": "900"})
    with pytest.raises(Throttled, match="no room"):
        await paced.account()
    assert turns == Turns(given=["/whoami"], refused=["/whoami"], closed=[("/whoami", 1.0, 900.0)])


async def test_a_call_without_a_turn_is_not_sent_and_asks_no_second_time(api: respx.Router, paced: QualtricsClient, turns: Turns) -> None:
    turns.room = False
    with pytest.raises(Throttled, match="no room"):
        await paced.account()
    assert turns.refused == ["/whoami"]
    assert (paced.calls, api.calls.call_count) == (0, 0)


async def test_a_paced_call_adds_no_wait_of_its_own_to_that_of_its_turn(api: respx.Router, paced: QualtricsClient) -> None:
    api.get(WHOAMI).mock(side_effect=[httpx.Response(429, headers={"Retry-After": "50"}), httpx.Response(200, json=GOOD)])
    with stamina.set_testing(False):
        async with asyncio.timeout(30):
            assert (await paced.account()).brand_id == "acme"


async def test_a_call_that_stays_refused_is_throttled(api: respx.Router, paced: QualtricsClient, turns: Turns) -> None:
    api.get(WHOAMI).respond(429, headers={"Retry-After": "7"})
    with pytest.raises(Throttled) as caught:
        await paced.account()
    assert (caught.value.retry_after, paced.calls, len(turns.closed)) == (7.0, 4, 4)


async def test_a_refused_token_request_closes_what_it_is_paced_by_and_waits_for_its_turn(api: respx.Router, turns: Turns) -> None:
    api.post("https://co1.qualtrics.com/oauth2/token").respond(429, headers={"Retry-After": "99999"})
    async with QualtricsClient(ROOT, ClientCredentials("c", "s"), pace=turns) as client:
        with pytest.raises(Throttled, match="no room"):
            await client.account()
    assert turns == Turns(given=["/oauth2/token"], refused=["/oauth2/token"], closed=[("/oauth2/token", 1.0, 99999.0)])


async def test_the_token_request_has_a_line_and_a_turn(api: respx.Router, turns: Turns, lines: list[RequestLine]) -> None:
    api.post("https://co1.qualtrics.com/oauth2/token").respond(json={"access_token": "at-1", "expires_in": 3600})
    api.get(WHOAMI).mock(side_effect=[httpx.Response(401), httpx.Response(200, json=GOOD)])
    async with QualtricsClient(ROOT, ClientCredentials("c", "s"), pace=turns, on_request=lines.append) as client:
        await client.account()
    assert [(it.method, it.path, it.status) for it in lines] == [
        ("POST", "/oauth2/token", 200),
        ("GET", "/whoami", 401),
        ("POST", "/oauth2/token", 200),
        ("GET", "/whoami", 200),
    ]
    assert turns.given == ["/oauth2/token", "/whoami"] * 2


async def test_the_log_has_templates_and_real_request_ids_alone(
    api: respx.Router, paced: QualtricsClient, turns: Turns, lines: list[RequestLine], token: str
) -> None:
    page = {"result": {"elements": [], "nextPage": f"/API/v3/distributions/EMD_1/ann@example.com?{token}"}, "meta": {"requestId": token}}
    api.get(f"{ROOT}distributions/EMD_1/links").respond(json=page)
    api.get(path="/API/v3/distributions/EMD_1/ann@example.com").respond(json={"result": {"elements": []}, "meta": {"requestId": "../x"}})
    assert [batch.items async for batch in paced.links("EMD_1", "SV_1")] == [(), ()]
    assert told(lines) == [("GET", "/distributions/{id}/links", 200, None), ("GET", "/distributions/{id}/{...}", 200, None)]
    assert turns.given == ["/distributions/{id}/links", "/distributions/{id}/{...}"]


@pytest.mark.parametrize(
    ("path", "template"),
    [
        ("distributions/EMD_RmjB8Gfpjlki6ms/history?skipToken=CID_1", "/distributions/{id}/history"),
        ("survey-definitions/SV_1/metadata", "/survey-definitions/{id}/metadata"),
        ("directories/POOL_1/contacts/CID_1", "/directories/{id}/contacts/{id}"),
        ("eventsubscriptions/SUB_1", "/eventsubscriptions/{id}"),
        ("surveys/", "/surveys"),
        ("surveys/Users", "/surveys/{...}"),
        ("https://az1.qualtrics.com/API/v3/users?offset=1", "/users"),
        ("/oauth2/token", "/oauth2/token"),
        ("surveys/" + "x/" * 500, "/surveys" + "/{...}" * 7),
    ],
)
def test_a_template_is_made_of_known_words_alone(path: str, template: str) -> None:
    assert Addresses(ROOT).template(httpx.URL(ROOT).join(path)) == template


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=40))
def test_no_data_in_a_path_reaches_a_template(text: str) -> None:
    template = Addresses(ROOT).template(httpx.URL(f"{ROOT}surveys/canary{quote(text)}"))
    assert template.startswith("/surveys/{...}")
    assert "canary" not in template


async def test_events_are_subscribed_to(api: respx.Router, paced: QualtricsClient, turns: Turns) -> None:
    route = api.post(SUBSCRIPTIONS).respond(json=CREATED)
    assert await paced.subscribe("surveyengine.completedResponse.*", "https://bot.example/q", "key-1") == "SUB_8pSh6Kbqjgvwynb"
    assert route.calls.last.request.content == (
        b'{"topics":"surveyengine.completedResponse.*","publicationUrl":"https://bot.example/q","encrypt":false,"sharedKey":"key-1"}'
    )
    assert turns.given == ["/eventsubscriptions"]


LOST: list[Any] = [
    httpx.ReadTimeout("x"),
    httpx.RemoteProtocolError("x"),
    httpx.WriteError("x"),
    httpx.Response(500),
    httpx.Response(503),
    httpx.Response(504),
    httpx.Response(200, text="{"),
    httpx.Response(200, json={"result": {"id": "../x"}}),
]


@pytest.mark.parametrize("lost", LOST)
async def test_a_subscription_that_may_exist_is_not_made_again(
    api: respx.Router, paced: QualtricsClient, caplog: pytest.LogCaptureFixture, lost: Any
) -> None:
    route = api.post(SUBSCRIPTIONS).mock(side_effect=[lost, httpx.Response(200, json=CREATED)])
    with pytest.raises(Ambiguous) as caught:
        await paced.subscribe("*", "https://bot.example/q", "canary-key")
    assert route.call_count == 1
    assert "canary-key" not in str(caught.value) + caplog.text


@pytest.mark.parametrize("lost", LOST[:6])
async def test_a_removal_that_may_have_happened_is_not_repeated(api: respx.Router, paced: QualtricsClient, lost: Any) -> None:
    route = api.delete(f"{SUBSCRIPTIONS}/SUB_1").mock(side_effect=[lost, httpx.Response(200)])
    with pytest.raises(Ambiguous):
        await paced.unsubscribe("SUB_1")
    assert route.call_count == 1


@pytest.mark.parametrize("passing", [httpx.ConnectError("x"), httpx.ConnectTimeout("x"), httpx.PoolTimeout("x"), httpx.Response(429)])
async def test_what_was_certainly_not_done_is_repeated(
    api: respx.Router, paced: QualtricsClient, capsys: pytest.CaptureFixture[str], passing: Any
) -> None:
    api.post(SUBSCRIPTIONS).mock(side_effect=[passing, passing, httpx.Response(200, json=CREATED)])
    assert await paced.subscribe("*", "https://bot.example/q", "canary-key") == "SUB_8pSh6Kbqjgvwynb"
    printed = capsys.readouterr()
    assert "canary-key" not in printed.out + printed.err


@pytest.mark.parametrize(("status", "kind"), [(400, Rejected), (404, Gone), (409, Rejected), (429, Throttled)])
async def test_a_refused_write_was_not_done(api: respx.Router, paced: QualtricsClient, status: int, kind: type[SurveybotError]) -> None:
    api.post(SUBSCRIPTIONS).respond(status)
    with pytest.raises(kind):
        await paced.subscribe("*", "https://bot.example/q", "key-1")


async def test_a_write_that_is_not_answered_in_time_is_ambiguous(token: str) -> None:
    async def hang(_: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError

    with respx.mock(assert_all_called=False) as api:
        api.delete(f"{SUBSCRIPTIONS}/SUB_1").mock(side_effect=hang)
        async with QualtricsClient(ROOT, ApiToken(token), timeout_seconds=0.01, connect_timeout_seconds=0.01) as client:
            with pytest.raises(Ambiguous, match=r"^DELETE /API/v3/eventsubscriptions/SUB_1 got no answer \(TimeoutError\)$"):
                await client.unsubscribe("SUB_1")
            assert client.calls == 1


@pytest.mark.parametrize(
    ("date", "at"),
    [
        ("Mon, 04 Dec 2017 22:33:13 GMT", datetime(2017, 12, 4, 22, 33, 13, tzinfo=UTC)),
        ("yesterday", None),
        ("Mon, 04 Dec 2017 22:33:13", None),
        (None, None),
    ],
)
async def test_the_servers_clock_is_that_of_its_last_answer(
    api: respx.Router, client: QualtricsClient, date: str | None, at: datetime | None
) -> None:
    assert client.server_time is None
    api.get(WHOAMI).respond(json=GOOD, headers={"Date": date} if date else {})
    await client.account()
    assert client.server_time == at


async def test_the_home_of_an_oauth_client_is_where_it_is_known(api: respx.Router) -> None:
    lhr, fra = "https://lhr1.qualtrics.com", "https://fra1.qualtrics.com"
    api.post(f"{lhr}/oauth2/token").respond(401, json={"error": "invalid_client"})
    api.post(f"{fra}/oauth2/token").respond(json={"access_token": "at-1"})
    api.get(f"{fra}/API/v3/whoami").respond(json=GOOD)
    candidates = [f"{lhr}/API/v3/", f"{fra}/API/v3/", f"{lhr}/API/v3/never/"]
    assert await home(ClientCredentials("c", "s"), candidates) == f"{fra}/API/v3/"


async def test_the_home_of_an_api_token_is_the_host_named_by_the_proxy(api: respx.Router, token: str) -> None:
    notice = "Request proxied. For faster response times, use this host instead: az1.qualtrics.com"
    api.get(WHOAMI).respond(json=GOOD | {"meta": {"notice": notice}})
    assert await home(ApiToken(token), [ROOT]) == "https://az1.qualtrics.com/API/v3/"


async def test_credentials_nobody_knows_have_no_home(api: respx.Router, token: str) -> None:
    api.get(path="/API/v3/whoami").mock(side_effect=[httpx.Response(401), *[httpx.ConnectError("x")] * (len(ROOTS) - 1)])
    assert await home(ApiToken(token)) is None
    assert [str(call.request.url) for call in api.calls] == [f"{root}whoami" for root in ROOTS]


async def test_a_list_is_read_on_from_where_it_stopped(api: respx.Router, client: QualtricsClient) -> None:
    def page(survey_id: str, **rest: Any) -> dict[str, Any]:
        return {"result": {"elements": [{"id": survey_id, "name": "n", "ownerId": "UR_1", "isActive": True}], **rest}}

    api.get(f"{ROOT}surveys", params={"offset": "1"}).respond(json=page("SV_2"))
    api.get(f"{ROOT}surveys").respond(json=page("SV_1", nextPage="?offset=1"))
    batches = [batch async for batch in client.surveys()]
    assert [batch.next for batch in batches] == [f"{ROOT}surveys?offset=1", None]
    [again] = [batch async for batch in client.surveys(batches[0].next)]
    assert again == batches[1]


@pytest.mark.parametrize("after", ["https://evil.example/API/v3/surveys", "http://az1.qualtrics.com/", "nonsense", "https://[", "\0"])
async def test_a_position_that_is_not_qualtrics_is_refused(api: respx.Router, client: QualtricsClient, after: str) -> None:
    for listing in (client.users(after), client.surveys(after), client.distributions("SV_1", after), client.history("EMD_1", after)):
        with pytest.raises(Malformed):
            await anext(listing)
    with pytest.raises(Malformed):
        await anext(client.links("EMD_1", "SV_1", after))
    assert not api.calls


async def test_no_answer_to_a_read_is_unavailable_though_it_may_have_been_heard(api: respx.Router, paced: QualtricsClient) -> None:
    api.get(WHOAMI).mock(side_effect=httpx.ReadTimeout("x"))
    with pytest.raises(Unavailable):
        await paced.account()
    assert paced.calls == 4


async def test_a_call_that_was_cancelled_has_no_line(paced: QualtricsClient, lines: list[RequestLine]) -> None:
    """That nobody waited for an answer says nothing about Qualtrics."""
    begun = asyncio.Event()

    async def silent(_: httpx.Request) -> httpx.Response:
        begun.set()
        await asyncio.Event().wait()
        raise AssertionError

    with respx.mock(assert_all_called=False) as api:
        api.get(WHOAMI).mock(side_effect=silent)
        call = asyncio.create_task(paced.account())
        await begun.wait()
        call.cancel()
        await asyncio.wait({call})
    assert (call.cancelled(), lines, paced.calls) == (True, [], 1)
