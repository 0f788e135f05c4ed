"""A tenant of Teams as it is in memory: people, conversations, what the bot sent, and what is to go wrong."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from adapters.sandbox.teams.limits import Throttle

Json = dict[str, Any]


@dataclass(slots=True, kw_only=True)
class Person:
    #: The Entra object id.
    user_id: str
    name: str
    email: str | None
    role: str = "user"
    #: None = this tenant's.
    tenant_id: str | None = None
    upn: str | None = None
    zone: str | None = "Europe/Berlin"
    locale: str = "en-GB"

    @property
    def mri(self) -> str:
        return f"29:{self.user_id}"


@dataclass(slots=True, kw_only=True)
class Conversation:
    conversation_id: str
    #: `personal`, `groupChat` or `channel`.
    kind: str
    #: Entra object ids.
    members: list[str]
    #: Of a group chat or channel.
    name: str = ""
    #: Of a channel: the team it is in.
    team: str = ""
    #: What the bot sent, by id, oldest first.
    messages: dict[str, Json] = field(default_factory=dict[str, Json])
    #: What people said.
    said: dict[str, Said] = field(default_factory=dict[str, "Said"])
    #: The ids of messages that the bot replaced.
    edited: set[str] = field(default_factory=set[str])
    #: By message and person: what a pressed button was answered with, for their eyes.
    answers: dict[tuple[str, str], Answer] = field(default_factory=dict[tuple[str, str], "Answer"])
    #: Whether the app was added to it, and not removed since.
    has_app: bool = True
    #: The person writes to no more bots here, and hears from none.
    is_blocked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    user_id: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Either the card that is shown from now on, or a sentence below the old one."""

    card: Json | None = None
    sentence: str | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """One answer of another kind. Nothing is done, unless the answer alone is lost."""

    status: int
    body: Json | None = None
    retry_after_s: int | None = None


@dataclass(frozen=True, slots=True)
class LostAnswer:
    """The call is done, and the connection cut before it is answered."""


@dataclass(frozen=True, slots=True)
class Hang:
    """Nothing comes for so long."""

    seconds: float


Trouble = Fault | LostAnswer | Hang


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One call of the bot, and how it was answered."""

    at: datetime
    method: str
    path: str
    body: Json
    #: None: the connection was cut.
    status: int | None


def refusal(status: int, code: str) -> Fault:
    return Fault(status, {"error": {"code": code, "message": "..."}})


#: How Teams says that somebody has blocked the bot.
BLOCKED = Fault(403, {"errorCode": 209, "message": '{"subCode":"MessageWritesBlocked","details":null}'})


@dataclass(slots=True, kw_only=True)
class Tenant:
    tenant_id: str
    people: dict[str, Person] = field(default_factory=dict[str, Person])
    conversations: dict[str, Conversation] = field(default_factory=dict[str, Conversation])
    name: str = "Acme"
    #: Each is met by one call, in order.
    troubles: deque[Trouble] = field(default_factory=deque[Trouble])
    #: Met by every call while it lasts.
    trouble: Trouble | None = None
    #: None: nobody counts, so that tests are fast.
    throttle: Throttle | None = None
    #: Every call: method, path, token.
    journal: list[tuple[str, str, str]] = field(default_factory=list[tuple[str, str, str]])
    #: The last of them, with more to look at.
    asked: deque[Asked] = field(default_factory=lambda: deque(maxlen=100))
    #: Where the bot finds the connector, with a slash at its end.
    service_url: str = ""
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    #: Called at every change somebody could see.
    changed: Callable[[], None] = lambda: None
    _last_id: int = 0

    def next_id(self) -> str:
        """Milliseconds since 1970, unique and increasing."""
        self._last_id = max(round(self.clock().timestamp() * 1000), self._last_id + 1)
        return str(self._last_id)

    def add(self, *people: Person) -> None:
        self.people |= {person.user_id: person for person in people}

    def personal(self, user_id: str) -> Conversation:
        """The personal chat with the bot, made at first sight."""
        conversation_id = f"a:{user_id}"
        found = Conversation(conversation_id=conversation_id, kind="personal", members=[user_id])
        return self.conversations.setdefault(conversation_id, found)

    def channel(self, conversation_id: str, members: list[str], *, team: str = "", name: str = "") -> Conversation:
        found = Conversation(conversation_id=conversation_id, kind="channel", members=members, team=team, name=name)
        return self.conversations.setdefault(conversation_id, found)

    def group(self, conversation_id: str, members: list[str], *, name: str = "") -> Conversation:
        found = Conversation(conversation_id=conversation_id, kind="groupChat", members=members, name=name)
        return self.conversations.setdefault(conversation_id, found)

    def person(self, someone: str) -> Person | None:
        """By Entra object id or by the id that this bot knows them under."""
        return self.people.get(someone.removeprefix("29:"))

    def account(self, person: Person) -> Json:
        """How rosters tell of somebody."""
        told = {
            "id": person.mri,
            "name": person.name,
            "aadObjectId": person.user_id,
            "email": person.email,
            "userPrincipalName": person.upn or person.email,
            "tenantId": person.tenant_id or self.tenant_id,
            "userRole": person.role,
        }
        return {name: value for name, value in told.items() if value is not None}
