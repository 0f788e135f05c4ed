"""What Teams sends, as far as it is used: https://learn.microsoft.com/en-us/azure/bot-service/rest-api/bot-framework-rest-connector-api-reference."""

from __future__ import annotations

import re
from typing import Any

import msgspec


class Party(msgspec.Struct, rename="camel"):
    #: `29:...` for people, `28:...` for bots; another one for every bot.
    id: str = ""
    name: str | None = None
    #: The Entra object id: the same for everybody who looks. Missing for bots and for anonymous guests of meetings.
    aad_object_id: str | None = None


class Conversation(msgspec.Struct, rename="camel"):
    id: str = ""
    conversation_type: str | None = None
    tenant_id: str | None = None


class Identified(msgspec.Struct):
    id: str = ""


class ChannelData(msgspec.Struct):
    tenant: Identified | None = None


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

    @property
    def tenant_id(self) -> str | None:
        """The SDK's models lose the conversation's (they read `tenantID`)."""
        tenant = self.channel_data.tenant if self.channel_data else None
        return tenant.id if tenant else self.conversation.tenant_id

    @property
    def conversation_id(self) -> str:
        """Without the thread it was said in: what is sent later opens a thread of its own."""
        return self.conversation.id.partition(";messageid=")[0]

    @property
    def is_personal(self) -> bool:
        return self.conversation.conversation_type == "personal"

    @property
    def zone(self) -> str | None:
        """As the sender's client has it."""
        about = (entity for entity in self.entities or () if entity.get("type") == "clientInfo")
        return next((zone for entity in about if isinstance(zone := entity.get("timezone"), str)), None)

    @property
    def said(self) -> str:
        """What was typed, without the mention that every text in a shared place begins with."""
        text = re.sub(r"<at\b[^>]*>.*?</at>", " ", self.text or "", flags=re.IGNORECASE | re.DOTALL)
        return " ".join(text.replace("&nbsp;", " ").split())


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
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ValueError("not an activity") from error
