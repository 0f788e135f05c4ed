"""Who is in a Slack workspace: read page by page, kept up to date by events, and asked for one by one when somebody is new."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack.clients import Clients
from adapters.slack.errors import fields, translated
from bot.errors import Throttled
from bot.messages import Member, MemberKind
from bot.ports import Store, UnitOfWork

#: A user object of `users.list`, `users.info`, `team_join` and `user_change`. Nearly everything in it is optional
#: (https://docs.slack.dev/reference/objects/user-object, reference slack.md 7).
Profile = Mapping[str, Any]

#: People a page (https://docs.slack.dev/reference/methods/users.list: "no more than 200").
_PAGE = 200
#: How often one page is asked for again after a 429, and the longest single wait.
_PATIENCE = 10
_LONGEST_WAIT_SECONDS = 60.0
_SLACKBOT = "USLACKBOT"


class SlackDirectory:
    """The people of every workspace, as the store knows them and as Slack does."""

    def __init__(self, clients: Clients, store: Store) -> None:
        self._clients = clients
        self._store = store

    async def refresh(self, workspace_id: str) -> int:
        """Read everybody and return how many there are. What was read before an error is kept.

        Raises Unavailable, Unauthorized or Gone (no longer installed); a 429 is waited for, within bounds.
        """
        seen, cursor = 0, ""
        while True:
            profiles, cursor = await self._page(workspace_id, cursor)
            members = [member_of(profile, workspace_id) for profile in profiles]
            await self._store.write(lambda uow, members=members: uow.members.save(members))
            seen += len(members)
            if not cursor:
                return seen

    async def absorb(self, workspace_id: str, profile: Profile) -> None:
        """Take over what an event tells of one person. What events leave out (reference slack.md 7) stays as it was."""

        def keep(uow: UnitOfWork) -> None:
            known = uow.members.get(workspace_id, profile["id"])
            uow.members.save([member_of(profile, workspace_id, known)])

        await self._store.write(keep)

    async def member(self, workspace_id: str, user_id: str) -> Member:
        """Return the member, asking Slack once for somebody who is not stored. Raises Gone for an unknown id."""
        known = await self._store.read(lambda uow: uow.members.get(workspace_id, user_id))
        if known is not None:
            return known
        client = await self._clients.of(workspace_id)
        with translated("users.info", repeatable=True):
            answer = fields(await client.users_info(user=user_id, include_locale=True))
            member = member_of(answer["user"], workspace_id)
        await self._store.write(lambda uow: uow.members.save([member]))
        return member

    async def dm_channel(self, member: Member) -> str:
        """Return the conversation between this member and the bot (`D...`), opening it once. Raises Gone or Rejected: there is none."""
        if member.dm_channel_id is not None:
            return member.dm_channel_id
        channel_id = await open_dm(await self._clients.of(member.workspace_id), member.user_id)
        await self._store.write(lambda uow: uow.members.set_dm_channel(member.workspace_id, member.user_id, channel_id))
        return channel_id

    async def _page(self, workspace_id: str, cursor: str) -> tuple[list[Profile], str]:
        for _ in range(_PATIENCE):
            try:
                return await self._ask_page(workspace_id, cursor)
            except Throttled as error:
                await asyncio.sleep(min(error.retry_after or 0.0, _LONGEST_WAIT_SECONDS))
        return await self._ask_page(workspace_id, cursor)

    async def _ask_page(self, workspace_id: str, cursor: str) -> tuple[list[Profile], str]:
        client = await self._clients.of(workspace_id)  # anew for each page: a long list may outlive a token
        with translated("users.list", repeatable=True):
            answer = fields(await client.users_list(limit=_PAGE, cursor=cursor or None, include_locale=True))
            return list(answer["members"]), (answer.get("response_metadata") or {}).get("next_cursor") or ""


async def workspace_of(client: AsyncWebClient) -> str:
    """Return the id (`T...`) of the workspace the client's token is for. Raises Unauthorized for a bad token, or Unavailable."""
    with translated("auth.test", repeatable=True):
        return str(fields(await client.auth_test())["team_id"])


async def open_dm(client: AsyncWebClient, user_id: str) -> str:
    """Return the id of the conversation between this user and the bot; opening it again changes nothing."""
    with translated("conversations.open", repeatable=True):
        answer = fields(await client.conversations_open(users=user_id))
        return str(answer["channel"]["id"])


def member_of(profile: Profile, workspace_id: str, known: Member | None = None) -> Member:
    """Parse a user object; what it leaves out is taken from `known`."""
    return Member(
        workspace_id=workspace_id,
        user_id=profile["id"],
        kind=_kind(profile, workspace_id),
        email=_email(profile, known),
        zone=_zone(profile.get("tz")) or (known.zone if known else "UTC"),
        locale=profile.get("locale") or (known.locale if known else "en"),
    )


def _kind(profile: Profile, workspace_id: str) -> MemberKind:
    """A guest of another organisation is a stranger: settings that let guests in must not let them in."""
    if profile.get("deleted"):
        return MemberKind.DEACTIVATED
    if profile.get("is_bot") or profile["id"] == _SLACKBOT:
        return MemberKind.BOT
    if profile.get("is_stranger") or (profile.get("team_id") or workspace_id) != workspace_id:
        return MemberKind.STRANGER
    if profile.get("is_restricted") or profile.get("is_ultra_restricted"):
        return MemberKind.GUEST
    return MemberKind.MEMBER


def _email(profile: Profile, known: Member | None) -> str | None:
    """An address that Slack says is not confirmed proves nothing about its owner."""
    if profile.get("is_email_confirmed") is False:
        return None
    told: str = ((profile.get("profile") or {}).get("email") or "").strip().lower()
    return told or (known.email if known else None)


def _zone(name: str | None) -> str | None:
    try:
        return ZoneInfo(name).key if name else None
    except (ZoneInfoNotFoundError, ValueError):  # one of Slack's that this system does not know
        return None
