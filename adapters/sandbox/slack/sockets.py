"""Socket Mode: WebSockets on which the app hears what is otherwise posted to it (https://docs.slack.dev/apis/events-api/using-socket-mode)."""

from __future__ import annotations

import asyncio
import json
import secrets
from dataclasses import dataclass, field
from typing import Literal

from starlette.websockets import WebSocket, WebSocketDisconnect

from adapters.sandbox.slack.errors import MethodError
from adapters.sandbox.slack.records import Json

PATH = "/link"
_MAX_CONNECTIONS = 10


@dataclass(slots=True, eq=False)
class _Connection:
    socket: WebSocket
    #: By envelope id: where its acknowledgement is waited for.
    waiting: dict[str, asyncio.Future[Json]] = field(default_factory=dict[str, "asyncio.Future[Json]"])


class Sockets:
    """The open connections of one app. Each envelope goes to one of them, in turn (Slack: at random)."""

    def __init__(self, app_id: str) -> None:
        self._app_id = app_id
        self._tickets: set[str] = set()
        self._open: list[_Connection] = []
        self._changed = asyncio.Event()

    @property
    def is_open(self) -> bool:
        return bool(self._open)

    def new_path(self) -> str:
        """Where one more connection may be opened, once. Raises MethodError when there are ten."""
        if len(self._open) >= _MAX_CONNECTIONS:
            raise MethodError("too_many_websockets")
        ticket = secrets.token_hex(16)
        self._tickets.add(ticket)
        return f"{PATH}?ticket={ticket}&app_id={self._app_id}"

    async def serve(self, socket: WebSocket) -> None:
        """Hold one connection until either side ends it."""
        ticket = socket.query_params.get("ticket", "")
        if ticket not in self._tickets:
            await socket.close()
            return
        self._tickets.remove(ticket)
        await socket.accept()
        connection = _Connection(socket)
        self._open.append(connection)
        try:
            await socket.send_json(self._hello())
            self._tell()
            while True:
                self._acknowledge(connection, await socket.receive_text())
        except (WebSocketDisconnect, RuntimeError):
            pass  # one of the sides ended it
        finally:
            self._forget(connection)

    async def send(self, envelope: Json) -> Json:
        """Send on one connection and return the payload of the acknowledgement. Raises ConnectionError when none is open or it ends."""
        if not self._open:
            raise ConnectionError("no connection is open")
        connection = self._open.pop(0)
        self._open.append(connection)
        envelope_id = secrets.token_hex(16)
        acknowledged = connection.waiting[envelope_id] = asyncio.get_running_loop().create_future()
        try:
            await connection.socket.send_json(envelope | {"envelope_id": envelope_id})
            return await acknowledged
        finally:
            connection.waiting.pop(envelope_id, None)

    async def disconnect(self, reason: Literal["warning", "refresh_requested", "link_disabled"]) -> None:
        """Tell every connection that it is to be replaced. After a warning it goes on for a while, otherwise it is sent nothing more.

        Its client closes it: closed from here at once, the SDK would replace it twice, and lose what came on the first one meanwhile.
        """
        for connection in list(self._open):
            await connection.socket.send_json({"type": "disconnect", "reason": reason, "debug_info": {"host": "sandbox"}})
            if reason != "warning":
                self._forget(connection)
            if reason == "link_disabled":
                await connection.socket.close()

    async def opened(self, count: int = 1) -> None:
        """Wait until so many connections are open."""
        while len(self._open) < count:
            await self._changed.wait()

    def _hello(self) -> Json:
        return {
            "type": "hello",
            "num_connections": len(self._open),
            "connection_info": {"app_id": self._app_id},
            "debug_info": {"host": "sandbox", "build_number": 1, "approximate_connection_time": 18_060},
        }

    def _acknowledge(self, connection: _Connection, text: str) -> None:
        answer: Json = json.loads(text)
        waiting = connection.waiting.get(str(answer.get("envelope_id")))
        if waiting is not None and not waiting.done():
            waiting.set_result(answer.get("payload") or {})

    def _forget(self, connection: _Connection) -> None:
        if connection in self._open:
            self._open.remove(connection)
        for waiting in connection.waiting.values():
            if not waiting.done():
                waiting.set_exception(ConnectionError("the connection ended before an acknowledgement"))
        self._tell()

    def _tell(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
