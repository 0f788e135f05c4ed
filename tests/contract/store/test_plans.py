"""The questions asked most often are answered by an index, on both databases."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, event, insert, text

from bot.ports import UnitOfWork
from store import tables
from store.encryption import Keyring
from store.engine import connect
from store.unit_of_work import SqlUnitOfWork
from tests.contract.store.examples import DAY, NOW, furnish

QUESTIONS: dict[str, tuple[Callable[[UnitOfWork], object], str]] = {
    "due": (lambda u: u.invitations.due(NOW, 100), "ix_invitations_notice"),
    "of_people": (lambda u: u.invitations.of_people("SV_1", range(1, 50)), "ix_invitations_person"),
    "of_person": (lambda u: u.invitations.of_person(7), "ix_invitations_person"),
    "by_email": (lambda u: u.members.by_email("7@example.org"), "ix_members_email"),
}


def _fill(connection: Connection, keyring: Keyring) -> None:
    uow = SqlUnitOfWork.over(connection, keyring)
    furnish(uow)
    people = uow.people.ids([f"{number}@example.org" for number in range(4000)])
    survey_key, key = connection.execute(text("SELECT survey_key, key FROM distributions")).one()
    rows = [
        {
            "distribution_key": key,
            "contact_id": f"CID_{person_id}",
            "survey_key": survey_key,
            "person_id": person_id,
            "status": "Success",
            "mailed": True,
            "notice_at": NOW + DAY if person_id % 5 else None,
        }
        for person_id in people.values()
    ]
    connection.execute(insert(tables.invitations), rows)
    members = [
        {"workspace_id": "T1", "user_id": email, "kind": "member", "email": email, "zone": "UTC", "locale": "en"} for email in people
    ]
    connection.execute(insert(tables.members), members)
    connection.execute(text("ANALYZE"))


def _plans(connection: Connection, work: Callable[[], object]) -> str:
    """The plans of all statements that `work` executes."""
    asked: list[tuple[str, Any]] = []

    def listen(_c: object, _cursor: object, statement: str, parameters: Any, *_rest: object) -> None:
        asked.append((statement, parameters))

    event.listen(connection, "before_cursor_execute", listen)
    work()
    event.remove(connection, "before_cursor_execute", listen)
    explain = "EXPLAIN QUERY PLAN " if connection.dialect.name == "sqlite" else "EXPLAIN "
    assert asked
    return "\n".join(
        str(line) for statement, parameters in asked for line in connection.exec_driver_sql(explain + statement, parameters).all()
    )


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_frequent_question_is_answered_by_its_index(database_url: str, keyring: Keyring, question: str) -> None:
    work, index = QUESTIONS[question]
    engine = connect(database_url, read_only=False, connections=1)
    with engine.begin() as connection:
        _fill(connection, keyring)
        plan = _plans(connection, lambda: work(SqlUnitOfWork.over(connection, keyring)))
    engine.dispose()
    assert index in plan, plan
    assert "SCAN invitations" not in plan
    assert "Seq Scan on invitations" not in plan


def test_open_deliveries_are_found_by_the_index_of_open_deliveries(database_url: str, keyring: Keyring) -> None:
    engine = connect(database_url, read_only=False, connections=1)
    with engine.begin() as connection:
        uow = SqlUnitOfWork.over(connection, keyring)
        people = uow.people.ids(["ada@example.org"])
        row = {"kind": "survey.invited", "integration_id": "main", "survey_id": "SV_1", "person_id": people["ada@example.org"]}
        ended = {**row, "state": "sent", "due_at": NOW, "attempt": 1, "created_at": NOW, "finished_at": NOW}
        keys = [str(number) for number in range(4000)]
        connection.execute(insert(tables.events), [{"key": key, "kind": "survey.invited", "added_at": NOW} for key in keys])
        connection.execute(insert(tables.outbox), [{**ended, "event_key": key} for key in keys])
        connection.execute(text("ANALYZE"))
        plan = _plans(connection, lambda: uow.outbox.claim(NOW, owner="a", lease=DAY, limit=10))
    engine.dispose()
    assert "ix_outbox_open" in plan, plan
