"""Who is in a Slack workspace: what its user objects say, kept up to date by events, and asked for one by one when somebody is new."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack.clients import Clients
from adapters.slack.errors import fields, translated
from bot.messages import Member, MemberKind
from bot.ports import Store, UnitOfWork

#: A user object of `users.list`, `users.info`, `team_join` and `user_change`. Nearly everything in it is optional
#: (https://docs.slack.dev/reference/objects/user-object, reference slack.md 7).
Profile = Mapping[str, Any]

_SLACKBOT = "USLACKBOT"


class SlackDirectory:
    """The people of every workspace, as the store knows them and as Slack does."""

    def __init__(self, clients: Clients, store: Store, clock: Callable[[], datetime]) -> None:
        self._clients = clients
        self._store = store
        self._clock = clock

    async def absorb(self, workspace_id: str, profile: Profile) -> None:
        """Take over what an event tells of one person. What events leave out (reference slack.md 7) stays as it was."""

        def keep(uow: UnitOfWork) -> None:
            known = uow.members.get(workspace_id, profile["id"])
            save(uow, workspace_id, [member_of(profile, workspace_id, known)], self._clock())

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
        await self._store.write(lambda uow: save(uow, workspace_id, [member], self._clock()))
        return member

    async def dm_channel(self, member: Member) -> str:
        """Return the conversation between this member and the bot (`D...`), opening it once. Raises Gone or Rejected: there is none."""
        if member.dm_channel_id is not None:
            return member.dm_channel_id
        channel_id = await open_dm(await self._clients.of(member.workspace_id), member.user_id)
        await self._store.write(lambda uow: uow.members.set_dm_channel(member.workspace_id, member.user_id, channel_id))
        return channel_id


async def workspace_of(client: AsyncWebClient) -> str:
    """Return the id (`T...`) of the workspace the client's token is for. Raises Unauthorized for a bad token, or Unavailable."""
    with translated("auth.test", repeatable=True):
        return str(fields(await client.auth_test())["team_id"])


async def open_dm(client: AsyncWebClient, user_id: str) -> str:
    """Return the id of the conversation between this user and the bot; opening it again changes nothing."""
    with translated("conversations.open", repeatable=True):
        answer = fields(await client.conversations_open(users=user_id))
        return str(answer["channel"]["id"])


def save(uow: UnitOfWork, workspace_id: str, members: Sequence[Member], now: datetime) -> None:
    """Keep what Slack has just told."""
    uow.members.save(members)
    uow.members.seen(workspace_id, [member.user_id for member in members], now)


def member_of(profile: Profile, workspace_id: str, known: Member | None = None) -> Member:
    """Parse a user object; what it leaves out is taken from `known`."""
    return Member(
        workspace_id=workspace_id,
        user_id=profile["id"],
        kind=_kind(profile, workspace_id),
        email=_email(profile, known),
        has_unconfirmed_email=_lacks_confirmation(profile, known),
        zone=_zone(profile.get("tz")) or (known.zone if known else "UTC"),
        locale=profile.get("locale") or (known.locale if known else "en"),
    )


def _kind(profile: Profile, workspace_id: str) -> MemberKind:
    """A guest of another organisation is a stranger: settings that let guests in must not let them in."""
    if profile.get("deleted"):
        return MemberKind.DEACTIVATED
    if profile.get("is_bot") or profile["id"] == _SLACKBOT:
        return MemberKind.BOT
    if profile.get("is_stranger") or workspace_id not in _homes(profile, workspace_id):
        return MemberKind.STRANGER
    if profile.get("is_restricted") or profile.get("is_ultra_restricted"):
        return MemberKind.GUEST
    return MemberKind.MEMBER


def _homes(profile: Profile, workspace_id: str) -> set[str]:
    """Where somebody belongs: the organisation, and all of its workspaces they are in (https://docs.slack.dev/reference/objects/user-object).

    `team_id` names one of them, which on Enterprise Grid need not be the one that was asked for.
    """
    organisation = profile.get("enterprise_user") or {}
    return {profile.get("team_id") or workspace_id, organisation.get("enterprise_id", ""), *(organisation.get("teams") or ())}


def _email(profile: Profile, known: Member | None) -> str | None:
    """An address that Slack says is not confirmed proves nothing about its owner."""
    if profile.get("is_email_confirmed") is False:
        return None
    return _told_email(profile) or (known.email if known else None)


def _lacks_confirmation(profile: Profile, known: Member | None) -> bool:
    if _told_email(profile):
        return profile.get("is_email_confirmed") is False
    return known is not None and known.has_unconfirmed_email


def _told_email(profile: Profile) -> str:
    """With a control character or half of a surrogate pair it is no address, and the database would refuse the whole page for it."""
    email = ((profile.get("profile") or {}).get("email") or "").strip().lower()
    return email if email.isprintable() else ""


def _zone(name: str | None) -> str | None:
    try:
        return ZoneInfo(name).key if name else None
    except (ZoneInfoNotFoundError, ValueError):  # one of Slack's that this system does not know
        return None
