"""Keeps the request log out of the requests' way: lines wait in memory until they are written all at once (FEATURES A5)."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable

from bot.errors import Unavailable
from bot.ports import Store, UnitOfWork
from bot.records import RequestLine

#: Of these, the oldest give way: more is not asked of Qualtrics in three minutes.
_ROOM = 10_000


class RequestLog:
    """What is not flushed is lost with the process."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: deque[tuple[str, RequestLine]] = deque(maxlen=_ROOM)

    def sink(self, integration_id: str) -> Callable[[RequestLine], None]:
        """What a client of this integration tells its requests to; it costs nothing and never fails."""
        return lambda line: self._waiting.append((integration_id, line))

    async def flush(self) -> None:
        """Write what waits in one transaction. Raises Unavailable, and then all of it waits on."""
        if not self._waiting:
            return
        taken, self._waiting = self._waiting, deque(maxlen=_ROOM)
        try:
            await self._store.write(lambda uow: _add(uow, taken))
        except Unavailable:
            self._waiting = deque([*taken, *self._waiting], maxlen=_ROOM)
            raise


def _add(uow: UnitOfWork, taken: deque[tuple[str, RequestLine]]) -> None:
    """Lines of an integration that was removed meanwhile have nowhere to go."""
    known = {integration.integration_id for integration in uow.integrations.all()}
    lines: defaultdict[str, list[RequestLine]] = defaultdict(list)
    for integration_id, line in taken:
        lines[integration_id].append(line)
    for integration_id in known & lines.keys():
        uow.requests.add(integration_id, lines[integration_id])
