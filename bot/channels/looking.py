"""Who reads along where something is posted, or is to be: looked at when a channel is subscribed, and again before each post."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from bot import authority
from bot.errors import SurveybotError, loggable
from bot.messages import Conversation, Member, Readership, Request
from bot.ports import Channel, Store, UnitOfWork

#: How long a place is taken for one that members alone read: what is posted there at once costs one look.
FRESH = timedelta(minutes=3)
#: With these whoever asks stands for posts to come.
SUBSCRIBING = frozenset({"subscription.add", "subscription.take_over", "subscription.resume"})

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Lookout:
    """What one process has seen. That others read along is not remembered: it is put right, and then somebody presses *Post again*."""

    #: Until when members alone read there.
    _clear: dict[Conversation, datetime] = field(default_factory=dict[Conversation, datetime])

    async def look(self, channel: Channel, place: Conversation, clock: Callable[[], datetime]) -> Readership:
        """Raises as `bot.ports.Channel.readership` does."""
        now = clock()
        if self._clear.get(place, now) > now:
            return Readership.MEMBERS
        found = await channel.readership(place)
        self._clear.pop(place, None)
        if found is Readership.MEMBERS:
            self._clear[place] = clock() + FRESH  # a look at a large channel may last as long
        return found


async def looked(channel: Channel, store: Store, request: Request) -> Request:
    """Return a request with who reads along, where that decides: somebody who may see surveys asks for posts there.

    What cannot be found out now forbids nothing: it is looked at before each post.
    """
    place, asks = request.conversation, request.member
    if place is None or request.action.verb not in SUBSCRIBING or not await store.read(lambda uow: _sees_surveys(uow, asks)):
        return request
    readership: Readership | None = None
    try:
        readership = await channel.readership(place)
    except SurveybotError as error:
        log.info("channel.not_looked_at", extra={"conversation": place.channel_id, **loggable(error)})
    # It may have taken half a minute: whoever asked may have left.
    by_now = await store.read(lambda uow: uow.members.get(asks.workspace_id, asks.user_id))
    return replace(request, readership=readership, member=by_now or asks)


def _sees_surveys(uow: UnitOfWork, member: Member) -> bool:
    return bool(authority.visible(uow, authority.proven_address(member)))
