"""A personal link opens a plain page that starts the survey, and its button finishes it: once, and only while it is open."""

from __future__ import annotations

from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

import httpx
import pytest

from adapters.sandbox.qualtrics.links import generated_link
from adapters.sandbox.qualtrics.records import Recipient
from adapters.sandbox.qualtrics.tenant import Tenant

EMAIL = "one@example.com"


@pytest.fixture
def survey_id(tenant: Tenant) -> str:
    tenant.add_contact(EMAIL, "Ada <script>alert(1)</script>")
    survey_id = tenant.create_survey("*x* <!channel> & <b>")
    tenant.send_survey(survey_id, emails=[EMAIL])
    return survey_id


async def test_opening_starts_and_submitting_finishes(api: httpx.AsyncClient, tenant: Tenant, survey_id: str) -> None:
    link, row = tenant.personal_link(EMAIL, survey_id), _row(tenant, survey_id)
    opened = await api.get(link)
    assert (opened.status_code, row.status) == (200, "SurveyStarted")
    assert "You are answering as" in opened.text
    thanks = await api.post(link)
    assert ("Your response has been recorded" in thanks.text, row.status) == (True, "SurveyFinished")
    assert tenant.survey(survey_id).responses == 1


async def test_owners_have_a_page_of_each_survey(api: httpx.AsyncClient, survey_id: str) -> None:
    found, missing = await api.get(f"/responses/{survey_id}"), await api.get("/responses/SV_none")
    assert (found.status_code, "its owner finds" in found.text, "<b>" in found.text, missing.status_code) == (200, True, False, 404)


async def test_an_individual_link_works_once(api: httpx.AsyncClient, tenant: Tenant, survey_id: str) -> None:
    link, row = tenant.personal_link(EMAIL, survey_id), _row(tenant, survey_id)
    await api.post(link)
    for answer in (await api.get(link), await api.post(link)):
        assert "already completed" in answer.text
    assert (row.status, tenant.survey(survey_id).responses) == ("SurveyFinished", 1)


async def test_the_link_of_the_links_list_opens_the_same_invitation(api: httpx.AsyncClient, tenant: Tenant, survey_id: str) -> None:
    sent, row = tenant.survey(survey_id).distributions[0], _row(tenant, survey_id)
    await api.get(generated_link(tenant.public_url, sent, row.contact))
    assert row.status == "SurveyStarted"


async def test_hostile_names_stay_text(api: httpx.AsyncClient, tenant: Tenant, survey_id: str) -> None:
    """The page has only its own elements, and its heading and greeting say exactly what the survey and the person are called."""
    page = _Page()
    page.feed((await api.get(tenant.personal_link(EMAIL, survey_id))).text)
    assert page.texts["h1"] == page.texts["title"] == "*x* <!channel> & <b>"
    assert page.texts["bdi"] == "Ada <script>alert(1)</script>"
    assert set(page.texts) == {"html", "head", "meta", "title", "style", "body", "main", "h1", "p", "bdi", "form", "button"}


async def test_every_survey_of_the_tenant_has_a_page_with_a_name(api: httpx.AsyncClient, tenant: Tenant) -> None:
    for survey in tenant.surveys:
        answer = await api.get(f"/jfe/form/{survey.survey_id}")
        page = _Page()
        page.feed(answer.text)
        assert answer.status_code == 200
        assert page.texts["h1"] == (survey.name.strip() or "Untitled survey")
        assert "src=" not in answer.text
        assert "href=" not in answer.text


@pytest.mark.parametrize(
    ("close", "says"),
    [
        (lambda tenant, survey_id, _: tenant.deactivate(survey_id), "This survey is closed"),
        (lambda tenant, survey_id, _: tenant.delete(survey_id), "This survey is closed"),
        (lambda tenant, survey_id, clock: tenant.set_end(survey_id, clock.now), "This survey is closed"),
        (lambda _tenant, _survey_id, clock: clock.advance(timedelta(days=7)), "This survey has expired"),
        (lambda tenant, survey_id, _: tenant.move(EMAIL, survey_id, "SessionExpired"), "This survey has expired"),
    ],
)
async def test_a_closed_survey_takes_no_answer(api: httpx.AsyncClient, tenant: Tenant, survey_id: str, close: Any, says: str) -> None:
    link, row = tenant.personal_link(EMAIL, survey_id), _row(tenant, survey_id)
    close(tenant, survey_id, tenant.clock)
    before = row.status
    for answer in (await api.get(link), await api.post(link)):
        assert says in answer.text
        assert "<form" not in answer.text
    assert (row.status, row.completed_at) == (before, None)


async def test_a_reactivated_survey_takes_answers_again(api: httpx.AsyncClient, tenant: Tenant, survey_id: str) -> None:
    tenant.deactivate(survey_id)
    tenant.activate(survey_id)
    assert "<form" in (await api.get(tenant.personal_link(EMAIL, survey_id))).text


async def test_an_anonymous_answer_counts_and_changes_nobody(api: httpx.AsyncClient, tenant: Tenant, survey_id: str) -> None:
    opened = await api.get(f"/jfe/form/{survey_id}")
    await api.post(f"/jfe/form/{survey_id}")
    assert "not connected with your name" in opened.text
    assert (tenant.survey(survey_id).responses, _row(tenant, survey_id).status) == (1, "Success")


@pytest.mark.parametrize("query", ["Q_DL=EMD_a_b_CGC_c", "Q_DL=x", "Q_DL="])
async def test_an_unknown_link_is_not_found(api: httpx.AsyncClient, survey_id: str, query: str) -> None:
    assert (await api.get(f"/jfe/form/{survey_id}?{query}")).status_code == 404
    assert (await api.get(f"/jfe/form/SV_unknown?{query}")).status_code == 404


def _row(tenant: Tenant, survey_id: str) -> Recipient:
    return tenant.survey(survey_id).distributions[0].recipients[0]


class _Page(HTMLParser):
    """Which elements a page has, and the text in each of them (in the last of its name)."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: dict[str, str] = {}
        self._within = ""

    def handle_starttag(self, tag: str, attrs: object) -> None:
        del attrs
        self._within = tag
        self.texts[tag] = ""

    def handle_endtag(self, tag: str) -> None:
        self._within = "" if tag == self._within else self._within

    def handle_data(self, data: str) -> None:
        if self._within:
            self.texts[self._within] += data
