"""Help, what people choose for themselves, and how reading from Qualtrics stands."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress
from datetime import datetime

from bot import authority, pace, pages, participations, rules
from bot.events import EventKind
from bot.messages import Place, Platform, Preference
from bot.page import Action, Form, Page
from bot.pages.paging import on_page
from bot.pages.settings import NEW_SURVEYS, OWN_SURVEYS, PLACE, REMINDERS, TOLD
from bot.pages.status import PAGE_SIZE
from bot.ports import UnitOfWork
from bot.rules import State
from bot.slash_commands import LONGEST_WORD, SLASH_COMMANDS, SURVEYS
from bot.syncing import status as synchronisation
from bot.views.viewer import Viewer, page_number


def show_help(_uow: UnitOfWork, viewer: Viewer, data: Mapping[str, str], _now: datetime) -> Page:
    unknown = data.get("unknown")
    command = SLASH_COMMANDS.get(data.get("command", ""), SURVEYS)
    return pages.help_page(viewer.reader, command, unknown and unknown[:LONGEST_WORD])


def edit_settings(uow: UnitOfWork, viewer: Viewer, _data: Mapping[str, str], _now: datetime) -> Form:
    preference, platforms = _preference(uow, viewer), _platforms(uow, viewer)
    return pages.settings_form(preference, viewer.reader, platforms, sees_numbers=_sees_numbers(uow, viewer))


def show_settings(uow: UnitOfWork, viewer: Viewer, data: Mapping[str, str], _now: datetime) -> Page:
    preference, platforms, sees_numbers = _preference(uow, viewer), _platforms(uow, viewer), _sees_numbers(uow, viewer)
    return pages.settings_page(preference, viewer.reader, platforms, is_saved="saved" in data, sees_numbers=sees_numbers)


def save_settings(uow: UnitOfWork, viewer: Viewer, data: Mapping[str, str], now: datetime) -> Action:
    """What they want again is told now, where they were not told of it and can still answer."""
    assert viewer.email is not None, "this command is not there for anybody"
    chosen = data.get(TOLD, "").split()
    person_id = uow.people.ids([viewer.email])[viewer.email]
    before = uow.preferences.get(person_id)
    place, own_surveys = before.place, before.own_surveys  # the form may not have asked for them
    with suppress(ValueError):
        place = Place(data.get(PLACE, ""))
    if _sees_numbers(uow, viewer):
        own_surveys = OWN_SURVEYS in chosen
    preference = Preference(new_surveys=NEW_SURVEYS in chosen, reminders=REMINDERS in chosen, own_surveys=own_surveys, place=place)
    uow.preferences.save(person_id, preference, now)
    wanted = [kind for kind in EventKind if rules.is_wanted(kind, preference)]
    answerable = [asked.survey.survey_id for asked in participations.of_person(uow, person_id, now) if asked.state is State.OPEN]
    uow.outbox.reopen_opted_out(person_id, wanted, answerable, now)
    return Action(verb="settings.show", data={"saved": "yes"})


def show_status(uow: UnitOfWork, viewer: Viewer, data: Mapping[str, str], now: datetime) -> Page:
    """For brand administrators, of their integrations."""
    theirs = uow.users.admin_of(viewer.proven or "")
    if not theirs:
        return pages.not_an_administrator(viewer.reader)
    found = synchronisation.status(uow, now, theirs, retry=viewer.retry)
    backlog = pace.backlogs(uow, now, viewer.sends_per_minute)
    shown, where = on_page(found, page_number(data), PAGE_SIZE)
    return pages.status_page(found, synchronisation.baselines(uow, shown, now), backlog, where.page, viewer.reader)


def _platforms(uow: UnitOfWork, viewer: Viewer) -> Collection[Platform]:
    """Where they can be written to."""
    accounts = uow.members.accounts(viewer.email) if viewer.email else ()
    theirs = [it.member for it in accounts if it.is_open is not False and viewer.reach.includes(it.member)]
    return {platform for member in theirs if (platform := viewer.reach.platform(member.workspace_id))}


def _sees_numbers(uow: UnitOfWork, viewer: Viewer) -> bool:
    return bool(authority.visible(uow, viewer.proven))


def _preference(uow: UnitOfWork, viewer: Viewer) -> Preference:
    return Preference() if viewer.person_id is None else uow.preferences.get(viewer.person_id)
