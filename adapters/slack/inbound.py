"""What comes in from Slack over HTTP: read within bounds, verified, dropped when it was here before, and handed on to the listeners."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from slack_bolt.adapter.starlette.async_handler import to_async_bolt_request, to_starlette_response
from slack_bolt.async_app import AsyncApp, AsyncBoltContext, AsyncBoltRequest
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.middleware.async_builtins import AsyncSslCheck
from slack_bolt.response import BoltResponse
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from adapters.bodies import whole_body
from adapters.slack.answers import Answers
from adapters.slack.clients import Clients
from adapters.slack.directory import SlackDirectory
from adapters.slack.lifecycle import follow_removals, follow_teams, installation_of
from adapters.slack.listeners import WORKSPACE, Body, answer_people, follow_people
from adapters.slack.origins import Origins
from adapters.slack.replays import Replays
from adapters.visits import Visits
from bot import actions
from bot.errors import loggable
from bot.pages.reader import Reader
from bot.ports import Channel, Store
from store.encryption import Keyring

PATH = "/slack/events"
#: A body is in memory before its signature is checked. The largest of Slack's repeats a view, at most 250 kB of JSON
#: (`view_too_large`, https://docs.slack.dev/reference/methods/views.publish).
LONGEST_BODY_BYTES = 1_000_000
#: https://docs.slack.dev/authentication/verifying-requests-from-slack
_SIGNED = {
    "X-Slack-Request-Timestamp": re.compile(r"[0-9]{1,12}"),
    "X-Slack-Signature": re.compile(r"v0=[0-9a-f]{64}"),
}
#: What parsing raises where a body is in no shape of Slack's.
_UNREADABLE = (AttributeError, LookupError, TypeError, ValueError)

log = logging.getLogger(__name__)


def slack_app(
    *,
    clients: Clients,
    signing_secret: str | None,
    store: Store,
    directory: SlackDirectory,
    channel: Channel,
    keyring: Keyring,
    clock: Callable[[], datetime],
    handle: actions.Handle = actions.handle,
) -> AsyncApp:
    """Return the app for all installations. Raises ValueError without a signing secret; None = it hears by Socket Mode alone.

    Bolt acknowledges an event before its listener runs, and listeners here acknowledge before they work, so Slack never repeats what
    only failed later. That costs an event nothing that lasts: the Home tab is drawn anew each time it is opened, and the directory's
    next refresh knows what a lost change told. A lost uninstallation leaves a token that Slack refuses: `surveybot doctor` shows it, and
    `surveybot slack forget` does what the event would have done.
    """
    if signing_secret == "":
        raise ValueError("a Slack app without its signing secret would believe anybody")

    app = _bolt(clients, signing_secret or "")
    app.middleware(_once(store, clock))
    app.error(_failed)
    answers = Answers(
        clients=clients,
        store=store,
        directory=directory,
        channel=channel,
        clock=clock,
        handle=handle,
        origins=Origins(keyring),
        visits=Visits(store, clock),
    )
    answer_people(app, answers)
    follow_people(app, directory)
    follow_removals(app, clients, store)
    follow_teams(app, store)
    return app


def routes(app: AsyncApp) -> list[Route]:
    """Return the one URL of the manifest's requests."""

    async def receive(request: Request) -> Response:
        if not _looks_signed(request.headers):
            return Response(status_code=401)
        body = await whole_body(request, LONGEST_BODY_BYTES)
        if body is None:
            return Response(status_code=413)
        try:
            return to_starlette_response(await app.async_dispatch(_parsed(request, body)))
        except (*_UNREADABLE, RecursionError):  # Bolt parses before it verifies, and once more to say what failed
            return Response(status_code=400)

    return [Route(PATH, receive, methods=["POST"])]


def _bolt(clients: Clients, signing_secret: str) -> AsyncApp:
    async def authorize(context: AsyncBoltContext) -> Any:  # noqa: ANN401 - Bolt takes None, too, but its type does not say so
        """Gives Bolt no token, so that it calls nothing: no auth.test."""
        workspace_id = await clients.about(installation_of(context))
        if workspace_id is None:
            return None
        context[WORKSPACE] = workspace_id
        return AuthorizeResult(enterprise_id=context.enterprise_id, team_id=context.team_id)

    return AsyncApp(
        name="surveybot",
        signing_secret=signing_secret,
        authorize=authorize,
        user_facing_authorize_error_message=Reader("en", "UTC").say(
            "Surveybot has no access to this workspace now. Please ask whoever looks after your Slack apps to install it again."
        ),
        ssl_check_enabled=False,  # it would be answered before its signature was looked at
        before_authorize=AsyncSslCheck(),
    )


def _parsed(request: Request, body: bytes) -> AsyncBoltRequest:
    """Bolt takes a form with the word "payload" anywhere in it for a pressed button, and finds nothing in what somebody typed
    (`slack_bolt.request.internals.parse_body`). Such a form is read with that word escaped; its signature is that of what came.
    """
    parsed = to_async_bolt_request(request, body)
    if parsed.body or b"payload" not in body:
        return parsed
    escaped = to_async_bolt_request(request, body.replace(b"payload", b"%70ayload"))
    escaped.raw_body = parsed.raw_body
    return escaped


def _looks_signed(headers: Headers) -> bool:
    """Whether there is something to verify. Bolt's verifier raises for times and signatures in other shapes than Slack's."""
    return all(shape.fullmatch(headers.get(name, "")) for name, shape in _SIGNED.items())


def _once(store: Store, clock: Callable[[], datetime]) -> Callable[..., Awaitable[BoltResponse]]:
    """Drop what was seen before. Events: Slack delivers one up to four times, Bolt runs each (reference slack.md 0, 1).

    Seen is what stands in the store, whatever the retry headers say: after a lost first delivery a retry is the only copy. When the
    store cannot remember, Slack is answered 500 and delivers again. Commands and presses have no such id, and are never delivered twice.
    """
    replays = Replays(time.monotonic)

    async def once(body: Body, req: AsyncBoltRequest, next_: Callable[[], Awaitable[BoltResponse]]) -> BoltResponse:
        if event_id := body.get("event_id"):
            is_new = await store.write(lambda uow: uow.inbox.first_time(f"slack:{event_id}", clock()))
        else:  # over a socket nothing is signed, and nothing comes but from Slack
            is_new = replays.first_time(req.headers["x-slack-signature"][0]) if req.mode == "http" else True
        return await next_() if is_new else BoltResponse(status=200)

    return once


async def _failed(error: Exception, body: Body, response: BoltResponse | None) -> BoltResponse | None:
    """Log what failed before or, without a response to give, after it was acknowledged. What nobody can read is a bad request."""
    event = body.get("event")
    what = (event.get("type") if isinstance(event, dict) else None) or body.get("type") or body.get("command")
    log.error("slack.request_failed", extra={"what": what, "event_id": body.get("event_id"), **loggable(error)})
    return BoltResponse(status=400) if isinstance(error, _UNREADABLE) and response is not None else None
