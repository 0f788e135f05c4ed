"""The values of the simulated Slack: people, conversations, messages, and what the bot asked for and got wrong."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from adapters.sandbox.gate import Problem

Json = dict[str, Any]

_RESPONSE_URL_USES = 5


class UserKind(StrEnum):
    MEMBER = "member"
    #: `is_restricted`: invited to some channels.
    GUEST = "guest"
    #: `is_restricted` and `is_ultra_restricted`: invited to one channel.
    SINGLE_CHANNEL_GUEST = "single-channel guest"
    #: Of another organisation, seen through a shared channel.
    STRANGER = "stranger"
    BOT = "bot"
    #: What Workflow Builder posts as.
    WORKFLOW_BOT = "workflow bot"
    DEACTIVATED = "deactivated"


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    user_id: str
    name: str
    kind: UserKind
    #: As its owner typed it, upper case and all; None: the profile shows none.
    email: str | None
    #: IANA name.
    zone: str
    locale: str
    team_id: str
    #: False: Slack knows the address from its owner's word alone.
    is_email_confirmed: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    #: Slack's message id: seconds and six digits since 1970, unique in the workspace and increasing.
    ts: str
    #: A user id, the bot's or Slackbot's among them.
    sender: str
    text: str
    blocks: tuple[Json, ...] = ()
    metadata: Json | None = None
    #: The one user who sees an ephemeral message; None for all others.
    only_for: str | None = None
    edited: bool = False


class ConversationKind(StrEnum):
    PUBLIC = "public"
    PRIVATE = "private"
    DIRECT = "direct"
    #: A direct message among several people.
    GROUP = "group"


@dataclass(slots=True, kw_only=True)
class Conversation:
    conversation_id: str
    kind: ConversationKind
    name: str
    members: set[str]
    is_archived: bool = False
    #: Its settings let chosen people post, and apps not.
    is_restricted: bool = False
    #: Slack Connect: people of other teams are in it.
    is_shared: bool = False
    #: Other teams are invited to it.
    is_pending: bool = False
    #: Several workspaces of one organisation are in it.
    is_org_shared: bool = False
    #: By ts, oldest first.
    messages: dict[str, Message] = field(default_factory=dict[str, Message])


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request of the bot, in the order of their effects."""

    at: datetime
    #: A Web API method such as `chat.postMessage`, or `response_url`.
    method: str
    #: Parsed: JSON inside of strings too; without the token.
    arguments: Json
    status: int
    #: What was answered, or would have been had the answer not been lost; empty for a bare HTTP status.
    result: Json
    #: False: the connection was cut instead.
    answered: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedPayload:
    """A message or view that did not pass the gate. A test suite of a sound bot leaves none."""

    method: str
    payload: Json
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeout:
    """The bot did not acknowledge within three seconds."""

    at: datetime
    #: `command`, `block_actions`, an event's type or `url_verification`.
    what: str
    user_id: str | None


@dataclass(slots=True, kw_only=True)
class ResponseUrl:
    """The right to answer one command or press: five times within 30 minutes (reference slack.md 2)."""

    user_id: str
    conversation_id: str
    #: The message whose button was pressed; None for a command.
    ts: str | None
    expires_at: datetime
    uses_left: int = _RESPONSE_URL_USES
