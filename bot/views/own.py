"""Help, what people choose for themselves, and how reading from Qualtrics stands."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress
from datetime import datetime

from bot import pace, pages, participations, rules
from bot.events import EventKind
from bot.messages import Place, Platform, Preference
from bot.page import Action, Form, Page
from bot.pages.settings import NEW_SURVEYS, PLACE, REMINDERS, TOLD
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
    return pages.settings_form(_preference(uow, viewer), viewer.reader, _platforms(uow, viewer))


def show_settings(uow: UnitOfWork, viewer: Viewer, data: Mapping[str, str], _now: datetime) -> Page:
    return pages.settings_page(_preference(uow, viewer), viewer.reader, _platforms(uow, viewer), is_saved="saved" in data)


def save_settings(uow: UnitOfWork, viewer: Viewer, data: Mapping[str, str], now: datetime) -> Action:
    """What they want again is told now, where they were not told of it and can still answer."""
    assert viewer.email is not None, "this command is not there for anybody"
    chosen = data.get(TOLD, "").split()
    person_id = uow.people.ids([viewer.email])[viewer.email]
    place = uow.preferences.get(person_id).place  # the form may not have asked for it
    with suppress(ValueError):
        place = Place(data.get(PLACE, ""))
    preference = Preference(new_surveys=NEW_SURVEYS in chosen, reminders=REMINDERS in chosen, place=place)
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
    return pages.status_page(found, synchronisation.baselines(uow, found, now), backlog, page_number(data), viewer.reader)


def _platforms(uow: UnitOfWork, viewer: Viewer) -> Collection[Platform]:
    """Where they can be written to."""
    accounts = uow.members.accounts(viewer.email) if viewer.email else ()
    theirs = [it.member for it in accounts if it.is_open is not False and viewer.reach.includes(it.member)]
    return {platform for member in theirs if (platform := viewer.reach.platform(member.workspace_id))}


def _preference(uow: UnitOfWork, viewer: Viewer) -> Preference:
    return Preference() if viewer.person_id is None else uow.preferences.get(viewer.person_id)
