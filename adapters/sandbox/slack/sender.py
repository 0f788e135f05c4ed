"""What happens in Slack and is brought to the bot: commands, presses, forms and events."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress

from adapters.sandbox.slack import forms, happenings, payloads
from adapters.sandbox.slack.delivery import Acknowledgement, Delivery, Envelope, Enveloped, Posted
from adapters.sandbox.slack.errors import MethodError
from adapters.sandbox.slack.platform import Platform
from adapters.sandbox.slack.records import Json, Timeout
from adapters.sandbox.slack.replies import reply
from adapters.sandbox.slack.web_api.views import answer_submission
from adapters.sandbox.slack.workspace import SLACKBOT, Workspace

__all__ = ["Acknowledgement", "SlackSender", "tell_news"]


class SlackSender:
    """Sends to the one Request URL that our manifest names for commands, interactivity and events; without one, by Socket Mode."""

    def __init__(self, workspace: Workspace, bot_url: str | None) -> None:
        self._workspace = workspace
        self._posted = Posted(workspace.platform, bot_url or "")
        self._delivery: Delivery = self._posted if bot_url else Enveloped(workspace.platform)

    async def command(self, user_id: str, channel_id: str, command: str, text: str = "") -> Acknowledgement:
        """Type a slash command. The acknowledgement's body, if any, is a reply; a failure is what Slackbot says to the user.

        Raises KeyError for an unknown user or conversation.
        """
        fields = payloads.command(self._workspace, user_id, channel_id, command, text)
        answer = await self._bring("slash_commands", fields, what="command", user_id=user_id)
        self._show(answer, user_id, channel_id, command, fields["response_url"])
        return answer

    async def press(
        self,
        user_id: str,
        *,
        action_id: str,
        block_id: str | None = None,
        channel_id: str | None = None,
        ts: str | None = None,
        chosen: str | None = None,
    ) -> Acknowledgement:
        """Press a button, also one with a URL, or choose an option: of a message (`channel_id` and `ts`) or, without them, of the modal
        that the user looks at, or of the Home view where none is open.

        Raises LookupError when this user sees no such button.
        """
        workspace = self._workspace
        if channel_id is not None:
            blocks, place = payloads.in_message(workspace, user_id, channel_id, str(ts))
        else:
            blocks, place = payloads.in_view(workspace.modals.get(user_id) or workspace.homes[user_id])
        payload = payloads.interaction(workspace, user_id, "block_actions") | {
            "trigger_id": workspace.new_trigger(user_id),
            "state": {"values": {}},
            "actions": [payloads.action(workspace, blocks, action_id, block_id, chosen)],
            **place,
        }
        return await self._bring("interactive", payload, what="block_actions", user_id=user_id)

    async def submit(self, user_id: str, typed: forms.Typed | None = None) -> Acknowledgement:
        """Fill in the modal that the user looks at, and submit it; what the bot answers is done to the modal.

        Raises LookupError without such a modal or field, IncompleteForm where Slack itself does not submit.
        """
        workspace = self._workspace
        view = workspace.modals[user_id]
        values = forms.state(view, typed or {})
        forms.require_complete(view, values)
        payload = payloads.interaction(workspace, user_id, "view_submission") | {
            "trigger_id": workspace.new_trigger(user_id),
            "view": view | {"state": {"values": values}},
            "response_urls": [],
        }
        answer = await self._bring("interactive", payload, what="view_submission", user_id=user_id)
        if answer.error is None:
            with suppress(MethodError):  # it is kept in `workspace.refused`, and shown to nobody
                answer_submission(workspace, user_id, _message(answer.body) if answer.body else {})
        return answer

    async def close(self, user_id: str, *, everything: bool = False) -> Acknowledgement | None:
        """Close the modal that the user looks at, or all of them; the bot is told where it asked for `notify_on_close`."""
        view = self._workspace.modals[user_id]
        self._workspace.close_view(user_id, everything=everything)
        if not view.get("notify_on_close"):
            return None
        payload = payloads.interaction(self._workspace, user_id, "view_closed") | {"view": view, "is_cleared": everything}
        return await self._bring("interactive", payload, what="view_closed", user_id=user_id)

    async def open_home(self, user_id: str) -> Acknowledgement:
        """Open the app's Home tab."""
        return await self.event(happenings.opened_home(self._workspace, user_id))

    async def event(self, event: Mapping[str, object]) -> Acknowledgement:
        """Deliver an event once."""
        return (await self.deliver(self.envelope(event)))[0]

    def envelope(self, event: Mapping[str, object]) -> Json:
        """Wrap an event with an id of its own: the same envelope, delivered again, is the same event."""
        return payloads.envelope(self._workspace, event)

    async def deliver(self, envelope: Json, *, attempts: Iterable[int] = (0,)) -> list[Acknowledgement]:
        """Deliver one event as often as `attempts` says: 0 is the first delivery, 1 to 3 are retries, which say so.

        `attempts=(1,)` is the retry of an event whose first delivery was lost. Nothing is waited for in between.
        """
        what, user_id = str(envelope["event"]["type"]), envelope["event"].get("user")
        person = user_id if isinstance(user_id, str) else None
        return [await self._bring("events_api", envelope, what=what, user_id=person, attempt=attempt) for attempt in attempts]

    async def verify_url(self) -> bool:
        """Ask for the challenge, as Slack does when the Request URL is saved; True when it came back."""
        challenge = self._workspace.new_id("challenge")
        body = json.dumps({"type": "url_verification", "token": "unused", "challenge": challenge})
        answer = await self._posted.post(body, "application/json")
        return answer.error is None and challenge in answer.body

    def _show(self, answer: Acknowledgement, user_id: str, channel_id: str, command: str, response_url: str) -> None:
        if answer.error is not None:
            text = f'{command} failed with the error "{answer.error}"'
            self._workspace.post(channel_id, sender=SLACKBOT, text=text, only_for=user_id)
        elif answer.body:
            right = self._workspace.response_urls[response_url.rpartition("/")[2]]
            with suppress(MethodError):  # it is kept in `workspace.refused`, and shown to nobody
                reply(self._workspace, right, _message(answer.body))

    async def _bring(self, kind: Envelope, payload: Json, *, what: str, user_id: str | None, attempt: int = 0) -> Acknowledgement:
        try:
            return await self._delivery.bring(kind, payload, attempt=attempt)
        except TimeoutError:
            self._workspace.timeouts.append(Timeout(at=self._workspace.clock(), what=what, user_id=user_id))
            return Acknowledgement(None, error="operation_timeout")


async def tell_news(platform: Platform) -> None:
    """Send the app what it brought about itself: that it was uninstalled, say."""
    while platform.news:
        workspace, event = platform.news.pop(0)
        await SlackSender(workspace, platform.app.request_url or None).event(event)


def _message(body: str) -> Json:
    """An acknowledgement's body is a message in JSON, or the text of one."""
    return json.loads(body) if body.startswith("{") else {"text": body}
