"""Who reads along in a channel in Slack: what Slack says of it, and what the directory knows of everybody who is in it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from adapters.slack.clients import Clients, of_place
from adapters.slack.directory import member_of
from adapters.slack.errors import fields, next_cursor, translated
from adapters.slack.pacing import ONLOOKERS, PERSON, PLACE, SlackPace, heeding
from bot.errors import Forbidden, Gone, Rejected, Unavailable
from bot.messages import Conversation, MemberKind, Readership
from bot.ports import Store

#: People a page, at most (https://docs.slack.dev/reference/methods/conversations.members), and pages a look: half a minute of calls.
_PAGE, _PAGES = 999, 50
#: People a look whom the directory does not know, asked for one by one; where there are more, it is still being read.
_STRANGERS = 30


@dataclass(frozen=True, slots=True)
class Onlookers:
    clients: Clients
    store: Store
    pace: SlackPace
    #: Whether guests of the workspace may read posts: then nobody is looked through.
    allow_guests: bool

    async def look(self, place: Conversation) -> Readership:
        """See `bot.ports.Channel.readership`."""
        try:
            told = await self._called(PLACE, place.workspace_id, channel=place.channel_id)
            channel: Mapping[str, Any] = told.get("channel") or {}
            if channel.get("is_archived"):
                raise Gone("the channel is archived")
            if _is_of_others(channel):
                return Readership.OUTSIDERS
            return Readership.MEMBERS if self.allow_guests else await self._among(place)
        except (Forbidden, Rejected):  # the scope is missing, or it is no channel
            return Readership.UNKNOWN

    async def _among(self, place: Conversation) -> Readership:
        """Look through everybody who is in a channel of this organisation alone."""
        cursor, unknown = "", set[str]()
        for _ in range(_PAGES):
            told = await self._called(ONLOOKERS, place.workspace_id, channel=place.channel_id, limit=_PAGE, cursor=cursor or None)
            with translated(ONLOOKERS, repeatable=True):
                user_ids, cursor = list(told["members"]), next_cursor(told)
            kinds = await self.store.read(lambda uow, user_ids=user_ids: uow.members.kinds(place.workspace_id, user_ids))
            if (found := _readership(kinds.values())) is not Readership.MEMBERS:
                return found
            unknown.update(set(user_ids) - kinds.keys())
            if not cursor:
                return _readership(await self._asked(place.workspace_id, unknown))
        return Readership.UNKNOWN

    async def _asked(self, workspace_id: str, user_ids: Collection[str]) -> Collection[MemberKind]:
        """What people are who came since the directory was read. Raises Unavailable while there are too many of them."""
        if len(user_ids) > _STRANGERS:
            raise Unavailable("the directory does not know most who are in the channel yet")
        return [await self._kind(workspace_id, user_id) for user_id in user_ids]

    async def _kind(self, workspace_id: str, user_id: str) -> MemberKind:
        try:
            told = await self._called(PERSON, workspace_id, user=user_id)
        except Gone:  # whoever it is, nobody of this workspace
            return MemberKind.STRANGER
        with translated(PERSON, repeatable=True):
            return member_of(told["user"], workspace_id).kind

    async def _called(self, method: str, workspace_id: str, **arguments: Any) -> Mapping[str, Any]:  # noqa: ANN401 - as the SDK takes them
        await self.pace.turn(method, workspace_id)
        client = await of_place(self.clients, workspace_id)
        calls: Mapping[str, Callable[..., Any]] = {
            PLACE: client.conversations_info,
            ONLOOKERS: client.conversations_members,
            PERSON: client.users_info,
        }
        async with heeding(self.pace, method, workspace_id, repeatable=True):
            return fields(await calls[method](**arguments))


def _is_of_others(channel: Mapping[str, Any]) -> bool:
    """Whether another organisation is in it, or invited: then it will read what was said before.

    Workspaces of one organisation that share a channel (`is_org_shared`) are no others. What is missing is taken for the worse
    (https://docs.slack.dev/reference/objects/conversation-object, https://docs.slack.dev/apis/slack-connect).
    """
    is_shared = channel.get("is_shared", True) and not channel.get("is_org_shared")
    return bool(channel.get("is_ext_shared") or channel.get("is_pending_ext_shared") or is_shared)


def _readership(kinds: Collection[MemberKind]) -> Readership:
    if MemberKind.STRANGER in kinds:
        return Readership.OUTSIDERS
    return Readership.GUESTS if MemberKind.GUEST in kinds else Readership.MEMBERS
