"""What Slack sends to the bot: signed commands, button presses and events (https://docs.slack.dev/authentication/verifying-requests-from-slack)."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import html
import json
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Literal
from urllib.parse import urlencode

import aiohttp

from adapters.sandbox.slack.errors import MethodError
from adapters.sandbox.slack.objects import message_object
from adapters.sandbox.slack.platform import Platform
from adapters.sandbox.slack.records import Conversation, ConversationKind, Json, Timeout
from adapters.sandbox.slack.replies import reply
from adapters.sandbox.slack.workspace import SLACKBOT, Workspace, elements


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """What the bot answered at once."""

    status: int | None
    body: str = ""
    #: Slack's word for what went wrong; None: acknowledged.
    error: Literal["operation_timeout", "dispatch_failed"] | None = None


class SlackSender:
    """Sends to the one Request URL that our manifest names for commands, interactivity and events."""

    def __init__(self, workspace: Workspace, bot_url: str, *, timeout_s: float = 3.0) -> None:
        self._workspace = workspace
        self._bot_url = bot_url
        self._timeout_s = timeout_s

    async def command(self, user_id: str, channel_id: str, command: str, text: str = "") -> Acknowledgement:
        """Type a slash command. The acknowledgement's body, if any, is a reply; a failure is what Slackbot says to the user.

        Raises KeyError for an unknown user or conversation.
        """
        conversation = self._workspace.conversations[channel_id]
        response_url = self._workspace.new_response_url(user_id, channel_id, None)
        fields = {
            "token": "unused",
            "team_id": self._workspace.team_id,
            "team_domain": self._workspace.team_domain,
            "channel_id": channel_id,
            "channel_name": _channel_name(conversation),
            "user_id": user_id,
            "user_name": self._workspace.users[user_id].name,
            "command": command,
            "text": html.escape(text, quote=False),
            "api_app_id": self._workspace.app_id,
            "is_enterprise_install": str(self._workspace.is_org_wide).lower(),
            "response_url": response_url,
            "trigger_id": self._workspace.new_trigger(user_id),
        }
        if self._workspace.organisation is not None:
            fields |= {"enterprise_id": self._workspace.organisation.enterprise_id, "enterprise_name": self._workspace.organisation.name}
        answer = await self._send_form(fields, what="command", user_id=user_id)
        self._show(answer, user_id, channel_id, command, response_url)
        return answer

    async def press(
        self,
        user_id: str,
        *,
        action_id: str,
        block_id: str | None = None,
        channel_id: str | None = None,
        ts: str | None = None,
    ) -> Acknowledgement:
        """Press a button, also one with a URL, of a message (`channel_id` and `ts`) or, without them, of the user's Home view.

        Raises LookupError when this user sees no such button.
        """
        blocks, place = self._home_place(user_id) if channel_id is None else self._message_place(user_id, channel_id, str(ts))
        user, organisation = self._workspace.users[user_id], self._workspace.organisation
        payload = {
            "type": "block_actions",
            "token": "unused",
            "api_app_id": self._workspace.app_id,
            "team": {"id": self._workspace.team_id, "domain": self._workspace.team_domain},
            "enterprise": organisation and {"id": organisation.enterprise_id, "name": organisation.name},
            "is_enterprise_install": self._workspace.is_org_wide,
            "user": {"id": user_id, "username": user.name, "name": user.name, "team_id": user.team_id},
            "trigger_id": self._workspace.new_trigger(user_id),
            "state": {"values": {}},
            "actions": [self._action(blocks, action_id, block_id)],
            **place,
        }
        return await self._send_form({"payload": json.dumps(payload)}, what="block_actions", user_id=user_id)

    async def open_home(self, user_id: str) -> Acknowledgement:
        """Open the app's Home tab."""
        event: Json = {"type": "app_home_opened", "user": user_id, "tab": "home"}
        event["channel"] = self._workspace.direct_message(user_id).conversation_id
        if user_id in self._workspace.homes:
            event["view"] = self._workspace.homes[user_id]
        return await self.event(event)

    async def event(self, event: Mapping[str, object]) -> Acknowledgement:
        """Deliver an event once."""
        return (await self.deliver(self.envelope(event)))[0]

    def envelope(self, event: Mapping[str, object]) -> Json:
        """Wrap an event with an id of its own: the same envelope, delivered again, is the same event."""
        workspace = self._workspace
        authorization = {
            "enterprise_id": workspace.enterprise_id,
            "team_id": None if workspace.is_org_wide else workspace.team_id,
            "user_id": workspace.bot_user_id,
            "is_bot": True,
            "is_enterprise_install": workspace.is_org_wide,
        }
        envelope: Json = {
            "type": "event_callback",
            "token": "unused",
            "team_id": workspace.team_id,
            "context_team_id": workspace.team_id,
            "context_enterprise_id": workspace.enterprise_id,
            "api_app_id": workspace.app_id,
            "event": {"event_ts": workspace.new_ts(), **event},
            "event_id": workspace.new_id("Ev"),
            "event_time": int(workspace.clock().timestamp()),
            "authorizations": [authorization],
            "is_ext_shared_channel": False,
        }
        return envelope if workspace.enterprise_id is None else envelope | {"enterprise_id": workspace.enterprise_id}

    async def deliver(self, envelope: Json, *, attempts: Iterable[int] = (0,)) -> list[Acknowledgement]:
        """Deliver one event as often as `attempts` says: 0 is the first delivery, 1 to 3 are retries, which carry retry headers.

        `attempts=(1,)` is the retry of an event whose first delivery was lost. Nothing is waited for in between.
        """
        what, user_id = str(envelope["event"]["type"]), envelope["event"].get("user")
        person = user_id if isinstance(user_id, str) else None
        body = json.dumps(envelope)
        return [await self._send_json(body, what=what, user_id=person, attempt=attempt) for attempt in attempts]

    async def verify_url(self) -> bool:
        """Ask for the challenge, as Slack does when the Request URL is saved; True when it came back."""
        challenge = self._workspace.new_id("challenge")
        body = json.dumps({"type": "url_verification", "token": "unused", "challenge": challenge})
        answer = await self._send_json(body, what="url_verification", user_id=None)
        return answer.error is None and challenge in answer.body

    def _message_place(self, user_id: str, channel_id: str, ts: str) -> tuple[tuple[Json, ...], Json]:
        """Slack does not send the message along when it is ephemeral."""
        message = self._workspace.sees(user_id, channel_id)[ts]
        is_ephemeral = message.only_for is not None
        place: Json = {
            "container": {"type": "message", "message_ts": ts, "channel_id": channel_id, "is_ephemeral": is_ephemeral},
            "channel": {"id": channel_id, "name": _channel_name(self._workspace.conversations[channel_id])},
            "response_url": self._workspace.new_response_url(user_id, channel_id, ts),
        }
        return message.blocks, place if is_ephemeral else place | {"message": message_object(self._workspace, message)}

    def _home_place(self, user_id: str) -> tuple[tuple[Json, ...], Json]:
        view = self._workspace.homes[user_id]
        return tuple(view["blocks"]), {"container": {"type": "view", "view_id": view["id"]}, "view": view}

    def _action(self, blocks: tuple[Json, ...], action_id: str, block_id: str | None) -> Json:
        for block in blocks:
            for element in elements(block):
                if element["action_id"] == action_id and block_id in {None, block["block_id"]}:
                    pressed = {key: element[key] for key in ("type", "action_id", "text", "value") if key in element}
                    return pressed | {"block_id": block["block_id"], "action_ts": self._workspace.new_ts()}
        raise LookupError(f"no button with action_id {action_id}")

    def _show(self, answer: Acknowledgement, user_id: str, channel_id: str, command: str, response_url: str) -> None:
        if answer.error is not None:
            text = f'{command} failed with the error "{answer.error}"'
            self._workspace.post(channel_id, sender=SLACKBOT, text=text, only_for=user_id)
        elif answer.body:
            right = self._workspace.response_urls[response_url.rpartition("/")[2]]
            with suppress(MethodError):  # it is kept in `workspace.refused`, and shown to nobody
                reply(self._workspace, right, _message(answer.body))

    async def _send_form(self, fields: Mapping[str, str], *, what: str, user_id: str) -> Acknowledgement:
        return await self._send(urlencode(fields), {"Content-Type": "application/x-www-form-urlencoded"}, what, user_id)

    async def _send_json(self, body: str, *, what: str, user_id: str | None, attempt: int = 0) -> Acknowledgement:
        retry = {"X-Slack-Retry-Num": str(attempt), "X-Slack-Retry-Reason": "http_timeout"} if attempt else {}
        return await self._send(body, {"Content-Type": "application/json", **retry}, what, user_id)

    async def _send(self, body: str, headers: Mapping[str, str], what: str, user_id: str | None) -> Acknowledgement:
        signed = {**headers, **self._signature(body)}
        try:
            async with (
                asyncio.timeout(self._timeout_s),
                aiohttp.ClientSession() as session,
                session.post(self._bot_url, data=body.encode(), headers=signed) as response,
            ):
                error = None if response.status == HTTPStatus.OK else "dispatch_failed"
                return Acknowledgement(response.status, await response.text(), error)
        except TimeoutError:
            self._workspace.timeouts.append(Timeout(at=self._workspace.clock(), what=what, user_id=user_id))
            return Acknowledgement(None, error="operation_timeout")
        except aiohttp.ClientError:
            return Acknowledgement(None, error="dispatch_failed")

    def _signature(self, body: str) -> Json:
        """Fresh in real time: the bot refuses what is older than five minutes by its own clock."""
        timestamp = str(int(time.time()))
        digest = hmac.new(self._workspace.signing_secret.encode(), f"v0:{timestamp}:{body}".encode(), hashlib.sha256).hexdigest()
        return {"X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": f"v0={digest}"}


async def tell_news(platform: Platform) -> None:
    """Send the app what it brought about itself: that it was uninstalled, say."""
    while platform.news:
        workspace, event = platform.news.pop(0)
        await SlackSender(workspace, platform.app.request_url).event(event)


def _message(body: str) -> Json:
    """An acknowledgement's body is a message in JSON, or the text of one."""
    return json.loads(body) if body.startswith("{") else {"text": body}


def _channel_name(conversation: Conversation) -> str:
    """https://docs.slack.dev/interactivity/implementing-slash-commands"""
    match conversation.kind:
        case ConversationKind.PUBLIC:
            return conversation.name
        case ConversationKind.PRIVATE:
            return "privategroup"
        case ConversationKind.DIRECT:
            return "directmessage"
