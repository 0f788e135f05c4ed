"""How long sending will take: an honest estimate from what waits and what the platform allows now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.ports import UnitOfWork
from bot.ports.records import Throttle

#: How many messages a minute leave for a workspace, by its id.
Rate = Callable[[str], float]

#: Of what is allowed, so much is used (store/gates.py).
_USED = 0.97
#: After a refusal half of that is used, and so much more with each quiet minute.
_RECOVERED_A_MINUTE = 0.05

_SENDING = "sending:"


def slowly(_workspace_id: str) -> float:
    """Three a second, of the "several hundred" that Slack allows a workspace (reference slack.md 3)."""
    return 180.0


def gate_of(workspace_id: str) -> str:
    """Name the limit that all senders of a workspace share."""
    return f"{_SENDING}{workspace_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """What waits to be sent in one workspace."""

    workspace_id: str
    messages: int
    takes: timedelta


def backlogs(uow: UnitOfWork, now: datetime, per_minute: Rate) -> Sequence[Backlog]:
    """By workspace. What waits for nobody's workspace is settled without a message."""
    waiting: Counter[str] = Counter()
    for queue in uow.outbox.queues(now):
        if queue.workspace_id is not None:
            waiting[queue.workspace_id] += queue.due
    throttles = uow.figures.throttles([gate_of(it) for it in waiting], now)
    return [
        Backlog(workspace_id=it, messages=number, takes=takes(number, per_minute(it), throttles.get(gate_of(it), Throttle())))
        for it, number in sorted(waiting.items())
    ]


def takes(messages: int, per_minute: float, throttle: Throttle) -> timedelta:
    """How long so many messages take when nothing else goes wrong. Pure."""
    minutes, share = throttle.closed_seconds / 60, throttle.share
    left = float(messages)
    while share < 1 and left > share * per_minute * _USED:
        left -= share * per_minute * _USED
        share = min(1.0, share + _RECOVERED_A_MINUTE)
        minutes += 1
    return timedelta(minutes=minutes + left / (share * per_minute * _USED))
