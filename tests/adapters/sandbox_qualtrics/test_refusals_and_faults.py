"""The simulated tenant refuses as Qualtrics was recorded to refuse, and fails when it is told to."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapters.sandbox.qualtrics.faults import Faults
from adapters.sandbox.qualtrics.server import qualtrics_app
from adapters.sandbox.qualtrics.tenant import Tenant
from adapters.sandbox.serving import serving

Opener = Callable[..., httpx.AsyncClient]
Reader = Callable[..., Awaitable[list[dict[str, Any]]]]

ERRORS = Path(__file__).parents[2] / "samples" / "qualtrics" / "recorded-errors" / "errors.json"
RECORDED: dict[str, Any] = {error["when"]: error for error in json.loads(ERRORS.read_text(encoding="utf-8"))}


@pytest.mark.parametrize(
    ("when", "path"),
    [
        ("unknown route", "/brands"),
        ("survey not found", "/surveys/SV_unknown"),
        ("distribution not found (links)", "/distributions/EMD_unknown/links?surveyId=SV_unknown"),
        ("survey definition not permitted", "/survey-definitions/SV_unknown/options"),
    ],
)
async def test_an_error_has_the_recorded_body(api: httpx.AsyncClient, when: str, path: str) -> None:
    _assert_recorded(await api.get(f"/API/v3{path}"), when)


async def test_a_wrong_token_is_refused_as_recorded(open_client: Opener, tenant: Tenant) -> None:
    _assert_recorded(await open_client(tenant, token="wrong").get("/API/v3/whoami"), "bad token")


async def test_no_token_is_refused_with_400(open_client: Opener, tenant: Tenant) -> None:
    answer = await open_client(tenant, token="").get("/API/v3/whoami")
    assert (answer.status_code, answer.json()["meta"]["error"]["errorCode"]) == (400, "ATP_2")


async def test_the_token_may_come_as_a_bearer(open_client: Opener, tenant: Tenant) -> None:
    answer = await open_client(tenant, token="").get("/API/v3/whoami", headers={"Authorization": "Bearer sandbox-token"})
    assert answer.json()["result"]["brandId"] == tenant.brand_id


async def test_the_history_of_a_test_mail_is_refused_as_recorded(api: httpx.AsyncClient, tenant: Tenant) -> None:
    distribution_id = tenant.test_mail(tenant.surveys[0].survey_id)
    answer = await api.get(f"/API/v3/distributions/{distribution_id}/history")
    body = json.loads(answer.text.replace(distribution_id, "REMOVED"))
    assert (answer.status_code, body["meta"]["error"]) == (400, RECORDED["history of a test mail"]["body"]["meta"]["error"])


async def test_a_definition_that_is_not_shared_is_forbidden_while_the_survey_is_listed(api: httpx.AsyncClient, tenant: Tenant) -> None:
    survey_id = next(survey.survey_id for survey in tenant.surveys if not survey.is_readable)
    for path in ("", "/metadata", "/options"):
        _assert_recorded(await api.get(f"/API/v3/survey-definitions/{survey_id}{path}"), "survey definition not permitted")
    assert (await api.get(f"/API/v3/surveys/{survey_id}")).status_code == 200


async def test_a_deleted_survey_is_gone_but_for_its_metadata(api: httpx.AsyncClient, tenant: Tenant) -> None:
    """Quirk Q11."""
    survey_id = tenant.surveys[0].survey_id
    tenant.delete(survey_id)
    _assert_recorded(await api.get(f"/API/v3/surveys/{survey_id}"), "survey not found")
    metadata = (await api.get(f"/API/v3/survey-definitions/{survey_id}/metadata")).json()["result"]
    assert (metadata["SurveyStatus"], metadata["Deleted"]) == ("Inactive", "2026-07-01T12:00:00Z")


async def test_distributions_are_not_listed_without_a_survey(api: httpx.AsyncClient) -> None:
    assert (await api.get("/API/v3/distributions")).status_code == 400


async def test_a_distribution_of_another_survey_is_not_found(api: httpx.AsyncClient, tenant: Tenant) -> None:
    sent = tenant.surveys[0].distributions[0]
    _assert_recorded(
        await api.get(f"/API/v3/distributions/{sent.distribution_id}?surveyId={tenant.surveys[1].survey_id}"),
        "distribution not found (links)",
    )


@pytest.mark.parametrize("path", ["/users/UR_x", "/directories/POOL_x/contacts", "/directories/{d}/contacts/CID_x"])
async def test_what_is_not_there_answers_404(api: httpx.AsyncClient, tenant: Tenant, path: str) -> None:
    assert (await api.get(f"/API/v3{path.format(d=tenant.directories[0].directory_id)}")).status_code == 404


async def test_a_planned_number_of_calls_is_refused_and_names_the_pause(api: httpx.AsyncClient, tenant: Tenant) -> None:
    tenant.faults = Faults(status=429, times=2, retry_after=3)
    answers = [await api.get("/API/v3/surveys") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [429, 429, 200]
    assert [answer.headers.get("Retry-After") for answer in answers] == ["3", "3", None]


async def test_a_fault_without_a_number_lasts_until_it_is_replaced_and_keeps_to_its_path(api: httpx.AsyncClient, tenant: Tenant) -> None:
    tenant.faults = Faults(status=503, prefix="/surveys")
    for _ in range(3):
        assert (await api.get("/API/v3/surveys")).status_code == 503
        assert (await api.get("/API/v3/users")).status_code == 200
    tenant.faults = Faults()
    assert (await api.get("/API/v3/surveys")).status_code == 200


async def test_a_broken_answer_is_no_json_and_the_next_one_is_whole(api: httpx.AsyncClient, tenant: Tenant) -> None:
    tenant.faults = Faults(broken_json_next=1)
    broken = await api.get("/API/v3/surveys")
    with pytest.raises(json.JSONDecodeError):
        broken.json()
    assert broken.status_code == 200
    assert (await api.get("/API/v3/surveys")).json()["result"]["elements"]


async def test_one_page_in_the_middle_fails_and_can_be_asked_for_again(api: httpx.AsyncClient, tenant: Tenant) -> None:
    path = f"/API/v3/distributions/{tenant.surveys[0].distributions[0].distribution_id}/history?pageSize=3"
    tenant.faults = Faults(status=504, after=1, times=1, prefix="/distributions/{id}/history")
    second = (await api.get(path)).json()["result"]["nextPage"]
    assert (await api.get(f"/API/v3/distributions?surveyId={tenant.surveys[0].survey_id}")).status_code == 200
    assert [(await api.get(second)).status_code for _ in range(2)] == [504, 200]


@pytest.mark.parametrize("retry_after", ["Wed, 01 Jul 2026 12:00:30 GMT", "soon"])
async def test_a_refusal_names_its_pause_in_any_words(api: httpx.AsyncClient, tenant: Tenant, retry_after: str) -> None:
    tenant.faults = Faults(status=429, retry_after=retry_after)
    answer = await api.get("/API/v3/surveys")
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, retry_after)


@pytest.mark.parametrize(
    ("written", "expected"),
    [("loop", "http://qualtrics.test/API/v3/surveys"), ("relative", "/API/v3/surveys?offset=7"), ("string_or_null", "string_or_null")],
)
async def test_next_page_can_be_led_astray(api: httpx.AsyncClient, tenant: Tenant, written: str, expected: str) -> None:
    tenant.faults = Faults(next_page=written)
    assert (await api.get("/API/v3/surveys")).json()["result"]["nextPage"] == expected


async def test_a_relative_next_page_ends_like_any_other(api: httpx.AsyncClient, tenant: Tenant) -> None:
    tenant.faults = Faults(next_page="relative")
    assert (await api.get("/API/v3/directories")).json()["result"]["nextPage"] is None


async def test_a_history_can_come_short_and_be_whole_the_next_time(read_all: Reader, tenant: Tenant) -> None:
    """Quirk Q9, within a page and at its end."""
    sent = tenant.surveys[0].distributions[0]
    for rows in (0, 5, 7, 10):
        tenant.faults = Faults(history_rows=rows)
        assert len(await read_all(f"/distributions/{sent.distribution_id}/history")) == rows
    tenant.faults = Faults()
    assert len(await read_all(f"/distributions/{sent.distribution_id}/history")) == len(sent.recipients)


async def test_links_can_lack_people_whom_the_history_names(read_all: Reader, tenant: Tenant) -> None:
    """Quirk Q10."""
    sent = tenant.surveys[0].distributions[0]
    people = [row.contact.contact_id for row in sent.recipients]
    tenant.faults = Faults(links_lack=people[2:4])
    links = f"/distributions/{sent.distribution_id}/links?surveyId={sent.survey_id}"
    assert [row["contactId"] for row in await read_all(links)] == people[:2] + people[4:]
    assert [row["contactId"] for row in await read_all(f"/distributions/{sent.distribution_id}/history")] == people


async def test_a_deleted_distribution_is_gone_everywhere_and_the_others_are_not(
    api: httpx.AsyncClient, read_all: Reader, tenant: Tenant
) -> None:
    survey = tenant.surveys[0]
    listed = f"/distributions?surveyId={survey.survey_id}&pageSize=1"
    ids = [sent["id"] for sent in await read_all(listed)]
    link = tenant.personal_link(tenant.emails()[0], survey.survey_id)
    tenant.delete_distribution(ids[1])
    for part in ("", "/history", "/links"):
        answer = await api.get(f"/API/v3/distributions/{ids[1]}{part}?surveyId={survey.survey_id}")
        _assert_recorded(answer, "distribution not found (links)")
    assert [sent["id"] for sent in await read_all(listed)] == [ids[0], *ids[2:]]
    assert ids[1] in link
    assert (await api.get(link)).status_code == 404
    assert ids[0] in tenant.personal_link(tenant.emails()[0], survey.survey_id)


def test_a_distribution_that_is_deleted_before_its_time_is_never_sent(tenant: Tenant, clock: Any) -> None:
    sent = tenant.distribution(tenant.send_survey(emails=["one@example.com"], send_in=timedelta(hours=1)))
    tenant.delete_distribution(sent.distribution_id)
    clock.advance(timedelta(hours=2))
    tenant.settle()
    assert [row.status for row in sent.recipients] == ["Pending"]


async def test_calls_are_counted_by_path_template_refused_ones_too(api: httpx.AsyncClient, tenant: Tenant) -> None:
    for sent in list(tenant.surveys[0].distributions)[:2]:
        await api.get(f"/API/v3/distributions/{sent.distribution_id}/history")
    tenant.faults = Faults(status=500)
    await api.get("/API/v3/surveys/")
    await api.get("/API/v3/brands")
    assert tenant.calls == {"/distributions/{id}/history": 2, "/surveys": 1, "unknown": 1}


async def test_over_a_real_socket_the_tenant_hangs_up_when_told_so(tenant: Tenant) -> None:
    async with serving(qualtrics_app(tenant, token="t")) as url, httpx.AsyncClient(headers={"X-API-TOKEN": "t"}) as client:
        tenant.faults = Faults(hangs_up=True, times=1)
        with pytest.raises(httpx.RemoteProtocolError):
            await client.get(f"{url}/API/v3/surveys")
        assert (await client.get(f"{url}/API/v3/surveys")).status_code == 200


async def test_over_a_real_socket_the_tenant_answers_late_when_told_so_and_next_pages_can_be_followed(tenant: Tenant) -> None:
    async with serving(qualtrics_app(tenant, token="t", page_size=7)) as url, httpx.AsyncClient(headers={"X-API-TOKEN": "t"}) as client:
        first = (await client.get(f"{url}/API/v3/surveys")).json()["result"]
        assert first["nextPage"].startswith(url)
        assert (await client.get(first["nextPage"])).status_code == 200
        tenant.faults = Faults(slow_seconds=0.3)
        with pytest.raises(httpx.ReadTimeout):
            await client.get(f"{url}/API/v3/surveys", timeout=httpx.Timeout(30, read=0.05))


def _assert_recorded(answer: httpx.Response, when: str) -> None:
    """Status, error and the presence of a request id are the recorded ones; `notice` tells of a proxy that is not simulated."""
    recorded = RECORDED[when]["body"]["meta"]
    meta = answer.json()["meta"]
    assert answer.status_code == RECORDED[when]["status"]
    assert (meta["httpStatus"], meta["error"]) == (recorded["httpStatus"], recorded["error"])
    assert bool(meta.get("requestId")) == bool(recorded.get("requestId"))
    assert set(meta) == set(recorded) - {"notice"}
