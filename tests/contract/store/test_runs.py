"""The log of starts: which run was cut off, which succeeded, which were really begun."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from bot.ports import UnitOfWork
from bot.ports.records import Outcome, Run
from store.unit_of_work import SqlStore
from tests.contract.store.examples import DAY, NOW, furnish

HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
async def known(store: SqlStore) -> None:
    await store.write(furnish)
    await store.write(lambda u: furnish(u, "other"))


def a_run(outcome: Outcome | None = None, at: datetime = NOW, kind: str = "full", calls: int = 7) -> Run:
    finished_at = at if outcome else None
    return Run(integration_id="main", kind=kind, started_at=at, finished_at=finished_at, outcome=outcome, reason="by hand", calls=calls)


async def log(store: SqlStore, *runs: Run) -> None:
    def add(u: UnitOfWork) -> None:
        for run in runs:
            u.runs.start(run)

    await store.write(add)


async def test_the_newest_run_without_an_outcome_was_cut_off(store: SqlStore) -> None:
    assert await store.read(lambda u: u.runs.unfinished("main")) is None
    await log(store, a_run(), a_run(at=NOW + HOUR), a_run(Outcome.VETOED, NOW + 2 * HOUR, calls=0))
    found = await store.read(lambda u: u.runs.unfinished("main"))
    assert found is not None
    assert found[1] == a_run(at=NOW + HOUR)
    await store.write(lambda u: u.runs.finish(found[0], a_run(Outcome.FAILED, NOW + HOUR)))
    older = await store.read(lambda u: u.runs.unfinished("main"))
    assert older is not None
    assert older[1] == a_run()
    assert await store.read(lambda u: u.runs.unfinished("other")) is None


async def test_the_last_success_of_each_kind_may_be_partial(store: SqlStore) -> None:
    ok, partial = a_run(Outcome.OK), a_run(Outcome.PARTIAL, NOW + HOUR)
    await log(store, ok, partial, a_run(Outcome.FAILED, NOW + 2 * HOUR), a_run(Outcome.OK, kind="sweep"), a_run())
    assert await store.read(lambda u: u.runs.last_success("main")) == {"full": partial, "sweep": a_run(Outcome.OK, kind="sweep")}


@pytest.mark.parametrize(
    ("run", "is_begun"),
    [
        (a_run(None, NOW + HOUR), True),
        (a_run(Outcome.FAILED, NOW + HOUR), True),
        (a_run(Outcome.VETOED, NOW + HOUR), True),
        (a_run(Outcome.VETOED, NOW + HOUR, calls=0), False),
        (a_run(Outcome.MISFIRED, NOW + HOUR, calls=0), False),
    ],
)
async def test_a_start_that_was_vetoed_before_any_call_was_not_begun(store: SqlStore, run: Run, *, is_begun: bool) -> None:
    await log(store, a_run(Outcome.OK), run)
    assert await store.read(lambda u: u.runs.last_start("main")) == {"full": NOW + HOUR if is_begun else NOW}


async def test_runs_are_listed_newest_first_and_forgotten_after_thirty_days(store: SqlStore) -> None:
    await log(store, a_run(Outcome.OK, NOW - 31 * DAY), a_run(Outcome.OK), a_run(at=NOW + HOUR))
    cut_off = await store.read(lambda u: u.runs.unfinished("main"))
    assert cut_off is not None
    await store.write(lambda u: u.runs.finish(cut_off[0], a_run(Outcome.OK, NOW + HOUR)))
    assert await store.read(lambda u: u.runs.list("main", 9)) == [a_run(Outcome.OK, NOW + HOUR), a_run(Outcome.OK)]
    assert await store.read(lambda u: u.runs.latest("main")) == [a_run(Outcome.OK, NOW + HOUR)]
