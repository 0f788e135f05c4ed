"""Time that passes as soon as nobody has anything left to do, for an event loop and for the database it asks."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine, Mapping, Sequence
from concurrent.futures import Executor, Future
from typing import Any, ParamSpec, TypeVar

from sqlalchemy import BigInteger, bindparam

from store.gates import Limit, SqlGates, Taken, Wait

P = ParamSpec("P")
T = TypeVar("T")


class _Leaping(selectors.DefaultSelector):
    """Never sleeps: what it was to wait becomes the time that has passed. All else takes a microsecond, so that time passes at all."""

    now = 1_800_000_000.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        assert ready or timeout is not None, "everybody waits for somebody else"
        self.now += 1e-6 if ready else max(1e-6, timeout or 0)
        return ready


class SimulatedLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._leaping = _Leaping()
        super().__init__(self._leaping)

    def time(self) -> float:
        return self._leaping.now


class _Inline(Executor):
    """A thread would not be waited for."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        done = Future[T]()
        try:
            done.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - as every executor does
            done.set_exception(error)
        return done


class SimulatedGates(SqlGates):
    """The gates of a real database, asked in the loop's own thread, by the loop's own clock. Keeps what was granted."""

    def __init__(self, url: str) -> None:
        loop = asyncio.get_running_loop()
        super().__init__(url, now=bindparam("now", callable_=lambda: round(loop.time() * 1_000_000), type_=BigInteger))
        self._thread = _Inline()  # pyright: ignore[reportAttributeAccessIssue]
        self.asked = 0
        self.granted: list[tuple[float, Sequence[Limit]]] = []

    async def take(self, limits: Sequence[Limit]) -> Taken | Wait:
        answer = await super().take(limits)
        self.asked += 1
        if isinstance(answer, Taken):
            self.granted.append((answer.at, limits))
        return answer

    def instants(self) -> Mapping[Limit, list[float]]:
        """When calls of each limit were granted."""
        limits = {limit for _, limits in self.granted for limit in limits}
        return {limit: [at for at, theirs in self.granted if limit in theirs] for limit in limits}


def run(work: Coroutine[Any, Any, T]) -> T:
    with asyncio.Runner(loop_factory=SimulatedLoop) as runner:
        return runner.run(work)
