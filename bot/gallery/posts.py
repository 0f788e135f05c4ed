"""Examples of what channels and owners are told unasked, for `bot.gallery`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from bot import small_groups
from bot.deep_links import DEFAULT
from bot.gallery.scene import DAY, HOSTILE, NOW, SENT
from bot.listed import Listed
from bot.model import Distribution, DistributionStats, Integration, Survey
from bot.numbers import SurveyNumbers
from bot.page import Page
from bot.pages.posts import Told, Week, post, section, weekly
from bot.pages.reader import Reader
from bot.posts import OWNER, News, PostKind
from bot.trend import trend

_FEW = replace(SENT, stats=DistributionStats(sent=4, finished=3))
_MARKS = {PostKind.MILESTONES: "50", PostKind.DELIVERY_PROBLEMS: "EMD_1:1"}


def gallery_of_posts(reader: Reader) -> Mapping[str, Page]:
    """Name -> page; the same at every call."""
    found = _numbers(SENT)
    closed = replace(found, is_open=False, closes_at=None, survey=replace(found.survey, is_active=False, counted_at=NOW))
    surveys = [
        Listed(integration_id="main", survey_id=f"SV_{n}", name=f"Pulse {n}", owner=None, is_open=True, closes_at=None)
        for n in range(1, 14)
    ]
    told = {
        "post-launch": _told(PostKind.LAUNCH, found),
        "post-milestone": _told(PostKind.MILESTONES, found),
        "post-closing": _told(PostKind.CLOSING, found),
        "post-closing-to-the-owner": _told(PostKind.CLOSING, found, subscription_id=OWNER),
        "post-closing-of-few-people": _told(PostKind.CLOSING, _numbers(_FEW)),
        "post-closed": _told(PostKind.CLOSED, closed),
        "post-results": _told(PostKind.RESULTS, closed),
        "post-results-of-before-the-end": _told(PostKind.RESULTS, closed, is_cut_off=True),
        "post-delivery-problems": _told(PostKind.DELIVERY_PROBLEMS, found),
        "post-hostile-name": _told(PostKind.LAUNCH, replace(found, survey=replace(found.survey, name=HOSTILE), owner=HOSTILE)),
    }
    sections = {name: section(each, DEFAULT, reader) for name, each in told.items()}
    week = weekly(Week(surveys=surveys, numbers=dict.fromkeys((it.survey_id for it in surveys), found.numbers)), reader)
    several = [*(sections[name] for name in ("post-launch", "post-closing", "post-results")), week]
    return {
        **{name: post([each], reader) for name, each in sections.items()},
        "post-weekly": post([week], reader),
        "post-of-several": post(several, reader),
    }


def _told(kind: PostKind, found: SurveyNumbers, subscription_id: int = 1, *, is_cut_off: bool = False) -> Told:
    return Told(
        news=News(kind=kind, subscription_id=subscription_id, survey_id="SV_1", mark=_MARKS.get(kind, "")),
        found=found,
        distribution=SENT if kind is PostKind.DELIVERY_PROBLEMS else None,
        is_cut_off=is_cut_off,
    )


def _numbers(distribution: Distribution) -> SurveyNumbers:
    grown = enumerate((61, 148, 150, 150, 162, 171, 202, 230))
    counts = {"EMD_1": [((NOW + (day - 8) * DAY).date(), replace(SENT.stats, finished=finished)) for day, finished in grown]}
    return SurveyNumbers(
        integration=Integration(integration_id="main", name="Acme HR", base_url="https://fra1.qualtrics.com/API/v3/", brand_id="acme"),
        survey=Survey(survey_id="SV_1", name="Employee engagement 2026", owner_id="UR_1", is_active=True, last_modified=NOW - 9 * DAY),
        owner="Nia Okafor",
        k=small_groups.LOWEST,
        distributions=[distribution],
        numbers=small_groups.of_survey([distribution], small_groups.LOWEST, NOW),
        is_open=True,
        closes_at=distribution.link_expires_at,
        history=trend([distribution], counts, small_groups.LOWEST, NOW, points=10),
    )
