"""What comes in from Teams: checked, remembered, answered within its 15 seconds or later by a message.

The SDK's own HTTP entry, `CloudAdapter.process`, answers 500 to every press of a button (reference teams.md 2.2).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
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
from adapters.teams import turns
from adapters.teams.authentication import Doorkeeper, Refused
from adapters.teams.directory import TeamsDirectory
from adapters.teams.turns import Answer, Turns
from adapters.teams.wire import Incoming, parse
from bot.errors import SurveybotError, Unavailable, loggable
from bot.ports import Store, UnitOfWork
from bot.subscriptions import Paused

PATH = "/teams/messages"
#: A message is at most 100 KB (reference teams.md 2.6); its JSON escapes may take more.
LONGEST_BODY_BYTES = 500_000
#: What takes longer is answered by a message: Teams delivers again after 15 seconds, and tells the person that nothing came.
_MOMENT_SECONDS = 8
#: The name of the invoke that a pressed `Action.Execute` is.
_PRESS = "adaptiveCard/action"

Work = Callable[[], Awaitable[None]]

log = logging.getLogger(__name__)


class Inbound:
    """`moment_seconds` is how long a pressed button may wait for its page."""

    def __init__(
        self,
        doorkeeper: Doorkeeper,
        directory: TeamsDirectory,
        answering: Turns,
        store: Store,
        clock: Callable[[], datetime],
        *,
        moment_seconds: float = _MOMENT_SECONDS,
    ) -> None:
        self._doorkeeper = doorkeeper
        self._directory = directory
        self._turns = answering
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
            if incoming.type == "invoke":
                response, work = await self._invoked(incoming)
                await context.send_activity(Activity(type="invokeResponse", value=response))
            else:
                work = await self._heard(incoming)
            later.extend([work] if work else [])

        admitted.connector_factory = _NoConnector()
        answer = await self._sdk.process_activity(admitted, _activity(incoming), turn)
        background = BackgroundTask(_logged, incoming, later[0]) if later else None
        if answer is None:
            return Response(status_code=HTTPStatus.ACCEPTED, background=background)
        return JSONResponse(answer.body, int(answer.status), background=background)

    async def _invoked(self, incoming: Incoming) -> tuple[InvokeResponse, Work | None]:
        """Return the answer, and what is to be done once Teams has it."""
        if incoming.name != _PRESS:  # as the SDK answers what a bot does not know
            return InvokeResponse(status=HTTPStatus.NOT_IMPLEMENTED), None
        if not (await self._received(incoming)).is_first:
            return InvokeResponse(status=HTTPStatus.OK, body=turns.nothing(incoming)), None
        work = asyncio.create_task(self._turns.pressed(incoming))
        done, _ = await asyncio.wait({work}, timeout=self._moment_seconds)
        if not done:
            return InvokeResponse(status=HTTPStatus.OK, body=turns.follows(incoming)), lambda: self._follow(incoming, work)
        answer = work.result()
        return InvokeResponse(status=HTTPStatus.OK, body=turns.shown(incoming, answer)), lambda: self._turns.visits.came_by(answer.member)

    async def _follow(self, incoming: Incoming, work: asyncio.Task[Answer]) -> None:
        await self._turns.follow(incoming, await work)

    async def _heard(self, incoming: Incoming) -> Work | None:
        """Return what is to be done once Teams has its answer. Bots are not listened to: two of them would never end."""
        if incoming.is_of_a_bot and incoming.type == "message":
            return None
        received = await self._received(incoming)
        match incoming.type:
            case "message" if received.is_first:
                return lambda: self._turns.said(incoming)
            case "installationUpdate" | "conversationUpdate" if received.is_first and (incoming.adds_the_bot or incoming.members_added):
                return lambda: self._turns.added(incoming, is_new=received.is_new)
            case _:
                return None

    async def _received(self, incoming: Incoming) -> _Received:
        """Remember an activity, and where it came from, in one transaction: what is told again after an error is heard again."""
        key = f"teams:{incoming.conversation.id}:{incoming.id}"

        def remember(uow: UnitOfWork) -> _Received:
            if incoming.id and not uow.inbox.first_time(key, self._clock()):
                return _Received(is_first=False)
            if (closed := _closed(incoming)) is not None:
                self._directory.forget(uow, *closed, self._clock())
                return _Received()
            if incoming.action == "remove-upgrade":
                return _Received()
            return _Received(is_new=self._directory.note(uow, incoming))

        return await self._store.write(remember)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Received:
    #: It was not told before.
    is_first: bool = True
    #: Its conversation is new, or comes back to life.
    is_new: bool = False


def _closed(incoming: Incoming) -> tuple[str, Paused] | None:
    """The conversation that the bot is no longer in, by this activity, and why. Both kinds come for it, in no certain order."""
    if incoming.type == "installationUpdate" and incoming.action == "remove":
        return incoming.conversation_id, Paused.REMOVED
    if incoming.type == "conversationUpdate":
        data = incoming.channel_data
        if data and data.event_type == "channelDeleted" and data.channel:
            return data.channel.id, Paused.ARCHIVED
        if data and data.event_type in {"teamDeleted", "teamHardDeleted"}:
            return incoming.conversation_id, Paused.ARCHIVED
        if any(party.id == incoming.recipient.id for party in incoming.members_removed or ()):
            return incoming.conversation_id, Paused.REMOVED
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
