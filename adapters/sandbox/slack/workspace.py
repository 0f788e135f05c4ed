"""The state of the simulated Slack workspace: people, conversations, messages, Home views, and a journal of what the bot asked for."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from adapters.sandbox.slack.errors import MethodError
from adapters.sandbox.slack.installations import Installation
from adapters.sandbox.slack.platform import SCOPES, App, Platform
from adapters.sandbox.slack.records import (
    Call,
    Conversation,
    ConversationKind,
    Json,
    Message,
    RefusedPayload,
    ResponseUrl,
    Timeout,
    User,
    UserKind,
)

if TYPE_CHECKING:
    from adapters.sandbox.slack.grid import Organisation

__all__ = [
    "SCOPES",
    "SLACKBOT",
    "Call",
    "Conversation",
    "ConversationKind",
    "Json",
    "Message",
    "RefusedPayload",
    "ResponseUrl",
    "Timeout",
    "User",
    "UserKind",
    "Workspace",
    "elements",
]

SLACKBOT = "USLACKBOT"
_RESPONSE_URL_LIFE = timedelta(minutes=30)
_TRIGGER_LIFE = timedelta(seconds=3)


class Workspace:
    """One Slack team. Its clock is the sandbox's, except in signatures, which are fresh in real time."""

    def __init__(
        self,
        *,
        clock: Callable[[], datetime],
        bot_token: str | None,
        signing_secret: str,
        team_id: str = "T0ACME",
        team_name: str = "Acme",
        team_domain: str = "acme",
        bot_user_id: str = "U0SURVEYBOT",
        scopes: Iterable[str] = SCOPES,
        platform: Platform | None = None,
        organisation: Organisation | None = None,
    ) -> None:
        """With a bot token the app is installed from the start; without a platform, this is a Slack with one workspace."""
        self.clock = clock
        self.platform = platform or Platform(clock=clock, app=App(signing_secret=signing_secret))
        self.organisation = organisation
        self.team_id, self.team_name, self.team_domain = team_id, team_name, team_domain
        self.bot_user_id, self.bot_id, self.app_id = bot_user_id, f"B{bot_user_id[1:]}", self.platform.app.app_id
        self.bot_token = bot_token or ""
        #: What the bot may do here.
        self.scopes: set[str] = set()
        #: None: the app is not, or no more, installed.
        self.installation: Installation | None = None
        self.faults = self.platform.faults
        self.journal, self.refused, self.timeouts = self.platform.journal, self.platform.refused, self.platform.timeouts
        self.users: dict[str, User] = {}
        self.conversations: dict[str, Conversation] = {}
        #: By user id: the conversation with the bot.
        self._dms: dict[str, Conversation] = {}
        #: The Home view of each user, as Slack returns views.
        self.homes: dict[str, Json] = {}
        #: The modals each user has open, the one they look at last.
        self.stacks: dict[str, list[Json]] = {}
        #: What the bot said of the form each user looks at, by block id.
        self.view_errors: dict[str, dict[str, str]] = {}
        self.response_urls: dict[str, ResponseUrl] = {}
        #: Grows with every change somebody could see.
        self.version = 0
        self._changed = asyncio.Event()
        self._triggers: dict[str, tuple[str, datetime]] = {}
        self._last_microsecond = 0
        self.add_user(SLACKBOT, "Slackbot", kind=UserKind.BOT)
        self.add_user(bot_user_id, "surveybot", kind=UserKind.BOT)
        self.platform.workspaces[team_id] = self
        if bot_token is not None:
            self.platform.install(team_id, set(scopes), bot_token=bot_token)

    @property
    def url(self) -> str:
        """Where `slack_app` is served: response URLs begin with it. To be set by whoever serves it."""
        return self.platform.url

    @url.setter
    def url(self, url: str) -> None:
        self.platform.url = url

    @property
    def signing_secret(self) -> str:
        return self.platform.app.signing_secret

    @signing_secret.setter
    def signing_secret(self, secret: str) -> None:
        self.platform.app.signing_secret = secret

    @property
    def enterprise_id(self) -> str | None:
        return self.organisation.enterprise_id if self.organisation else None

    @property
    def is_org_wide(self) -> bool:
        """Whether the app is here because its organisation has it."""
        return self.installation is not None and self.installation.is_org_wide

    @property
    def modals(self) -> Mapping[str, Json]:
        """The modal each user looks at."""
        return {user_id: stack[-1] for user_id, stack in self.stacks.items() if stack}

    def enter(self, installation: Installation) -> None:
        """The app is installed here from now on."""
        self.installation, self.scopes = installation, installation.scopes
        self.changed()

    def knows(self, arguments: Json) -> bool:
        """Whether a call's arguments name a conversation, person or view of this workspace."""
        named = {str(arguments[key]) for key in ("channel", "user", "user_id", "users", "trigger_id", "view_id") if key in arguments}
        here = (self.conversations, self.users, self._triggers, {view["id"] for stack in self.stacks.values() for view in stack})
        return any(not named.isdisjoint(ids) for ids in here)

    def add_user(
        self,
        user_id: str,
        name: str,
        *,
        email: str | None = None,
        kind: UserKind = UserKind.MEMBER,
        zone: str = "UTC",
        locale: str = "en-US",
        is_email_confirmed: bool = True,
    ) -> User:
        """Add a person; an id that exists is changed: that is how people leave or get another address."""
        team_id = "T0OTHER" if kind is UserKind.STRANGER else self.team_id
        user = User(
            user_id=user_id,
            name=name,
            kind=kind,
            email=email,
            zone=zone,
            locale=locale,
            team_id=team_id,
            is_email_confirmed=is_email_confirmed,
        )
        self.users[user_id] = user
        self.changed()
        return user

    def add_channel(
        self,
        channel_id: str,
        name: str,
        *,
        kind: ConversationKind = ConversationKind.PUBLIC,
        members: Iterable[str] = (),
        is_archived: bool = False,
        is_shared: bool = False,
    ) -> Conversation:
        channel = Conversation(
            conversation_id=channel_id, kind=kind, name=name, members=set(members), is_archived=is_archived, is_shared=is_shared
        )
        self.conversations[channel_id] = channel
        if kind is ConversationKind.DIRECT and self.bot_user_id in channel.members:
            self._dms.update(dict.fromkeys(channel.members - {self.bot_user_id}, channel))
        self.changed()
        return channel

    def delete_channel(self, channel_id: str) -> None:
        """Nobody finds it any more."""
        del self.conversations[channel_id]
        self.changed()

    def direct_message(self, user_id: str) -> Conversation:
        """Return the conversation between this user and the bot, opening it the first time."""
        if user_id not in self._dms:
            members = {user_id, self.bot_user_id}
            self.add_channel(self.new_id("D"), "directmessage", kind=ConversationKind.DIRECT, members=members)
        return self._dms[user_id]

    def post(
        self,
        conversation_id: str,
        *,
        sender: str,
        text: str,
        blocks: Sequence[Json] = (),
        metadata: Json | None = None,
        only_for: str | None = None,
    ) -> Message:
        """Add a message. Blocks and buttons without an id get one, as in Slack."""
        message = Message(ts=self.new_ts(), sender=sender, text=text, blocks=self.with_ids(blocks), metadata=metadata, only_for=only_for)
        self.conversations[conversation_id].messages[message.ts] = message
        self.changed()
        return message

    def edit(self, conversation_id: str, ts: str, *, text: str, blocks: Sequence[Json], metadata: Json | None = None) -> Message:
        messages = self.conversations[conversation_id].messages
        messages[ts] = replace(
            messages[ts],
            text=text,
            blocks=self.with_ids(blocks),
            metadata=messages[ts].metadata if metadata is None else metadata,
            edited=True,
        )
        self.changed()
        return messages[ts]

    def delete(self, conversation_id: str, ts: str) -> None:
        del self.conversations[conversation_id].messages[ts]
        self.changed()

    def new_id(self, prefix: str) -> str:
        return self.platform.new_id(prefix)

    def new_ts(self) -> str:
        self._last_microsecond = max(round(self.clock().timestamp() * 1_000_000), self._last_microsecond + 1)
        seconds, microseconds = divmod(self._last_microsecond, 1_000_000)
        return f"{seconds}.{microseconds:06d}"

    def with_ids(self, blocks: Sequence[Json]) -> tuple[Json, ...]:
        """Copy blocks, giving each a `block_id` and each of its elements an `action_id`."""
        copies = copy.deepcopy(tuple(blocks))
        for block in copies:
            block.setdefault("block_id", self.new_id("b"))
            for element in elements(block):
                element.setdefault("action_id", self.new_id("a"))
        return copies

    def new_response_url(self, user_id: str, conversation_id: str, ts: str | None) -> str:
        token = self.new_id("R")
        self.response_urls[token] = ResponseUrl(
            user_id=user_id, conversation_id=conversation_id, ts=ts, expires_at=self.clock() + _RESPONSE_URL_LIFE
        )
        return f"{self.url}/response/{token}"

    def new_trigger(self, user_id: str) -> str:
        trigger_id = self.new_id("") + ".1.sandbox"
        self._triggers[trigger_id] = (user_id, self.clock() + _TRIGGER_LIFE)
        return trigger_id

    def use_trigger(self, arguments: Json) -> str:
        """Return whose the call's trigger is, once and within three seconds (reference slack.md 2). Raises MethodError."""
        trigger_id = str(arguments.get("trigger_id"))
        if trigger_id not in self._triggers:
            raise MethodError("invalid_trigger_id")
        user_id, expires_at = self._triggers[trigger_id]
        if self.clock() > expires_at:
            raise MethodError("expired_trigger_id")
        if not user_id:
            raise MethodError("exchanged_trigger_id")
        self._triggers[trigger_id] = ("", expires_at)
        return user_id

    def show_views(self, user_id: str, stack: list[Json]) -> None:
        self.stacks[user_id] = stack
        self.view_errors.pop(user_id, None)
        self.changed()

    def close_view(self, user_id: str, *, everything: bool = False) -> None:
        self.show_views(user_id, [] if everything else self.stacks.get(user_id, [])[:-1])

    def view_of(self, view_id: str | None, external_id: str | None) -> tuple[str, Json] | None:
        """Find a view that somebody has open, or their Home view, with whose it is."""
        shown = [(user_id, view) for user_id, stack in self.stacks.items() for view in stack]
        for user_id, view in [*shown, *self.homes.items()]:
            if view["id"] == view_id or (external_id and view["external_id"] == external_id):
                return user_id, view
        return None

    def changed(self) -> None:
        """Tell those who wait that there is something new to see."""
        self.version += 1
        self._changed.set()
        self._changed = asyncio.Event()

    async def wait_for_change(self, version: int) -> int:
        """Wait until there is something newer than `version`; return the newest."""
        while self.version <= version:
            await self._changed.wait()
        return self.version

    def sees(self, user_id: str, conversation_id: str) -> Mapping[str, Message]:
        """Return the messages this user sees there, by ts; none where they are not a member."""
        conversation = self.conversations.get(conversation_id)
        if conversation is None or user_id not in conversation.members:
            return {}
        return {ts: message for ts, message in conversation.messages.items() if message.only_for in {None, user_id}}

    def snapshot(self, user_id: str) -> Json:
        """What this user sees, as JSON for the browser page: never another's direct or ephemeral message."""
        home = self.homes.get(user_id)
        mine = [c for c in self.conversations.values() if user_id in c.members]
        return {
            "team": {"id": self.team_id, "name": self.team_name},
            "me": _person(self.users[user_id]),
            "users": [_person(user) for user in self.users.values()],
            "conversations": [self._seen_by(user_id, conversation) for conversation in mine],
            "home": None if home is None else {"blocks": home["blocks"]},
            "modal": self._modal_seen_by(user_id),
        }

    def _modal_seen_by(self, user_id: str) -> Json | None:
        view = self.modals.get(user_id)
        return view and view | {"errors": self.view_errors.get(user_id, {}), "depth": len(self.stacks[user_id])}

    def _seen_by(self, user_id: str, conversation: Conversation) -> Json:
        is_direct = conversation.kind in {ConversationKind.DIRECT, ConversationKind.GROUP}
        others = sorted(self.users[member].name for member in conversation.members - {user_id})
        return {
            "id": conversation.conversation_id,
            "kind": "dm" if is_direct else "channel",
            "name": ", ".join(others) if is_direct else conversation.name,
            "is_private": conversation.kind is not ConversationKind.PUBLIC,
            "is_archived": conversation.is_archived,
            "is_restricted": conversation.is_restricted,
            "has_bot": self.bot_user_id in conversation.members,
            "messages": [self._shown(message) for message in self.sees(user_id, conversation.conversation_id).values()],
        }

    def _shown(self, message: Message) -> Json:
        return {
            "ts": message.ts,
            "from": "bot" if message.sender == self.bot_user_id else message.sender,
            "text": message.text,
            "blocks": list(message.blocks),
            "ephemeral": message.only_for is not None,
            "edited": message.edited,
        }


def _person(user: User) -> Json:
    return {"id": user.user_id, "name": user.name, "email": user.email, "kind": user.kind.value, "tz": user.zone}


def elements(block: Json) -> list[Json]:
    """List the interactive elements of a block."""
    if block["type"] == "input":
        return [block["element"]]
    found: list[Json] = block.get("elements", []) if block["type"] == "actions" else []
    accessory: Json | None = block.get("accessory")
    return found if accessory is None or accessory["type"] == "image" else [*found, accessory]
