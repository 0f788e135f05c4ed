"""The bot's vocabulary: these tables list everything it can be asked. A view draws, a form asks, a command changes our own tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from bot import home, pace, pages, participations, rules
from bot import status as synchronisation
from bot.events import EventKind
from bot.messages import Preference, Request, Surface
from bot.pace import SENDS_PER_MINUTE
from bot.page import Action, Form, Page, PrivatePage
from bot.pages import Reader
from bot.pages.settings import NEW_SURVEYS, REMINDERS, TOLD
from bot.ports import Store, UnitOfWork
from bot.rules import Participation, State
from bot.slash_commands import LONGEST_ARGUMENT, LONGEST_WORD, SLASH_COMMANDS, SURVEYS
from bot.timetable import FIRST_RETRY

#: In the data of a form that was opened from there: where the person still is, and what they see there is to be drawn again.
CAME_FROM = "from"


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """The person a view is drawn for. Views look at what is theirs, whatever the action's data says."""

    person_id: int | None
    #: None: they may see only what is there for anybody.
    email: str | None = field(repr=False)
    reader: Reader
    surface: Surface
    #: As `handle` has them.
    retry: timedelta
    sends_per_minute: float


async def handle(
    store: Store,
    request: Request,
    now: datetime,
    *,
    allow_guests: bool = False,
    retry: timedelta = FIRST_RETRY,
    sends_per_minute: float = SENDS_PER_MINUTE,
) -> Page | PrivatePage | Form:
    """Answer one request of one person. Authority is checked here, at every click, for the person who clicks.

    `retry` is the pause after a synchronisation's first failure; messages leave at `sends_per_minute` in each workspace.
    """

    def viewer(uow: UnitOfWork) -> Viewer | Page:
        return _viewer(uow, request, allow_guests=allow_guests, retry=retry, sends_per_minute=sends_per_minute)

    action = request.action
    if action.verb in COMMANDS:
        action = await store.write(lambda uow: _change(uow, viewer(uow), request.action, now))
    return await store.read(lambda uow: _answer(uow, viewer(uow), action, now))


def complaints(action: Action, reader: Reader) -> Mapping[str, str]:
    """What is wrong with a submitted form, by field. Said while the form waits, so nothing is looked up."""
    if action.verb == "surveys.find" and not action.data.get("words", "").strip():
        return {"words": reader.say("Please type a part of the survey's name or of its sender.")}
    return {}


def _answer(uow: UnitOfWork, viewer: Viewer | Page, action: Action, now: datetime) -> Page | PrivatePage | Form:
    verb, data = action.verb, action.data
    if isinstance(viewer, Page):
        return viewer
    if verb in FORMS:
        form = FORMS[verb](uow, viewer, data, now)
        return _from_home(form) if viewer.surface is Surface.HOME else form
    page = VIEWS[verb](uow, viewer, data, now) if verb in VIEWS else pages.out_of_date(viewer.reader)
    return pages.with_way_home(page, viewer.reader) if viewer.surface is Surface.HOME and verb != "home.show" else page


def _change(uow: UnitOfWork, viewer: Viewer | Page, action: Action, now: datetime) -> Action:
    """Carry a command out, and return the view to draw; who may not is told so when that is drawn."""
    return action if isinstance(viewer, Page) else COMMANDS[action.verb](uow, viewer, action.data, now)


def _viewer(uow: UnitOfWork, request: Request, *, allow_guests: bool, retry: timedelta, sends_per_minute: float) -> Viewer | Page:
    """Who asks, or why they are shown nothing."""
    member = request.member
    reader = Reader.of(member)
    anybody = Viewer(person_id=None, email=None, reader=reader, surface=request.surface, retry=retry, sends_per_minute=sends_per_minute)
    if isinstance(rules.addressee([member], allow_guests=allow_guests), rules.Unreachable):
        return anybody if request.action.verb in FOR_ANYBODY else pages.not_a_member(reader)
    if member.email is None:
        return anybody if request.action.verb in FOR_ANYBODY else pages.not_linked(reader)
    return replace(anybody, person_id=uow.people.find(member.email), email=member.email)


def _home(uow: UnitOfWork, viewer: Viewer, _data: Mapping[str, str], now: datetime) -> Page:
    return pages.home_page(home.overview(uow, viewer.person_id, viewer.email or "", now, viewer.retry), now, viewer.reader)


def _list(uow: UnitOfWork, viewer: Viewer, data: Mapping[str, str], now: datetime) -> Page:
    theirs = [] if viewer.person_id is None else participations.open_of_person(uow, viewer.person_id, now)
    return pages.my_active_surveys(theirs, _page(data), viewer.reader)


def _search(_uow: UnitOfWork, viewer: Viewer, _data: Mapping[str, str], _now: datetime) -> Form:
    return pages.search_form(viewer.reader)


def _find(uow: UnitOfWork, viewer: Viewer, data: Mapping[str, str], now: datetime) -> Page:
    words = data.get("words", "")[:LONGEST_ARGUMENT]
    found = [asked for asked in _mine(uow, viewer, now) if rules.is_about(asked, words)]
    found.sort(key=lambda asked: (asked.state is not State.OPEN, -asked.asked_at.timestamp(), asked.survey.survey_id))
    return pages.found_surveys(found, words, _page(data), viewer.reader)


def _show(uow: UnitOfWork, viewer: Viewer, data: Mapping[str, str], now: datetime) -> Page | PrivatePage:
    asked = _named(uow, viewer, data, now)
    if asked is None:
        return pages.not_found(viewer.reader)
    if viewer.surface is Surface.SHARED:
        return pages.shared_survey_details(asked, viewer.reader)
    link = uow.invitations.link(asked.invitation) if asked.state is State.OPEN else None
    return pages.survey_details(asked, link, viewer.reader)


def _handover(uow: UnitOfWork, viewer: Viewer, data: Mapping[str, str], now: datetime) -> Page:
    asked = _named(uow, viewer, data, now)
    return pages.handed_over(asked, viewer.reader) if asked else pages.not_found(viewer.reader)


def _why(uow: UnitOfWork, viewer: Viewer, data: Mapping[str, str], now: datetime) -> Page:
    asked = _named(uow, viewer, data, now)
    if asked is None:
        return pages.not_found(viewer.reader)
    owner = uow.users.name(asked.invitation.integration_id, asked.survey.owner_id)
    return pages.why_page(asked, owner, viewer.reader)


def _privacy(uow: UnitOfWork, viewer: Viewer, data: Mapping[str, str], now: datetime) -> Page:
    return pages.privacy_page(viewer.reader, _named(uow, viewer, data, now))


def _help(_uow: UnitOfWork, viewer: Viewer, data: Mapping[str, str], _now: datetime) -> Page:
    unknown = data.get("unknown")
    command = SLASH_COMMANDS.get(data.get("command", ""), SURVEYS)
    return pages.help_page(viewer.reader, command, unknown and unknown[:LONGEST_WORD])


def _settings_form(uow: UnitOfWork, viewer: Viewer, _data: Mapping[str, str], _now: datetime) -> Form:
    return pages.settings_form(_preference(uow, viewer), viewer.reader)


def _settings(uow: UnitOfWork, viewer: Viewer, data: Mapping[str, str], _now: datetime) -> Page:
    return pages.settings_page(_preference(uow, viewer), viewer.reader, is_saved="saved" in data)


def _save_settings(uow: UnitOfWork, viewer: Viewer, data: Mapping[str, str], now: datetime) -> Action:
    """What they want again is told now, where they were not told of it and can still answer."""
    assert viewer.email is not None, "this command is not there for anybody"
    chosen = data.get(TOLD, "").split()
    person_id = uow.people.ids([viewer.email])[viewer.email]
    preference = Preference(new_surveys=NEW_SURVEYS in chosen, reminders=REMINDERS in chosen)
    uow.preferences.save(person_id, preference, now)
    wanted = [kind for kind in EventKind if rules.is_wanted(kind, preference)]
    answerable = [asked.survey.survey_id for asked in participations.of_person(uow, person_id, now) if asked.state is State.OPEN]
    uow.outbox.reopen_opted_out(person_id, wanted, answerable, now)
    return Action(verb="settings.show", data={"saved": "yes"})


def _status(uow: UnitOfWork, viewer: Viewer, data: Mapping[str, str], now: datetime) -> Page:
    """For brand administrators, of their integrations."""
    theirs = uow.users.admin_of(viewer.email or "")
    if not theirs:
        return pages.not_an_administrator(viewer.reader)
    found = synchronisation.status(uow, now, theirs, retry=viewer.retry)
    backlog = pace.backlogs(uow, now, viewer.sends_per_minute)
    return pages.status_page(found, synchronisation.baselines(uow, found, now), backlog, _page(data), viewer.reader)


def _page(data: Mapping[str, str]) -> int:
    number = data.get("page", "1")
    return int(number) if number.isdecimal() else 1


def _named(uow: UnitOfWork, viewer: Viewer, data: Mapping[str, str], now: datetime) -> Participation | None:
    survey_id = data.get("survey", "")
    return next((asked for asked in _mine(uow, viewer, now) if asked.survey.survey_id == survey_id), None)


def _mine(uow: UnitOfWork, viewer: Viewer, now: datetime) -> list[Participation]:
    return [] if viewer.person_id is None else participations.of_person(uow, viewer.person_id, now)


def _preference(uow: UnitOfWork, viewer: Viewer) -> Preference:
    return Preference() if viewer.person_id is None else uow.preferences.get(viewer.person_id)


def _from_home(form: Form) -> Form:
    return replace(form, action=replace(form.action, data={**form.action.data, CAME_FROM: Surface.HOME}))


View = Callable[[UnitOfWork, Viewer, Mapping[str, str], datetime], Page | PrivatePage]
FormView = Callable[[UnitOfWork, Viewer, Mapping[str, str], datetime], Form]
Command = Callable[[UnitOfWork, Viewer, Mapping[str, str], datetime], Action]

#: Everything a person can look at. `survey.handover` is answered on the spot, and its adapter sends `survey.show` in private.
VIEWS: Mapping[str, View] = {
    "home.show": _home,
    "surveys.list": _list,
    "surveys.find": _find,
    "survey.show": _show,
    "survey.handover": _handover,
    "survey.why": _why,
    "privacy.show": _privacy,
    "help.show": _help,
    "settings.show": _settings,
    "sync.status": _status,
}
#: Everything a person can be asked for. A chat that opens forms in time opens them before it draws them.
FORMS: Mapping[str, FormView] = {
    "surveys.search": _search,
    "settings.edit": _settings_form,
}
#: Everything a person can change.
COMMANDS: Mapping[str, Command] = {
    "settings.save": _save_settings,
}
#: What guests, strangers and people without an e-mail address may see as well: nothing of anybody's.
FOR_ANYBODY = frozenset({"help.show", "privacy.show"})
