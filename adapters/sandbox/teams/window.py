"""Teams as a person has it before them: what they see, and what they do there with the answers shown where Teams shows them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import httpx

from adapters.sandbox.teams.client import TeamsClient
from adapters.sandbox.teams.gate import problems
from adapters.sandbox.teams.tenant import Answer, Conversation, Json, Said, Tenant

#: What people type to be heard by a bot where others are.
MENTION = "@Surveybot"
_FAILED = "Something went wrong. Please try again."


@dataclass(frozen=True, slots=True)
class Window:
    """All methods raise `httpx.TransportError` when nobody listens, and LookupError for what this person does not see."""

    client: TeamsClient

    async def say(self, user_id: str, text: str, chat_id: str) -> httpx.Response | None:
        """Write something. None: Teams tells a bot in a shared place only of what mentions it."""
        chat = self._chat(user_id, chat_id)
        said_id = self._written(chat, user_id, text)
        activity: Json = self._activity("message", user_id, chat, said_id) | {"text": text}
        if chat.kind != "personal":
            if not text.startswith(MENTION) or not chat.has_app:
                return None
            activity["text"] = f"<at>Surveybot</at>{text.removeprefix(MENTION)}"
            activity["entities"].append(self._mention())
        return await self.client.post(activity)

    async def press(self, user_id: str, chat_id: str, message_id: str, action: Json, typed: Mapping[str, str]) -> Answer | None:
        """Press a button that is on the card, with what was typed into it. None: the bot answers otherwise."""
        chat = self._chat(user_id, chat_id)
        button = next((found for found in _actions(self._card(chat, message_id, user_id)) if _is_same(found, action)), None)
        if button is None:
            raise LookupError(message_id)
        activity: Json = self._activity("message", user_id, chat, message_id) | {"replyToId": message_id}
        if _is_targeted(chat.messages[message_id]):
            activity["recipient"]["isTargeted"] = True
        if button["type"] == "Action.Submit":
            await self.client.post(activity | {"value": {**button.get("data", {}), **typed}})
            return None
        pressed = {"type": button["type"], "verb": button["verb"], "data": {**button.get("data", {}), **typed}}
        answer = _answer(await self._invoke(activity, pressed, "manual"))
        chat.answers[message_id, user_id] = answer
        self.client.tenant.changed()
        return answer

    async def look(self, user_id: str, chat_id: str, message_id: str) -> None:
        """Have a card before one's eyes that draws itself anew; where it does not, it stays as it is."""
        chat = self._chat(user_id, chat_id)
        again = self._card(chat, message_id, user_id)["refresh"]["action"]
        activity = self._activity("message", user_id, chat, message_id) | {"replyToId": message_id}
        answer = _answer(await self._invoke(activity, again, "automatic"))
        if answer.card is not None and answer.card != self._card(chat, message_id, user_id):
            chat.answers[message_id, user_id] = answer
            self.client.tenant.changed()

    async def _invoke(self, activity: Json, action: Json, trigger: str) -> httpx.Response:
        value = {"action": action, "trigger": trigger}
        return await self.client.post(activity | {"type": "invoke", "name": "adaptiveCard/action", "value": value})

    async def add_app(self, user_id: str, chat_id: str) -> None:
        chat = self._chat(user_id, chat_id)
        chat.has_app, chat.is_blocked = True, False
        await self.client.install(user_id, "add", chat)
        self.client.tenant.changed()

    async def remove_app(self, user_id: str, chat_id: str) -> None:
        chat = self._chat(user_id, chat_id)
        chat.has_app = False
        await self.client.install(user_id, "remove", chat)
        self.client.tenant.changed()

    def block(self, user_id: str, *, is_blocked: bool) -> None:
        """Block the bot in the personal chat, or no more. It is not told."""
        self.client.tenant.personal(user_id).is_blocked = is_blocked
        self.client.tenant.changed()

    def _chat(self, user_id: str, chat_id: str) -> Conversation:
        chat = self.client.tenant.conversations[chat_id]
        if user_id not in chat.members:
            raise LookupError(chat_id)
        return chat

    def _card(self, chat: Conversation, message_id: str, user_id: str) -> Json:
        if message_id not in _visible(chat, user_id):
            raise LookupError(message_id)
        return _seen(chat, message_id, user_id)["attachments"][0]["content"]

    def _written(self, chat: Conversation, user_id: str, text: str) -> str:
        said_id = self.client.tenant.next_id()
        chat.said[said_id] = Said(user_id=user_id, text=text)
        self.client.tenant.changed()
        return said_id

    def _activity(self, kind: str, user_id: str, chat: Conversation, thread_id: str) -> Json:
        """What is said in a channel is said in a thread."""
        activity = self.client.activity(kind, user_id, chat)
        if chat.kind == "channel":
            activity["conversation"]["id"] += f";messageid={thread_id}"
            activity["channelData"] |= {"channel": {"id": chat.conversation_id}, "team": {"id": chat.team, "name": chat.team}}
        return activity

    def _mention(self) -> Json:
        bot = {"id": f"28:{self.client.identity.app_id}", "name": "Surveybot"}
        return {"type": "mention", "text": "<at>Surveybot</at>", "mentioned": bot}


def snapshot(tenant: Tenant, user_id: str) -> Json:
    """What this person sees, as JSON for the browser page: never another's personal chat."""
    person = tenant.people[user_id]
    tenant.personal(user_id)
    mine = [chat for chat in tenant.conversations.values() if user_id in chat.members]
    return {
        "name": tenant.name,
        "me": {"id": user_id, "name": person.name, "role": person.role, "locale": person.locale},
        "people": [{"id": one.user_id, "name": one.name} for one in tenant.people.values()],
        "chats": [_chat_of(chat, user_id) for chat in sorted(mine, key=lambda chat: chat.kind != "personal")],
    }


def _chat_of(chat: Conversation, user_id: str) -> Json:
    ids = sorted({*chat.said, *_visible(chat, user_id)}, key=int)
    return {
        "id": chat.conversation_id,
        "kind": chat.kind,
        "name": chat.name,
        "team": chat.team,
        "has_app": chat.has_app,
        "is_blocked": chat.is_blocked,
        "messages": [_message(chat, message_id, user_id) for message_id in ids],
    }


def _message(chat: Conversation, message_id: str, user_id: str) -> Json:
    shown: Json = {"id": message_id, "ts": int(message_id) / 1000}
    if said := chat.said.get(message_id):
        return shown | {"from": said.user_id, "text": said.text}
    answer = chat.answers.get((message_id, user_id))
    return shown | {
        "from": "bot",
        "activity": _seen(chat, message_id, user_id),
        "edited": message_id in chat.edited,
        "only_you": _is_targeted(chat.messages[message_id]),
        "sentence": answer.sentence if answer else None,
    }


def _visible(chat: Conversation, user_id: str) -> list[str]:
    """The bot's messages but for those that somebody else alone sees."""
    return [key for key, one in chat.messages.items() if not _is_targeted(one) or one["recipient"]["id"] == f"29:{user_id}"]


def _is_targeted(activity: Json) -> bool:
    return "recipient" in activity


def _seen(chat: Conversation, message_id: str, user_id: str) -> Json:
    """A message of the bot with the card that this person sees in it."""
    activity = chat.messages[message_id]
    answer = chat.answers.get((message_id, user_id))
    if answer is None or answer.card is None:
        return activity
    return activity | {"attachments": [activity["attachments"][0] | {"content": answer.card}]}


def _answer(answered: httpx.Response) -> Answer:
    """What is no valid answer shows as Teams shows it."""
    told = answered.json() if answered.status_code == HTTPStatus.OK and answered.content else {}
    value = told.get("value")
    if isinstance(value, dict) and not problems(value):
        return Answer(card=value)
    return Answer(sentence=value if isinstance(value, str) else _FAILED)


def _is_same(button: Json, action: Json) -> bool:
    return all(button.get(name) == action.get(name) for name in ("type", "verb", "data"))


def _actions(drawn: Any) -> Iterator[Json]:  # noqa: ANN401 - JSON
    """Every button of a card, however deep."""
    if isinstance(drawn, dict):
        yield from drawn.get("actions", ())
        drawn = list(drawn.values())
    if isinstance(drawn, list):
        for part in drawn:
            yield from _actions(part)
