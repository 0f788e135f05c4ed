"""Reminders: find whose deadline has come near, and put a message for each of them into the outbox."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from bot import participations, rules
from bot.events import EventKind
from bot.ports import Store, UnitOfWork
from bot.syncing.status import is_held

#: Invitations looked at in one transaction.
ROWS_PER_TRANSACTION = 500


async def remind_due(store: Store, now: datetime) -> int:
    """Add a closing event for everybody who is due; returns how many. Missed ticks, restarts and moved deadlines catch up by themselves.

    While an integration is not read (it is paused, its credentials are refused, a veto waits, or was approved just now) nobody knows who
    has answered: its notices wait until it was.
    """
    told = 0
    while True:
        found, added = await store.write(lambda uow: _remind(uow, now))
        told += added
        if found < ROWS_PER_TRANSACTION:
            return told


def _remind(uow: UnitOfWork, now: datetime) -> tuple[int, int]:
    integrations = uow.integrations.all()
    due = uow.invitations.due(now, ROWS_PER_TRANSACTION, [it.integration_id for it in integrations if is_held(uow, it)])
    uow.invitations.clear_notice(due)
    by_survey: dict[str, set[int]] = {}
    for invitation in due:
        if invitation.person_id is not None:
            by_survey.setdefault(invitation.survey_id, set()).add(invitation.person_id)
    baselines = {integration.integration_id: integration.baseline_at for integration in integrations}
    return len(due), sum(_remind_about(uow, survey_id, people, baselines, now) for survey_id, people in by_survey.items())


def _remind_about(uow: UnitOfWork, survey_id: str, people: Collection[int], baselines: Mapping[str, datetime | None], now: datetime) -> int:
    invited = uow.outbox.last_told(EventKind.SURVEY_INVITED, survey_id, people)
    reminded = uow.outbox.last_told(EventKind.SURVEY_CLOSING, survey_id, people)
    events = (
        rules.closing(
            person_id,
            asked,
            now,
            invited_at=invited.get(person_id),
            reminded_at=reminded.get(person_id),
            baseline_at=baselines[asked.invitation.integration_id],
        )
        for person_id, asked in participations.in_survey(uow, survey_id, people, now).items()
    )
    return uow.outbox.add([event for event in events if event is not None], now)
