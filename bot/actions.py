"""The bot's vocabulary: one table lists everything it can be asked. A view draws and changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot import pages, participations, rules
from bot import status as synchronisation
from bot.messages import Request, Surface
from bot.page import Action, Page, PrivatePage
from bot.pages.reader import Reader
from bot.ports import Store, UnitOfWork
from bot.rules import Participation, State
from bot.timetable import FIRST_RETRY


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """The person a view is drawn for. Views look at what is theirs, whatever the action's data says."""

    person_id: int | None
    email: str = field(repr=False)
    reader: Reader
    surface: Surface
    #: As `handle` has it.
    retry: timedelta


async def handle(
    store: Store, request: Request, now: datetime, *, allow_guests: bool = False, retry: timedelta = FIRST_RETRY
) -> Page | PrivatePage:
    """Answer one request of one person. Authority is checked here, at every click, for the person who clicks.

    `retry` is the pause after a synchronisation's first failure.
    """
    return await store.read(lambda uow: _answer(uow, request, now, allow_guests=allow_guests, retry=retry))


def parse_command(text: str) -> Action:
    """Parse what was typed behind `/surveys`."""
    words = text.split()
    match [word.casefold() for word in words[:1]]:
        case [] | ["list"]:
            return Action(verb="surveys.list")
        case ["help"]:
            return Action(verb="help.show")
        case ["status"]:
            return Action(verb="sync.status", data={"word": words[0]})
        case _:
            return Action(verb="help.show", data={"unknown": words[0]})


def _answer(uow: UnitOfWork, request: Request, now: datetime, *, allow_guests: bool, retry: timedelta) -> Page | PrivatePage:
    member = request.member
    reader = Reader.of(member)
    view = VIEWS.get(request.action.verb)
    if view is None:
        return pages.out_of_date(reader)
    if isinstance(rules.addressee([member], allow_guests=allow_guests), rules.Unreachable):
        return pages.not_a_member(reader)
    if member.email is None:
        return pages.not_linked(reader)
    person_id = uow.people.find(member.email)
    viewer = Viewer(person_id=person_id, email=member.email, reader=reader, surface=request.surface, retry=retry)
    return view(uow, viewer, request.action.data, now)


def _list(uow: UnitOfWork, viewer: Viewer, data: Mapping[str, str], now: datetime) -> Page:
    open_surveys = [asked for asked in _mine(uow, viewer, now) if asked.state is State.OPEN]
    open_surveys.sort(key=lambda asked: (asked.closes_at is None, asked.closes_at or now, asked.survey.name, asked.survey.survey_id))
    return pages.my_active_surveys(open_surveys, _page(data), viewer.reader)


def _show(uow: UnitOfWork, viewer: Viewer, data: Mapping[str, str], now: datetime) -> Page | PrivatePage:
    asked = _find(uow, viewer, data, now)
    if asked is None:
        return pages.not_found(viewer.reader)
    if viewer.surface is Surface.SHARED:
        return pages.shared_survey_details(asked, viewer.reader)
    link = uow.invitations.link(asked.invitation) if asked.state is State.OPEN else None
    return pages.survey_details(asked, link, viewer.reader)


def _handover(uow: UnitOfWork, viewer: Viewer, data: Mapping[str, str], now: datetime) -> Page:
    asked = _find(uow, viewer, data, now)
    return pages.handed_over(asked, viewer.reader) if asked else pages.not_found(viewer.reader)


def _help(_uow: UnitOfWork, viewer: Viewer, data: Mapping[str, str], _now: datetime) -> Page:
    return pages.help_page(viewer.reader, data.get("unknown"))


def _status(uow: UnitOfWork, viewer: Viewer, data: Mapping[str, str], now: datetime) -> Page:
    """For brand administrators, of their integrations. For everybody else the word does not exist."""
    theirs = uow.users.admin_of(viewer.email)
    if not theirs:
        return pages.help_page(viewer.reader, data.get("word", "status"))
    found = synchronisation.status(uow, now, theirs, retry=viewer.retry)
    return pages.status_page(found, synchronisation.baselines(uow, found, now), _page(data), viewer.reader)


def _page(data: Mapping[str, str]) -> int:
    number = data.get("page", "1")
    return int(number) if number.isdecimal() else 1


def _find(uow: UnitOfWork, viewer: Viewer, data: Mapping[str, str], now: datetime) -> Participation | None:
    survey_id = data.get("survey", "")
    return next((asked for asked in _mine(uow, viewer, now) if asked.survey.survey_id == survey_id), None)


def _mine(uow: UnitOfWork, viewer: Viewer, now: datetime) -> list[Participation]:
    return [] if viewer.person_id is None else participations.of_person(uow, viewer.person_id, now)


View = Callable[[UnitOfWork, Viewer, Mapping[str, str], datetime], Page | PrivatePage]

#: Everything a person can ask for. `survey.handover` is answered on the spot, and its adapter sends `survey.show` in private.
VIEWS: Mapping[str, View] = {
    "surveys.list": _list,
    "survey.show": _show,
    "survey.handover": _handover,
    "help.show": _help,
    "sync.status": _status,
}
