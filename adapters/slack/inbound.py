"""What comes in from Slack over HTTP: read within bounds, verified, dropped when it was here before, and handed on to the listeners."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from datetime import datetime

from slack_bolt.adapter.starlette.async_handler import to_async_bolt_request, to_starlette_response
from slack_bolt.async_app import AsyncApp, AsyncBoltContext
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.response import BoltResponse
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from adapters.slack.answers import Answers, Handle
from adapters.slack.clients import Clients
from adapters.slack.directory import SlackDirectory
from adapters.slack.listeners import WORKSPACE, Body, answer_people, follow_people
from bot import actions
from bot.errors import loggable
from bot.ports import Channel, Store

PATH = "/slack/events"
#: A body is in memory before its signature is checked. The largest of Slack's repeats a view, at most 250 kB of JSON
#: (`view_too_large`, https://docs.slack.dev/reference/methods/views.publish).
LONGEST_BODY_BYTES = 1_000_000

log = logging.getLogger(__name__)


def slack_app(
    *,
    clients: Clients,
    workspace_id: str,
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

    async def authorize(context: AsyncBoltContext) -> AuthorizeResult:  # Bolt itself calls nothing: no token, no auth.test
        context[WORKSPACE] = workspace_id
        return AuthorizeResult(enterprise_id=None, team_id=workspace_id)

    app = AsyncApp(name="surveybot", signing_secret=signing_secret, authorize=authorize)
    app.middleware(_once(store, clock))
    app.error(_failed)
    answer_people(app, Answers(clients=clients, store=store, directory=directory, channel=channel, clock=clock, handle=handle))
    follow_people(app, directory)
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


async def _failed(error: Exception, body: Body) -> None:
    event = body.get("event") or {}
    what = event.get("type") or body.get("type") or body.get("command")
    log.error("slack.request_failed", extra={"what": what, "event_id": body.get("event_id"), **loggable(error)})
