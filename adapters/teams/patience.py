"""What somebody waits for is tried again where Teams has not done it: a rush, or a moment's trouble, is no reason to stay silent."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

import stamina

from bot.errors import Unavailable

T = TypeVar("T")

#: Longer pauses are not waited out: who asked has gone on to something else.
_LONGEST_PAUSE_SECONDS = 20.0


async def patiently(work: Callable[[], Awaitable[T]]) -> T:
    """Return what `work` does. Raises as it does, Unavailable only after a while."""
    async for attempt in stamina.retry_context(on=_pause, attempts=4, wait_initial=1.0, wait_max=8.0):
        with attempt:
            return await work()
    raise AssertionError("the last attempt raises")


def _pause(error: Exception) -> bool | float:
    if not isinstance(error, Unavailable):
        return False
    if error.retry_after is None:
        return True
    return error.retry_after if error.retry_after <= _LONGEST_PAUSE_SECONDS else False
