"""What owners and administrators are shown of surveys: which, in what order, in what numbers, and the way on to Qualtrics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from bot.model import DistributionStats, User
from bot.page import Buttons, Chart, Entry, Facts, Form, Link, Page, PrivatePage
from bot.ports import UnitOfWork
from cards.plain import plain_text
from tests.contract.core.conftest import Life
from tests.contract.core.test_actions import ask, ask_any, titles
from tests.unit.core.examples import DAY, NOW, a_distribution, a_survey, an_integration
from tests.unit.core.test_pages import words

ADMIN, OWNER = "admin@acme.example", "owner@acme.example"
STATS = DistributionStats(sent=103, opened=80, started=61, finished=48, bounced=7, failed=2, skipped=11, complaints=5, blocked=6)


def fill(uow: UnitOfWork) -> None:
    """One survey of each sort in `main`, which `twin` of the same brand sees as well; and another brand's."""
    for name, brand in {"main": "acme", "twin": "acme", "other": "other"}.items():
        uow.integrations.save(an_integration(name))
        uow.integrations.set_brand(name, brand)
    owner = User(user_id="UR_1", email=OWNER, first_name="Nia", last_name="Okafor")
    uow.users.save("main", [owner, User(user_id="UR_9", email=ADMIN, user_type="UT_BRANDADMIN")])
    surveys = [
        a_survey(survey_id="SV_late", name="Late pulse", ends_at=NOW + 3 * DAY),
        a_survey(survey_id="SV_soon", name="Ärztebefragung"),
        a_survey(survey_id="SV_endless", name="Canteen"),
        a_survey(survey_id="SV_over", name="Over", ends_at=NOW - DAY),
        a_survey(survey_id="SV_expired", name="Expired"),
        a_survey(survey_id="SV_off", name="Inactive", is_active=False),
        a_survey(survey_id="SV_deleted", name="Deleted", is_deleted=True),
        a_survey(survey_id="SV_unsent", name="Unsent"),
        a_survey(survey_id="SV_foreign", name="Somebody else's", owner_id="UR_8"),
    ]
    uow.surveys.save("main", surveys, NOW)
    uow.surveys.save("twin", surveys[:1], NOW)
    uow.surveys.save("other", [a_survey(survey_id="SV_elsewhere", name="Elsewhere")], NOW)
    for integration_id, each in [("main", it) for it in surveys] + [("twin", surveys[0])]:
        uow.surveys.save_details(integration_id, each.survey_id, each.details, NOW)
    ends = {"SV_soon": NOW + DAY, "SV_endless": None, "SV_expired": NOW - DAY}
    for each in surveys:
        if each.survey_id != "SV_unsent":
            sent = a_distribution(
                distribution_id=f"EMD_{each.survey_id}",
                survey_id=each.survey_id,
                link_expires_at=ends.get(each.survey_id, NOW + 5 * DAY),
                stats=STATS,
                subject="How are you?",
                created_at=NOW - 2 * DAY,
            )
            uow.distributions.save("main", [sent])


async def shown(life: Life, verb: str, data: Mapping[str, str] | None = None, email: str = OWNER) -> Page:
    page = await ask(life, verb, data, email=email)
    assert isinstance(page, Page)
    return page


def facts(page: Page | PrivatePage) -> dict[str, str]:
    lines = plain_text(page, limit=99_999).splitlines()
    names = {name for element in page.elements if isinstance(element, Facts) for name, _ in element.facts}
    return {name: value for line in lines for name, _, value in [line.partition(": ")] if name in names}


def links(page: Page | PrivatePage) -> list[str]:
    return [it.url for element in page.elements if isinstance(element, Buttons) for it in element.buttons if isinstance(it, Link)]


async def test_open_surveys_are_those_one_may_see_and_somebody_can_answer_the_first_to_close_on_top(life: Life) -> None:
    await life.store.write(fill)
    page = await shown(life, "stats.list")
    assert titles(page) == ["Ärztebefragung", "Late pulse", "Canteen"]
    first = next(element for element in page.elements if isinstance(element, Entry))
    assert words(Page(title="", elements=(first,))).count("Nia Okafor") == 1
    assert "Response rate: about 45%" in words(page)
    assert "sync.status" not in repr(page)
    assert titles(await shown(life, "stats.list", email=ADMIN)) == ["Ärztebefragung", "Late pulse", "Somebody else's", "Canteen"]
    assert "sync.status" in repr(await shown(life, "stats.list", email=ADMIN))


async def test_no_survey_is_listed_twice_and_each_has_the_numbers_of_the_integration_that_may_be_read(life: Life) -> None:
    await life.store.write(fill)
    await life.store.write(lambda uow: uow.users.save("twin", [User(user_id="UR_1", email=OWNER)]))
    assert titles(await shown(life, "stats.list")) == ["Ärztebefragung", "Late pulse", "Canteen"]
    assert "45 or more" in facts(await shown(life, "stats.survey", {"survey": "SV_late"}))["Completed"]


async def test_twenty_to_a_page(life: Life) -> None:
    await life.store.write(fill)

    def more(uow: UnitOfWork) -> None:
        many = [a_survey(survey_id=f"SV_{n}", name=f"Many {n}") for n in range(40)]
        uow.surveys.save("main", many, NOW)
        uow.distributions.save("main", [a_distribution(distribution_id=f"EMD_{n}", survey_id=f"SV_{n}") for n in range(40)])

    await life.store.write(more)
    pages = [await shown(life, "stats.list", {"page": str(number)}) for number in (1, 2, 3, 4)]
    assert [len(titles(page)) for page in pages] == [20, 20, 3, 3]
    assert len({title for page in pages for title in titles(page)}) == 43
    assert "Page 2 of 3" in words(pages[1])
    assert len(titles(await shown(life, "stats.find", {"words": "many", "page": "2"}))) == 20


async def test_searching_finds_by_name_owner_or_id_also_what_is_over(life: Life) -> None:
    await life.store.write(fill)
    for typed, found in {
        "ÄRZTE": ["Ärztebefragung"],
        "okafor over": ["Over"],
        "sv_off": ["Inactive"],
        "else": [],
        "elsewhere": [],
        "arzte\u202ebefragung": ["Ärztebefragung"],
    }.items():
        assert titles(await shown(life, "stats.find", {"words": typed})) == found
    assert "Not open" in words(await shown(life, "stats.find", {"words": "over"}))
    assert isinstance(await ask_any(life, "stats.search", email=OWNER), Form)


@pytest.mark.parametrize(
    ("typed", "title"), [("SV_late", "Late pulse"), ("late", "Late pulse"), ("e", None), ("zzz", None), ("SV_9", None)]
)
async def test_results_of_what_is_typed(life: Life, typed: str, title: str | None) -> None:
    await life.store.write(fill)
    assert (await shown(life, "stats.results", {"survey": typed})).title == (title or "Found surveys")


async def test_results_show_every_number_in_steps_and_its_distributions(life: Life) -> None:
    await life.store.write(fill)
    page = await shown(life, "stats.survey", {"survey": "SV_late"})
    said = facts(page)
    assert said["Owner"] == "Nia Okafor"
    assert said["State"].startswith("Open. Closes 26 Nov 2026")
    assert said["Answers"] == "stored with names"
    assert (said["Total sent"], said["Completed"], said["Response rate"]) == ("100 or more", "45 or more", "about 45%")
    assert said["Bounced"] == "5 or more"
    assert titles(page) == ["Invitation: How are you?"]
    host = "https://acme.qualtrics.com"
    assert links(page) == [f"{host}/responses/#/surveys/SV_late", f"{host}/survey-builder/SV_late/edit"]


async def test_distribution_data_has_all_nine_counts_the_chart_and_the_way_to_review_them(life: Life) -> None:
    await life.store.write(fill)
    page = await shown(life, "stats.distribution", {"survey": "SV_late", "distribution": "EMD_SV_late"})
    assert page.title == "Invitation: How are you?"
    said = facts(page)
    nine = ("Total sent", "Completed", "Opened", "Started", "Complaints", "Bounced", "Skipped", "Failed", "Blocked")
    assert {name: said[name].split()[-3] for name in ("Opened", "Started")} == {"Opened": "80", "Started": "60"}
    assert set(nine) < said.keys()
    assert said["Created"].startswith("21 Nov 2026")
    assert said["Links expire"].startswith("28 Nov 2026")
    (chart,) = [element for element in page.elements if isinstance(element, Chart)]
    assert chart.series[0].values == (100, 80, 60, 45)
    assert links(page) == ["https://acme.qualtrics.com/responses/#/surveys/SV_late"]


@pytest.mark.parametrize(
    ("survey", "state"),
    [
        ("SV_over", "Active, but no invitation"),
        ("SV_expired", "Active, but no invitation"),
        ("SV_off", "Not active"),
        ("SV_deleted", "Deleted"),
        ("SV_unsent", "Active, but no invitation"),
        ("SV_endless", "Open. No end date"),
    ],
)
async def test_what_is_not_open_says_why(life: Life, survey: str, state: str) -> None:
    await life.store.write(fill)
    page = await shown(life, "stats.survey", {"survey": survey})
    assert facts(page)["State"].startswith(state)
    assert ("No mailing of it is known" in words(page)) == (survey == "SV_unsent")


async def test_what_waits_and_links_that_were_made_are_not_called_sent(life: Life) -> None:
    await life.store.write(fill)
    waits = a_distribution(distribution_id="EMD_waits", survey_id="SV_soon", request_status="Pending", send_date=NOW + 2 * DAY)
    made = a_distribution(distribution_id="EMD_made", survey_id="SV_unsent", request_type="GeneratedInvite", request_status="Generated")
    await life.store.write(lambda uow: uow.distributions.save("main", [waits, made]))
    page = await shown(life, "stats.survey", {"survey": "SV_soon"})
    assert "Will be sent 2026-11-25" in words(page)
    assert facts(page)["Last sent"].startswith("22 Nov 2026")
    one = await shown(life, "stats.distribution", {"survey": "SV_soon", "distribution": "EMD_waits"})
    assert facts(one)["To be sent"].startswith("25 Nov 2026")
    assert facts(await shown(life, "stats.survey", {"survey": "SV_unsent"}))["Last sent"] == "never"
    page = await shown(life, "stats.distribution", {"survey": "SV_unsent", "distribution": "EMD_made"})
    assert page.title.startswith("Personal links, nothing mailed")
    assert facts(page)["Links made"].startswith("22 Nov 2026")
    assert "Nobody can answer" not in words(page)


async def test_nothing_is_said_of_few_people_and_tests_are_no_distributions(life: Life) -> None:
    await life.store.write(fill)

    def few(uow: UnitOfWork) -> None:
        sent = a_distribution(survey_id="SV_unsent", stats=DistributionStats(sent=4, finished=4))
        uow.distributions.save("main", [sent, replace(sent, distribution_id="EMD_test", request_type="TestEmail")])

    await life.store.write(few)
    page = await shown(life, "stats.survey", {"survey": "SV_unsent"})
    assert "fewer than 5 people is counted together" in words(page)
    assert "counted together" not in words(await shown(life, "stats.survey", {"survey": "SV_late"}))
    assert (len(titles(page)), "4" in repr(facts(page)), [e for e in page.elements if isinstance(e, Chart)]) == (1, False, [])
    assert "too few people" in words(await shown(life, "stats.distribution", {"survey": "SV_unsent", "distribution": "EMD_1"}))
    for missing in ("EMD_test", "EMD_SV_late", "EMD_none", ""):
        assert (await shown(life, "stats.distribution", {"survey": "SV_unsent", "distribution": missing})).title == "Nothing to show"
