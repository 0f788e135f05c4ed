"""What happens in the simulated tenant is told to its subscribers, in the recorded forms."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from adapters.sandbox.qualtrics.deliveries import Courier
from adapters.sandbox.qualtrics.events import Event, form
from adapters.sandbox.qualtrics.tenant import Tenant
from adapters.sandbox.serving import serving

EMAIL = "one@example.com"
KEY = "k" * 32
PATH = "/API/v3/eventsubscriptions"

#: A captured delivery and its published test key: kyma-connector-tools/signed_deliveries.json.
RECORDED_KEY = "kyma4ever"
RECORDED_BODY = (
    b"HMAC=5db5cd1e0200e9ce6831ea0f1924beb97f136939e367c53f5af8f7d79c6727af495cb90d6c744fe72ab45efd9f9f2ba7c15b13fdf6565af3d5a4f50ed2c0c7d4"
    b"&MSG=%7B%22Status%22%3A%22Complete%22%2C%22SurveyID%22%3A%22SV_22VlHYNeldrrrkp%22%2C%22ResponseID%22%3A%22R_1l9mcVuXubb4aGm%22%2C"
    b"%22CompletedDate%22%3A%222019-06-26%2013%3A28%3A11%22%2C%22BrandID%22%3A%22sapdevelopment%22%7D"
    b"&Topic=sapdevelopment.surveyengine.completedResponse.SV_22VlHYNeldrrrkp&undefined="
)


class Subscriber:
    """Receives deliveries, and answers each with `status`."""

    url = ""
    status = 200

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.heard = asyncio.Event()

    @property
    def forms(self) -> list[dict[str, str]]:
        return [{name: values[0] for name, values in parse_qs(body.decode(), keep_blank_values=True).items()} for body in self.bodies]

    @property
    def messages(self) -> list[dict[str, str]]:
        return [json.loads(form["MSG"]) for form in self.forms]

    async def receive(self, request: Request) -> Response:
        assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
        self.bodies.append(await request.body())
        self.heard.set()
        return Response(status_code=self.status)


@pytest.fixture
async def subscriber() -> AsyncIterator[Subscriber]:
    subscriber = Subscriber()
    async with serving(Starlette(routes=[Route("/events", subscriber.receive, methods=["POST"])])) as url:
        subscriber.url = f"{url}/events"
        yield subscriber


async def _subscribe(api: httpx.AsyncClient, url: str, topics: str = "*", **more: Any) -> str:
    answer = await api.post(PATH, json={"topics": topics, "publicationUrl": url, "encrypt": False, **more})
    return answer.raise_for_status().json()["result"]["id"]


def test_a_signed_form_is_the_recorded_one_byte_for_byte() -> None:
    recorded = parse_qs(RECORDED_BODY.decode())
    event = Event(topic=recorded["Topic"][0], message=json.loads(recorded["MSG"][0]))
    assert form(event, RECORDED_KEY) == RECORDED_BODY


async def test_a_subscription_is_shown_without_its_key_and_gone_when_deleted(api: httpx.AsyncClient, tenant: Tenant) -> None:
    """As recorded in event_subscription_create.json and event_subscription_delete.json."""
    subscription_id = await _subscribe(api, "https://some.random.url", "controlpanel.activateSurvey", sharedKey=KEY)
    shown = {
        "id": subscription_id,
        "scope": tenant.brand_id,
        "topics": "controlpanel.activateSurvey",
        "publicationUrl": "https://some.random.url",
        "encrypted": False,
        "successfulCalls": 0,
    }
    assert (await api.get(f"{PATH}/{subscription_id}")).json()["result"] == shown
    assert (await api.get(PATH)).json()["result"] == {"elements": [shown], "nextPage": None}
    deleted = await api.delete(f"{PATH}/{subscription_id}")
    assert (deleted.status_code, set(deleted.json())) == (200, {"meta"})
    for missing in (await api.get(f"{PATH}/{subscription_id}"), await api.delete(f"{PATH}/{subscription_id}")):
        error = {"errorMessage": f"{subscription_id} not found", "errorCode": "ESSG_2"}
        assert missing.json() == {"meta": {"httpStatus": "404 - Not Found", "error": error, "requestId": None}}


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        "{}",
        '{"topics":1,"publicationUrl":"u"}',
        '{"topics":"*","publicationUrl":"u","sharedKey":1}',
        '{"topics":"*","publicationUrl":"u","encrypt":true}',
    ],
)
async def test_what_is_no_subscription_is_refused(api: httpx.AsyncClient, tenant: Tenant, body: str) -> None:
    assert (await api.post(PATH, content=body)).status_code == 400
    assert len(tenant.subscriptions) == 0


async def test_each_step_of_a_person_is_told_once_and_signed(
    api: httpx.AsyncClient, tenant: Tenant, subscriber: Subscriber, clock: Any
) -> None:
    """Fields of reference 9; the clock stands at 2026-07-01 12:00 UTC when the survey is started."""
    await _subscribe(api, subscriber.url, sharedKey=KEY)
    sent = tenant.distribution(tenant.send_survey(emails=[EMAIL]))
    for status in ("Opened", "SurveyStarted", "SurveyStarted", "SurveyPartiallyFinished", "SurveyFinished", "SurveyFinished"):
        tenant.move(EMAIL, sent.survey_id, status)
        clock.advance(timedelta(seconds=1))
    assert [sent.status for sent in await Courier(tenant).send_all()] == [200] * 3
    row = sent.recipients[0]
    person = {
        "SurveyID": sent.survey_id,
        "RecipientID": row.contact.lookup_id,
        "ResponseEventContext": "",
        "DistributionID": sent.distribution_id,
    }
    response = {"ResponseID": row.response_id, "CreatorID": sent.owner_id}
    brand = {"BrandID": tenant.brand_id}
    assert subscriber.messages == [
        {"Status": "Started", **person, "StartedDate": "2026-07-01 12:00:01", **brand},
        {"Status": "Partial", **person, **response, "CompletedDate": "2026-07-01 12:00:03", **brand},
        {"Status": "Complete", **person, **response, "CompletedDate": "2026-07-01 12:00:04", **brand},
    ]
    names = ("startedRecipientSession", "partialResponse", "completedResponse")
    assert [form["Topic"] for form in subscriber.forms] == [f"{tenant.brand_id}.surveyengine.{name}.{sent.survey_id}" for name in names]
    assert all(_is_signed(form, KEY) for form in subscriber.forms)


async def test_both_recorded_manners_of_writing_occur(api: httpx.AsyncClient, tenant: Tenant, subscriber: Subscriber) -> None:
    """Quirk Q16: `%20` beside an empty key `undefined`, or `+` without it."""
    await _subscribe(api, subscriber.url, "surveyengine.completedResponse.*", sharedKey=KEY)
    for number in range(12):
        tenant.move(EMAIL, tenant.distribution(tenant.send_survey(name=str(number), emails=[EMAIL])).survey_id, "SurveyFinished")
    await Courier(tenant).send_all()
    assert {(b"%20" in body, b"+" in body, b"undefined=" in body) for body in subscriber.bodies} == {
        (True, False, True),
        (False, True, False),
    }
    assert all(_is_signed(form, KEY) for form in subscriber.forms)


async def test_without_a_key_the_fields_come_flat(api: httpx.AsyncClient, tenant: Tenant, subscriber: Subscriber) -> None:
    await _subscribe(api, subscriber.url)
    survey_id = tenant.surveys[0].survey_id
    tenant.deactivate(survey_id)
    tenant.deactivate(survey_id)
    tenant.activate(survey_id)
    await Courier(tenant).send_all()
    brand = tenant.brand_id
    assert [{name: form[name] for name in form if name != "undefined"} for form in subscriber.forms] == [
        {"Topic": f"{brand}.controlpanel.deactivateSurvey", "Status": "Inactive", "SurveyID": survey_id, "BrandID": brand},
        {"Topic": f"{brand}.controlpanel.activateSurvey", "Status": "Active", "SurveyID": survey_id, "BrandID": brand},
    ]


@pytest.mark.parametrize("is_anonymized", [True, False])
async def test_an_answer_nobody_can_be_tied_to_names_nobody(
    api: httpx.AsyncClient, tenant: Tenant, subscriber: Subscriber, is_anonymized: bool
) -> None:
    """The survey anonymises, or the link is anonymous."""
    await _subscribe(api, subscriber.url, "surveyengine.completedResponse.*", sharedKey=KEY)
    survey_id = tenant.create_survey("Anonymous", is_anonymized=is_anonymized)
    if is_anonymized:
        tenant.send_survey(survey_id, emails=[EMAIL])
        tenant.move(EMAIL, survey_id, "SurveyFinished")
    else:
        await api.post(f"/jfe/form/{survey_id}")
    await Courier(tenant).send_all()
    [message] = subscriber.messages
    assert set(message) == {"Status", "SurveyID", "ResponseID", "CompletedDate", "CreatorID", "BrandID"}
    assert message["ResponseID"].startswith("R_")
    assert tenant.survey(survey_id).responses == 1


@pytest.mark.parametrize(
    ("topics", "heard"),
    [
        ("*", 3),
        ("surveyengine.completedResponse.*", 1),
        ("surveyengine.completedResponse.{survey}", 1),
        ("surveyengine.completedResponse.SV_other", 0),
        ("controlpanel.deactivateSurvey", 1),
        ("threesixty.*", 0),
    ],
)
async def test_a_subscriber_hears_of_its_topics_only(api: httpx.AsyncClient, tenant: Tenant, topics: str, heard: int) -> None:
    sent = tenant.distribution(tenant.send_survey(emails=[EMAIL]))
    await _subscribe(api, "https://bot.test", topics.format(survey=sent.survey_id))
    tenant.move(EMAIL, sent.survey_id, "SurveyFinished")
    tenant.deactivate(sent.survey_id)
    assert len(tenant.deliveries) == heard


async def test_a_refusal_and_silence_are_noted_and_only_successes_counted(
    api: httpx.AsyncClient, tenant: Tenant, subscriber: Subscriber
) -> None:
    ids = [await _subscribe(api, url) for url in (subscriber.url, "http://127.0.0.1:1/nobody", "no address")]
    courier = Courier(tenant)
    tenant.deactivate(tenant.surveys[0].survey_id)
    assert [sent.status for sent in await courier.send_all()] == [200, None, None]
    subscriber.status = 503
    tenant.activate(tenant.surveys[0].survey_id)
    assert [sent.status for sent in await courier.send_all()] == [503, None, None]
    assert not await courier.send_all()
    assert [(await api.get(f"{PATH}/{each}")).json()["result"]["successfulCalls"] for each in ids] == [1, 0, 0]


async def test_a_running_courier_sends_by_itself_what_happens_later(api: httpx.AsyncClient, tenant: Tenant, subscriber: Subscriber) -> None:
    await _subscribe(api, subscriber.url)
    running = asyncio.create_task(Courier(tenant).run(every_seconds=0))
    for act in (tenant.deactivate, tenant.activate):
        subscriber.heard.clear()
        act(tenant.surveys[0].survey_id)
        async with asyncio.timeout(30):
            await subscriber.heard.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert [form["Status"] for form in subscriber.forms] == ["Inactive", "Active"]


async def test_a_delivery_can_be_replayed_signed_wrongly_and_cut_off(
    api: httpx.AsyncClient, tenant: Tenant, subscriber: Subscriber
) -> None:
    await _subscribe(api, subscriber.url, sharedKey=KEY)
    courier = Courier(tenant)
    tenant.deactivate(tenant.surveys[0].survey_id)
    [sent] = await courier.send_all()
    genuine = sent.delivery
    for forged in (genuine, genuine.signed_with("wrong"), replace(genuine, body=genuine.body[:40])):
        await courier.send(forged)
    assert subscriber.bodies[0] == subscriber.bodies[1]
    assert [_is_signed(form, KEY) for form in subscriber.forms[:3]] == [True, True, False]
    assert _is_signed(subscriber.forms[2], "wrong")
    assert subscriber.bodies[3] == subscriber.bodies[0][:40]


def _is_signed(form: dict[str, str], key: str) -> bool:
    return hmac.new(key.encode(), form["MSG"].encode(), hashlib.sha512).hexdigest() == form["HMAC"]
