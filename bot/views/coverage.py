"""Whom a survey reached, for those who may see its numbers: as a page, and as a file to take along."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from bot import authority, pages
from bot.coverage import of_survey
from bot.exports import OPEN_FOR, Export
from bot.messages import Surface
from bot.page import Element, Page
from bot.pages.coverage import coverage_page, file_elsewhere, file_offered, file_ready
from bot.ports import UnitOfWork
from bot.views.viewer import Viewer


def show(uow: UnitOfWork, viewer: Viewer, data: Mapping[str, str], now: datetime) -> Page:
    return _drawn(uow, viewer, data, now, _offered(viewer, data))


def export(uow: UnitOfWork, viewer: Viewer, data: Mapping[str, str], now: datetime) -> Page:
    """With the way to the file, where nobody else looks on."""
    if viewer.files is None or viewer.proven is None or viewer.surface is Surface.SHARED:
        return show(uow, viewer, data, now)
    asked = Export(email=viewer.proven, survey_id=data.get("survey", ""), locale=viewer.reader.locale, until=now + OPEN_FOR)
    return _drawn(uow, viewer, data, now, file_ready(viewer.files(asked), viewer.reader))


def _offered(viewer: Viewer, data: Mapping[str, str]) -> Iterable[Element]:
    if viewer.files is None:
        return ()
    return file_elsewhere(viewer.reader) if viewer.surface is Surface.SHARED else file_offered(data.get("survey", ""), viewer.reader)


def _drawn(uow: UnitOfWork, viewer: Viewer, data: Mapping[str, str], now: datetime, ways: Iterable[Element]) -> Page:
    survey_id = data.get("survey", "")
    integration_id = authority.may_see(uow, viewer.proven, survey_id)
    survey = uow.surveys.of(integration_id, survey_id) if integration_id else None
    if integration_id is None or survey is None:
        return pages.no_numbers(viewer.proven, viewer.reader)
    return coverage_page(survey, of_survey(uow, integration_id, survey_id, now), viewer.reader, ways)
