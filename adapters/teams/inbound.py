"""What comes in from Teams: checked, remembered, answered within its 15 seconds or later by a message.

The SDK's own HTTP entry, `CloudAdapter.process`, answers 500 to every press of a button (reference teams.md 2.2).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime
from http import HTTPStatus
from typing import Any, cast

from botbuilder.core import CloudAdapterBase, TurnContext
from botbuilder.core.invoke_response import InvokeResponse
from botbuilder.schema import Activity, ConversationAccount
from botframework.connector.auth import AuthenticateRequestResult, ConnectorFactory
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from adapters.bodies import whole_body
from adapters.teams.authentication import Doorkeeper, Refused
from adapters.teams.directory import TeamsDirectory
from adapters.teams.turns import Turns
from adapters.teams.wire import Incoming, parse
from bot.errors import SurveybotError, Unavailable, loggable
from bot.ports import Store

PATH = "/teams/messages"
#: A message is at most 100 KB (reference teams.md 2.6); its JSON escapes may take more.
LONGEST_BODY_BYTES = 500_000
#: What takes longer is answered by a message: Teams delivers again after 15 seconds, and tells the person that nothing came.
_MOMENT_SECONDS = 8

Work = Callable[[], Awaitable[None]]

log = logging.getLogger(__name__)


class Inbound:
    """`moment_seconds` is how long a pressed button may wait for its page."""

    def __init__(
        self,
        doorkeeper: Doorkeeper,
        directory: TeamsDirectory,
        turns: Turns,
        store: Store,
        clock: Callable[[], datetime],
        *,
        moment_seconds: float = _MOMENT_SECONDS,
    ) -> None:
        self._doorkeeper = doorkeeper
        self._directory = directory
        self._turns = turns
        self._store = store
        self._clock = clock
        self._moment_seconds = moment_seconds
        self._sdk: Any = CloudAdapterBase(cast("Any", _Admitted()))

    def routes(self) -> list[Route]:
        """Return the one URL that is set as the bot's messaging endpoint."""
        return [Route(PATH, self._receive, methods=["POST"])]

    async def _receive(self, request: Request) -> Response:
        if not request.headers.get("content-type", "").startswith("application/json"):
            return Response(status_code=HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
        body = await whole_body(request, LONGEST_BODY_BYTES)
        if body is None:
            return Response(status_code=HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        try:
            incoming = parse(body)
            admitted = await self._doorkeeper.admit(incoming, request.headers.get("authorization", ""))
            return await self._turn(incoming, admitted)
        except ValueError:
            return Response(status_code=HTTPStatus.BAD_REQUEST)
        except Refused as refusal:
            return Response(status_code=refusal.status)
        except Unavailable as error:  # Teams delivers once more
            log.warning("teams.not_received", extra=loggable(error))
            return Response(status_code=HTTPStatus.SERVICE_UNAVAILABLE)

    async def _turn(self, incoming: Incoming, admitted: AuthenticateRequestResult) -> Response:
        later: list[Work] = []

        async def turn(context: TurnContext) -> None:
            key = f"teams:{incoming.conversation.id}:{incoming.id}"
            is_new = await self._store.write(lambda uow: uow.inbox.first_time(key, self._clock()))
            if incoming.type == "invoke":
                body, work = await self._invoked(incoming) if is_new else (self._turns.nothing(incoming), None)
                await context.send_activity(Activity(type="invokeResponse", value=InvokeResponse(status=HTTPStatus.OK, body=body)))
            else:
                work = await self._heard(incoming) if is_new else None
            later.extend([work] if work else [])

        admitted.connector_factory = _NoConnector()
        answer = await self._sdk.process_activity(admitted, _activity(incoming), turn)
        background = BackgroundTask(_logged, incoming, later[0]) if later else None
        if answer is None:
            return Response(status_code=HTTPStatus.ACCEPTED, background=background)
        return JSONResponse(answer.body, int(answer.status), background=background)

    async def _invoked(self, incoming: Incoming) -> tuple[dict[str, Any], Work | None]:
        await self._directory.note(incoming)
        try:
            async with asyncio.timeout(self._moment_seconds):
                return await self._turns.pressed(incoming), None
        except TimeoutError:
            return self._turns.follows(incoming), lambda: self._turns.said(incoming)

    async def _heard(self, incoming: Incoming) -> Work | None:
        """Return what is to be done once Teams has its answer."""
        match incoming.type, incoming.action:
            case "installationUpdate", "remove":
                await self._directory.forget(incoming)
                return None
            case "installationUpdate", "remove-upgrade":
                return None
            case _:
                is_new = await self._directory.note(incoming)
        match incoming.type:
            case "message":
                return lambda: self._turns.said(incoming)
            case "installationUpdate" | "conversationUpdate":
                return lambda: self._turns.added(incoming, is_new=is_new and incoming.action != "add-upgrade")
            case _:
                return None


async def _logged(incoming: Incoming, work: Work) -> None:
    try:
        await work()
    except SurveybotError as error:
        log.warning("teams.not_answered", extra={"what": incoming.type, **loggable(error)})
    except Exception as error:  # noqa: BLE001 - Teams has its answer; nobody else would say it
        log.error("teams.failed", extra={"what": incoming.type, **loggable(error)})  # noqa: TRY400 - a traceback quotes data


def _activity(incoming: Incoming) -> Activity:
    """As much of it as the SDK needs for a turn: its own parsing stumbles over much, and loses the tenant."""
    conversation = ConversationAccount(id=incoming.conversation.id)
    return Activity(type=incoming.type, id=incoming.id, channel_id=incoming.channel_id, conversation=conversation)


class _Admitted:
    """As much of the SDK's authentication as turns of admitted activities need."""

    async def create_user_token_client(self, _identity: object) -> None:
        """People do not sign in."""


class _NoConnector(ConnectorFactory):
    """The SDK would open a client for every activity."""

    async def create(self, service_url: str, audience: str | None = None) -> Any:  # noqa: ANN401, ARG002 - the SDK's
        return self
