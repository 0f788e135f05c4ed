"""The bot's vocabulary: these tables list everything it can be asked. A view draws, a form asks, a command changes our own tables."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol

from bot import authority, pages
from bot.deep_links import DEFAULT, DeepLinks
from bot.delivering import living
from bot.exports import Links
from bot.messages import Reach, Request, Surface
from bot.pace import Rate, slowly
from bot.page import Action, AnyPage, Form, Page
from bot.pages import Reader
from bot.ports import Store, UnitOfWork
from bot.subscriptions import PROBLEM_SHARE
from bot.syncing.timetable import FIRST_RETRY
from bot.views import coverage, own, standings, statistics, subscriptions, surveys
from bot.views.viewer import Command, FormView, View, Viewer

#: In the data of a form that was opened from there: where the person still is, and what they see there is to be drawn again.
CAME_FROM = "from"
_IN_SLACK = Reach()


class Asking(Protocol):
    """A request, or what finds it in the transaction that answers it."""

    @property
    def action(self) -> Action: ...
    def found(self, uow: UnitOfWork, /) -> Request: ...


#: `handle`, with all that is not asked anew each time.
Handle = Callable[[Store, Asking, datetime], Awaitable[AnyPage]]


async def handle(
    store: Store,
    asking: Asking,
    now: datetime,
    *,
    reach: Reach = _IN_SLACK,
    retry: timedelta = FIRST_RETRY,
    sends_per_minute: Rate = slowly,
    files: Links | None = None,
    links: DeepLinks = DEFAULT,
    problem_share: float = PROBLEM_SHARE,
) -> AnyPage:
    """Answer one request of one person. Authority is checked here, at every click, for the person who clicks.

    `retry` is the pause after a synchronisation's first failure; messages leave at `sends_per_minute` in each workspace. `files` are where
    browsers can fetch them; `links` lead to Qualtrics' own pages. `problem_share` is that of subscriptions which name none.
    Raises as `asking.found` does, too.
    """

    def viewer(uow: UnitOfWork) -> Viewer | Page:
        request = asking.found(uow)
        anybody = Viewer(
            person_id=None,
            email=None,
            proven=None,
            user_id=request.member.user_id,
            reader=Reader.of(request.member),
            surface=request.surface,
            conversation=request.conversation,
            readership=request.readership,
            reach=reach,
            retry=retry,
            sends_per_minute=sends_per_minute,
            files=files,
            links=links,
            problem_share=problem_share,
        )
        return _viewer(uow, request, anybody)

    action = asking.action
    if action.verb in COMMANDS:
        action = await store.write(lambda uow: _change(uow, viewer(uow), asking.action, now))
    return await store.read(lambda uow: _answer(uow, viewer(uow), action, now))


def complaints(action: Action, reader: Reader) -> Mapping[str, str]:
    """What is wrong with a submitted form, by field. Said while the form waits, so nothing is looked up."""
    if action.verb == "surveys.find" and not action.data.get("words", "").strip():
        return {"words": reader.say("Please type a part of the survey's name or of its sender.")}
    if action.verb == "stats.find" and not action.data.get("words", "").strip():
        return {"words": reader.say("Please type a part of the survey's name or of its owner's.")}
    return subscriptions.complaints(action, reader) if action.verb.startswith("subscription") else {}


def _answer(uow: UnitOfWork, viewer: Viewer | Page, action: Action, now: datetime) -> AnyPage:
    verb, data = action.verb, action.data
    if isinstance(viewer, Page):
        return viewer
    if verb in FORMS:
        form = FORMS[verb](uow, viewer, data, now)
        return _from_home(form) if isinstance(form, Form) and viewer.surface is Surface.HOME else form
    page = VIEWS[verb](uow, viewer, data, now) if verb in VIEWS else pages.out_of_date(viewer.reader)
    return pages.with_way_home(page, viewer.reader) if viewer.surface is Surface.HOME and verb != "home.show" else page


def _change(uow: UnitOfWork, viewer: Viewer | Page, action: Action, now: datetime) -> Action:
    """Carry a command out, and return the view to draw; who may not is told so when that is drawn."""
    return action if isinstance(viewer, Page) else COMMANDS[action.verb](uow, viewer, action.data, now)


def _viewer(uow: UnitOfWork, request: Request, anybody: Viewer) -> Viewer | Page:
    """Who asks, or why they are shown nothing."""
    member, reader = request.member, anybody.reader
    if not anybody.reach.includes(member):
        return anybody if request.action.verb in FOR_ANYBODY else pages.not_a_member(reader)
    if member.email is None:
        return anybody if request.action.verb in FOR_ANYBODY else pages.not_linked(reader)
    return replace(anybody, person_id=uow.people.find(member.email), email=member.email, proven=authority.proven_address(member))


def _from_home(form: Form) -> Form:
    return replace(form, action=replace(form.action, data={**form.action.data, CAME_FROM: Surface.HOME}))


#: Everything a person can look at. `survey.handover` is answered on the spot, and its adapter sends `survey.show` in private.
VIEWS: Mapping[str, View] = {
    "home.show": surveys.show_home,
    "surveys.list": surveys.list_open,
    "surveys.find": surveys.find,
    "survey.show": surveys.show,
    "survey.handover": surveys.hand_over,
    "message.show": living.show_message,
    "survey.why": surveys.explain_why,
    "privacy.show": surveys.explain_privacy,
    "help.show": own.show_help,
    "settings.show": own.show_settings,
    "sync.status": own.show_status,
    "stats.list": statistics.list_open,
    "stats.find": statistics.find,
    "stats.results": statistics.show_typed,
    "stats.survey": statistics.show,
    "stats.distribution": statistics.show_distribution,
    "stats.coverage": coverage.show,
    "stats.export": coverage.export,
    "subscriptions.list": subscriptions.show_list,
    "subscriptions.times": subscriptions.show_times,
    "subscription.show": subscriptions.show,
    "subscription.unclear": subscriptions.explain,
    "subscription.missing": subscriptions.explain_missing,
    "subscription.not_yours": subscriptions.explain_authority,
    "subscription.confirm": subscriptions.confirm,
    "stats.people": standings.show,
}
#: Everything a person can be asked for. A chat that opens forms in time opens them before it draws them.
FORMS: Mapping[str, FormView] = {
    "surveys.search": surveys.ask_for_words,
    "settings.edit": own.edit_settings,
    "stats.search": statistics.ask_for_words,
    "subscription.new": subscriptions.ask,
    "subscription.edit": subscriptions.ask_for_change,
    "subscriptions.edit_times": subscriptions.ask_for_times,
}
#: Everything a person can change.
COMMANDS: Mapping[str, Command] = {
    "settings.save": own.save_settings,
    "subscription.add": subscriptions.add,
    "subscription.change": subscriptions.change,
    "subscription.remove": subscriptions.remove,
    "subscription.drop": subscriptions.drop,
    "subscription.take_over": subscriptions.take_over,
    "subscription.resume": subscriptions.resume,
    "subscriptions.save_times": subscriptions.save_times,
}
#: What guests, strangers and people without an e-mail address may see as well: nothing of anybody's.
FOR_ANYBODY = frozenset({"help.show", "privacy.show"})
