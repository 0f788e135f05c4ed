"""What people are shown of the surveys they were sent."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from bot import pages, participations
from bot.messages import Surface
from bot.page import Form, Page, PrivatePage
from bot.ports import UnitOfWork
from bot.rules import Participation, State
from bot.search import finder, folded
from bot.slash_commands import LONGEST_ARGUMENT
from bot.views import home
from bot.views.viewer import Viewer, page_number


def show_home(uow: UnitOfWork, viewer: Viewer, _data: Mapping[str, str], now: datetime) -> Page:
    return pages.home_page(home.overview(uow, viewer.person_id, viewer.proven, now, viewer.retry), now, viewer.reader)


def list_open(uow: UnitOfWork, viewer: Viewer, data: Mapping[str, str], now: datetime) -> Page:
    theirs = [] if viewer.person_id is None else participations.open_of_person(uow, viewer.person_id, now)
    return pages.my_active_surveys(theirs, page_number(data), viewer.reader)


def ask_for_words(_uow: UnitOfWork, viewer: Viewer, _data: Mapping[str, str], _now: datetime) -> Form:
    return pages.search_surveys_form(viewer.reader)


def find(uow: UnitOfWork, viewer: Viewer, data: Mapping[str, str], now: datetime) -> Page:
    words = data.get("words", "")[:LONGEST_ARGUMENT]
    has_words = finder(words)
    found = [asked for asked in _mine(uow, viewer, now) if has_words(folded(f"{asked.survey.name} {asked.invitation.sender_name or ''}"))]
    found.sort(key=lambda asked: (asked.state is not State.OPEN, -asked.asked_at.timestamp(), asked.survey.survey_id))
    return pages.found_surveys(found, words, page_number(data), viewer.reader)


def show(uow: UnitOfWork, viewer: Viewer, data: Mapping[str, str], now: datetime) -> Page | PrivatePage:
    asked = _named(uow, viewer, data, now)
    if asked is None:
        return pages.not_found(viewer.reader)
    if viewer.surface is Surface.SHARED:
        return pages.shared_survey_details(asked, viewer.reader)
    link = uow.invitations.link(asked.invitation) if asked.state is State.OPEN else None
    return pages.survey_details(asked, link, viewer.reader)


def hand_over(uow: UnitOfWork, viewer: Viewer, data: Mapping[str, str], now: datetime) -> Page:
    asked = _named(uow, viewer, data, now)
    return pages.handed_over(asked, viewer.reader) if asked else pages.not_found(viewer.reader)


def explain_why(uow: UnitOfWork, viewer: Viewer, data: Mapping[str, str], now: datetime) -> Page:
    asked = _named(uow, viewer, data, now)
    if asked is None:
        return pages.not_found(viewer.reader)
    owner = uow.users.name(asked.invitation.integration_id, asked.survey.owner_id)
    return pages.why_page(asked, owner, viewer.reader)


def explain_privacy(uow: UnitOfWork, viewer: Viewer, data: Mapping[str, str], now: datetime) -> Page:
    return pages.privacy_page(viewer.reader, _named(uow, viewer, data, now))


def _named(uow: UnitOfWork, viewer: Viewer, data: Mapping[str, str], now: datetime) -> Participation | None:
    survey_id = data.get("survey", "")
    return next((asked for asked in _mine(uow, viewer, now) if asked.survey.survey_id == survey_id), None)


def _mine(uow: UnitOfWork, viewer: Viewer, now: datetime) -> list[Participation]:
    return [] if viewer.person_id is None else participations.of_person(uow, viewer.person_id, now)
