"""What comes in from Slack: verified, acknowledged at once, and handed on. Commands, pressed buttons, the Home tab, people's changes."""

from __future__ import annotations

import html
import logging
import re
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from slack_bolt.adapter.starlette.async_handler import to_async_bolt_request, to_starlette_response
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from adapters.slack.answers import Answers, Ask, Handle
from adapters.slack.directory import SlackDirectory
from adapters.slack.places import Home, Reply
from bot import actions
from bot.errors import loggable
from bot.page import Action
from bot.ports import Channel, Store
from cards.slack import RESPOND_VERB, parse_action

Body = dict[str, Any]

PATH = "/slack/events"
COMMAND = "/surveys"
#: A body is in memory before its signature is checked. The largest of Slack's repeats a view, at most 250 kB of JSON
#: (`view_too_large`, https://docs.slack.dev/reference/methods/views.publish).
LONGEST_BODY_BYTES = 1_000_000
_ANYTHING = re.compile(r"")

log = logging.getLogger(__name__)


def slack_app(
    *,
    client: AsyncWebClient,
    signing_secret: str,
    store: Store,
    directory: SlackDirectory,
    channel: Channel,
    clock: Callable[[], datetime],
    handle: Handle = actions.handle,
) -> AsyncApp:
    """Return the app of one workspace. Raises ValueError without a signing secret.

    Bolt acknowledges an event before its listener runs, and listeners here acknowledge before they work, so Slack never repeats what
    only failed later. That costs an event nothing that lasts: the Home tab is drawn anew each time it is opened, and the directory's
    next refresh knows what a lost change told.
    """
    if not signing_secret:
        raise ValueError("a Slack app without its signing secret would believe anybody")

    async def authorize() -> AuthorizeResult:  # Bolt itself calls nothing: no token, no auth.test during the first request
        return AuthorizeResult(enterprise_id=None, team_id=directory.workspace_id)

    app = AsyncApp(name="surveybot", signing_secret=signing_secret, authorize=authorize)
    app.middleware(_once(store, clock))
    app.error(_failed)
    _answer_people(app, Answers(client=client, store=store, directory=directory, channel=channel, clock=clock, handle=handle))
    _follow_people(app, directory)
    return app


def routes(app: AsyncApp) -> list[Route]:
    """Return the one URL of the manifest's requests."""

    async def receive(request: Request) -> Response:
        try:
            body = await _body(request)
            if body is None:
                return Response(status_code=413)
            return to_starlette_response(await app.async_dispatch(to_async_bolt_request(request, body)))
        except (AttributeError, ValueError):  # Bolt parses before it verifies: not UTF-8, not JSON, no object
            return Response(status_code=400)

    return [Route(PATH, receive, methods=["POST"])]


async def _body(request: Request) -> bytes | None:
    """Return the body; None when it is too long, whether it says so or not, without having read it to its end."""
    if int(request.headers.get("Content-Length", 0)) > LONGEST_BODY_BYTES:
        return None
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LONGEST_BODY_BYTES:
            return None
    return bytes(body)


def _once(store: Store, clock: Callable[[], datetime]) -> Callable[..., Awaitable[BoltResponse]]:
    """Drop events seen before: Slack delivers one up to four times, Bolt runs each (reference slack.md 0, 1).

    Seen is what stands in the store, whatever the retry headers say: after a lost first delivery a retry is the only copy. When the
    store cannot remember, Slack is answered 500 and delivers again.
    """

    async def once(body: Body, next_: Callable[[], Awaitable[BoltResponse]]) -> BoltResponse:
        event_id = body.get("event_id")
        if event_id and not await store.write(lambda uow: uow.inbox.first_time(f"slack:{event_id}", clock())):
            return BoltResponse(status=200)
        return await next_()

    return once


def _answer_people(app: AsyncApp, answers: Answers) -> None:
    @app.command(_ANYTHING)
    async def typed(ack: AsyncAck, body: Body) -> None:
        await ack()
        await answers.answer(_typed(body))

    @app.block_action(_ANYTHING)
    async def pressed(ack: AsyncAck, body: Body) -> None:
        await ack()
        if not body["actions"][0]["action_id"].startswith(RESPOND_VERB):  # the browser has opened the link already
            await answers.answer(_pressed(body))

    @app.event("app_home_opened")
    async def opened(event: Body) -> None:
        if event.get("tab") == "home":
            user_id = event["user"]
            await answers.answer(Ask(user_id=user_id, action=Action(verb="surveys.list"), place=Home(user_id=user_id)))


def _follow_people(app: AsyncApp, directory: SlackDirectory) -> None:
    @app.event("team_join")
    @app.event("user_change")
    async def changed(event: Body) -> None:
        await directory.absorb(event["user"])


def _typed(body: Body) -> Ask:
    if body["command"] == COMMAND:
        action = actions.parse_command(html.unescape(body.get("text") or ""))  # `should_escape` in the manifest
    else:
        action = Action(verb="help.show", data={"unknown": body["command"]})
    place = Reply(channel_id=body["channel_id"], response_url=body["response_url"], replaces=False)
    return Ask(user_id=body["user_id"], action=action, place=place)


def _pressed(body: Body) -> Ask:
    user_id = body["user"]["id"]
    return Ask(user_id=user_id, action=_action(body["actions"][0]), place=_pressed_at(user_id, body))


def _pressed_at(user_id: str, body: Body) -> Home | Reply:
    container = body["container"]
    if container["type"] == "view" and body["view"]["type"] == "home":
        return Home(user_id=user_id)
    # What was sent as a notification stays; what was an answer makes room for the next.
    replaces = bool(container.get("is_ephemeral"))
    return Reply(channel_id=container["channel_id"], response_url=body["response_url"], replaces=replaces)


def _action(pressed: Body) -> Action:
    """Return the button's action; one that is not ours becomes a verb nobody knows, which is answered as out of date."""
    try:
        return parse_action(pressed["action_id"], pressed.get("value"))
    except ValueError:
        return Action(verb="")


async def _failed(error: Exception, body: Body) -> None:
    event = body.get("event") or {}
    what = event.get("type") or body.get("type") or body.get("command")
    log.error("slack.request_failed", extra={"what": what, "event_id": body.get("event_id"), **loggable(error)})
