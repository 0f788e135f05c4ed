"""An OAuth client gets access tokens as seldom as possible, and never hands its secret or a token to anybody else."""

from __future__ import annotations

import asyncio
import base64
import logging
import traceback
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
import respx

from adapters.qualtrics.client import QualtricsClient
from adapters.qualtrics.credentials import LEAST_SCOPES, PUSH_SCOPE, ApiToken, ClientCredentials
from adapters.qualtrics.errors import ClientRefused, ScopesRefused
from adapters.qualtrics.oauth import AccessTokens
from adapters.qualtrics.wire import AccessToken
from bot.errors import Forbidden, Malformed, Rejected, SurveybotError, Throttled, Unauthorized, Unavailable

ROOT = "https://co1.qualtrics.com/API/v3/"
TOKEN = "https://co1.qualtrics.com/oauth2/token"
WHOAMI = f"{ROOT}whoami"
SECRET = "canary-secret-91c2"
CLIENT = ClientCredentials("client-1", SECRET)
GOOD = {"result": {"brandId": "acme", "userId": "UR_1"}}
REFUSED = {"meta": {"httpStatus": "401 - Unauthorized", "error": {"errorCode": "DCD_7"}}}


def granted(token: str, expires_in: Any = 3600) -> httpx.Response:
    return httpx.Response(200, json={"access_token": token, "token_type": "Bearer", "expires_in": expires_in})


def only_for(token: str) -> Callable[[httpx.Request], httpx.Response]:
    def answer(request: httpx.Request) -> httpx.Response:
        good = request.headers["Authorization"] == f"Bearer {token}"
        return httpx.Response(200, json=GOOD) if good else httpx.Response(401, json=REFUSED)

    return answer


async def test_the_token_is_asked_for_once_with_basic_at_the_root_of_the_host(api: respx.Router) -> None:
    asked = api.post(TOKEN).mock(return_value=granted("at-1"))
    called = api.get(WHOAMI).mock(side_effect=only_for("at-1"))
    async with QualtricsClient(ROOT, CLIENT) as client:
        await client.account()
        await client.account()
    [request] = [call.request for call in asked.calls]
    assert request.headers["Authorization"] == "Basic " + base64.b64encode(f"client-1:{SECRET}".encode()).decode()
    assert dict(httpx.QueryParams(request.content.decode())) == {"grant_type": "client_credentials", "scope": " ".join(LEAST_SCOPES)}
    assert [(call.request.headers["Authorization"], "X-API-TOKEN" in call.request.headers) for call in called.calls] == [
        ("Bearer at-1", False)
    ] * 2


async def test_the_scope_for_push_is_asked_for_only_when_wanted(api: respx.Router) -> None:
    asked = api.post(TOKEN).mock(return_value=granted("at-1"))
    api.get(WHOAMI).mock(side_effect=only_for("at-1"))
    async with QualtricsClient(ROOT, ClientCredentials("client-1", SECRET, (*LEAST_SCOPES, PUSH_SCOPE))) as client:
        await client.account()
    assert PUSH_SCOPE not in LEAST_SCOPES
    assert httpx.QueryParams(asked.calls.last.request.content.decode())["scope"].split() == [*LEAST_SCOPES, PUSH_SCOPE]


async def test_a_refused_token_is_replaced_once_and_the_call_goes_on(api: respx.Router) -> None:
    asked = api.post(TOKEN).mock(side_effect=[granted("at-1"), granted("at-2")])
    api.get(WHOAMI).mock(side_effect=only_for("at-2"))
    async with QualtricsClient(ROOT, CLIENT) as client:
        assert (await client.account()).brand_id == "acme"
        assert client.calls == 4
    assert asked.call_count == 2


async def test_a_burst_of_refusals_asks_for_one_token(api: respx.Router) -> None:
    asked = api.post(TOKEN).mock(side_effect=[granted("at-1"), granted("at-2")])
    api.get(WHOAMI).mock(side_effect=only_for("at-2"))
    async with QualtricsClient(ROOT, CLIENT) as client:
        accounts = await asyncio.gather(*(client.account() for _ in range(30)))
    assert len(accounts) == 30
    assert asked.call_count == 2


async def test_a_client_refused_again_is_told_about_data_centres(api: respx.Router) -> None:
    asked = api.post(TOKEN).mock(side_effect=[granted("at-1"), granted("at-2")])
    called = api.get(WHOAMI).respond(401, json=REFUSED)
    async with QualtricsClient(ROOT, CLIENT) as client:
        with pytest.raises(Unauthorized, match=r"works only at the data centre of the brand .* look up its data centre"):
            await client.account()
    assert (asked.call_count, called.call_count) == (2, 2)


async def test_the_right_host_is_named_where_the_refusal_names_it(api: respx.Router) -> None:
    notice = "Request proxied. For faster response times, use this host instead: fra1.qualtrics.com"
    api.post(TOKEN).mock(return_value=granted("at-1"))
    api.get(WHOAMI).respond(401, json={"meta": {"notice": notice, "error": {"errorCode": "DCD_7"}}})
    async with QualtricsClient(ROOT, CLIENT) as client:
        with pytest.raises(Unauthorized, match=r"owns its client; use fra1\.qualtrics\.com$"):
            await client.account()
        assert client.better_host == "fra1.qualtrics.com"


@pytest.mark.parametrize("credentials", [CLIENT, ApiToken(SECRET)])
async def test_a_401_to_one_call_only_is_that_calls_own_until_the_others_are_refused_too(
    api: respx.Router, credentials: ApiToken | ClientCredentials
) -> None:
    """Whether they are is asked once a kind of call, not at every one."""
    if isinstance(credentials, ClientCredentials):
        api.post(TOKEN).mock(return_value=granted("at-1"))
    whoami = api.get(WHOAMI).respond(json=GOOD)
    api.get(f"{ROOT}surveys").respond(401)
    api.get(f"{ROOT}users").respond(401)
    async with QualtricsClient(ROOT, credentials) as client:
        await client.account()
        for _ in range(3):
            with pytest.raises(Forbidden, match="though Qualtrics answers other calls with these credentials") as caught:
                [batch async for batch in client.surveys()]
            assert "data centre" not in str(caught.value)
        assert whoami.call_count == 2
        whoami.respond(401)
        for ask in (client.users().__anext__, client.account):
            with pytest.raises(Unauthorized) as caught:
                await ask()
            assert not isinstance(caught.value, Forbidden)
            assert "data centre" not in str(caught.value)


@pytest.mark.parametrize(
    ("answer", "kind", "sentence"),
    [
        (
            httpx.Response(401, json={"error": "invalid_client"}),
            ClientRefused,
            r"no access token \(invalid_client\): its id or secret is wrong",
        ),
        (httpx.Response(400, json={"error": "unauthorized_client"}), ClientRefused, r"no access token \(unauthorized_client\)"),
        (httpx.Response(403, text="<html>"), ClientRefused, r"no access token \(403\)"),
        (httpx.Response(401, json={"error": f"{SECRET}!"}), ClientRefused, r"no access token \(401\)"),
        (httpx.Response(400, json={"error": "invalid_scope"}), ScopesRefused, r"may not have all the scopes it asks for: read:surveys"),
        (httpx.Response(500, text=SECRET), Unavailable, r"^POST /oauth2/token answered 500$"),
        (httpx.Response(429, headers={"Retry-After": "7"}), Throttled, r"^POST /oauth2/token answered 429$"),
        (httpx.ReadTimeout("slow"), Unavailable, r"^POST /oauth2/token got no answer \(ReadTimeout\)$"),
        (httpx.RemoteProtocolError(SECRET), Unavailable, r"^POST /oauth2/token got no answer \(RemoteProtocolError\)$"),
        (httpx.Response(404, text="nothing here"), Rejected, r"^POST /oauth2/token answered 404$"),
        (httpx.Response(302, headers={"Location": "https://evil.example/"}), Rejected, r"^POST /oauth2/token answered 302$"),
        (httpx.Response(200, text=SECRET), Malformed, r"^POST /oauth2/token answered something unexpected$"),
        (httpx.Response(200, json={"access_token": 7}), Malformed, "something unexpected"),
        (httpx.Response(200, json={"access_token": f"{SECRET}\r\nHost: x"}), Malformed, "something unexpected"),
        (httpx.Response(200, json={"access_token": SECRET, "expires_in": -5}), Malformed, "something unexpected"),
        (httpx.Response(200, json={"access_token": SECRET, "expires_in": "soon"}), Malformed, "something unexpected"),
    ],
)
async def test_every_refusal_of_a_token_has_its_kind_and_names_no_secret(
    api: respx.Router, caplog: pytest.LogCaptureFixture, answer: Any, kind: type[SurveybotError], sentence: str
) -> None:
    caplog.set_level(logging.DEBUG)
    api.post(TOKEN).mock(side_effect=[answer] * 4)
    async with QualtricsClient(ROOT, CLIENT) as client:
        with pytest.raises(SurveybotError, match=sentence) as caught:
            await client.account()
    assert type(caught.value) is kind
    told = "".join(traceback.format_exception(caught.value)) + caplog.text + str([record.__dict__ for record in caplog.records])
    assert SECRET not in told
    assert base64.b64encode(f"client-1:{SECRET}".encode()).decode() not in told


async def test_a_passing_trouble_of_the_token_endpoint_is_not_noticed(api: respx.Router) -> None:
    api.post(TOKEN).mock(side_effect=[httpx.Response(503), httpx.ConnectError("x"), granted("at-1", "3600")])
    api.get(WHOAMI).mock(side_effect=only_for("at-1"))
    async with QualtricsClient(ROOT, CLIENT) as client:
        assert (await client.account()).brand_id == "acme"


@pytest.mark.parametrize("reference", ["https://evil.example/API/v3/surveys", "http://co1.qualtrics.com/", "https://u@az1.qualtrics.com/"])
async def test_an_access_token_goes_nowhere_but_to_qualtrics(api: respx.Router, reference: str) -> None:
    api.post(TOKEN).mock(return_value=granted("at-1"))
    api.get(f"{ROOT}surveys").respond(json={"result": {"elements": [], "nextPage": reference}})
    async with QualtricsClient(ROOT, CLIENT) as client:
        with pytest.raises(Malformed):
            [batch async for batch in client.surveys()]
    assert [str(call.request.url) for call in api.calls] == [TOKEN, f"{ROOT}surveys"]


@pytest.mark.parametrize("make", [ApiToken, lambda text: ClientCredentials(text, "s"), lambda text: ClientCredentials("c", text)])
@pytest.mark.parametrize("text", ["", "two words", "line\nbreak", "tökén"])
def test_credentials_that_cannot_be_sent_are_refused_and_never_shown(make: Callable[[str], object], text: str) -> None:
    with pytest.raises(ValueError, match="must be printable ASCII") as caught:
        make(text)
    assert not text or text not in str(caught.value)


def test_secrets_are_not_in_the_repr() -> None:
    assert SECRET not in repr(CLIENT) + repr(ApiToken(SECRET))
    with pytest.raises(ValueError, match="no colon"):
        ClientCredentials("a:b", SECRET)


class Endpoint:
    """A token endpoint whose answers the test gives out, and a clock it moves."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.asked: list[asyncio.Future[AccessToken]] = []
        self.tokens = AccessTokens(self._ask, lambda: self.now)

    async def _ask(self) -> AccessToken:
        self.asked.append(asyncio.get_running_loop().create_future())
        return await self.asked[-1]

    def grant(self, token: str, seconds: float = 3600) -> None:
        self.asked[-1].set_result(AccessToken(access_token=token, expires_in=seconds))

    async def start(self, call: Awaitable[str]) -> asyncio.Task[str]:
        """Let a caller run until it waits for somebody."""
        task = asyncio.ensure_future(call)
        for _ in range(5):
            await asyncio.sleep(0)
        assert isinstance(task, asyncio.Task)
        return task


@pytest.fixture
async def endpoint() -> Endpoint:
    """It granted `old`, which lives 3,600 s from 1000 on."""
    it = Endpoint()
    first = await it.start(it.tokens.current())
    it.grant("old")
    assert await first == "old"
    return it


async def test_everybody_waits_for_the_first_token() -> None:
    endpoint = Endpoint()
    callers = [await endpoint.start(endpoint.tokens.current()) for _ in range(5)]
    endpoint.grant("first")
    assert [await it for it in callers] == ["first"] * 5
    assert len(endpoint.asked) == 1


@pytest.mark.parametrize(("life", "ahead"), [(3600, 300), (1000, 200), (10, 2)])
async def test_a_token_is_renewed_ahead_of_its_end_while_the_others_go_on_with_it(life: float, ahead: float) -> None:
    endpoint = Endpoint()
    first = await endpoint.start(endpoint.tokens.current())
    endpoint.grant("old", life)
    await first
    endpoint.now += life - ahead - 0.5
    assert await endpoint.tokens.current() == "old"
    assert len(endpoint.asked) == 1
    endpoint.now += 1
    renewing = await endpoint.start(endpoint.tokens.current())
    assert [await endpoint.tokens.current() for _ in range(3)] == ["old"] * 3
    endpoint.grant("new")
    assert await renewing == "new"
    assert await endpoint.tokens.current() == "new"
    assert len(endpoint.asked) == 2


async def test_an_ended_token_is_given_to_nobody(endpoint: Endpoint) -> None:
    endpoint.now += 3601
    callers = [await endpoint.start(endpoint.tokens.current()) for _ in range(3)]
    assert not any(it.done() for it in callers)
    endpoint.grant("new")
    assert [await it for it in callers] == ["new"] * 3
    assert len(endpoint.asked) == 2


async def test_a_failure_ahead_of_the_end_hurts_nobody_and_is_not_repeated_at_once(
    endpoint: Endpoint, caplog: pytest.LogCaptureFixture
) -> None:
    endpoint.now += 3400
    renewing = await endpoint.start(endpoint.tokens.current())
    endpoint.asked[-1].set_exception(Unavailable("down"))
    assert await renewing == "old"
    assert await endpoint.tokens.current() == "old"
    assert len(endpoint.asked) == 2
    assert [record.getMessage() for record in caplog.records] == ["qualtrics.token_not_renewed"]
    endpoint.now += 31
    again = await endpoint.start(endpoint.tokens.current())
    endpoint.grant("new")
    assert await again == "new"


async def test_a_failure_without_a_good_token_is_everybodys_who_waited_for_it(endpoint: Endpoint) -> None:
    endpoint.now += 3601
    callers = [await endpoint.start(endpoint.tokens.current()) for _ in range(3)]
    endpoint.asked[-1].set_exception(Unavailable("down"))
    assert [str(it) for it in await asyncio.gather(*callers, return_exceptions=True)] == ["down"] * 3
    assert len(endpoint.asked) == 2
    later = await endpoint.start(endpoint.tokens.current())
    endpoint.grant("new")
    assert await later == "new"


async def test_a_refused_token_is_given_to_nobody_any_more(endpoint: Endpoint) -> None:
    replacing = await endpoint.start(endpoint.tokens.instead_of("old"))
    other = await endpoint.start(endpoint.tokens.current())
    late = await endpoint.start(endpoint.tokens.instead_of("old"))
    assert not other.done()
    endpoint.grant("new")
    assert [await replacing, await other, await late] == ["new"] * 3
    assert await endpoint.tokens.instead_of("old") == "new"
    assert len(endpoint.asked) == 2


async def test_a_caller_that_gives_up_leaves_the_renewal_to_the_next(endpoint: Endpoint) -> None:
    endpoint.now += 3400
    failing = await endpoint.start(endpoint.tokens.current())
    endpoint.asked[-1].set_exception(Unavailable("an older failure, which is nobody's any more"))
    await failing
    endpoint.now += 201
    impatient = await endpoint.start(endpoint.tokens.current())
    patient = await endpoint.start(endpoint.tokens.current())
    impatient.cancel()
    await asyncio.wait([impatient])
    await endpoint.start(asyncio.sleep(0, ""))
    endpoint.grant("new")
    assert await patient == "new"
