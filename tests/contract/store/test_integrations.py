"""Integrations remember what a person set and what the bot found out, apart; their secrets are sealed; and they can go without a trace."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import time, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, text, update

from bot.errors import Malformed
from bot.model import User
from bot.ports import UnitOfWork
from bot.ports.records import Absorbed, Run
from bot.schedule import Every, Schedule, Window
from store import tables
from store.engine import connect
from store.unit_of_work import SqlStore
from tests.contract.store.examples import DAY, NOW, event, furnish, link, row
from tests.unit.core.examples import an_integration

USER = User(user_id="UR_1", email="ada@example.org", first_name="Ada", last_name="L", user_type="UT_BRANDADMIN")
CANARY = "canary-8d1e77"
#: Every setting differs from its default.
SET = an_integration(
    client_id="client",
    requests_per_minute=90.5,
    timeout_seconds=1.5,
    connect_timeout_seconds=2.5,
    keeps_request_log=False,
    schedule=Schedule(
        full=Every(),
        incremental=Every(span=timedelta(minutes=5)),
        sweep=Every(span=timedelta(days=7), weekday=6),
        window=Window(opens=time(22), closes=time(6, 30), zone="Europe/Berlin"),
    ),
    mass_closure_share=0.5,
    group_size=8,
    shows_people=True,
    is_paused=True,
)


async def test_an_integration_comes_back_as_it_was_saved_and_all_of_them_by_their_ids(store: SqlStore) -> None:
    await store.write(lambda u: u.integrations.save(SET))
    assert await store.read(lambda u: u.integrations.get("main")) == SET
    assert await store.read(lambda u: u.integrations.get("branch")) is None
    await store.write(lambda u: u.integrations.save(an_integration("branch")))
    assert await store.read(lambda u: u.integrations.all()) == [an_integration("branch"), SET]


async def test_saving_changes_what_a_person_set_and_keeps_what_the_bot_found_out(store: SqlStore) -> None:
    def found_out(u: UnitOfWork) -> None:
        for name in ("main", "branch"):
            u.integrations.save(an_integration(name))
        u.integrations.set_brand("main", "acme")
        u.integrations.set_brand_host("main", "acme.example")
        u.integrations.set_baseline("main", NOW)
        u.integrations.set_unauthorized("main", NOW + DAY)
        u.integrations.set_secret("main", CANARY)
        u.integrations.set_push_keys("main", ["newer", "older"])

    await store.write(found_out)
    found: dict[str, Any] = {"brand_id": "acme", "brand_host": "acme.example", "baseline_at": NOW, "unauthorized_at": NOW + DAY}
    assert await store.read(lambda u: u.integrations.get("main")) == an_integration(**found)
    await store.write(lambda u: u.integrations.save(SET))
    assert await store.read(lambda u: u.integrations.get("main")) == replace(SET, **found, is_paused=False)
    assert await store.read(lambda u: u.integrations.secret("main")) == CANARY
    assert await store.read(lambda u: u.integrations.push_keys("main")) == ["newer", "older"]
    assert await store.read(lambda u: u.integrations.get("branch")) == an_integration("branch")


@pytest.mark.parametrize(("brand_id", "host"), [("acme", "acme.example"), ("other", None), (None, None)])
async def test_where_a_brands_pages_are_is_known_until_the_brand_is_another_one(
    store: SqlStore, brand_id: str | None, host: str | None
) -> None:
    def learn(u: UnitOfWork) -> None:
        u.integrations.save(an_integration())
        u.integrations.set_brand("main", "acme")
        u.integrations.set_brand_host("main", "acme.example")
        u.integrations.set_brand("main", brand_id)

    await store.write(learn)
    assert await store.read(lambda u: u.integrations.get("main")) == an_integration(brand_id=brand_id, brand_host=host)


async def test_a_change_leaves_the_settings_alone_that_others_changed_since_it_was_begun(store: SqlStore) -> None:
    before = an_integration()
    await store.write(lambda u: u.integrations.save(before))
    window = Schedule(window=Window(opens=time(22), closes=time(6), zone="UTC"))
    await store.write(lambda u: u.integrations.change(before, replace(before, timeout_seconds=7, schedule=window)))
    await store.write(lambda u: u.integrations.set_paused("main", is_paused=True))
    daily = Schedule(full=Every(span=timedelta(days=1)))
    await store.write(lambda u: u.integrations.change(before, replace(before, name="New", schedule=daily)))
    both = replace(window, full=daily.full)
    assert await store.read(lambda u: u.integrations.get("main")) == replace(
        before, name="New", timeout_seconds=7, schedule=both, is_paused=True
    )
    await store.write(lambda u: u.integrations.change(before, before))
    await store.write(lambda u: u.integrations.save(before))
    assert await store.read(lambda u: u.integrations.get("main")) == replace(before, is_paused=True)


async def test_pause_and_refusal_come_and_go(store: SqlStore) -> None:
    await store.write(lambda u: u.integrations.save(an_integration()))
    await store.write(lambda u: u.integrations.set_paused("main", is_paused=True))
    await store.write(lambda u: u.integrations.set_unauthorized("main", NOW))
    assert await store.read(lambda u: u.integrations.get("main")) == an_integration(is_paused=True, unauthorized_at=NOW)
    await store.write(lambda u: u.integrations.set_paused("main", is_paused=False))
    await store.write(lambda u: u.integrations.set_unauthorized("main", None))
    assert await store.read(lambda u: u.integrations.get("main")) == an_integration()


async def test_secrets_are_replaced_and_push_keys_removed(store: SqlStore) -> None:
    await store.write(lambda u: u.integrations.save(an_integration()))
    assert await store.read(lambda u: (u.integrations.secret("main"), u.integrations.push_keys("main"))) == (None, ())
    for secret, keys in (("one", ["a"]), ("two", ["b", "a"]), ("two", [])):
        await store.write(lambda u, secret=secret: u.integrations.set_secret("main", secret))
        await store.write(lambda u, keys=keys: u.integrations.set_push_keys("main", keys))
        assert await store.read(lambda u: u.integrations.secret("main")) == secret
        assert list(await store.read(lambda u: u.integrations.push_keys("main"))) == keys
    assert await store.read(lambda u: (u.integrations.secret("nobody"), u.integrations.push_keys("nobody"))) == (None, ())


async def test_a_sealed_secret_opens_neither_in_another_row_nor_as_something_else(store: SqlStore, database_url: str) -> None:
    await store.write(lambda u: [u.integrations.save(an_integration(name)) for name in ("main", "branch")])
    await store.write(lambda u: u.integrations.set_secret("main", CANARY))
    table = tables.integrations
    engine = connect(database_url, read_only=False, connections=1)
    with engine.begin() as connection:
        sealed = connection.execute(select(table.c.secret).where(table.c.integration_id == "main")).scalar_one()
        connection.execute(update(table).values(push_keys=sealed))
        connection.execute(update(table).where(table.c.integration_id == "branch").values(secret=sealed))
        assert CANARY.encode() not in sealed
    engine.dispose()
    for work in (lambda u: u.integrations.push_keys("main"), lambda u: u.integrations.secret("branch")):
        with pytest.raises(Malformed):
            await store.read(work)
    assert await store.read(lambda u: u.integrations.secret("main")) == CANARY


async def test_removing_takes_so_many_invitations_at_a_time_and_at_last_everything_but_what_was_said(
    store: SqlStore, database_url: str
) -> None:
    for name in ("main", "branch"):
        await store.write(lambda u, name=name: _fill(u, name))
    filled = _counts(database_url)
    branch = {table: number // 2 for table, number in filled.items()}
    assert all(branch[table.name] for table in _SCOPED)

    for left in (3, 1):
        assert await store.write(lambda u: u.integrations.remove("main", 2)) == 2
        assert _counts(database_url) == {**filled, "invitations": 5 + left}
    assert await store.write(lambda u: u.integrations.remove("main", 2)) == 1
    kept = {name: filled[name] for name in ("people", "outbox")}
    assert _counts(database_url) == {**branch, **kept}
    assert await store.write(lambda u: u.integrations.remove("main", 2)) == 0
    assert _counts(database_url) == {**branch, **kept}
    assert await store.read(lambda u: u.integrations.secret("branch")) == CANARY


async def test_an_integration_without_invitations_is_gone_at_once(store: SqlStore) -> None:
    await store.write(lambda u: u.integrations.save(an_integration()))
    assert await store.write(lambda u: u.integrations.remove("main", 10)) == 0
    assert await store.read(lambda u: u.integrations.all()) == []


async def test_whoever_has_several_accounts_is_named_as_in_an_active_one_of_the_first_integration(store: SqlStore) -> None:
    def save(u: UnitOfWork) -> None:
        for name in ("z", "main", "branch"):
            u.integrations.save(an_integration(name))
            u.users.save(name, [replace(USER, first_name=name, is_active=name != "branch")])

    await store.write(save)
    assert await store.read(lambda u: u.users.known_as("ada@example.org")) == "main L"
    assert await store.read(lambda u: u.users.known_as("bob@example.org")) is None


async def test_the_same_accounts_again_change_nothing_and_one_changed_field_changes_one(store: SqlStore) -> None:
    await store.write(lambda u: u.integrations.save(an_integration("main")))
    users = [USER, replace(USER, user_id="UR_2", email=None, user_type=None)]
    assert await store.write(lambda u: u.users.save("main", users)) == Absorbed(seen=2, changed=2)
    assert await store.write(lambda u: u.users.save("main", users)) == Absorbed(seen=2, changed=0)
    users[0] = replace(USER, user_type=None)
    assert await store.write(lambda u: u.users.save("main", users)) == Absorbed(seen=2, changed=1)


_SCOPED = [table for table in tables.METADATA.sorted_tables if "integration_id" in table.c and table.name != "outbox"]
#: Those that the repositories of this test's stores do not fill.
_BY_SQL = (
    "INSERT INTO positions VALUES (:id, 'surveys', NULL, 1, 0, NULL, 0)",
    "INSERT INTO pictures VALUES (:id, 'SV_1', '', '{}')",
    "INSERT INTO refreshes VALUES (:id, 'SV_1', 1, 0, 0)",
    "INSERT INTO day_counts VALUES (:id, 'SV_1', 'EMD_1', 0, '0')",
    "INSERT INTO request_log (integration_id, at, method, path, duration_ms) VALUES (:id, 0, 'GET', '/whoami', 1)",
)


def _fill(u: UnitOfWork, name: str) -> None:
    """Five invitations, and a row in every other table."""
    furnish(u, name)
    u.integrations.set_secret(name, CANARY)
    u.users.save(name, [USER])
    people = u.people.ids(["ada@example.org"])
    u.invitations.save_links(name, "EMD_1", [link(f"CID_{number}") for number in range(5)], people)
    u.invitations.save_history(name, "EMD_1", [row(f"CID_{number}") for number in range(5)])
    u.outbox.add([replace(event(people["ada@example.org"], mark=name), integration_id=name)], NOW)
    u.grants.share("SV_1", people["ada@example.org"], NOW)
    u.runs.start(Run(integration_id=name, kind="full", started_at=NOW))
    for statement in _BY_SQL:
        u.integrations.connection.execute(text(statement), {"id": name})  # pyright: ignore[reportAttributeAccessIssue] - a SqlUnitOfWork


def _counts(database_url: str) -> dict[str, int]:
    engine = connect(database_url, read_only=True, connections=1)
    names: Sequence[str] = sorted(tables.METADATA.tables)
    with engine.begin() as connection:
        numbers = {name: connection.execute(select(func.count()).select_from(tables.METADATA.tables[name])).scalar_one() for name in names}
    engine.dispose()
    return {name: number for name, number in numbers.items() if number}
