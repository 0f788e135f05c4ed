"""Whatever comes, the answer is short and empty, and nothing is hinted at that no key signed: mutations of the recorded deliveries."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
from urllib.parse import parse_qsl

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.adapters.push.conftest import CANARY, KEY, RECORDED, Endpoint, a_message, delivered, signed

BODIES = [recorded["raw_body"].encode() for recorded in RECORDED if recorded["raw_body"]] + [
    *(signed(recorded["MSG"]) for recorded in RECORDED),
    delivered(),
]
MESSAGES = [recorded["MSG"] for recorded in RECORDED] + [json.dumps(a_message())]
#: Bytes that mean something in forms, JSON, URLs and databases, and pieces of deliveries.
PIECES = [
    b"&",
    b"=",
    b"%",
    b"+",
    b"%00",
    b"%FF",
    b"\0",
    b"\xff",
    b";",
    b"MSG=",
    b"HMAC=",
    b"undefined=",
    b'"',
    b"{}",
    b"[]",
    b"null",
    b"\\ud800",
]
VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text(), max_size=2) | st.just("SV_1")


@st.composite
def mutations(draw: st.DrawFn, originals: list[bytes]) -> bytes:
    """A delivery that was cut, stretched, repeated, or changed here and there."""
    body = draw(st.sampled_from(originals))
    for _ in range(draw(st.integers(0, 4))):
        start, end = sorted((draw(st.integers(0, len(body))), draw(st.integers(0, len(body)))))
        piece = draw(st.sampled_from([*PIECES, body[start:end], b""]) | st.binary(max_size=8))
        body = body[:start] + piece + body[draw(st.sampled_from([start, end])) :]
    return body


@st.composite
def messages(draw: st.DrawFn) -> str:
    """A message in which fields are missing, new, or of another kind; or one that is no message."""
    if draw(st.booleans()):
        return draw(mutations([text.encode() for text in MESSAGES])).decode(errors="replace")
    message = json.loads(draw(st.sampled_from(MESSAGES)))
    changed = draw(st.dictionaries(st.sampled_from([*message, "Other"]), VALUES, max_size=3))
    return json.dumps({name: value for name, value in (message | changed).items() if value is not None})


def is_signed(body: bytes) -> bool:
    """Whether some reading of a form finds one message under its right signature."""
    fields = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
    texts, signatures = ([value for key, value in fields if key == name] for name in ("MSG", "HMAC"))
    return len(texts) == len(signatures) == 1 and hmac.digest(KEY.encode(), texts[0].encode(), hashlib.sha512).hex() == signatures[0]


async def check(endpoint: Endpoint, caplog: pytest.LogCaptureFixture, body: bytes) -> None:
    caplog.set_level(logging.DEBUG, "adapters")
    caplog.clear()
    answer = await endpoint.post(body)
    hints = await endpoint.hints()
    assert answer in ({200, 400} if is_signed(body) else {400, 401, 413})
    assert len(hints) <= (answer == 200)
    assert CANARY not in repr([record.__dict__ for record in caplog.records if record.name.startswith(("adapters", "bot", "store"))])
    await endpoint.store.write(lambda u: [u.refreshes.done(hint) for hint in hints])


@settings(max_examples=60)
@given(body=mutations(BODIES) | messages().map(signed))
async def test_some_mutations(endpoint: Endpoint, caplog: pytest.LogCaptureFixture, body: bytes) -> None:
    await check(endpoint, caplog, body)


@pytest.mark.deep
@settings(max_examples=2000)
@given(body=mutations(BODIES))
async def test_two_thousand_mutations_of_bodies(endpoint: Endpoint, caplog: pytest.LogCaptureFixture, body: bytes) -> None:
    await check(endpoint, caplog, body)


@pytest.mark.deep
@settings(max_examples=2000)
@given(text=messages())
async def test_two_thousand_mutations_of_messages_under_a_right_signature(
    endpoint: Endpoint, caplog: pytest.LogCaptureFixture, text: str
) -> None:
    await check(endpoint, caplog, signed(text))
