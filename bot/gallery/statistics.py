"""Examples of what owners and administrators of surveys read, for `bot.gallery`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from bot import pages, small_groups
from bot.deep_links import DEFAULT
from bot.gallery.scene import DAY, HOSTILE, NOW, SENT
from bot.listed import Listed
from bot.model import Anonymity, Distribution, DistributionStats, Integration, LinkType, Survey, SurveyDetails
from bot.numbers import SurveyNumbers
from bot.page import Form, Page
from bot.pages.paging import on_page
from bot.pages.reader import Reader
from bot.pages.statistics import ListPage
from bot.rules import GENERATED
from bot.trend import Point

_ACME = Integration(integration_id="main", name="Acme HR", base_url="https://fra1.qualtrics.com/API/v3/", brand_id="acme")
_STATS = DistributionStats(sent=1204, opened=903, started=731, finished=688, bounced=17, failed=6, skipped=31, complaints=2, blocked=11)
_INVITE = replace(
    SENT,
    send_date=NOW - 5 * DAY,
    link_expires_at=NOW + 9 * DAY,
    created_at=NOW - 6 * DAY,
    subject="How are you at Acme?",
    stats=_STATS,
)
_REMINDER = replace(
    _INVITE,
    distribution_id="EMD_2",
    parent_id="EMD_1",
    request_type="Reminder",
    send_date=NOW - 2 * DAY,
    subject=None,
    stats=DistributionStats(sent=640, opened=310, started=150, finished=121),
)
_LINKS = replace(_INVITE, request_type=GENERATED, request_status="Generated", sender_name=None, subject=None, stats=DistributionStats())
_SMALL = replace(_INVITE, distribution_id="EMD_3", subject="For the board", stats=DistributionStats(sent=4, opened=3, finished=2))


def gallery_of_statistics(reader: Reader) -> Mapping[str, Page]:
    """Name -> page; the same at every call."""
    found = _numbers([_REMINDER, _INVITE])
    many = _numbers([replace(_INVITE, distribution_id=f"EMD_{n}", send_date=NOW - n * DAY) for n in range(1, 48)])
    anonymous = replace(_INVITE, link_type=LinkType.ANONYMOUS, sender_name=None, subject=None)
    waiting = replace(_INVITE, distribution_id="EMD_4", request_status="Pending", send_date=NOW + DAY, stats=DistributionStats())
    closed = replace(found, survey=replace(found.survey, is_active=False), is_open=False, closes_at=None)
    return {
        "open-surveys": pages.open_surveys(_list(2), reader, is_admin=False),
        "open-surveys-second-page": pages.open_surveys(_list(64, page=2), reader, is_admin=True),
        "open-surveys-none": pages.open_surveys(_list(0), reader, is_admin=True),
        "found-numbers": pages.found_numbers(_list(3, is_open=False), HOSTILE, reader),
        "found-no-numbers": pages.found_numbers(_list(0), "pulse", reader),
        "survey-results": _results(found, reader),
        "survey-results-second-page": _results(many, reader, page=2),
        "survey-results-closed": _results(closed, reader),
        "survey-results-not-sent": _results(_numbers([]), reader),
        "survey-results-few-people": _results(_numbers([_SMALL]), reader),
        "survey-results-one-link": _results(_numbers([anonymous]), reader),
        "survey-results-hostile-name": _results(replace(found, survey=replace(found.survey, name=HOSTILE), owner=HOSTILE), reader),
        "distribution-data": _data(_INVITE, found, reader),
        "distribution-data-of-a-reminder": _data(_REMINDER, found, reader),
        "distribution-data-of-few-people": _data(_SMALL, _numbers([_SMALL]), reader),
        "distribution-data-one-link": _data(anonymous, _numbers([anonymous]), reader),
        "distribution-data-deleted": _data(replace(_INVITE, is_deleted=True), closed, reader),
        "distribution-data-scheduled": _data(waiting, _numbers([waiting]), reader),
        "distribution-data-of-personal-links": _data(_LINKS, _numbers([_LINKS]), reader),
        "no-numbers": pages.no_numbers("ada@example.org", reader),
        "no-numbers-for-guests": pages.no_numbers(None, reader),
    }


def forms_of_statistics(reader: Reader) -> Mapping[str, Form]:
    return {"search-numbers-form": pages.search_numbers_form(reader)}


def _numbers(distributions: Sequence[Distribution]) -> SurveyNumbers:
    survey = Survey(
        survey_id="SV_1",
        name="Employee engagement 2026",
        owner_id="UR_1",
        is_active=True,
        last_modified=NOW - 9 * DAY,
        details=SurveyDetails(ends_at=None, anonymity=Anonymity.ANONYMIZED),
    )
    return SurveyNumbers(
        integration=_ACME,
        survey=survey,
        owner="Nia Okafor",
        k=5,
        distributions=distributions,
        numbers=small_groups.of_survey(distributions, 5, NOW),
        is_open=True,
        closes_at=NOW + 9 * DAY,
        history=_grown(small_groups.total(small_groups.families(distributions))),
    )


def _grown(now: DistributionStats) -> Sequence[Point]:
    percents = (0, 26, 48, 56, 62, 100)
    return [
        Point(day=(NOW - (5 - n) * DAY).date(), numbers=small_groups.protect(now.sent, {"finished": now.finished * percent // 100}, 5))
        for n, percent in enumerate(percents)
    ]


def _results(found: SurveyNumbers, reader: Reader, page: int = 1) -> Page:
    return pages.survey_results(found, on_page(found.distributions, page, pages.PAGE_SIZE), DEFAULT, reader)


def _data(distribution: Distribution, found: SurveyNumbers, reader: Reader) -> Page:
    return pages.distribution_data(distribution, found, DEFAULT, reader)


def _list(number: int, *, page: int = 1, is_open: bool = True) -> ListPage:
    names = ("Employee engagement 2026", "Onboarding after 30 days", "Canteen", "Town hall feedback")
    every = [
        Listed(
            integration_id="main",
            survey_id=f"SV_{n}",
            name=names[n % len(names)],
            owner="Nia Okafor" if n % 3 else None,
            is_open=is_open,
            closes_at=NOW + n * DAY if is_open and n % 4 else None,
        )
        for n in range(1, number + 1)
    ]
    shown, where = on_page(every, page, pages.PAGE_SIZE)
    sent = small_groups.of_survey([_INVITE, _REMINDER], 5, NOW), small_groups.of_survey([_SMALL], 5, NOW)
    return ListPage(shown=shown, numbers={each.survey_id: sent[n % 4 == 0] for n, each in enumerate(shown, 1)}, total=number, where=where)
