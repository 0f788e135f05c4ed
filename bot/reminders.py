"""Reminders: find whose deadline has come near, and put a message for each of them into the outbox."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bot import rules
from bot.model import Invitation, Survey
from bot.ports import Store, UnitOfWork

#: Invitations looked at in one transaction.
ROWS_PER_TRANSACTION = 500


async def remind_due(store: Store, now: datetime) -> int:
    """Add a closing event for everybody who is due; returns how many. Missed ticks, restarts and moved deadlines catch up by themselves."""
    told = 0
    while True:
        found, added = await store.write(lambda uow: _remind(uow, now))
        told += added
        if found < ROWS_PER_TRANSACTION:
            return told


def _remind(uow: UnitOfWork, now: datetime) -> tuple[int, int]:
    due = uow.invitations.due(now, ROWS_PER_TRANSACTION)
    uow.invitations.clear_notice(due)
    by_survey: dict[tuple[str, str], list[Invitation]] = {}
    for invitation in due:
        by_survey.setdefault((invitation.integration_id, invitation.survey_id), []).append(invitation)
    baselines = {integration.integration_id: integration.baseline_at for integration in uow.integrations.all()} if due else {}
    added = 0
    for (integration_id, survey_id), invitations in by_survey.items():
        survey = uow.surveys.get(integration_id, [survey_id])[survey_id]
        added += _remind_about(uow, survey, invitations, baselines[integration_id], now)
    return len(due), added


def _remind_about(uow: UnitOfWork, survey: Survey, due: Sequence[Invitation], baseline_at: datetime | None, now: datetime) -> int:
    people = {invitation.person_id for invitation in due if invitation.person_id is not None}
    added = 0
    for person_id, invitations in uow.invitations.of_people(survey.survey_id, people).items():
        asked = rules.participation(survey, invitations, now)
        told_at = uow.outbox.told_at(rules.invitation_event(person_id, asked)) if asked else None
        event = rules.closing(person_id, asked, now, told_at=told_at, baseline_at=baseline_at)
        added += event is not None and uow.outbox.add(event, now)
    return added
