"""How each integration stands, out of the tables; and that administrators alone are shown it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from bot import actions, pages
from bot.messages import Member, MemberKind, Request, Surface
from bot.model import DistributionStats, User
from bot.page import Action, Form, Moment, Page, PrivatePage
from bot.pages import Reader
from bot.ports import Store, UnitOfWork
from bot.ports.records import Gaps, Outcome, Run
from bot.slash_commands import parse
from bot.small_groups import Shown
from bot.syncing.status import Baseline, IntegrationStatus, JobState, JobStatus, baselines, status
from tests.contract.store.examples import distribution, furnish
from tests.unit.core.examples import DAY, NOW, an_integration
from tests.unit.core.test_pages import words

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
RETRY = 5 * MINUTE
ADMIN = User(user_id="UR_1", email="ana@acme.example", user_type="UT_BRANDADMIN")


async def record(store: Store, **values: Any) -> None:
    run = replace(Run(integration_id="main", kind="full", started_at=NOW - HOUR, reason="scheduled"), **values)

    def work(uow: UnitOfWork) -> None:
        run_id = uow.runs.start(run)
        if run.outcome is not None:
            uow.runs.finish(run_id, run)

    await store.write(work)


async def found(store: Store, now: datetime = NOW) -> IntegrationStatus:
    (it,) = await store.read(lambda uow: status(uow, now, ["main"], retry=RETRY))
    return it


async def job(store: Store, kind: str = "full") -> JobStatus:
    return next(job for job in (await found(store)).jobs if job.kind == kind)


@pytest.fixture(autouse=True)
async def _integrations(store: Store) -> None:
    await store.write(lambda uow: [uow.integrations.save(an_integration(name)) for name in ("main", "other")])


async def test_a_fresh_integration_has_three_jobs_that_never_ran_and_are_due(store: Store) -> None:
    it = await found(store)
    assert [(job.kind, job.state, job.success) for job in it.jobs] == [
        ("full", JobState.NEVER, None),
        ("incremental", JobState.NEVER, None),
        ("sweep", JobState.NEVER, None),
    ]
    assert (await job(store)).next_run == NOW
    assert (it.closures, it.gaps, it.hints) == ((), Gaps(distributions=0, rows=0), 0)


async def test_a_job_tells_its_last_success_and_when_it_runs_next(store: Store) -> None:
    done = {"finished_at": NOW - HOUR + timedelta(seconds=90), "surveys": 2, "distributions": 3, "invitations": 40, "changed": 5}
    await record(store, outcome=Outcome.OK, skipped=1, calls=9, **done)
    it = await job(store)
    assert (it.state, it.took, it.seen) == (JobState.OK, timedelta(seconds=90), 45)
    assert it.next_run is not None
    assert NOW <= it.next_run <= NOW + timedelta(minutes=5)


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        (Outcome.PARTIAL, JobState.PARTIAL),
        (Outcome.FAILED, JobState.FAILED),
        (Outcome.VETOED, JobState.VETOED),
        (Outcome.MISFIRED, JobState.MISFIRED),
    ],
)
async def test_what_went_wrong_last_is_told_beside_the_last_success(store: Store, outcome: Outcome, state: JobState) -> None:
    await record(store, outcome=Outcome.OK, finished_at=NOW - 2 * HOUR, started_at=NOW - 3 * HOUR)
    await record(store, outcome=outcome, finished_at=NOW, error="Unavailable: no answer")
    it = await job(store)
    assert it.state is state
    assert it.last is not None
    assert it.last.error == "Unavailable: no answer"
    assert it.success is not None


async def test_a_run_without_end_is_running_while_somebody_holds_its_lease(store: Store) -> None:
    await record(store, kind="incremental")
    assert (await job(store, "incremental")).state is JobState.CUT_OFF
    await store.write(lambda uow: uow.leases.take("sync:other", "me", HOUR))
    assert (await job(store, "incremental")).state is JobState.CUT_OFF
    await store.write(lambda uow: uow.leases.take("sync:main", "me", HOUR))
    assert (await job(store, "incremental")).state is JobState.RUNNING


async def test_a_paused_integration_has_no_next_run(store: Store) -> None:
    await store.write(lambda uow: uow.integrations.set_paused("main", is_paused=True))
    assert [(job.next_run, job.awaits_baseline) for job in (await found(store)).jobs] == [(None, False)] * 3


async def test_before_the_first_full_one_has_succeeded_the_others_wait_for_it(store: Store) -> None:
    await record(store, outcome=Outcome.FAILED, started_at=NOW - MINUTE, finished_at=NOW, error="Unavailable: no answer")
    it = await found(store)
    assert [(job.next_run, job.awaits_baseline) for job in it.jobs] == [(NOW + 5 * MINUTE, False), (None, True), (None, True)]
    later = await store.read(lambda uow: status(uow, NOW, ["main"], retry=9 * MINUTE))
    assert later[0].jobs[0].next_run == NOW + 9 * MINUTE


async def test_a_run_that_was_cut_off_goes_on_now_unless_somebody_holds_its_lease(store: Store) -> None:
    await store.write(lambda uow: uow.integrations.set_baseline("main", NOW - HOUR))
    await record(store, started_at=NOW - MINUTE)
    assert (await job(store)).next_run == NOW
    await store.write(lambda uow: uow.leases.take("sync:main", "me", HOUR))
    next_run = (await job(store)).next_run
    assert next_run is not None
    assert next_run >= NOW + 59 * MINUTE


async def test_gaps_and_hints_are_the_integrations_own(store: Store) -> None:
    def happen(uow: UnitOfWork) -> None:
        for name in ("main", "other"):
            furnish(uow, name)
        uow.distributions.save("main", [distribution("EMD_2")])
        uow.distributions.set_history_for("main", "EMD_2", DistributionStats(), at=NOW, rows_missing=3)
        for survey_id in ("SV_1", "SV_1", "SV_2"):
            uow.refreshes.ask("main", survey_id, NOW)
        uow.refreshes.ask("other", "SV_1", NOW)

    await store.write(happen)
    it = await found(store)
    assert (it.gaps, it.hints) == (Gaps(distributions=1, rows=3), 2)
    assert len(await store.read(lambda uow: status(uow, NOW, retry=RETRY))) == 2


async def test_a_baseline_is_told_once_there_is_one(store: Store) -> None:
    """Of whom numbers are shown: of 23 of 40 who can still answer, of nobody in a pool, or where it is over."""
    await store.write(furnish)
    distributions = [
        replace(distribution(), stats=DistributionStats(sent=40, finished=17)),
        replace(distribution("EMD_2"), stats=DistributionStats(sent=40), link_expires_at=NOW),
        replace(distribution("EMD_3"), stats=DistributionStats(sent=4)),
    ]
    await store.write(lambda uow: uow.distributions.save("main", distributions))

    def told(uow: UnitOfWork) -> object:
        return baselines(uow, status(uow, NOW, retry=RETRY), NOW)

    assert await store.read(told) == {}
    await store.write(lambda uow: uow.integrations.set_baseline("main", NOW - DAY))
    assert await store.read(told) == {"main": Baseline(surveys=1, open_invitations=Shown(25, is_about=True))}


async def ask(
    store: Store, text: str, *, email: str | None = "ana@acme.example", kind: MemberKind = MemberKind.MEMBER, retry: timedelta = RETRY
) -> Page | PrivatePage:
    member = Member(workspace_id="T1", user_id="U1", kind=kind, email=email)
    request = Request(member=member, action=parse("/survey-stats", text), surface=Surface.PRIVATE)
    page = await actions.handle(store, request, NOW, retry=retry)
    assert not isinstance(page, Form)
    return page


async def know(store: Store, users: Sequence[User]) -> None:
    await store.write(lambda uow: uow.users.save("main", users))


async def test_an_administrator_sees_their_integrations_alone(store: Store) -> None:
    await know(store, [ADMIN])
    await store.write(lambda uow: uow.integrations.save(replace(an_integration("other"), name="Somebody else's")))
    page = await ask(store, "Status")
    assert page.title == "Synchronisation status"
    assert "Main · no baseline yet" in words(page)
    assert "Somebody else's" not in words(page)


async def test_the_page_counts_with_the_pause_that_is_set(store: Store) -> None:
    await know(store, [ADMIN])
    await record(store, outcome=Outcome.FAILED, started_at=NOW - MINUTE, finished_at=NOW, error="Unavailable: no answer")
    pauses = (5 * MINUTE, 9 * MINUTE)
    shown = [await ask(store, "status", retry=pause) for pause in pauses]
    assert [[repr(Moment(NOW + pause)) in repr(page) for pause in pauses] for page in shown] == [[True, False], [False, True]]


@pytest.mark.parametrize("text", ["status", "STATUS now"])
@pytest.mark.parametrize(
    "users", [(), (replace(ADMIN, is_active=False),), (replace(ADMIN, user_type="UT_FULLUSER"),), (replace(ADMIN, email="b@c.d"),)]
)
async def test_everybody_else_is_told_for_whom_it_is(store: Store, users: tuple[User, ...], text: str) -> None:
    await know(store, users)
    assert (await ask(store, text)).title == "For administrators"


async def test_a_forged_button_shows_nobody_anything(store: Store) -> None:
    member = Member(workspace_id="T1", user_id="U1", kind=MemberKind.MEMBER, email="eve@acme.example")
    request = Request(member=member, action=Action(verb="sync.status", data={"page": "1"}), surface=Surface.PRIVATE)
    assert await actions.handle(store, request, NOW) == pages.not_an_administrator(Reader.of(member))


async def test_guests_and_people_without_address_get_what_they_always_get(store: Store) -> None:
    await know(store, [ADMIN])
    assert await ask(store, "status", kind=MemberKind.GUEST) == await ask(store, "", kind=MemberKind.GUEST)
    assert await ask(store, "status", email=None) == await ask(store, "", email=None)
