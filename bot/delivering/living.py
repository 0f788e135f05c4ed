"""One living message: what each sent message should show now, and the edits that make it so (FEATURES C6).

Nothing is edited because a survey closes or a deadline passes: that would be thousands of edits at once, at 50 a minute. A message is
looked at when its own reader's participation moved, when a later message followed it, or when its reader comes by.
A chat may also ask for it anew whenever its reader looks.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import sha256

from bot import pages, participations, rules
from bot.delivering.addressing import reader_of
from bot.delivering.outcomes import BROKEN_PAUSE, PAUSE
from bot.errors import Ambiguous, Forbidden, Gone, Malformed, SurveybotError, Unauthorized, Unavailable, loggable
from bot.events import EventKind
from bot.messages import Delivery, Member, Showing, Shown, Surface
from bot.model import PersonalLink
from bot.page import Action, Page, PrivatePage
from bot.pages import messages
from bot.pages.reader import Reader
from bot.ports import Channel, Store, UnitOfWork
from bot.rules import Participation, State
from bot.syncing.outdating import ENDS
from bot.views.viewer import Viewer

#: An edit is drawn, waits for its turn and is made within this; otherwise it is drawn anew.
_LEASE = timedelta(minutes=2)
_AT_ONCE = 5
#: How often it is looked for workspaces that have something to be edited by now; seconds.
_LOOK = 2.0
#: Whoever comes by again within this is where they were.
_VISIT = timedelta(hours=1)
#: How many of a person's newest messages are looked at when they come by.
_KEPT_FRESH = 30
#: Not about one message: its whole workspace waits.
_TROUBLE = (Unavailable, Ambiguous, Unauthorized)
_PAGES: Mapping[State, Callable[[Participation, Reader], Page]] = {
    State.ANSWERED: messages.answered,
    State.EXPIRED: messages.expired,
    State.CLOSED: messages.withdrawn,
}

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A message, drawn for its one reader."""

    page: Page | PrivatePage
    showing: Showing


@dataclass(frozen=True, slots=True, kw_only=True)
class Editor:
    """One process's way to edit."""

    store: Store
    channel: Channel
    clock: Callable[[], datetime]
    #: Until when nothing is edited, by workspace.
    paused: dict[str, datetime] = field(default_factory=dict[str, datetime])


def draw(delivery: Delivery, asked: Participation, link: PersonalLink, reader: Reader, now: datetime) -> View:
    """Draw what a message says while its survey waits for an answer."""
    match delivery.kind:
        case EventKind.SURVEY_INVITED:
            page = pages.new_survey(asked, link, reader)
        case EventKind.SURVEY_CLOSING:
            page = (pages.closing_survey if rules.closes_soon(asked, now) else messages.prolonged)(asked, link, reader)
    return _view(delivery, Shown.OPEN, page, f"{asked.invitation.distribution_id} {asked.invitation.contact_id}")


def show_message(uow: UnitOfWork, viewer: Viewer, data: Mapping[str, str], now: datetime) -> Page | PrivatePage:
    """Draw one of their own messages as things are now. Raises Gone where it is not theirs, or may stay as it is."""
    theirs = () if viewer.person_id is None or viewer.surface is Surface.SHARED else uow.sent.of_person(viewer.person_id, _KEPT_FRESH)
    delivery = next((it for it in theirs if str(it.delivery_id) == data.get("message")), None)
    if delivery is None:
        raise Gone("no message of theirs")
    asked = participations.in_survey(uow, delivery.survey_id, [delivery.person_id], now).get(delivery.person_id)
    is_followed = uow.sent.is_followed(delivery.delivery_id)
    view = _wanted(uow, delivery, asked, viewer.reader, now, is_followed=is_followed)
    if view is None:
        raise Gone("a message that stays as it is")
    return view.page


async def touched(store: Store, member: Member, now: datetime) -> int:
    """Somebody came by (pressed a button, looked at their list): have their stale messages edited now. Returns how many are stale.

    And remember where they were seen. Costs a read, and a write only where something is stale or they were away for an hour.
    """
    away_since = now - _VISIT
    stale, is_back = await store.read(lambda uow: (_stale(uow, member.email or "", now), not uow.members.is_used_since(member, away_since)))

    def note(uow: UnitOfWork) -> int:
        if is_back:
            uow.members.set_used(member, now)
        return uow.sent.look_at(stale, now) if stale else 0

    return await store.write(note) if stale or is_back else 0


async def edit_due(editor: Editor) -> int:
    """Bring messages up to date, every workspace at its own pace, until nothing is due that may be edited now. Returns how many were."""
    settled, running = 0, dict[str, asyncio.Task[int]]()
    try:
        async with asyncio.TaskGroup() as group:
            while True:
                for workspace_id in await _waiting(editor):
                    if workspace_id not in running:
                        running[workspace_id] = group.create_task(_edit_some(editor, workspace_id))
                if not running:
                    return settled
                await asyncio.wait(running.values(), timeout=_LOOK, return_when=asyncio.FIRST_COMPLETED)
                for workspace_id in [workspace_id for workspace_id, task in running.items() if task.done()]:
                    settled += running.pop(workspace_id).result()
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from errors


async def _waiting(editor: Editor) -> Sequence[str]:
    now = editor.clock()
    due = await editor.store.read(lambda uow: uow.sent.workspaces(now))
    return [workspace_id for workspace_id in due if editor.paused.get(workspace_id, now) <= now]


async def _edit_some(editor: Editor, workspace_id: str) -> int:
    now = editor.clock()
    claimed = await editor.store.write(lambda uow: uow.sent.claim(workspace_id, now, lease=_LEASE, limit=_AT_ONCE))
    for done, delivery in enumerate(claimed):
        try:
            await _bring_up_to_date(editor, delivery)
        except _TROUBLE as error:  # what is left comes again after the lease
            pause = _pause(error)
            editor.paused[workspace_id] = editor.clock() + pause
            log.warning("message.edits_paused", extra={"workspace": workspace_id, "seconds": pause.total_seconds(), **loggable(error)})
            return done
    return len(claimed)


def _pause(error: SurveybotError) -> timedelta:
    if not isinstance(error, Unavailable):
        return BROKEN_PAUSE
    return PAUSE if error.retry_after is None else timedelta(seconds=error.retry_after)


async def _bring_up_to_date(editor: Editor, delivery: Delivery) -> None:
    """Raises one of `_TROUBLE` when it is not about this message alone."""
    now = editor.clock()
    try:
        member, view = await editor.store.read(lambda uow: _current(uow, delivery, now))
        if view is not None and view.showing != delivery.showing and delivery.message is not None:
            await editor.channel.edit_turn(member)
            await editor.channel.edit(delivery.message, member, view.page, delivery.key)
            log.info("message.edited", extra={"delivery": delivery.delivery_id, "shows": str(view.showing.what)})
    except Exception as error:
        if isinstance(error, _TROUBLE) and not isinstance(error, Forbidden):
            raise
        log.info("message.no_longer_edited", extra={"delivery": delivery.delivery_id, **loggable(error)})
        reason = str(error) if isinstance(error, SurveybotError) else f"could not be drawn: {type(error).__name__}"
        await editor.store.write(lambda uow: uow.sent.give_up(delivery, reason))
    else:
        await editor.store.write(lambda uow: uow.sent.settle(delivery, view.showing if view else delivery.showing))


def _current(uow: UnitOfWork, delivery: Delivery, now: datetime) -> tuple[Member, View | None]:
    """Whose message it is, and what it should show. Raises Gone when there is nobody (any more) to show it to."""
    member = reader_of(uow, delivery)
    asked = participations.in_survey(uow, delivery.survey_id, [delivery.person_id], now).get(delivery.person_id)
    is_followed = uow.sent.is_followed(delivery.delivery_id)
    return member, _wanted(uow, delivery, asked, Reader.of(member), now, is_followed=is_followed)


def _wanted(
    uow: UnitOfWork, delivery: Delivery, asked: Participation | None, reader: Reader, now: datetime, *, is_followed: bool
) -> View | None:
    """None = it may stay as it is: it is the end of an earlier asking, or the link it would need is not known, or does not open."""
    if is_followed and delivery.showing is not None and delivery.showing.what in ENDS.values():
        return None
    if asked is None:
        return _view(delivery, Shown.WITHDRAWN, messages.withdrawn(None, reader))
    if asked.state is not State.OPEN:
        return _view(delivery, ENDS[asked.state], _PAGES[asked.state](asked, reader))
    if is_followed:
        return _view(delivery, Shown.FOLLOWED, messages.followed(asked, reader))
    with suppress(Malformed):
        if link := uow.invitations.link(asked.invitation):
            return draw(delivery, asked, link, reader, now)
    return None


def _view(delivery: Delivery, what: Shown, page: Page | PrivatePage, link: str = "") -> View:
    """`link` names the personal link on it, whose own text is in no `repr`."""
    text = f"{page.title} {page.elements!r} {page.zone} {link}"
    again = Action(verb="message.show", data={"message": str(delivery.delivery_id)})
    return View(page=replace(page, again=again), showing=Showing(what, sha256(text.encode()).hexdigest()[:16]))


def _stale(uow: UnitOfWork, email: str, now: datetime) -> Sequence[int]:
    person_id = uow.people.find(email)
    if person_id is None or not (newest_first := uow.sent.of_person(person_id, _KEPT_FRESH)):
        return ()
    asked = {it.survey.survey_id: it for it in participations.of_person(uow, person_id, now)}
    stale: list[int] = []
    seen: set[str] = set()
    for delivery in newest_first:
        with suppress(Gone):
            reader = Reader.of(reader_of(uow, delivery))
            view = _wanted(uow, delivery, asked.get(delivery.survey_id), reader, now, is_followed=delivery.survey_id in seen)
            if view is not None and view.showing != delivery.showing:
                stale.append(delivery.delivery_id)
        seen.add(delivery.survey_id)
    return stale
