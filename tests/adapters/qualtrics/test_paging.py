"""Lists are read to their end, each page for itself, and never with the token in strange hands."""

from __future__ import annotations

import json
import logging
from typing import Any

import httpx
import pytest
import respx

from adapters.qualtrics.client import QualtricsClient
from adapters.qualtrics.credentials import ApiToken
from bot.errors import Gone, Malformed, Unavailable

SURVEYS = "https://co1.qualtrics.com/API/v3/surveys"


def element(survey_id: str, **changes: Any) -> dict[str, Any]:
    return {"id": survey_id, "name": f"Survey {survey_id}", "ownerId": "UR_1", "isActive": True} | changes


def page(*elements: Any, **rest: Any) -> httpx.Response:
    body = {"result": {"elements": list(elements), **rest}, "meta": {"httpStatus": "200 - OK"}}
    return httpx.Response(200, content=json.dumps(body))


async def ids(client: QualtricsClient) -> list[list[str]]:
    return [[survey.survey_id for survey in batch.items] async for batch in client.surveys()]


@pytest.mark.parametrize("rest", [{}, {"nextPage": None}, {"nextPage": ""}, {"nextPage": "string"}, {"nextPage": "string_or_null"}])
async def test_the_last_page_says_so_in_several_ways(api: respx.Router, client: QualtricsClient, rest: dict[str, Any]) -> None:
    api.get(SURVEYS).mock(return_value=page(element("SV_1"), **rest))
    assert await ids(client) == [["SV_1"]]


@pytest.mark.parametrize(
    "reference",
    ["?offset=1", "/API/v3/surveys?offset=1", "surveys?offset=1", "//co1.qualtrics.com/API/v3/surveys?offset=1", f"{SURVEYS}?offset=1"],
)
async def test_the_next_page_may_be_relative(api: respx.Router, client: QualtricsClient, reference: str) -> None:
    api.get(SURVEYS, params={"offset": "1"}).mock(return_value=page(element("SV_2")))
    api.get(SURVEYS).mock(return_value=page(element("SV_1"), nextPage=reference))
    assert await ids(client) == [["SV_1"], ["SV_2"]]


async def test_a_lost_page_is_asked_for_again_by_itself(api: respx.Router, client: QualtricsClient) -> None:
    second = api.get(SURVEYS, params={"offset": "1"}).mock(side_effect=[httpx.Response(504), page(element("SV_2"))])
    first = api.get(SURVEYS).mock(return_value=page(element("SV_1"), nextPage="?offset=1"))
    assert await ids(client) == [["SV_1"], ["SV_2"]]
    assert (first.call_count, second.call_count) == (1, 2)


async def test_pages_before_an_error_are_good(api: respx.Router, client: QualtricsClient) -> None:
    api.get(SURVEYS, params={"offset": "1"}).respond(504)
    api.get(SURVEYS).mock(return_value=page(element("SV_1"), nextPage="?offset=1"))
    listing = client.surveys()
    assert [survey.survey_id for survey in (await anext(listing)).items] == ["SV_1"]
    with pytest.raises(Unavailable):
        await anext(listing)


async def test_pages_in_a_circle_end_in_an_error(api: respx.Router, client: QualtricsClient) -> None:
    api.get(SURVEYS, params={"offset": "1"}).mock(return_value=page(nextPage=SURVEYS))
    api.get(SURVEYS).mock(return_value=page(nextPage="?offset=1"))
    with pytest.raises(Malformed, match="do not end: 2 read"):
        await ids(client)


async def test_endless_pages_end_in_an_error(api: respx.Router, token: str) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return page(nextPage=f"?offset={int(request.url.params.get('offset', 0)) + 1}")

    api.get(SURVEYS).mock(side_effect=answer)
    async with QualtricsClient("https://co1.qualtrics.com/API/v3/", ApiToken(token), max_pages=5) as client:
        with pytest.raises(Malformed, match="do not end: 5 read"):
            await ids(client)
    assert api.calls.call_count == 5


async def test_a_page_repeats_nothing_of_itself_or_of_the_page_before(api: respx.Router, client: QualtricsClient) -> None:
    api.get(SURVEYS, params={"offset": "1"}).mock(return_value=page(element("SV_2"), element("SV_3")))
    api.get(SURVEYS).mock(return_value=page(element("SV_1"), element("SV_1"), element("SV_2"), nextPage="?offset=1"))
    assert await ids(client) == [["SV_1", "SV_2"], ["SV_3"]]
    assert await ids(client) == [["SV_1", "SV_2"], ["SV_3"]], "and again in the next listing"


async def test_an_id_is_not_remembered_beyond_one_page(api: respx.Router, client: QualtricsClient) -> None:
    api.get(SURVEYS, params={"offset": "2"}).mock(return_value=page(element("SV_1"), element("SV_2")))
    api.get(SURVEYS, params={"offset": "1"}).mock(return_value=page(element("SV_2"), nextPage="?offset=2"))
    api.get(SURVEYS).mock(return_value=page(element("SV_1"), nextPage="?offset=1"))
    assert await ids(client) == [["SV_1"], ["SV_2"], ["SV_1"]]


@pytest.mark.parametrize(
    "bad",
    [
        None,
        [],
        "SV_2",
        {},
        {"id": "SV_2"},
        element("SV_2", name=None),
        element("SV_2", ownerId=7),
        element("SV_2", isActive="perhaps"),
        element("SV_2", lastModified="yesterday"),
        element("../whoami"),
        element(""),
        element("SV_2", name="nul\0"),
        element("SV_2", name="half \ud83d of a pair"),
        element("SV_2", name="\\ \ude00"),
    ],
)
async def test_a_bad_element_costs_nothing_but_itself(
    api: respx.Router, client: QualtricsClient, caplog: pytest.LogCaptureFixture, bad: Any
) -> None:
    api.get(SURVEYS).mock(return_value=page(element("SV_1"), bad, element("SV_3")))
    [batch] = [batch async for batch in client.surveys()]
    assert ([survey.survey_id for survey in batch.items], batch.skipped) == (["SV_1", "SV_3"], 1)
    told = [(it.levelno, it.getMessage(), it.__dict__["elements"]) for it in caplog.records if it.name.startswith("adapters")]
    assert told == [(logging.WARNING, "qualtrics.skipped", 1)]


async def test_invalid_utf_8_in_one_element_costs_nothing_but_that(api: respx.Router, client: QualtricsClient) -> None:
    body = page(element("SV_1"), element("SV_2", name="BAD"), element("SV_3")).content.replace(b"BAD", b"\xff\xfe")
    api.get(SURVEYS).respond(content=body)
    [batch] = [batch async for batch in client.surveys()]
    assert ([survey.survey_id for survey in batch.items], batch.skipped) == (["SV_1", "SV_3"], 1)


@pytest.mark.parametrize("host", ["az1.qualtrics.com", "acme.yul1.qualtrics.com", "AZ1.Qualtrics.com", "az1.qualtrics.com:443"])
async def test_the_token_follows_to_qualtrics_other_hosts(api: respx.Router, client: QualtricsClient, token: str, host: str) -> None:
    other = api.get(url__regex=r"^https://[a-z0-9.]+/API/v3/more$").mock(return_value=page(element("SV_2")))
    api.get(SURVEYS).mock(return_value=page(element("SV_1"), nextPage=f"https://{host}/API/v3/more"))
    assert await ids(client) == [["SV_1"], ["SV_2"]]
    assert other.calls.last.request.headers["X-API-TOKEN"] == token


@pytest.mark.parametrize(
    "reference",
    [
        "https://evil.example/API/v3/surveys",
        "https://evil.example/%0Atwo/lines?%0A",
        "//evil.example/API/v3/surveys",
        "https://qualtrics.com.evil.example/",
        "https://evilqualtrics.com/",
        "https://co1.evilqualtrics.com/",
        "https://az1.qualtrics.com@evil.example/",
        "https://user:pass@az1.qualtrics.com/",
        "https://user@co1.qualtrics.com/",
        "https://evil.example\\@az1.qualtrics.com/",
        "https://evil.example#.qualtrics.com/",
        "https://evil.example/.qualtrics.com/",
        "https://az1.qu\u0430ltrics.com/",
        "https://az1.qualtrics.com.:443/",
        "https://az1.qualtrics.com:8443/",
        "https://a..qualtrics.com/",
        "http://az1.qualtrics.com/",
        "http://co1.qualtrics.com/API/v3/surveys",
        "file:///etc/passwd",
        "mailto:a/b",
        "https://127.0.0.1/",
        "https://[::1/",
    ],
)
async def test_the_token_goes_nowhere_else(api: respx.Router, client: QualtricsClient, reference: str) -> None:
    api.get(SURVEYS).mock(return_value=page(element("SV_1"), nextPage=reference))
    with pytest.raises(Malformed) as caught:
        await ids(client)
    assert "\n" not in str(caught.value)
    assert [str(call.request.url) for call in api.calls] == [SURVEYS]


async def test_data_in_the_path_of_a_next_page_is_not_quoted(api: respx.Router, client: QualtricsClient) -> None:
    api.get(url__regex=r"/ann%40example\.com/EMD_1\?").respond(404)
    api.get(SURVEYS).mock(return_value=page(nextPage="https://az1.qualtrics.com/API/v3/surveys/ann%40example.com/EMD_1?secret"))
    with pytest.raises(Gone, match=r"^GET /API/v3/surveys/{\.\.\.}/EMD_1 answered 404 "):
        await ids(client)


async def test_redirects_are_not_followed(api: respx.Router, client: QualtricsClient) -> None:
    api.get(SURVEYS).respond(307, headers={"Location": "https://az1.qualtrics.com/API/v3/surveys"})
    with pytest.raises(Exception, match="answered 307"):
        await ids(client)
    assert api.calls.call_count == 1


async def test_a_configured_plain_host_is_trusted_at_its_port_alone(api: respx.Router, token: str) -> None:
    api.get("http://localhost:8080/API/v3/surveys").mock(return_value=page(nextPage="http://localhost:8081/API/v3/surveys"))
    async with QualtricsClient("http://localhost:8080/API/v3", ApiToken(token)) as client:
        with pytest.raises(Malformed):
            await ids(client)
    assert [call.request.url.port for call in api.calls] == [8080]


async def test_a_proxied_account_is_reported_once(api: respx.Router, client: QualtricsClient, caplog: pytest.LogCaptureFixture) -> None:
    notice = "Request proxied. For faster response times, use this host instead: az1.qualtrics.com"
    api.get(SURVEYS).respond(json={"result": {"elements": []}, "meta": {"notice": notice}})
    assert client.better_host is None
    await ids(client)
    await ids(client)
    assert client.better_host == "az1.qualtrics.com"
    assert [it.__dict__["better_host"] for it in caplog.records if it.getMessage() == "qualtrics.proxied"] == ["az1.qualtrics.com"]
