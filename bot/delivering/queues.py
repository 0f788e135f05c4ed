"""Whose turn it is: what is urgent first, and every survey in turn, so that a large one does not starve a small one. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from itertools import count
from typing import NamedTuple

from bot.events import EventKind
from bot.messages import Queue
from bot.rules import NOTICE

_NEVER = datetime.max.replace(tzinfo=UTC)


class _Flow(NamedTuple):
    survey_id: str
    kind: EventKind


class Turns:
    """The queues of one workspace, served in turn."""

    def __init__(self) -> None:
        self._numbers = count(1)
        #: When each was served last.
        self._served: dict[_Flow, int] = {}

    def next(self, queues: Collection[Queue], now: datetime) -> Queue:
        """Return the queue to serve: of the urgent ones, if there are any, the one that waits longest; of equals the one that closes first.

        `queues` is not empty. Urgent are reminders, and whatever closes within NOTICE.
        """
        urgent = [queue for queue in queues if is_urgent(queue, now)]
        chosen = min(urgent or queues, key=lambda queue: (self._served.get(_flow(queue), 0), queue.closes_at or _NEVER))
        self._served[_flow(chosen)] = next(self._numbers)
        return chosen


def is_urgent(queue: Queue, now: datetime) -> bool:
    return queue.kind is EventKind.SURVEY_CLOSING or (queue.closes_at is not None and queue.closes_at - NOTICE <= now)


def due_in(queues: Sequence[Queue], workspace_id: str | None) -> Sequence[Queue]:
    return [queue for queue in queues if queue.workspace_id == workspace_id]


def _flow(queue: Queue) -> _Flow:
    return _Flow(queue.survey_id, queue.kind)
