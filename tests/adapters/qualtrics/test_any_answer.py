"""Whatever stands in an answer, the client returns values or raises one of our own errors."""

from __future__ import annotations

import json
import logging
import re
import traceback
from collections.abc import AsyncIterator, Awaitable, Iterator
from dataclasses import fields, is_dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx
import stamina
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.qualtrics.client import QualtricsClient
from adapters.qualtrics.credentials import ApiToken, ClientCredentials, Credentials
from bot.errors import SurveybotError
from bot.model import HistoryEntry, LinkEntry
from bot.ports.records import Batch, RequestLine

SAMPLES = Path(__file__).parents[2] / "samples" / "qualtrics"

#: Every key the client reads, so that invented objects come close to real ones.
KEYS = st.sampled_from(
    re.findall(
        r"\w+",
        """
        result meta elements nextPage requestId notice error errorCode id name ownerId isActive lastModified email contactId status
        surveyLink sentAt responseCompletedAt link linkExpiration requestType requestStatus headers fromName stats sent expirationDate
        linkType brandId userId directoryId isDefault accountStatus SurveyExpirationDate Deleted AnonymizeResponse
        """,
    )
)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(
        ["SV_1", "0", "true", "2021-07-31T14:58:00Z", "0000-00-00 00:00:00", "1597321249000", "http://x.qualtrics.com/", "http://["]
    )
)
JSON = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS | st.text(), inner, max_size=6), max_leaves=25)
ELEMENT = st.dictionaries(KEYS, JSON, max_size=12)
PAGE = st.fixed_dictionaries(
    {"result": st.fixed_dictionaries({"elements": st.lists(ELEMENT, max_size=3)}, optional={"nextPage": LEAVES})}, optional={"meta": JSON}
)
BODIES = st.one_of(JSON.map(json.dumps), PAGE.map(json.dumps), st.fixed_dictionaries({"result": ELEMENT}).map(json.dumps)).map(str.encode)


def _questions(client: QualtricsClient) -> Iterator[AsyncIterator[Batch[Any]] | Awaitable[Any]]:
    yield client.users()
    yield client.surveys()
    yield client.distributions("SV_1")
    yield client.history("EMD_1")
    yield client.links("EMD_1", "SV_1")
    yield client.directories()
    yield client.subscriptions()
    yield client.account()
    yield client.survey("SV_1")
    yield client.survey_details("SV_1")
    yield client.contact("POOL_1", "CID_1")
    yield client.subscribe("*", "https://bot.example/q", TOKEN)
    yield client.unsubscribe("SUB_1")


async def _ask_everything(client: QualtricsClient) -> tuple[list[Any], list[SurveybotError]]:
    """Return what it answered and what it raised; any other exception is raised."""
    values: list[Any] = []
    errors: list[SurveybotError] = []
    for question in _questions(client):
        try:
            if isinstance(question, AsyncIterator):
                values += [batch async for batch in question]
            else:
                values.append(await question)
        except SurveybotError as error:
            errors.append(error)
    return values, errors


def _check(value: Any) -> None:
    """Whatever the store and the pages rely on: no NUL, times in the calendar, links that are links."""
    match value:
        case str():
            assert "\0" not in value
            value.encode()
        case datetime():
            assert value.utcoffset() == timedelta(0)
            assert 1970 <= value.year <= 2200
        case Batch():
            assert value.skipped >= 0
            assert value.next is None or value.next.startswith("https://")
            for item in value.items:
                _check(item)
        case LinkEntry() | HistoryEntry() if value.url:
            assert value.url.startswith("https://")
        case _ if is_dataclass(value):
            for it in fields(value):
                _check(getattr(value, it.name))
        case _:
            pass


@settings(max_examples=60)
@given(status=st.sampled_from([200, 200, 200, 429, 500]), body=BODIES | st.binary())
async def test_any_answer_is_survived(status: int, body: bytes) -> None:
    with respx.mock() as api, stamina.set_testing(True, attempts=1):
        api.route().mock(return_value=httpx.Response(status, content=body))
        async with QualtricsClient("https://co1.qualtrics.com/API/v3/", ApiToken("canary")) as client:
            for value in (await _ask_everything(client))[0]:
                _check(value)


async def test_absurdly_nested_answers_are_survived(api: respx.Router, client: QualtricsClient) -> None:
    api.route().respond(content=b'{"meta":' + b"[" * 200_000)
    await _ask_everything(client)


#: Stands wherever Qualtrics' answers hold somebody's data; and the credentials, as if an answer repeated them.
DATA, TOKEN = "canary-data-5e1d", "canary-token-7f3a"
STRANGE = (
    *("null", "true", "-1", "1e999", "9" * 400, '""', '"null"', "[]", "{}", "[[[[{}]]]]", "[" * 2000 + "]" * 2000, "NaN"),
    *(r'"\u0000"', r'"\ud83d"', r'"\ude00x"', '"\x00"', '"0000-00-00 00:00:00"', '"2021-07-31T14:58:00Z"', '"99999-01-01T00:00:00Z"'),
    *(f'"{TOKEN}"', f'"https://az1.qualtrics.com/API/v3/{TOKEN}?{DATA}"', f'"https://{DATA}@evil.example/"', f'"//[{DATA}"'),
)


def _recorded(node: Any) -> Iterator[bytes]:
    """Every body in a sample file."""
    if isinstance(node, list):
        for it in node:
            yield from _recorded(it)
    elif isinstance(node, dict):
        if "meta" in node or "result" in node:
            yield re.sub(r'@example\.com|Q_CHL|(?<=ame": ")|(?<=ubject": ")', rf"{DATA}\g<0>", json.dumps(node)).encode()
        else:
            yield from _recorded(list(node.values()))


RECORDED = [body for file in sorted(SAMPLES.rglob("*.json")) for body in _recorded(json.loads(file.read_text("utf-8")))]
GRANT = b'{"access_token": "canary-token-7f3a", "token_type": "Bearer", "expires_in": 3600}'


@st.composite
def mutations(draw: st.DrawFn, bodies: list[bytes]) -> bytes:
    """A recorded body that went wrong on its way in one to four places."""
    body = draw(st.sampled_from(bodies))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(0, len(body) - 1)))
        match draw(st.sampled_from(["flip", "cut", "drop", "value", "value", "repeat"])):
            case "flip":
                body = body[:at] + bytes([body[at] ^ 1 << draw(st.integers(0, 7))]) + body[at + 1 :] if body else body
            case "cut":
                body = body[:at]
            case "drop":
                body = body[:at] + body[at + draw(st.integers(1, 40)) :]
            case "value":
                value = draw(st.sampled_from(STRANGE)).encode().replace(b"\\", rb"\\")  # as a template of `re`
                body = body[:at] + re.sub(rb':\s*("[^"]*"|[\w.-]+|[\[{])', b": " + value, body[at:], count=1)
            case _:
                field = re.search(rb'"\w+":\s*("[^"]*"|[\w.-]+)', body[at:])
                body = body.replace(b"{", b"{" + field[0] + b",", draw(st.integers(1, 3))) if field else body
    return body


class _Overheard(logging.Handler):
    """Everything the adapters log, with all it carries."""

    def __init__(self) -> None:
        super().__init__()
        self.text = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.text += f"{record.getMessage()} {record.__dict__}\n"


async def _survives(credentials: Credentials, status: int, body: bytes, grant: httpx.Response) -> None:
    lines: list[RequestLine] = []
    overheard, logger = _Overheard(), logging.getLogger("adapters.qualtrics")
    logger.addHandler(overheard)
    try:
        with respx.mock(assert_all_called=False) as api, stamina.set_testing(True, attempts=1):
            api.post(path="/oauth2/token").mock(return_value=grant)
            api.route().mock(return_value=httpx.Response(status, content=body))
            async with QualtricsClient("https://co1.qualtrics.com/API/v3/", credentials, max_pages=3, on_request=lines.append) as client:
                values, errors = await _ask_everything(client)
    finally:
        logger.removeHandler(overheard)
    for value in values:
        _check(value)
    told = overheard.text + str(lines) + "".join("".join(traceback.format_exception(it)) + repr(it) for it in errors)
    assert DATA not in told
    assert TOKEN not in told


STATUSES = st.sampled_from([200, 200, 200, 200, 400, 401, 403, 404, 429, 500, 504])
MUTATED = {"status": STATUSES, "body": mutations(RECORDED)}
OAUTH_CLIENT = ClientCredentials("client-1", TOKEN)


@settings(max_examples=100)
@given(**MUTATED)
async def test_a_damaged_recording_hurts_nobody_and_tells_nothing(status: int, body: bytes) -> None:
    await _survives(ApiToken(TOKEN), status, body, httpx.Response(500))


@pytest.mark.deep
@settings(max_examples=2000)
@given(**MUTATED)
async def test_two_thousand_damaged_recordings_hurt_nobody_and_tell_nothing(status: int, body: bytes) -> None:
    await _survives(ApiToken(TOKEN), status, body, httpx.Response(500))


@settings(max_examples=50)
@given(status=STATUSES, grant=mutations([GRANT]))
async def test_a_damaged_grant_hurts_nobody_and_tells_nothing(status: int, grant: bytes) -> None:
    await _survives(OAUTH_CLIENT, 401, RECORDED[0], httpx.Response(status, content=grant))
