"""The sandbox's browser page over HTTP: its files, the state it shows, the news that something changed, and the deeds it asks for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from ipaddress import ip_address
from itertools import islice
from pathlib import Path

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from adapters.sandbox.clock import SandboxClock
from adapters.sandbox.page.deeds import Deed, Hand
from adapters.sandbox.page.onlookers import onlookers
from adapters.sandbox.page.teams_deeds import TeamsHand
from adapters.sandbox.qualtrics.records import MailingList, Survey
from adapters.sandbox.qualtrics.tenant import Tenant
from adapters.sandbox.slack.sender import SlackSender
from adapters.sandbox.slack.workspace import Call, Json, Workspace
from adapters.sandbox.teams.tenant import Asked
from adapters.sandbox.teams.window import Window, snapshot
from bot.errors import UserError

_STATIC = Path(__file__).parent / "static"
_MEDIA_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}
#: Nothing from elsewhere, nothing inline: what a survey or a person is called can never run.
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
_HEARTBEAT_S = 10.0
_MAX_BODY = 10_000
#: A simulated tenant can be huge; the page's lists are for people.
_LISTED_SURVEYS, _LISTED_PEOPLE, _LISTED_CALLS = 40, 200, 40

Endpoint = Callable[[Request], Awaitable[Response]]


def page_routes(
    tenant: Tenant,
    workspace: Workspace,
    sender: SlackSender,
    clock: SandboxClock,
    window: Window | None = None,
    *,
    day_seconds: float = 0,
) -> list[Route]:
    """Everything the page needs, for an application on the loopback interface: anybody else is refused with 403.

    With a `window`, Teams is shown beside Slack. `day_seconds`: see `Hand`.
    """
    teams = TeamsHand(window) if window else None
    hand = Hand(tenant=tenant, workspace=workspace, sender=sender, clock=clock, teams=teams, day_seconds=day_seconds)
    page = _Page(tenant=tenant, workspace=workspace, hand=hand, window=window)
    return [
        Route("/", _guarded(page.index), methods=["GET"]),
        Route("/static/{name}", _guarded(page.static), methods=["GET"]),
        Route("/sandbox/state", _guarded(page.state), methods=["GET"]),
        Route("/sandbox/calls", _guarded(page.calls), methods=["GET"]),
        Route("/sandbox/events", _guarded(page.events), methods=["GET"]),
        Route("/sandbox/do", _guarded(page.do), methods=["POST"]),
    ]


async def news(workspace: Workspace, heartbeat_s: float = _HEARTBEAT_S) -> AsyncGenerator[str]:
    """Server-sent events without end: the workspace's version at once, at every change, and again after `heartbeat_s` of silence."""
    version = workspace.version
    while True:
        yield f"event: version\ndata: {version}\n\n"
        try:
            async with asyncio.timeout(heartbeat_s):
                version = await workspace.wait_for_change(version)
        except TimeoutError:
            continue


@dataclass(frozen=True, slots=True, kw_only=True)
class _Page:
    tenant: Tenant
    workspace: Workspace
    hand: Hand
    window: Window | None

    async def index(self, _request: Request) -> Response:
        return _file("index.html")

    async def static(self, request: Request) -> Response:
        return _file(request.path_params["name"])

    async def state(self, request: Request) -> Response:
        people = list(onlookers(self.workspace, self.window.client.tenant if self.window else None))
        user_id = request.query_params.get("user")
        me = next((one for one in people if user_id in {None, "", one.onlooker_id}), None)
        if me is None:
            raise HTTPException(HTTPStatus.NOT_FOUND, f"There is nobody with the id {user_id} here.")
        return JSONResponse(
            {
                "me": me.as_json(),
                "people": [one.as_json() for one in people],
                "workspace": self.workspace.snapshot(me.slack.user_id) if me.slack else None,
                "teams": snapshot(self.window.client.tenant, me.teams.user_id) if self.window and me.teams else None,
                "has_teams": self.window is not None,
                "bot": self.workspace.bot_user_id,
                "tenant": _tenant_summary(self.tenant),
                "faults": self.hand.faults,
                "now": self.hand.clock.now().isoformat(),
            }
        )

    async def calls(self, _request: Request) -> Response:
        journal = self.workspace.journal
        newest = range(len(journal) - 1, max(-1, len(journal) - 1 - _LISTED_CALLS), -1)
        asked = list(self.window.client.tenant.asked) if self.window else []
        in_teams = [_asked(number, one) for number, one in enumerate(asked)][-_LISTED_CALLS:]
        return JSONResponse({"calls": [_call(number, journal[number]) for number in newest], "teams": in_teams[::-1]})

    async def events(self, _request: Request) -> Response:
        return StreamingResponse(news(self.workspace), media_type="text/event-stream")

    async def do(self, request: Request) -> Response:
        deed = _parse(await _body(request))
        try:
            return JSONResponse({"said": await self.hand.do(deed)})
        except UserError as error:
            raise HTTPException(HTTPStatus.CONFLICT, str(error)) from error
        except LookupError as error:
            raise HTTPException(HTTPStatus.NOT_FOUND, "That is not there, or not any more: nothing was done.") from error


def _guarded(endpoint: Endpoint) -> Endpoint:
    async def guarded(request: Request) -> Response:
        try:
            _require_loopback(request)
            response = await endpoint(request)
        except HTTPException as error:
            response = JSONResponse({"error": error.detail}, error.status_code)
        response.headers.update(_HEADERS)
        return response

    return guarded


def _require_loopback(request: Request) -> None:
    """The `Host` counts too: a page elsewhere may let its own name resolve to this computer (DNS rebinding)."""
    client = request.client.host if request.client else ""
    if request.url.hostname not in {"localhost", "127.0.0.1", "::1"} or not _is_loopback(client):
        raise HTTPException(HTTPStatus.FORBIDDEN, "The sandbox answers to the computer it runs on alone.")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


async def _body(request: Request) -> bytes:
    """A browser sends JSON to another origin only after asking; with the `Origin` checked too, no other page can act here."""
    origin = request.headers.get("origin", f"{request.url.scheme}://{request.url.netloc}")
    if origin != f"{request.url.scheme}://{request.url.netloc}":
        raise HTTPException(HTTPStatus.FORBIDDEN, "Only the sandbox's own page may ask for this.")
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise HTTPException(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Send JSON, with the content type application/json.")
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MAX_BODY:
            raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"Nothing asked for here is longer than {_MAX_BODY} bytes.")
    return body


def _parse(body: bytes) -> Deed:
    try:
        return msgspec.json.decode(body, type=Deed, strict=False)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise HTTPException(HTTPStatus.BAD_REQUEST, f"This cannot be done as it was asked for: {error}.") from error


def _file(name: str) -> Response:
    """Only what lies in the folder itself; a name with a slash does not reach this route."""
    path = _STATIC / name
    if path.suffix not in _MEDIA_TYPES or not path.is_file():
        raise HTTPException(HTTPStatus.NOT_FOUND, "There is no such file.")
    return FileResponse(path, media_type=_MEDIA_TYPES[path.suffix])


def _tenant_summary(tenant: Tenant) -> Json:
    """The newest surveys first, and everybody on the main list with an address once."""
    tenant.settle()
    newest = tenant.surveys.since(max(0, len(tenant.surveys) - _LISTED_SURVEYS))
    people = {
        contact.email.lower(): " ".join(filter(None, (contact.first_name, contact.last_name))) or contact.email
        for contact in islice(tenant.directories[0].lists[0].contacts, _LISTED_PEOPLE)
        if contact.email
    }
    return {
        "surveys": [_survey(survey) for survey in newest if survey.deleted_at is None][::-1],
        "people": [{"email": email, "name": name} for email, name in people.items()],
        "lists": [_list(one) for one in tenant.directories[0].lists.since(1)],
    }


def _list(mailing_list: MailingList) -> Json:
    return {"id": mailing_list.mailing_list_id, "name": mailing_list.name, "people": len(mailing_list.contacts)}


def _survey(survey: Survey) -> Json:
    mailed = list(survey.distributions)
    return {
        "id": survey.survey_id,
        "name": survey.name,
        "is_active": survey.is_active,
        "sent": sum(each.stats["sent"] for each in mailed if each.request_type == "Invite"),
        "finished": sum(each.stats["finished"] for each in mailed),
    }


def _call(number: int, call: Call) -> Json:
    if not call.answered:
        answer = "connection cut"
    elif call.result.get("ok", call.status == HTTPStatus.OK):
        answer = "ok"
    else:
        answer = str(call.result.get("error", f"HTTP {call.status}"))
    return {"number": number, "at": call.at.isoformat(), "method": call.method, "arguments": call.arguments, "answer": answer}


def _asked(number: int, asked: Asked) -> Json:
    answer = "connection cut" if asked.status is None else "ok" if asked.status < HTTPStatus.BAD_REQUEST else f"HTTP {asked.status}"
    return {
        "number": f"{number} {asked.at}",
        "at": asked.at.isoformat(),
        "method": f"{asked.method} {asked.path}",
        "arguments": asked.body,
        "answer": answer,
    }
