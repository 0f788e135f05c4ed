"""A store that has been in use: a million invitations of 10,000 people, of which a few are due for a reminder now.

Distribution d belongs to survey d // 5 and went to the 1,000 people of block d % 10, so everybody has 100 invitations to 100 surveys, 60 of
them unanswered. 22 in 1,000 distributions close within 24 hours (all but 12 of their 13,200 unanswered invitations were noticed),
645 close later, and 333 are over. These are the proportions of reference performance.md 6.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import TextClause, text

from bot.messages import Member, MemberKind
from bot.model import Anonymity, Distribution, LinkType, Survey, SurveyDetails
from bot.ports import UnitOfWork
from store.unit_of_work import SqlStore
from tests.benchmarks.databases import keyring
from tests.unit.core.examples import an_integration

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
CONTACTS = 1000
BLOCKS = 10
PEOPLE = CONTACTS * BLOCKS
DUE = 12
_DAY = timedelta(days=1)
_MONTH_AGO = NOW - 30 * _DAY

_PEOPLE = text(
    """
    WITH RECURSIVE numbers(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < :count)
    INSERT INTO people (person_id, email) SELECT n + 1, 'person' || n || '@example.com' FROM numbers
    """
)
_INVITATIONS = text(
    """
    WITH RECURSIVE numbers(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < :count)
    INSERT INTO invitations (distribution_key, contact_id, survey_key, person_id, status, mailed, sent_at, completed_at, link, notice_at)
    SELECT key, 'CID_' || (100000000000000 + n % 1000), survey_key, (key - 1) % 10 * 1000 + n % 1000 + 1,
           CASE WHEN n % 10 < 4 THEN 'SurveyFinished' ELSE 'Success' END, TRUE, send_date, CASE WHEN n % 10 < 4 THEN send_date END, :link,
           CASE WHEN n % 10 >= 4 AND (link_expires_at - 86400000 > :now OR key = 1 AND n % 1000 < 20) THEN link_expires_at - 86400000 END
    FROM numbers JOIN distributions ON key = n / 1000 + 1
    """
)
_NOTICED = text(
    """
    INSERT INTO outbox (event_key, kind, integration_id, survey_id, person_id, state, due_at, attempt, created_at, finished_at)
    SELECT 'survey.closing:' || survey_id || ':' || person_id || ':' || (d.link_expires_at / 1000), 'survey.closing', 'main', survey_id,
           person_id, 'sent', :now, 1, :now, :now
    FROM invitations i JOIN distributions d ON d.key = i.distribution_key JOIN surveys s ON s.key = i.survey_key
    WHERE status = 'Success' AND notice_at IS NULL AND d.link_expires_at > :now
    """
)


def fill(url: str, distributions: int) -> None:
    asyncio.run(_fill(url, distributions))


def member(number: int) -> Member:
    """The chat account of a person, who are numbered from 0."""
    return Member(workspace_id="T1", user_id=f"U{number}", kind=MemberKind.MEMBER, email=f"person{number}@example.com")


def open_surveys(number: int, distributions: int) -> int:
    """How many surveys a person can answer; `number` counts from 0."""
    if number % 10 < 4:
        return 0
    return sum(_lives(d * 1000 // distributions, d) > timedelta(0) for d in range(number // CONTACTS, distributions, BLOCKS))


async def _fill(url: str, distributions: int) -> None:
    def work(uow: UnitOfWork) -> None:
        uow.integrations.save(an_integration("main"))
        uow.integrations.set_baseline("main", _MONTH_AGO)
        uow.surveys.save("main", [_survey(number) for number in range(distributions // 5)], NOW)
        for number in range(distributions // 5):
            uow.surveys.save_details("main", _survey(number).survey_id, _DETAILS, _MONTH_AGO)
        uow.distributions.save("main", [_distribution(number, distributions) for number in range(distributions)])
        _execute(uow, _PEOPLE, count=PEOPLE)
        # As long as an encrypted link: key's id, nonce, 110 characters, tag.
        _execute(uow, _INVITATIONS, count=distributions * CONTACTS, now=epoch_ms(NOW), link=bytes(145))
        _execute(uow, _NOTICED, now=epoch_ms(NOW))

    store = SqlStore(url, keyring())
    await store.write(work)
    await store.write(lambda uow: _execute(uow, text("ANALYZE")) if url.startswith("postgresql") else None)
    await store.close()


def _execute(uow: Any, statement: TextClause, **values: object) -> None:
    uow.invitations.connection.execute(statement, values)


def epoch_ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)


_DETAILS = SurveyDetails(ends_at=None, anonymity=Anonymity.ANONYMIZED)


def _survey(number: int) -> Survey:
    return Survey(survey_id=f"SV_{number:015d}", name=f"Survey {number}", owner_id="UR_1", is_active=True, last_modified=_MONTH_AGO)


def _distribution(number: int, of: int) -> Distribution:
    return Distribution(
        distribution_id=f"EMD_{number:015d}",
        survey_id=_survey(number // 5).survey_id,
        parent_id=None,
        owner_id="UR_1",
        request_type="Invite",
        request_status="Done",
        send_date=_MONTH_AGO,
        sender_name="People team",
        link_type=LinkType.INDIVIDUAL,
        link_expires_at=NOW + _lives(number * 1000 // of, number),
    )


def _lives(share: int, number: int) -> timedelta:
    """How long the links of a distribution live from NOW on, by its place among 1,000."""
    if share < 22:
        return timedelta(hours=1 + number % 22)
    if share < 667:
        return 2 * _DAY + timedelta(hours=number % (28 * 24))
    return -timedelta(hours=1 + number % (14 * 24))
