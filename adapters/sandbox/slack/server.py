"""The simulated Slack over HTTP: the Web API at `/api/{method}` and the response URLs at `/response/{token}`."""

from __future__ import annotations

import asyncio
import json
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import assert_never, cast
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import Receive, Scope, Send

from adapters.sandbox.serving import cut_connection
from adapters.sandbox.slack import consent, sockets
from adapters.sandbox.slack.errors import MethodError
from adapters.sandbox.slack.faults import LostAnswer, RateLimited, Refused, Status
from adapters.sandbox.slack.limits import Throttled
from adapters.sandbox.slack.platform import Platform
from adapters.sandbox.slack.records import Call, Json
from adapters.sandbox.slack.replies import reply, spend
from adapters.sandbox.slack.sender import tell_news
from adapters.sandbox.slack.web_api import call
from adapters.sandbox.slack.workspace import Workspace

#: Arguments that the SDK sends as JSON inside of a form, a query string or another JSON.
_NESTED_JSON = frozenset({"attachments", "blocks", "message", "metadata", "view"})


def slack_app(workspace: Workspace) -> Starlette:
    """The Slack that this workspace is part of. Serve it with `adapters.sandbox.serving`: lost answers need its way to cut a connection."""
    platform = workspace.platform

    async def web_api(request: Request) -> Response:
        method = request.path_params["method"]
        arguments = await _arguments(request)
        token = arguments.pop("token", "")
        return await _serve(platform, method, arguments, lambda: _called(platform, method, token, arguments))

    async def response_url(request: Request) -> Response:
        arguments = await _arguments(request)
        return await _serve(platform, "response_url", arguments, lambda: _replied(platform, request.path_params["token"], arguments))

    async def authorize(request: Request) -> Response:
        return consent.authorize(platform, request)

    routes = [
        Route("/api/{method}", web_api, methods=["GET", "POST"]),
        Route("/response/{token}", response_url, methods=["POST"]),
        Route(consent.PATH, authorize, methods=["GET"]),
        WebSocketRoute(sockets.PATH, platform.sockets.serve),
    ]
    return Starlette(routes=routes, exception_handlers={json.JSONDecodeError: _invalid_json})


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    result: Json
    headers: dict[str, str] = field(default_factory=dict[str, str])
    #: What is sent where it is not `result` as JSON.
    text: str | None = None

    def response(self) -> Response:
        if self.text is None:
            return JSONResponse(self.result, self.status, self.headers)
        return (PlainTextResponse if self.result else HTMLResponse)(self.text, self.status)


async def _serve(platform: Platform, method: str, arguments: Json, work: Callable[[], _Answer]) -> Response:
    """Do the work unless a fault forbids it, note it in the journal, and answer: late or not at all, if a fault says so."""
    failure = platform.faults.take(method)
    match failure:
        case RateLimited(retry_after_s):
            answer = _throttled(retry_after_s)
        case Status(status):
            answer = _Answer(status, {}, text=f"<html><body><h1>{status}</h1></body></html>")
        case Refused(error):
            answer = _Answer(200, {"ok": False, "error": error})
        case LostAnswer() | None:
            answer = work()
        case _:
            assert_never(failure)
    answered = not isinstance(failure, LostAnswer)
    done = Call(at=platform.clock(), method=method, arguments=arguments, status=answer.status, result=answer.result, answered=answered)
    platform.journal.append(done)
    await asyncio.sleep(platform.faults.slow_s)
    response = answer.response() if answered else _CutConnection()
    if platform.news and (platform.app.request_url or platform.sockets.is_open):
        response.background = BackgroundTask(tell_news, platform)
    return response


def _invalid_json(_request: Request, _error: Exception) -> Response:
    return JSONResponse({"ok": False, "error": "invalid_json"})


class _CutConnection(Response):
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - nothing is sent: that is the point
        await cut_connection(scope)


def _called(platform: Platform, method: str, token: str, arguments: Json) -> _Answer:
    try:
        result, scopes = call(platform, token, method, arguments)
    except Throttled as error:
        return _throttled(error.retry_after_s)
    except MethodError as error:
        return _Answer(200, error.answer)
    return _Answer(200, result, {"X-OAuth-Scopes": ",".join(sorted(scopes))})


def _throttled(retry_after_s: int) -> _Answer:
    return _Answer(429, {"ok": False, "error": "ratelimited"}, {"Retry-After": str(retry_after_s)})


def _replied(platform: Platform, token: str, arguments: Json) -> _Answer:
    """A refused message is a plain 400: https://github.com/slackapi/java-slack-sdk/issues/1017"""
    try:
        workspace, right = spend(platform, token)
    except MethodError as error:
        return _Answer(404, error.answer)
    try:
        reply(workspace, right, arguments)
    except MethodError as error:
        return _Answer(400, error.answer, text=str(error))
    return _Answer(200, {"ok": True}, text="ok")


async def _arguments(request: Request) -> Json:
    """Query string, form or JSON body: Slack takes all, and the SDK uses all. Whoever calls is among them, by token or by client."""
    arguments: Json = dict(request.query_params)
    body = await request.body()
    if request.headers.get("content-type", "").startswith("application/json"):
        arguments |= json.loads(body)
    else:
        arguments |= dict(parse_qsl(body.decode(), keep_blank_values=True))
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    if scheme == "Bearer":
        arguments["token"] = credentials
    elif scheme == "Basic":
        arguments["client_id"], _, arguments["client_secret"] = b64decode(credentials).decode().partition(":")
    return {name: _parsed(value) if name in _NESTED_JSON else value for name, value in arguments.items()}


def _parsed(value: object) -> object:
    """Text that is no JSON stays text, for its method to refuse."""
    if not isinstance(value, str):
        return value
    try:
        return cast("object", json.loads(value))
    except ValueError:
        return value
