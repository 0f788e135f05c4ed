"""What Qualtrics refuses becomes the right error, is repeated only where that helps, and quotes nothing it should not."""

from __future__ import annotations

import asyncio
import json
import logging
import traceback
from collections.abc import Callable
from typing import Any

import httpx
import pytest
import respx

from adapters.qualtrics.client import QualtricsClient
from adapters.qualtrics.credentials import ApiToken
from adapters.qualtrics.errors import backoff, retry_after
from bot.errors import Forbidden, Gone, Malformed, Rejected, SurveybotError, Throttled, Unauthorized, Unavailable

WHOAMI = "https://co1.qualtrics.com/API/v3/whoami"
HISTORY = "https://co1.qualtrics.com/API/v3/distributions/EMD_1/history"
GOOD = httpx.Response(200, json={"result": {"brandId": "acme", "userId": "UR_1"}, "meta": {"httpStatus": "200"}})
KINDS = {
    "no credential header": Unauthorized,
    "bad token": Unauthorized,
    "unknown route": Gone,
    "survey not found": Gone,
    "distribution not found (links)": Gone,
    "subscription not found": Gone,
    "survey definition not permitted": Forbidden,
    "history of a test mail": Rejected,
    "list surveys, intermittent": Unavailable,
    "bulk post, intermittent": Unavailable,
    "legacy mailing list not found": Rejected,
    "2015 error shape (obsolete)": Rejected,
}


async def test_every_recorded_error_has_its_kind(api: respx.Router, client: QualtricsClient, sample: Callable[[str], Any]) -> None:
    recorded = sample("recorded-errors/errors")
    assert {it["when"] for it in recorded} == set(KINDS)
    for it in recorded:
        body = it.get("body", {"meta": {"error": {"errorCode": it.get("errorCode")}}})
        api.get(WHOAMI).respond(it["status"], json=body)
        with pytest.raises(SurveybotError) as caught:
            await client.account()
        assert type(caught.value) is KINDS[it["when"]], it["when"]


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (204, Rejected),
        (302, Rejected),
        (400, Rejected),
        (401, Unauthorized),
        (403, Forbidden),
        (404, Gone),
        (409, Rejected),
        (429, Throttled),
        (500, Unavailable),
        (503, Unavailable),
        (504, Unavailable),
    ],
)
async def test_a_refusal_without_a_readable_body_is_judged_by_its_status(
    api: respx.Router, client: QualtricsClient, status: int, kind: type[SurveybotError]
) -> None:
    api.get(WHOAMI).respond(status, html="<html>", headers={"Location": "https://evil.example/"})
    with pytest.raises(SurveybotError) as caught:
        await client.account()
    assert type(caught.value) is kind
    assert str(caught.value) == f"GET /API/v3/whoami answered {status} (errorCode none, requestId none)"


@pytest.mark.parametrize(
    "passing",
    [
        httpx.Response(500, json={"meta": {"error": {"errorCode": "SURVEYS_1.2"}}}),
        httpx.Response(504),
        httpx.Response(429, headers={"Retry-After": "7"}),
        httpx.Response(200, text='{"result": {"brandId": "ac'),
        httpx.Response(200, json=[]),
        httpx.ConnectError("refused"),
        httpx.ReadTimeout("slow"),
        httpx.RemoteProtocolError("cut"),
    ],
)
async def test_a_passing_trouble_is_not_noticed(api: respx.Router, client: QualtricsClient, passing: httpx.Response | Exception) -> None:
    route = api.get(WHOAMI).mock(side_effect=[passing, passing, passing, GOOD])
    assert (await client.account()).brand_id == "acme"
    assert route.call_count == 4


@pytest.mark.parametrize("answer", [httpx.Response(400), httpx.Response(401), httpx.Response(403), httpx.Response(404)])
async def test_a_final_refusal_is_not_repeated(api: respx.Router, client: QualtricsClient, answer: httpx.Response) -> None:
    route = api.get(WHOAMI).mock(side_effect=[answer, GOOD])
    with pytest.raises(SurveybotError):
        await client.account()
    assert route.call_count == 1


async def test_what_stays_broken_is_malformed(api: respx.Router, client: QualtricsClient) -> None:
    api.get(WHOAMI).respond(text='{"result": {"brandId": "ac')
    with pytest.raises(Malformed, match=r"^GET /API/v3/whoami answered something unexpected$"):
        await client.account()


@pytest.mark.parametrize("trouble", [httpx.ConnectTimeout, httpx.ReadTimeout, httpx.ConnectError, httpx.RemoteProtocolError])
async def test_no_answer_is_unavailable(api: respx.Router, client: QualtricsClient, trouble: type[httpx.TransportError]) -> None:
    api.get(WHOAMI).mock(side_effect=trouble("x"))
    with pytest.raises(Unavailable, match=rf"^GET /API/v3/whoami got no answer \({trouble.__name__}\)$"):
        await client.account()


async def test_an_answer_that_never_ends_is_unavailable(token: str) -> None:
    async def hang(_: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError

    root = "https://co1.qualtrics.com/API/v3"
    with respx.mock(assert_all_called=False) as api:  # a call counts once it was answered
        api.get(WHOAMI).mock(side_effect=hang)
        async with QualtricsClient(root, ApiToken(token), timeout_seconds=0.01, connect_timeout_seconds=0.01, attempts=2) as client:
            with pytest.raises(Unavailable, match="TimeoutError"):
                await client.account()


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": " 0 "}, 0.0),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "1.5"}, None),
        ({"Retry-After": "9" * 5000}, None),
        ({"Retry-After": "Wed, 21 Oct 2026 07:28:30 GMT", "Date": "Wed, 21 Oct 2026 07:28:00 GMT"}, 30.0),
        ({"Retry-After": "Wed, 21 Oct 2026 07:27:00 GMT", "Date": "Wed, 21 Oct 2026 07:28:00 GMT"}, 0.0),
        ({"Retry-After": "Wed, 21 Oct 2026 07:28:30 -0000", "Date": "Wed, 21 Oct 2026 07:28:00 GMT"}, None),
        ({"Retry-After": "Wed, 21 Oct 2026 07:28:30 GMT"}, None),
        ({"Retry-After": "Wed, 99 Oct 2026 07:28:30 GMT", "Date": "Wed, 21 Oct 2026 07:28:00 GMT"}, None),
    ],
)
async def test_retry_after_reaches_the_caller(
    api: respx.Router, client: QualtricsClient, headers: dict[str, str], seconds: float | None
) -> None:
    api.get(WHOAMI).respond(429, headers=headers)
    with pytest.raises(Throttled) as caught:
        await client.account()
    assert caught.value.retry_after == seconds
    assert retry_after(httpx.Headers(headers)) == seconds


@pytest.mark.parametrize(
    ("error", "wait"),
    [
        (Throttled("", retry_after=7.0), 7.0),
        (Unavailable("", retry_after=60.0), 60.0),
        (Throttled("", retry_after=61.0), False),
        (Throttled("", retry_after=0.0), 15.0),
        (Throttled(""), 15.0),
        (Unavailable("", retry_after=0.0), True),
        (Unavailable(""), True),
        (Malformed(""), True),
        (Rejected(""), False),
        (Gone(""), False),
        (Unauthorized(""), False),
        (ValueError(""), False),
    ],
)
def test_the_wait_before_a_repetition_is_the_one_asked_for(error: Exception, wait: bool | float) -> None:
    assert backoff(error) == wait
    assert type(backoff(error)) is type(wait)


async def test_nothing_secret_is_quoted(
    api: respx.Router, client: QualtricsClient, token: str, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever fails, the token, links, addresses and bodies are neither in the error with its causes nor in the log."""
    caplog.set_level(logging.DEBUG)
    secret = "canary-body"
    element = {"contactId": "CID_1", "status": 7, "surveyLink": f"https://x.qualtrics.com/{secret}", "email": f"{secret}@example.com"}
    page = {"result": {"elements": [element], "nextPage": None}, "meta": {"requestId": f"{secret} {token}"}}
    answers = [
        httpx.Response(
            400, json={"meta": {"error": {"errorCode": f"{secret} {token}", "errorMessage": secret}, "requestId": secret + "\n"}}
        ),
        httpx.Response(404, text=secret),
        httpx.Response(200, text=f'{{"result": "{secret}"'),
        httpx.Response(200, content=b'{"result": {"elements": [], "nextPage": "\xff' + secret.encode() + b'"}}'),
        httpx.Response(200, json={"result": {"elements": secret}}),
        httpx.Response(200, json={"result": {"elements": [], "nextPage": f"https://u:{secret}@x.qualtrics.com/?{secret}"}}),
        httpx.Response(200, json={"result": {"elements": [], "nextPage": f"https://[{secret}/"}}),
        httpx.RemoteProtocolError(f"illegal status line: {secret}"),
    ]
    told: list[str] = []
    for answer in answers:
        api.get(HISTORY).mock(side_effect=[answer] * 4)
        with pytest.raises(SurveybotError) as caught:
            [batch async for batch in client.history("EMD_1")]
        told += [*traceback.format_exception(caught.value), repr(caught.value)]
    api.get(HISTORY).mock(return_value=httpx.Response(200, json=page))
    assert [batch.skipped async for batch in client.history("EMD_1")] == [1]
    printed = capsys.readouterr()
    log = caplog.text + printed.out + printed.err + json.dumps([str(record.__dict__) for record in caplog.records])
    assert "qualtrics.skipped" in log
    assert "distributions/EMD_1/history" in log
    for text in [*told, log]:
        assert token not in text
        assert secret not in text


@pytest.mark.parametrize("token", ["", "two words", "line\nbreak", "tökén"])
def test_a_token_no_header_can_carry_is_refused_without_showing_it(token: str) -> None:
    with pytest.raises(ValueError, match="must be printable ASCII") as caught:
        ApiToken(token)
    assert not token or token not in str(caught.value)
