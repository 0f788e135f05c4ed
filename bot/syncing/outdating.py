"""Which sent messages no longer show the truth, when somebody's own participation moves (bot/delivering/living.py then edits them)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from bot.messages import Shown
from bot.ports import UnitOfWork
from bot.rules import Participation, State

#: Several changes within this are one edit.
DEBOUNCE = timedelta(seconds=20)
#: What is shown when there is nothing to answer (any more).
ENDS: Mapping[State, Shown] = {State.ANSWERED: Shown.ANSWERED, State.EXPIRED: Shown.EXPIRED, State.CLOSED: Shown.WITHDRAWN}
_WHILE_OPEN = frozenset({Shown.OPEN, Shown.FOLLOWED})


def outdate(uow: UnitOfWork, survey_id: str, found: Mapping[int, Participation], now: datetime) -> None:
    """Have the messages to these people looked at that show another state, in the transaction that stored how theirs moved."""
    for state in State:
        right = {ENDS[state]} if state in ENDS else _WHILE_OPEN
        if people := [person_id for person_id, asked in found.items() if asked.state is state]:
            uow.sent.outdate(survey_id, people, right, now + DEBOUNCE)
