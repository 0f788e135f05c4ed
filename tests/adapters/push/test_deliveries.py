"""A delivery that one of the integration's keys signed becomes one hint; anything else becomes an empty answer and nothing."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any, NoReturn
from urllib.parse import quote, urlencode

import pytest
import respx
from sqlalchemy import func, update
from starlette.requests import ClientDisconnect

from bot.errors import Unavailable
from store import tables
from store.unit_of_work import SqlStore
from tests.adapters.push.conftest import BRAND, CANARY, FORM, KEY, RECORDED, Endpoint, a_message, delivered, everything, signature, signed

FORBIDDEN_KEY = "somebody-elses-key"


@pytest.fixture(autouse=True)
def _nothing_leaks(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """No log line of any level repeats what came."""
    caplog.set_level(logging.DEBUG)
    yield
    logged = repr([record.__dict__ for record in caplog.records if record.name.startswith(("adapters", "bot", "store"))])
    assert not {word for word in (CANARY, KEY, FORBIDDEN_KEY, "R_0B7", "R_1l9") if word in logged}


async def test_the_recorded_deliveries_verify(endpoint: Endpoint) -> None:
    for recorded in RECORDED:
        assert await endpoint.post(recorded["raw_body"] or urlencode({"MSG": recorded["MSG"], "HMAC": recorded["HMAC"]})) == 200
    assert await endpoint.hinted() == {"SV_1AmkKSDmoZ4XlQx": 1, "SV_22VlHYNeldrrrkp": 1}


async def test_spaces_come_in_two_ways(endpoint: Endpoint) -> None:
    for survey_id, written in (("SV_1", "+"), ("SV_2", "%20")):
        text = json.dumps(a_message(SurveyID=survey_id))
        assert await endpoint.post(f"MSG={quote(text, safe='').replace('%20', written)}&HMAC={signature(text)}&undefined=") == 200
    assert await endpoint.hinted() == {"SV_1": 1, "SV_2": 1}


async def test_qualtrics_asks_the_address_with_get_whether_or_not_there_is_such_an_integration(endpoint: Endpoint) -> None:
    for integration_id in ("main", "unknown"):
        response = await endpoint.http.get(f"/qualtrics/events/{integration_id}")
        assert (response.status_code, response.content) == (200, b"")


async def test_other_methods_are_refused_without_a_word(endpoint: Endpoint) -> None:
    for method in ("PUT", "DELETE", "PATCH", "OPTIONS", "INVENTED"):
        response = await endpoint.http.request(method, "/qualtrics/events/main", content=delivered())
        assert (response.status_code, response.content, response.headers["Allow"]) == (405, b"", "GET, HEAD, POST")
    assert await endpoint.hints() == []


async def test_no_answer_needs_the_network(endpoint: Endpoint) -> None:
    with respx.mock:
        assert await endpoint.post(delivered()) == 200


async def test_a_burst_of_completions_is_one_hint(endpoint: Endpoint) -> None:
    answers = await asyncio.gather(*(endpoint.post(delivered(ResponseID=f"R_{n}")) for n in range(100)))
    assert set(answers) == {200}
    assert [(hint.integration_id, hint.survey_id) for hint in await endpoint.hints()] == [("main", "SV_1")]


async def test_many_that_give_up_waiting_together_take_nobody_along(endpoint: Endpoint) -> None:
    patient, endpoint.http = endpoint.http, endpoint.serving(endpoint.store, patience_seconds=0.3)
    started, ends = threading.Event(), threading.Event()

    def long_work(_uow: object) -> None:
        started.set()
        ends.wait(20)

    busy = asyncio.create_task(endpoint.store.write(long_work))
    await asyncio.to_thread(started.wait, 20)
    assert set(await asyncio.gather(*(endpoint.post(delivered(ResponseID=f"R_{n}")) for n in range(300)))) == {503}
    ends.set()
    await busy
    endpoint.http = patient
    assert await endpoint.post(delivered(SurveyID="SV_2")) == 200
    assert "SV_2" in await endpoint.hinted()


async def test_a_completion_that_comes_again_hints_at_nothing(endpoint: Endpoint) -> None:
    for _ in range(3):
        assert await endpoint.post(delivered()) == 200
    assert await endpoint.post(delivered(CompletedDate=None, CreatorID=None)) == 200
    assert await endpoint.hinted() == {"SV_1": 1}
    assert await endpoint.post(delivered(ResponseID="R_2")) == 200
    assert await endpoint.hinted() == {"SV_1": 2}


async def test_one_completion_hints_at_both_integrations_that_see_it(endpoint: Endpoint) -> None:
    await endpoint.add("branch", FORBIDDEN_KEY)
    assert await endpoint.post(delivered()) == 200
    assert await endpoint.post(delivered(FORBIDDEN_KEY), "branch") == 200
    assert [hint.integration_id for hint in await endpoint.hints()] == ["branch", "main"]


async def test_a_survey_may_be_switched_on_and_off_again_and_again(endpoint: Endpoint) -> None:
    for status in ("Active", "Inactive", "Active"):
        assert await endpoint.post(delivered(Status=status, ResponseID=None, CompletedDate=None)) == 200
    assert await endpoint.hinted() == {"SV_1": 3}


async def test_a_partial_response_is_known_by_its_time(endpoint: Endpoint) -> None:
    for second in (1, 1, 2):
        assert await endpoint.post(delivered(Status="Partial", CompletedDate=f"2026-11-23 12:00:0{second}")) == 200
    assert await endpoint.hinted() == {"SV_1": 2}


async def test_what_may_change_a_survey_hints_at_it_and_other_statuses_are_ignored(endpoint: Endpoint) -> None:
    for status in ("Complete", "Partial", "Started", "Active", "Inactive"):
        assert await endpoint.post(delivered(Status=status, SurveyID=f"SV_{status}")) == 200
    for status in ("", "complete", "Screened", CANARY):
        assert await endpoint.post(delivered(Status=status, SurveyID="SV_ignored")) == 200
    assert set(await endpoint.hinted()) == {"SV_Complete", "SV_Partial", "SV_Started", "SV_Active", "SV_Inactive"}


async def test_the_topic_is_not_signed_and_not_believed(endpoint: Endpoint) -> None:
    text = json.dumps(a_message())
    assert await endpoint.post(signed(text, Topic="evil.surveyengine.completedResponse.SV_2")) == 200
    assert await endpoint.hinted() == {"SV_1": 1}


async def test_nothing_of_a_delivery_is_kept_but_its_survey(endpoint: Endpoint, database_url: str) -> None:
    assert await endpoint.post(delivered()) == 200
    kept = everything(database_url)
    assert "SV_1" in kept
    assert CANARY not in kept
    assert KEY not in kept


async def test_unknown_integration_no_key_and_wrong_key_are_answered_alike(endpoint: Endpoint) -> None:
    await endpoint.add("keyless")
    url = "/qualtrics/events/{}"
    headers = {"Content-Type": FORM}
    answers = [
        await endpoint.http.post(url.format(name), content=delivered(FORBIDDEN_KEY), headers=headers) for name in ("main", "keyless", "no")
    ]
    assert {(answer.status_code, answer.content, tuple(answer.headers.raw)) for answer in answers} == {
        (401, b"", ((b"content-length", b"0"),))
    }
    assert await endpoint.hints() == []


FORGED = [
    signature(json.dumps(a_message())).upper(),
    signature(json.dumps(a_message()))[:-1],
    signature(json.dumps(a_message())) + "0",
    signature(json.dumps(a_message()), ""),
    "",
    "ü",
    "0" * 128,
]


async def test_a_signature_that_is_nearly_right_is_wrong(endpoint: Endpoint) -> None:
    for forged in FORGED:
        assert await endpoint.post(signed(json.dumps(a_message()), HMAC=forged)) == 401, forged
    assert await endpoint.hints() == []


async def test_a_changed_message_does_not_bear_its_signature_any_more(endpoint: Endpoint) -> None:
    text = json.dumps(a_message())
    assert await endpoint.post(signed(text.replace("SV_1", "SV_2"), HMAC=signature(text))) == 401
    assert await endpoint.hints() == []


NO_DELIVERIES = [
    b"",
    b"MSG",
    b"MSG=%7B%7D",
    b"HMAC=00",
    b"Status=Complete&SurveyID=SV_1",
    delivered()[:60],
    delivered() + b"&HMAC=0",
    delivered() + b"&MSG=%7B%7D",
    delivered() + b"&MSG=" + quote(json.dumps(a_message())).encode(),
    b"MSG=%ff&HMAC=00",
    b"\xff\xfe=1&MSG=1&HMAC=2",
    b"&".join([b"a=b"] * 100 + [delivered()]),
    b'{"MSG": 1}',
]


async def test_what_is_no_delivery_is_refused(endpoint: Endpoint) -> None:
    for body in NO_DELIVERIES:
        assert await endpoint.post(body) == 400, body
    assert await endpoint.hints() == []


NONSENSE = [
    "",
    "null",
    "[]",
    "{}",
    "{",
    "[" * 5_000,
    '{"Status": "Complete"}',
    '{"SurveyID": "SV_1"}',
    '{"Status": "Complete", "SurveyID": "SV_\\ud800"}',
    *(
        json.dumps(a_message(SurveyID=survey))
        for survey in ("", "SV_", "UR_1", "SV_1/../x", "SV 1", "SV_1\0", "SV_" + "1" * 98, 1, None, ["SV_1"])
    ),
    json.dumps(a_message(Status=1)),
    json.dumps(a_message(ResponseID={})),
    json.dumps(a_message(BrandID=f"{CANARY}-brand")),
]


async def test_a_signed_message_that_says_nothing_sensible_is_refused(endpoint: Endpoint) -> None:
    await endpoint.store.write(lambda u: u.integrations.set_brand("main", BRAND))
    for text in NONSENSE:
        assert await endpoint.post(signed(text)) == 400, text
    assert await endpoint.hints() == []


async def test_only_the_brand_that_is_known_is_compared(endpoint: Endpoint) -> None:
    assert await endpoint.post(delivered(BrandID="another")) == 200
    await endpoint.store.write(lambda u: u.integrations.set_brand("main", BRAND))
    assert await endpoint.post(delivered(ResponseID="R_2")) == 200
    assert await endpoint.post(delivered(ResponseID="R_3", BrandID=None)) == 200
    assert await endpoint.post(delivered(ResponseID="R_4", BrandID="another")) == 400
    assert await endpoint.hinted() == {"SV_1": 3}


async def test_only_forms_are_read(endpoint: Endpoint) -> None:
    for kind in ("application/json", "text/plain", "", "multipart/form-data"):
        assert await endpoint.post(delivered(), **{"Content-Type": kind}) == 415
    assert await endpoint.post(delivered(), **{"Content-Type": f"{FORM}; charset=UTF-8"}) == 200


async def test_a_body_may_have_64_kibibytes(endpoint: Endpoint) -> None:
    text = json.dumps(a_message())
    body = signed(text) + b"&x="
    assert await endpoint.post(body + b"x" * (64 * 1024 - len(body))) == 200
    assert await endpoint.post(body + b"x" * (64 * 1024 - len(body) + 1)) == 413


async def test_a_body_without_end_is_not_read_to_its_end_whatever_length_it_tells(endpoint: Endpoint) -> None:
    read = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        while True:
            read += 4096
            yield b"x" * 4096

    assert await endpoint.post(endless()) == 413
    assert await endpoint.post(endless(), **{"Content-Length": "10"}) == 413
    assert read <= 256 * 1024


async def test_a_body_that_says_it_is_too_long_is_not_read_at_all(endpoint: Endpoint) -> None:
    async def untouched() -> AsyncIterator[bytes]:
        pytest.fail("it was read")
        yield b""

    assert await endpoint.post(untouched(), **{"Content-Length": "9" * 30}) == 413


async def test_a_body_that_breaks_off_or_does_not_come_is_refused(endpoint: Endpoint) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"MSG="
        raise ClientDisconnect

    async def silent() -> AsyncIterator[bytes]:
        yield b"MSG="
        await asyncio.Event().wait()

    endpoint.http = endpoint.serving(endpoint.store, patience_seconds=0.05)
    assert await endpoint.post(broken()) == 400
    assert await endpoint.post(silent()) == 400


async def test_a_paused_integration_is_not_hinted_at(endpoint: Endpoint) -> None:
    await endpoint.store.write(lambda u: u.integrations.set_paused("main", is_paused=True))
    assert await endpoint.post(delivered()) == 200
    assert await endpoint.hints() == []


async def test_a_new_key_is_believed_at_once_beside_the_old_one(endpoint: Endpoint) -> None:
    assert await endpoint.post(delivered()) == 200
    await endpoint.store.write(lambda u: u.integrations.set_push_keys("main", ["new", KEY]))
    assert await endpoint.post(delivered("new", ResponseID="R_2")) == 200
    assert await endpoint.post(delivered(ResponseID="R_3")) == 200
    assert await endpoint.hinted() == {"SV_1": 3}


async def test_a_new_key_is_believed_at_once_also_among_forgeries(endpoint: Endpoint) -> None:
    assert await endpoint.post(delivered()) == 200
    for number in range(3):
        assert await endpoint.post(delivered(FORBIDDEN_KEY)) == 401
        await endpoint.store.write(lambda u, key=f"new{number}": u.integrations.set_push_keys("main", [key]))
        new = delivered(f"new{number}", ResponseID=f"R_{number}2")
        assert await asyncio.gather(*(endpoint.post(body) for body in [delivered(FORBIDDEN_KEY), new] * 5)) == [401, 200] * 5
    assert await endpoint.hinted() == {"SV_1": 4}


async def test_a_key_that_was_taken_away_is_forgotten_within_seconds(endpoint: Endpoint) -> None:
    assert await endpoint.post(delivered()) == 200
    await endpoint.store.write(lambda u: u.integrations.set_push_keys("main", []))
    endpoint.wait(seconds=6)
    assert await endpoint.post(delivered(ResponseID="R_2")) == 401


async def test_keys_that_do_not_open_are_no_keys_and_silence_nobody_else(
    endpoint: Endpoint, store: SqlStore, caplog: pytest.LogCaptureFixture
) -> None:
    await endpoint.add("damaged", "lost")
    await store.write(_damage)
    assert await endpoint.post(delivered("lost"), "damaged") == 401
    assert await endpoint.post(delivered()) == 200
    assert "push.keys_unreadable" in caplog.messages


def _damage(uow: Any) -> None:
    cut = update(tables.integrations).where(tables.integrations.c.integration_id == "damaged")
    uow.integrations.connection.execute(cut.values(push_keys=func.substr(tables.integrations.c.push_keys, 1, 20)))


async def test_many_wrong_signatures_are_told_once_a_second(endpoint: Endpoint, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(20):
        assert await endpoint.post(delivered(FORBIDDEN_KEY)) == 401
    assert caplog.messages.count("push.refused") == 1
    endpoint.wait(seconds=1)
    assert await endpoint.post(delivered(FORBIDDEN_KEY)) == 401
    assert caplog.messages.count("push.refused") == 2


class Broken:
    """A database that does not answer: at once, or ever."""

    def __init__(self, *, hangs: bool) -> None:
        self.hangs = hangs

    async def read(self, _work: object) -> NoReturn:
        if self.hangs:
            await asyncio.Event().wait()
        raise Unavailable("the database cannot answer now")

    write = read


async def test_without_a_database_qualtrics_is_asked_to_send_again(endpoint: Endpoint) -> None:
    for hangs in (False, True):
        endpoint.http = endpoint.serving(Broken(hangs=hangs), patience_seconds=0.05)
        assert await endpoint.post(delivered()) == 503


async def test_signatures_are_judged_and_hints_time_out_while_the_writer_is_busy(endpoint: Endpoint) -> None:
    patient, hasty = endpoint.http, endpoint.serving(endpoint.store, patience_seconds=0.05)
    started, ends = threading.Event(), threading.Event()

    def long_work(_uow: object) -> None:
        started.set()
        ends.wait(20)

    busy = asyncio.create_task(endpoint.store.write(long_work))
    await asyncio.to_thread(started.wait, 20)
    try:
        assert await endpoint.post(delivered(FORBIDDEN_KEY)) == 401
        endpoint.http = hasty
        assert await endpoint.post(delivered()) == 503
    finally:
        endpoint.http = patient
        ends.set()
        await busy
    assert await endpoint.post(delivered()) == 200
    assert await endpoint.hinted() == {"SV_1": 1}
