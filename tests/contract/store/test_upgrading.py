"""A database of an earlier version is upgraded with everything that is in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from alembic import command
from sqlalchemy import Connection, text

from store import migrations
from store.engine import connect
from store.tables import METADATA

#: A row in every table of revision 0001, in an order in which each finds what it refers to.
ROWS_0001: dict[str, dict[str, Any]] = {
    "inbox": {"key": "Ev1", "seen_at": 1},
    "integrations": {"integration_id": "main", "name": "Main", "baseline_at": 2},
    "members": {"workspace_id": "T1", "user_id": "U1", "kind": "member", "email": "ada@example.org", "zone": "UTC", "locale": "en"},
    "people": {"person_id": 7, "email": "ada@example.org"},
    "outbox": {
        "delivery_id": 8,
        "event_key": "k",
        "kind": "survey.invited",
        "integration_id": "main",
        "survey_id": "SV_1",
        "person_id": 7,
        "state": "sent",
        "due_at": 3,
        "attempt": 1,
        "created_at": 3,
        "finished_at": 4,
    },
    "runs": {"run_id": 9, "integration_id": "main", "kind": "full", "started_at": 5, "finished_at": 6, "outcome": "ok"}
    | dict.fromkeys(("surveys", "distributions", "invitations", "changed", "skipped", "told"), 10),
    "surveys": {
        "key": 11,
        "integration_id": "main",
        "survey_id": "SV_1",
        "name": "Pulse",
        "owner_id": "UR_1",
        "is_active": True,
        "last_modified": 12,
        "seen_at": 13,
    },
    "users": {"integration_id": "main", "user_id": "UR_1", "first_name": "Ada", "last_name": "L", "is_active": True},
    "distributions": {
        "key": 14,
        "integration_id": "main",
        "distribution_id": "EMD_1",
        "survey_key": 11,
        "owner_id": "UR_1",
        "request_type": "Invite",
        "request_status": "Done",
        "link_type": "Individual",
    }
    | dict.fromkeys(("sent", "failed", "started", "bounced", "opened", "skipped", "finished", "complaints", "blocked"), 15),
    "invitations": {
        "distribution_key": 14,
        "contact_id": "CID_1",
        "survey_key": 11,
        "person_id": 7,
        "status": "Success",
        "mailed": True,
        "link": b"sealed",
    },
}
#: What later revisions say of them beside.
ADDED: dict[str, dict[str, Any]] = {
    "integrations": {
        "base_url": "",
        "timeout_seconds": 120,
        "connect_timeout_seconds": 10,
        "keeps_request_log": True,
        "full_sync": "1 h",
        "incremental_sync": "15 min",
        "sweep_sync": "daily",
        "mass_closure_share": 0.2,
        "group_size": 5,
        "shows_people": False,
        "is_paused": True,
    },
    "distributions": {"is_deleted": False},
    "members": {"has_unconfirmed_email": False},
    "runs": {"calls": 0, "resumed": 0},
}


def test_rows_of_revision_0001_are_kept(empty_database_url: str) -> None:
    _upgrade_to(empty_database_url, "0001")
    _insert(empty_database_url)
    migrations.upgrade(empty_database_url)

    engine = connect(empty_database_url, read_only=True, connections=1)
    with engine.begin() as connection:
        for table, row in ROWS_0001.items():
            assert _known(connection, table) == [row | ADDED.get(table, {})]
        assert _broken_references(connection) == []
    engine.dispose()


def test_what_was_being_sent_before_messages_had_keys_is_not_looked_for_and_so_not_sent_again(empty_database_url: str) -> None:
    _upgrade_to(empty_database_url, "0001")
    sending = {"delivery_id": 9, "event_key": "k2", "state": "sending", "lease_until": 5, "lease_owner": "dead"}
    row = {name: value for name, value in (ROWS_0001["outbox"] | sending).items() if name != "finished_at"}
    _insert(empty_database_url, ROWS_0001 | {"outbox": row})
    migrations.upgrade(empty_database_url)
    engine = connect(empty_database_url, read_only=True, connections=1)
    with engine.begin() as connection:
        (found,) = _known(connection, "outbox")
    engine.dispose()
    assert (found["state"], found["finished_at"], "in the middle" in found["reason"]) == ("unknown", 5, True)


def test_what_people_and_channels_chose_before_they_could_choose_more_is_kept(empty_database_url: str) -> None:
    """Owners are told as before; a share of problems, which nobody had chosen, is the settings' from now on."""
    _upgrade_to(empty_database_url, "0013")
    person = {"people": ROWS_0001["people"]}
    chose = {"preferences": {"person_id": 7, "new_surveys": True, "reminders": False, "place": "teams", "changed_at": 1}}
    hours = {"zone": "UTC", "weekday": 0, "weekly_at": "09:00", "works_from": "09:00", "works_until": "17:00"}
    channel = {"subscription_id": 9, "workspace_id": "T1", "channel_id": "C1", "subject": "all", "features": "launch", "creator_id": "U1"}
    told = {"subscriptions": channel | hours | {"created_at": 2}}
    _insert(empty_database_url, person | chose | {"subscriptions": told["subscriptions"] | {"problem_share": 0.05}})
    migrations.upgrade(empty_database_url)
    engine = connect(empty_database_url, read_only=True, connections=1)
    with engine.begin() as connection:
        assert _known(connection, "preferences") == [chose["preferences"] | {"own_surveys": True}]
        assert _known(connection, "subscriptions") == [told["subscriptions"]]
        assert _broken_references(connection) == []
    engine.dispose()


def test_references_are_watched_again_after_the_upgrade(empty_database_url: str) -> None:
    _upgrade_to(empty_database_url, "0001")
    _insert(empty_database_url)
    migrations.upgrade(empty_database_url)
    engine = connect(empty_database_url, read_only=False, connections=1)
    for table in ("integrations", "surveys", "distributions", "people"):
        with pytest.raises(Exception, match=r"(?i)foreign key"), engine.begin() as connection:
            connection.execute(text(f"DELETE FROM {table}"))  # noqa: S608 - our own names
    engine.dispose()


def _upgrade_to(url: str, revision: str) -> None:
    with migrations._connected(url) as connection:
        command.upgrade(migrations._config(connection), revision)


def _insert(url: str, rows: Mapping[str, dict[str, Any]] = ROWS_0001) -> None:
    engine = connect(url, read_only=False, connections=1)
    with engine.begin() as connection:
        for table, row in rows.items():
            names, values = ", ".join(row), ", ".join(f":{name}" for name in row)
            connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({values})"), row)  # noqa: S608 - our own names
    engine.dispose()


def _known(connection: Connection, table: str) -> list[dict[str, Any]]:
    """All rows, without what is NULL."""
    rows = connection.execute(text(f"SELECT * FROM {table}")).mappings()  # noqa: S608 - our own names
    return [{name: value for name, value in row.items() if value is not None} for row in rows]


def _broken_references(connection: Connection) -> list[Any]:
    """PostgreSQL would have refused them."""
    assert set(METADATA.tables) > ROWS_0001.keys()
    return list(connection.execute(text("PRAGMA foreign_key_check"))) if connection.dialect.name == "sqlite" else []
