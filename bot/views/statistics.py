"""What survey owners and brand administrators are shown of their surveys; each view finds anew what the person may see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from bot import authority, numbers, pages
from bot.listed import Seen
from bot.numbers import SurveyNumbers
from bot.page import Form, Page
from bot.pages.paging import on_page
from bot.pages.statistics import ListPage
from bot.ports import UnitOfWork
from bot.slash_commands import LONGEST_ARGUMENT
from bot.views import standings
from bot.views.viewer import Viewer, page_number


def list_open(uow: UnitOfWork, viewer: Viewer, data: Mapping[str, str], now: datetime) -> Page:
    rights = authority.visible(uow, viewer.proven)
    if not rights:
        return pages.no_numbers(viewer.proven, viewer.reader)
    found = _page_of(uow, uow.lists.surveys(rights, now, only_open=True), data, now)
    return pages.open_surveys(found, viewer.reader, is_admin=bool(rights.integrations))


def ask_for_words(_uow: UnitOfWork, viewer: Viewer, _data: Mapping[str, str], _now: datetime) -> Form:
    return pages.search_numbers_form(viewer.reader)


def find(uow: UnitOfWork, viewer: Viewer, data: Mapping[str, str], now: datetime) -> Page:
    rights = authority.visible(uow, viewer.proven)
    if not rights:
        return pages.no_numbers(viewer.proven, viewer.reader)
    words = data.get("words", "")[:LONGEST_ARGUMENT]
    found = _page_of(uow, uow.lists.surveys(rights, now, words=words), data, now)
    return pages.found_numbers(found, words, viewer.reader)


def show_typed(uow: UnitOfWork, viewer: Viewer, data: Mapping[str, str], now: datetime) -> Page:
    """The results of the survey that was typed, by its id or by words that name one alone; else what these words find."""
    typed = data.get("survey", "")[:LONGEST_ARGUMENT]
    if authority.may_see(uow, viewer.proven, typed):
        return show(uow, viewer, {"survey": typed}, now)
    found = uow.lists.surveys(authority.visible(uow, viewer.proven), now, words=typed)
    if len(found) == 1:
        return show(uow, viewer, {"survey": found[0].survey_id}, now)
    return find(uow, viewer, {"words": typed}, now)


def show(uow: UnitOfWork, viewer: Viewer, data: Mapping[str, str], now: datetime) -> Page:
    found = seen(uow, viewer, data, now)
    if found is None:
        return pages.no_numbers(viewer.proven, viewer.reader)
    part = on_page(found.distributions, page_number(data), pages.PAGE_SIZE)
    has_people = bool(standings.offered_to(uow, viewer, found))
    return pages.survey_results(found, part, viewer.links, viewer.reader, has_people=has_people)


def show_distribution(uow: UnitOfWork, viewer: Viewer, data: Mapping[str, str], now: datetime) -> Page:
    found = seen(uow, viewer, data, now)
    distributions = found.distributions if found else ()
    named = next((each for each in distributions if each.distribution_id == data.get("distribution")), None)
    if found is None or named is None:
        return pages.no_numbers(viewer.proven, viewer.reader)
    return pages.distribution_data(named, found, viewer.links, viewer.reader)


def seen(uow: UnitOfWork, viewer: Viewer, data: Mapping[str, str], now: datetime) -> SurveyNumbers | None:
    """The numbers of the survey that `data` name. None: it is not this person's to see, or there is none; nobody can tell which."""
    survey_id = data.get("survey", "")
    integration_id = authority.may_see(uow, viewer.proven, survey_id)
    return None if integration_id is None else numbers.of_survey(uow, integration_id, survey_id, now)


def _page_of(uow: UnitOfWork, every: Sequence[Seen], data: Mapping[str, str], now: datetime) -> ListPage:
    seen, where = on_page(every, page_number(data), pages.PAGE_SIZE)
    shown = uow.lists.listed(seen, now)
    return ListPage(shown=shown, numbers=numbers.of_listed(uow, shown, now), total=len(every), where=where)
