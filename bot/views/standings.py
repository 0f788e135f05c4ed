"""The people of a survey by how far they are: for whoever owns it or administers its brand, where nobody else looks on."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from bot import authority, numbers, pages
from bot.messages import Surface
from bot.numbers import SurveyNumbers
from bot.page import Page
from bot.pages.paging import Where
from bot.pages.standings import PAGE_SIZE, Named, no_people, people_page
from bot.ports import UnitOfWork
from bot.standings import Standing, nameable
from bot.views.viewer import Viewer, page_number


def show(uow: UnitOfWork, viewer: Viewer, data: Mapping[str, str], now: datetime) -> Page:
    survey_id = data.get("survey", "")
    integration_id = authority.may_see(uow, viewer.proven, survey_id)
    found = None if integration_id is None else numbers.of_survey(uow, integration_id, survey_id, now)
    if found is None:
        return pages.no_numbers(viewer.proven, viewer.reader)
    survey, offered = found.survey, offered_to(uow, viewer, found)
    if not offered:
        return no_people(survey, viewer.reader, is_shared=viewer.surface is Surface.SHARED)
    standing = next((each for each in offered if each == data.get("standing")), next(iter(offered)))
    where = _where(offered[standing], page_number(data))
    skip = (where.page - 1) * PAGE_SIZE
    people = uow.standings.emails(found.integration.integration_id, survey.survey_id, standing, skip=skip, limit=PAGE_SIZE)
    return people_page(survey, Named(standing=standing, people=people, where=where, offered=offered), viewer.reader)


def offered_to(uow: UnitOfWork, viewer: Viewer, found: SurveyNumbers) -> Mapping[Standing, int]:
    """How many people there are of each standing whose people this viewer may see here and now: often none."""
    ids = (found.integration.integration_id, found.survey.survey_id)
    is_allowed = found.integration.shows_people and viewer.surface is not Surface.SHARED
    if not is_allowed or not authority.may_see_people(uow, viewer.proven, *ids):
        return {}
    return nameable(found.integration, found.survey, found.distributions, uow.standings.counts(*ids), found.k)


def _where(people: int, page: int) -> Where:
    pages_there_are = -(-people // PAGE_SIZE)
    return Where(min(max(page, 1), pages_there_are), pages_there_are)
