"""Lists of the simulated tenant come in pages: complete, in order, without repeats, computing no more than was asked for."""

from __future__ import annotations

import tracemalloc
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from adapters.sandbox.qualtrics.bulk import bulk_tenant
from adapters.sandbox.qualtrics.status import counted
from adapters.sandbox.qualtrics.tenant import Tenant

Reader = Callable[..., Awaitable[list[dict[str, Any]]]]
Opener = Callable[..., httpx.AsyncClient]


async def test_surveys_are_complete_in_order_and_without_the_deleted_one(read_all: Reader, tenant: Tenant) -> None:
    listed = [survey["id"] for survey in await read_all("/surveys")]
    assert listed == [survey.survey_id for survey in tenant.surveys if survey.deleted_at is None]
    assert len(listed) > 7


async def test_history_and_links_name_every_recipient_once(read_all: Reader, tenant: Tenant) -> None:
    survey = tenant.surveys[0]
    for sent in survey.distributions:
        if sent.request_type == "TestEmail":
            continue
        expected = [row.contact.contact_id for row in sent.recipients]
        assert [row["contactId"] for row in await read_all(f"/distributions/{sent.distribution_id}/history")] == expected
        links = f"/distributions/{sent.distribution_id}/links?surveyId={survey.survey_id}"
        assert [row["contactId"] for row in await read_all(links)] == expected


async def test_contacts_distributions_and_lists_are_complete(read_all: Reader, tenant: Tenant) -> None:
    directory = tenant.directories[0]
    assert len(await read_all(f"/directories/{directory.directory_id}/contacts")) == 25
    lists = await read_all(f"/directories/{directory.directory_id}/mailinglists?pageSize=1")
    sizes = [
        len(await read_all(f"/directories/{directory.directory_id}/mailinglists/{found['mailingListId']}/contacts")) for found in lists
    ]
    assert sizes == [24, 1]
    survey = tenant.surveys[0]
    kinds = [sent["requestType"] for sent in await read_all(f"/distributions?surveyId={survey.survey_id}&pageSize=2")]
    assert kinds == ["Invite", "Reminder", "ThankYou", "TestEmail"]


async def test_a_survey_nobody_knows_has_no_distributions(read_all: Reader) -> None:
    assert await read_all("/distributions?surveyId=SV_unknown") == []


async def test_a_filter_by_kind_leaves_out_the_others(read_all: Reader, tenant: Tenant) -> None:
    path = f"/distributions?surveyId={tenant.surveys[0].survey_id}&distributionRequestType=Reminder&pageSize=1"
    assert [sent["requestType"] for sent in await read_all(path)] == ["Reminder"]


async def test_surveys_go_by_offset_and_history_by_the_id_of_the_last_element(api: httpx.AsyncClient, tenant: Tenant) -> None:
    """As recorded: survey_collection_fetch_sucess.json and distribution_link_collection_pagination.json. Both URLs are absolute."""
    surveys = (await api.get("/API/v3/surveys")).json()["result"]
    assert surveys["nextPage"] == f"{api.base_url}/API/v3/surveys?offset=7"
    survey = tenant.surveys[0]
    path = f"/API/v3/distributions/{survey.distributions[0].distribution_id}/links?surveyId={survey.survey_id}"
    links = (await api.get(path)).json()["result"]
    query = parse_qs(urlsplit(links["nextPage"]).query)
    assert query == {"surveyId": [survey.survey_id], "skipToken": [links["elements"][-1]["contactId"]]}
    assert links["nextPage"].startswith(f"{api.base_url}/API/v3/")


@pytest.mark.parametrize("query", ["offset=x", "pageSize=-1"])
async def test_a_number_that_is_none_is_refused(api: httpx.AsyncClient, query: str) -> None:
    assert (await api.get(f"/API/v3/surveys?{query}")).status_code == 400


async def test_a_skip_token_of_nobody_is_refused(api: httpx.AsyncClient) -> None:
    assert (await api.get("/API/v3/directories?skipToken=POOL_nothing")).status_code == 400


async def test_a_million_invitations_are_paged_without_being_stored(open_client: Opener, clock: Callable[[], Any]) -> None:
    """Founding the tenant and reading the last 50 pages of its history never holds two megabytes."""
    tracemalloc.start()
    try:
        tenant = bulk_tenant(clock, "http://qualtrics.test", surveys=1, distributions=1, recipients=1_000_000)
        client, seen = open_client(tenant, page_size=100), 0
        url: str | None = (
            f"/API/v3/distributions/{tenant.surveys[0].distributions[0].distribution_id}/history?skipToken=CID_000000000994999"
        )
        while url:
            result = (await client.get(url)).json()["result"]
            assert [row["contactId"][-6:] for row in result["elements"]] == [str(995_000 + seen + number) for number in range(100)]
            seen, url = seen + 100, result["nextPage"]
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert seen == 5000
    assert peak_bytes < 2_000_000


async def test_a_bulk_tenant_lists_what_it_was_asked_for(open_client: Opener, read_all: Reader, clock: Callable[[], Any]) -> None:
    client = open_client(bulk_tenant(clock, "http://qualtrics.test", surveys=12, distributions=3, recipients=25))
    surveys = [survey["id"] for survey in await read_all("/surveys", client=client)]
    sent = [row["id"] for survey in surveys for row in await read_all(f"/distributions?surveyId={survey}&pageSize=2", client=client)]
    rows = [row for one in sent for row in await read_all(f"/distributions/{one}/history", client=client)]
    assert (len(set(surveys)), len(set(sent)), len(rows)) == (12, 36, 36 * 25)


def test_the_counts_of_a_bulk_distribution_are_those_of_its_rows(clock: Callable[[], Any]) -> None:
    tenant = bulk_tenant(clock, "http://qualtrics.test", surveys=2, distributions=2, recipients=37)
    sent = tenant.surveys[1].distributions[1]
    assert sent.stats == sum((counted("Invite", row) for row in sent.recipients), Counter[str]())


def test_a_bulk_tenant_can_be_changed_like_any_other(clock: Any) -> None:
    tenant = bulk_tenant(clock, "http://qualtrics.test", surveys=3, distributions=1, recipients=20)
    survey_id = tenant.surveys[1].survey_id
    finished = tenant.surveys[1].distributions[0].stats["finished"]
    tenant.move("Person0@example.com", survey_id, "SurveyFinished")
    assert tenant.survey(survey_id).distributions[0].stats["finished"] == finished + 1
    assert tenant.surveys[2].distributions[0].stats["finished"] == finished
    clock.advance(timedelta(days=1))
    new = tenant.distribution(tenant.send_survey(survey_id))
    assert [row.status for row in new.recipients] == ["Success"] * 20
    assert new.distribution_id in tenant.personal_link("person0@example.com", survey_id)
