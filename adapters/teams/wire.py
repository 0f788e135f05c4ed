"""What Teams sends, as far as it is used: https://learn.microsoft.com/en-us/azure/bot-service/rest-api/bot-framework-rest-connector-api-reference."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Any

import msgspec

#: In characters; no command is longer.
_LONGEST_TEXT = 4_000
_LEADING_MENTION = re.compile(r"^\s*(<at\b[^<>]*>[^<>]*</at>|&nbsp;|\s)+", re.IGNORECASE)
_TAG = re.compile(r"</?at\b[^<>]*>", re.IGNORECASE)


class Party(msgspec.Struct, rename="camel"):
    #: `29:...` for people, `28:...` for bots; another one for every bot.
    id: str = ""
    name: str | None = None
    #: The Entra object id: the same for everybody who looks. Missing for bots and for anonymous guests of meetings.
    aad_object_id: str | None = None
    #: Of the recipient: nobody else in that shared place sees what was sent; slash commands come so.
    is_targeted: bool = False

    @property
    def is_bot(self) -> bool:
        return self.id.startswith("28:")


class Conversation(msgspec.Struct, rename="camel"):
    id: str = ""
    conversation_type: str | None = None
    tenant_id: str | None = None


class Identified(msgspec.Struct):
    id: str = ""


class ChannelData(msgspec.Struct, rename="camel"):
    tenant: Identified | None = None
    channel: Identified | None = None
    #: What a `conversationUpdate` of a team is about.
    event_type: str | None = None


class Incoming(msgspec.Struct, rename="camel"):
    """An activity. Nothing in it is true before its token is checked."""

    type: str
    id: str = ""
    service_url: str = ""
    channel_id: str = ""
    sender: Party = msgspec.field(default_factory=Party, name="from")
    recipient: Party = msgspec.field(default_factory=Party)
    conversation: Conversation = msgspec.field(default_factory=Conversation)
    channel_data: ChannelData | None = None
    text: str | None = None
    value: Any = None
    name: str | None = None
    action: str | None = None
    locale: str | None = None
    entities: list[dict[str, Any]] | None = None
    members_added: list[Party] | None = None
    members_removed: list[Party] | None = None

    @property
    def tenants(self) -> set[str]:
        """Every tenant that this is said to be about. The SDK's models lose the conversation's (they read `tenantID`)."""
        told = self.channel_data.tenant if self.channel_data else None
        return {tenant for tenant in (told and told.id, self.conversation.tenant_id) if tenant is not None}

    @property
    def conversation_id(self) -> str:
        """Without the thread it was said in: what is sent later opens a thread of its own."""
        return self.conversation.id.partition(";messageid=")[0]

    @property
    def is_personal(self) -> bool:
        return self.conversation.conversation_type == "personal"

    @property
    def is_targeted(self) -> bool:
        return self.recipient.is_targeted and not self.is_personal

    @property
    def is_automatic(self) -> bool:
        """Nobody pressed anything: a card asks to be drawn anew because its reader looks at it."""
        return isinstance(self.value, dict) and self.value.get("trigger") == "automatic"

    @property
    def adds_the_bot(self) -> bool:
        is_added = any(party.id == self.recipient.id for party in self.members_added or ())
        return is_added or (self.type == "installationUpdate" and self.action in {"add", "add-upgrade"})

    @property
    def is_of_a_bot(self) -> bool:
        return self.sender.is_bot

    @property
    def zone(self) -> str | None:
        """As the sender's client has it."""
        about = (entity for entity in self.entities or () if entity.get("type") == "clientInfo")
        return next((zone for entity in about if isinstance(zone := entity.get("timezone"), str)), None)

    @property
    def said(self) -> str:
        """What was typed, without the mention of the bot that every text in a shared place begins with; other people's names stay."""
        text = (self.text or "")[:_LONGEST_TEXT]
        for mention in self._mentions():
            text = re.sub(re.escape(mention), " ", text, flags=re.IGNORECASE)
        return " ".join(html.unescape(_TAG.sub(" ", _LEADING_MENTION.sub(" ", text))).split())

    def _mentions(self) -> Iterator[str]:
        """How the bot is named in the text."""
        for entity in self.entities or ():
            match entity:
                case {"type": "mention", "text": str() as text, "mentioned": {"id": self.recipient.id}} if text:
                    yield text
                case _:
                    pass


class Account(msgspec.Struct, rename="camel"):
    """Somebody in a roster."""

    id: str = ""
    aad_object_id: str | None = None
    #: Some rosters say it so.
    object_id: str | None = None
    email: str | None = None
    user_principal_name: str | None = None
    tenant_id: str | None = None
    user_role: str | None = None


class Execute(msgspec.Struct, tag_field="type", tag="Action.Execute"):
    verb: Any = None
    data: Any = None


class Press(msgspec.Struct):
    """The value of an invoke called `adaptiveCard/action`."""

    action: Execute


def parse(body: bytes) -> Incoming:
    """Raises ValueError for anything else than an activity."""
    try:
        return msgspec.json.decode(body, type=Incoming)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError("not an activity") from error
