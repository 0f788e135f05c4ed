"""Who is spoken to, where, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid5

from bot.events import EventKind
from bot.page import Action

_KEYS = UUID("5a3f1c1e-6d0e-4b7a-9f57-0c6f3a1d2b90")


class MemberKind(StrEnum):
    """What a chat account is. Everything but MEMBER (and GUEST, where the settings allow it) is not written to."""

    MEMBER = "member"
    GUEST = "guest"
    #: Somebody of another organisation, seen through a shared channel.
    STRANGER = "stranger"
    BOT = "bot"
    DEACTIVATED = "deactivated"


class Platform(StrEnum):
    SLACK = "slack"
    TEAMS = "teams"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Where this bot is, and to whom it may write there."""

    platforms: frozenset[Platform] = frozenset({Platform.SLACK})
    #: Those whose guests may be written to.
    guests: frozenset[Platform] = frozenset()
    #: The one Entra tenant that is served.
    tenant_id: str | None = None

    def platform(self, workspace_id: str) -> Platform | None:
        """None: one that the bot is not connected with (any more).

        Ids of Slack's begin with T or E (https://docs.slack.dev/enterprise), those of Entra's tenants are GUIDs in small letters.
        """
        is_slack = workspace_id.startswith(("T", "E"))
        platform = Platform.TEAMS if workspace_id == self.tenant_id else Platform.SLACK if is_slack else None
        return platform if platform in self.platforms else None

    def includes(self, member: Member) -> bool:
        """Whether the bot writes to this account, and answers it."""
        platform = self.platform(member.workspace_id)
        is_guest = member.kind is MemberKind.GUEST and platform in self.guests
        return platform is not None and (member.kind is MemberKind.MEMBER or is_guest)


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A chat account as the directory knows it."""

    #: Slack team id `T...`.
    workspace_id: str
    user_id: str
    kind: MemberKind
    #: Lower-cased, verified by the chat platform; None when the platform does not tell it, or it is not confirmed.
    email: str | None = field(repr=False)
    zone: str = "UTC"
    locale: str = "en"
    #: The direct-message channel between this member and the bot (`D...`), once it is known.
    dm_channel_id: str | None = None
    #: There is an address, but nobody has shown that it is theirs.
    has_unconfirmed_email: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatAccount:
    """A chat account, as a way to its owner."""

    member: Member
    #: When they last did something with the bot there, to the hour; None = never.
    used_at: datetime | None = None
    #: Whether their own chat with the bot takes messages: False once they have removed or blocked it. None = nobody has tried.
    is_open: bool | None = None


class Surface(StrEnum):
    """Where an answer will be seen. Personal links are drawn on PRIVATE alone."""

    #: A direct message with the bot, a personal chat.
    PRIVATE = "private"
    #: The bot's own page for one person, which stays where it is: every page drawn there has a way back to the first one.
    HOME = "home"
    #: Anywhere else, also when only one person can see the answer there.
    SHARED = "shared"


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """A place that people share: a channel, or a chat of several. In Teams without the thread something was said in."""

    workspace_id: str
    channel_id: str


class Readership(StrEnum):
    """Who reads what is said in a place that people share. Apps are nobody."""

    #: Of the organisation; and its guests, where the settings let them read.
    MEMBERS = "members"
    GUESTS = "guests, too"
    #: Or they are invited, and will read what was said before.
    OUTSIDERS = "people of other organisations, too"
    #: The bot may not look, or there are too many to look through.
    UNKNOWN = "nobody can tell"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Somebody asks for something: who, what, and where the answer will be seen."""

    member: Member
    action: Action
    surface: Surface
    #: Where they asked, where others are too; None in a direct message, a personal chat and on the Home tab.
    conversation: Conversation | None = None
    #: Who reads along there; None = it makes no difference, or cannot be found out now.
    readership: Readership | None = None

    def found(self, _uow: object, /) -> Request:
        """See `bot.actions.Asking`: there is nothing to look for."""
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageRef:
    """Where a message is, so that it can be edited."""

    workspace_id: str
    channel_id: str
    message_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A conversation that a platform reaches by more than an id: it sends to the address it was last heard from."""

    workspace_id: str
    conversation_id: str
    #: Whose personal chat with the bot it is; None for a shared place.
    user_id: str | None
    service_url: str
    #: The bot was removed or blocked there: nothing is sent until it is heard from again.
    is_closed: bool = False


class DeliveryState(StrEnum):
    #: To be sent at `due_at`.
    READY = "ready"
    #: A worker holds it until its lease ends; nothing was sent yet, so it is taken over without risk.
    CLAIMED = "claimed"
    #: The call is on its way. Found like this after the lease: nobody knows whether it arrived, and `bot.delivering.settling` looks for it.
    SENDING = "sending"
    SENT = "sent"
    #: It may have arrived, and nobody can find out. Kept as such, never repeated blindly.
    UNKNOWN = "unknown"
    #: Refused for good; `reason` says why.
    FAILED = "failed"
    #: Overtaken by events: answered, closed or expired before it was sent. Opened again when the survey is.
    SKIPPED = "skipped"
    #: The person has no chat account that may be written to; `reason` says why. Opened again once they have one.
    UNREACHABLE = "unreachable"


class Shown(StrEnum):
    """What a sent message shows (FEATURES C6)."""

    #: The survey waits for an answer, and this is the way to it.
    OPEN = "open"
    #: A later message has taken over: a reminder, or a new invitation.
    FOLLOWED = "followed"
    ANSWERED = "answered"
    EXPIRED = "expired"
    #: The survey was closed or deleted, or the distribution was.
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Showing:
    """A message's content, to be compared: what it is about, and a fingerprint of all of it."""

    what: Shown
    fingerprint: str


class Unreachable(StrEnum):
    """Why somebody cannot be told in chat. Qualtrics' own e-mail remains their way (FEATURES C13)."""

    NO_ACCOUNT = "no chat account with this e-mail address"
    DEACTIVATED = "chat account deactivated"
    GUEST = "guest account"
    STRANGER = "account of another organisation"
    BOT = "bot account"
    #: Opened again when the bot is heard from there.
    SHUT_OUT = "has not added the app, or has removed it"
    #: Opened again when they opt in, for what they can still answer.
    OPTED_OUT = "opted out"


class Place(StrEnum):
    """Where somebody wants to be written to."""

    #: Where they used the bot last.
    AUTOMATIC = "automatic"
    SLACK = "slack"
    TEAMS = "teams"
    NOWHERE = "nowhere"


@dataclass(frozen=True, slots=True, kw_only=True)
class Preference:
    """What somebody wants to be told in chat, and where (FEATURES C10). Qualtrics' own e-mails know nothing of it."""

    new_surveys: bool = True
    reminders: bool = True
    #: Before surveys that are theirs close (FEATURES D5).
    own_surveys: bool = True
    #: While they cannot be reached there, they are written to where they can.
    place: Place = Place.AUTOMATIC


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One row of the outbox: ids only, never a rendered card and never a link."""

    delivery_id: int
    kind: EventKind
    integration_id: str
    survey_id: str
    person_id: int
    state: DeliveryState
    due_at: datetime
    #: How many sends were begun.
    attempt: int
    created_at: datetime
    #: Where the person seemed to have their account when this was added; None = nowhere.
    workspace_id: str | None = None
    #: Who holds it, while somebody does.
    owner: str | None = None
    reason: str | None = None
    message: MessageRef | None = None
    #: What the message shows since it was sent or last edited; None = nobody knows.
    showing: Showing | None = None
    #: When it is to be looked at whether it still shows the truth; None = nothing has happened since.
    edit_at: datetime | None = None

    @property
    def key(self) -> str:
        """What the message itself carries, so that it can be found again: an opaque id, which tells nothing about anybody."""
        return str(uuid5(_KEYS, f"{self.delivery_id}:{self.created_at.isoformat()}"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """What waits in the outbox of one kind, about one survey, for one workspace."""

    workspace_id: str | None
    survey_id: str
    kind: EventKind
    #: How many are due.
    due: int
    #: The first deadline among them, as it was known when they were added; None = none has one.
    closes_at: datetime | None
