"""Integrations, accounts and runs are remembered as they were given."""

from __future__ import annotations

from dataclasses import replace

from bot.model import Integration, User
from bot.ports import Absorbed, Run
from store.unit_of_work import SqlStore
from tests.contract.store.examples import DAY, NOW

USER = User(user_id="UR_1", email="ada@example.org", first_name="Ada", last_name="L", user_type="UT_BRANDADMIN")


async def test_an_integration_is_added_once_and_keeps_its_baseline_when_it_is_renamed(store: SqlStore) -> None:
    assert await store.write(lambda u: u.integrations.ensure("main", "Main")) == Integration(integration_id="main", name="Main")
    await store.write(lambda u: u.integrations.set_baseline("main", NOW))
    renamed = Integration(integration_id="main", name="Headquarters", baseline_at=NOW)
    assert await store.write(lambda u: u.integrations.ensure("main", "Headquarters")) == renamed
    await store.write(lambda u: u.integrations.ensure("branch", "Branch"))
    assert await store.read(lambda u: u.integrations.all()) == [Integration(integration_id="branch", name="Branch"), renamed]


async def test_the_same_accounts_again_change_nothing_and_one_changed_field_changes_one(store: SqlStore) -> None:
    await store.write(lambda u: u.integrations.ensure("main", "Main"))
    users = [USER, replace(USER, user_id="UR_2", email=None, user_type=None)]
    assert await store.write(lambda u: u.users.save("main", users)) == Absorbed(seen=2, changed=2)
    assert await store.write(lambda u: u.users.save("main", users)) == Absorbed(seen=2, changed=0)
    users[0] = replace(USER, user_type=None)
    assert await store.write(lambda u: u.users.save("main", users)) == Absorbed(seen=2, changed=1)


async def test_the_newest_run_of_each_kind_is_shown_as_it_ended(store: SqlStore) -> None:
    full = Run(integration_id="main", kind="full", started_at=NOW)
    newer = Run(integration_id="main", kind="full", started_at=NOW + DAY)
    done = replace(
        newer, finished_at=NOW + 2 * DAY, outcome="failed", surveys=1, invitations=3, changed=2, told=1, error="Qualtrics is down."
    )
    incremental = replace(full, kind="incremental")
    for integration_id in ("main", "other"):
        await store.write(lambda u, name=integration_id: u.integrations.ensure(name, name))
    await store.write(lambda u: u.runs.start(full))
    await store.write(lambda u: u.runs.start(incremental))
    run_id = await store.write(lambda u: u.runs.start(newer))
    await store.write(lambda u: u.runs.start(replace(full, integration_id="other", started_at=NOW + 9 * DAY)))
    assert await store.read(lambda u: u.runs.latest("main")) == [newer, incremental]
    await store.write(lambda u: u.runs.finish(run_id, done))
    assert await store.read(lambda u: u.runs.latest("main")) == [done, incremental]


async def test_runs_are_forgotten_once_a_run_ends_that_began_thirty_days_later(store: SqlStore) -> None:
    old, kept = (Run(integration_id="main", kind=kind, started_at=NOW) for kind in ("full", "incremental"))
    kept = replace(kept, started_at=NOW + DAY)
    new = Run(integration_id="main", kind="refresh", started_at=NOW + 31 * DAY, outcome="partial")
    await store.write(lambda u: u.integrations.ensure("main", "Main"))
    for run in (old, kept):
        await store.write(lambda u, run=run: u.runs.start(run))
    run_id = await store.write(lambda u: u.runs.start(new))
    assert await store.read(lambda u: u.runs.latest("main")) == [old, kept, new]
    await store.write(lambda u: u.runs.finish(run_id, new))
    assert await store.read(lambda u: u.runs.latest("main")) == [kept, new]
