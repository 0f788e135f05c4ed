"""What people in Teams do, as the activities that Teams sends to a bot for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import httpx

from adapters.sandbox.teams.identity import IdentityProvider
from adapters.sandbox.teams.tenant import Conversation, Json, Tenant

#: Then Teams says that the app does not answer (https://learn.microsoft.com/en-us/microsoftteams/platform/task-modules-and-cards/cards/universal-actions-for-adaptive-cards/work-with-universal-actions-for-adaptive-cards).
_PATIENCE_S = 15


@dataclass(frozen=True, slots=True)
class TeamsClient:
    tenant: Tenant
    identity: IdentityProvider
    #: The bot's messaging endpoint.
    url: str
    #: Another way there than the network.
    transport: httpx.AsyncBaseTransport | None = None

    async def say(self, user_id: str, text: str, conversation: Conversation | None = None, *, is_targeted: bool = False) -> httpx.Response:
        """Write something, or (for the bot's eyes alone, in a shared place) choose a slash command."""
        return await self.post(_aimed(self.activity("message", user_id, conversation) | {"text": text}, is_targeted=is_targeted))

    async def press(
        self, user_id: str, button: Json, conversation: Conversation | None = None, *, is_targeted: bool = False, **inputs: str
    ) -> httpx.Response:
        """Press an `Action.Execute`; `is_targeted`: of a card that nobody else sees."""
        return await self.post(_aimed(self._invoke(user_id, button, conversation, "manual", inputs), is_targeted=is_targeted))

    async def look(self, user_id: str, card: Json) -> httpx.Response:
        """Have a card in the personal chat before one's eyes that draws itself anew."""
        return await self.post(self._invoke(user_id, card["refresh"]["action"], None, "automatic", {}))

    def _invoke(self, user_id: str, button: Json, conversation: Conversation | None, trigger: str, inputs: Mapping[str, str]) -> Json:
        action = {"type": button["type"], "verb": button["verb"], "data": {**button["data"], **inputs}}
        value = {"action": action, "trigger": trigger}
        return self.activity("invoke", user_id, conversation) | {"name": "adaptiveCard/action", "value": value}

    async def submit(self, user_id: str, button: Json, **inputs: str) -> httpx.Response:
        """Press it in a client too old for that."""
        return await self.post(self.activity("message", user_id) | {"value": {**button["fallback"]["data"], **inputs}})

    async def install(self, user_id: str, action: str = "add", conversation: Conversation | None = None) -> list[httpx.Response]:
        """Add, upgrade or remove the app. Both activities come when it is added, in no certain order."""
        told = [self.activity("installationUpdate", user_id, conversation) | {"action": action}]
        if action == "add":
            bot = {"id": f"28:{self.identity.app_id}"}
            told.insert(0, self.activity("conversationUpdate", user_id, conversation) | {"membersAdded": [bot]})
        return [await self.post(activity) for activity in told]

    def activity(self, kind: str, user_id: str, conversation: Conversation | None = None) -> Json:
        tenant, place = self.tenant, conversation or self.tenant.personal(user_id)
        person = tenant.people[user_id]
        return {
            "type": kind,
            "id": tenant.next_id(),
            "channelId": "msteams",
            "serviceUrl": tenant.service_url,
            "from": {"id": person.mri, "name": person.name, "aadObjectId": person.user_id},
            "recipient": {"id": f"28:{self.identity.app_id}", "name": "Surveybot"},
            "conversation": {"id": place.conversation_id, "conversationType": place.kind, "tenantId": tenant.tenant_id},
            "channelData": {"tenant": {"id": tenant.tenant_id}},
            "locale": person.locale,
            "entities": [{"type": "clientInfo", "locale": person.locale, "platform": "Web", "timezone": person.zone}],
        }

    async def post(self, activity: Json, header: str | None = "") -> httpx.Response:
        """Deliver an activity, with a token that says what Teams' would, with another header, or (None) without."""
        header = f"Bearer {self.identity.sign(activity['serviceUrl'])}" if header == "" else header
        headers = {} if header is None else {b"Authorization": header.encode("latin-1")}
        async with httpx.AsyncClient(headers=headers, transport=self.transport, timeout=_PATIENCE_S) as client:
            return await client.post(self.url, json=activity)


def _aimed(activity: Json, *, is_targeted: bool) -> Json:
    return activity | {"recipient": activity["recipient"] | {"isTargeted": True}} if is_targeted else activity
