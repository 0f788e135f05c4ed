"""What is due, what speaks against it, and what is written down, for every situation an integration can be in."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.model import Integration
from bot.ports.records import Lease, Outcome, Run
from bot.schedule import Every, Schedule, Window
from bot.syncing import timetable
from bot.syncing.sync import Kind
from bot.syncing.timetable import Decision, Due, Scene, decide, due, next_start
from tests.unit.core.examples import DAY, NOW, an_integration

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
RETRY = 5 * MINUTE
MANUAL = Every.parse("manual")
ESTABLISHED = an_integration(baseline_at=NOW - 9 * DAY)
#: All of them ran a moment ago.
RECENT = {"sweep": NOW - 3 * MINUTE, "full": NOW - 2 * MINUTE, "incremental": NOW - MINUTE}


def scene(integration: Integration = ESTABLISHED, *, starts: dict[str, datetime] | None = None, **values: Any) -> Scene:
    plain = Scene(
        integration=integration,
        starts=RECENT if starts is None else starts,
        runs=(),
        unfinished=None,
        is_undecided=False,
        lease=Lease.TAKEN,
    )
    return replace(plain, **values)


def a_run(kind: str, started_at: datetime, outcome: Outcome | None = Outcome.OK, reason: str = "scheduled") -> Run:
    finished_at = None if outcome is None else started_at
    return Run(integration_id="main", kind=kind, started_at=started_at, finished_at=finished_at, outcome=outcome, reason=reason)


def late(by: timedelta, kind: Kind = Kind.FULL) -> Due:
    return Due(kind=kind, slot=NOW - by, reason=timetable.SCHEDULED)


def rows(decision: Decision) -> list[tuple[str, str | None]]:
    return [(str(note.outcome), note.reason) for note in decision.notes]


def test_nothing_is_due_just_after_everything_ran() -> None:
    assert due(scene(), NOW, RETRY) is None


def test_a_new_integration_starts_with_a_full_one() -> None:
    found = due(scene(an_integration(), starts={}), NOW, RETRY)
    assert found == Due(kind=Kind.FULL, slot=NOW, reason=timetable.SCHEDULED)


def test_after_the_first_full_one_the_sweep_waits_its_day() -> None:
    began = NOW - 20 * MINUTE
    found = due(scene(an_integration(baseline_at=began), starts={"full": began}), NOW, RETRY)
    assert found is not None
    assert found.kind is Kind.INCREMENTAL


@pytest.mark.parametrize(
    ("starts", "kind"),
    [
        ({"sweep": -30 * HOUR, "full": -2 * HOUR, "incremental": -HOUR}, Kind.SWEEP),
        ({"sweep": -5 * HOUR, "full": -2 * HOUR, "incremental": -HOUR}, Kind.FULL),
        ({"sweep": -5 * HOUR, "full": -30 * MINUTE, "incremental": -20 * MINUTE}, Kind.INCREMENTAL),
        # The incremental one is due now, the full one in a minute at most.
        ({"sweep": -5 * HOUR, "full": -64 * MINUTE, "incremental": -20 * MINUTE}, Kind.FULL),
        ({"sweep": -5 * HOUR, "full": -59 * MINUTE, "incremental": -20 * MINUTE}, None),
        # A larger one is as good.
        ({"sweep": -5 * MINUTE, "full": -5 * HOUR, "incremental": -5 * HOUR}, None),
        ({"full": -5 * MINUTE, "sweep": -5 * HOUR, "incremental": -5 * HOUR}, None),
    ],
)
def test_the_largest_that_is_due_goes_for_all(starts: dict[str, timedelta], kind: Kind | None) -> None:
    found = due(scene(starts={name: NOW + ago for name, ago in starts.items()}), NOW, RETRY)
    assert (None if found is None else found.kind) is kind


def test_an_unfinished_run_goes_first_once_its_lease_is_free() -> None:
    began = NOW - 7 * MINUTE
    cut_off = scene(unfinished=a_run("sweep", began, None), starts={})
    assert due(cut_off, NOW, RETRY) == Due(kind=Kind.SWEEP, slot=began, reason=timetable.RESUMED)
    held = due(replace(cut_off, lease=Lease.HELD), NOW, RETRY)
    assert held is None or held.reason != timetable.RESUMED


@pytest.mark.parametrize(("failures", "pause"), [(1, 5), (2, 10), (3, 20), (4, 40), (5, 60), (40, 60)])
def test_a_failed_run_is_tried_again_after_growing_pauses(failures: int, pause: int) -> None:
    daily = replace(ESTABLISHED, schedule=Schedule(full=Every.parse("daily"), incremental=MANUAL, sweep=MANUAL))
    runs = [a_run("full", NOW - n * MINUTE, Outcome.FAILED) for n in range(failures)]
    runs += [a_run("full", NOW - HOUR), a_run("full", NOW - 2 * HOUR, Outcome.FAILED)]
    runs.insert(1, a_run("full", NOW, Outcome.VETOED))
    failing = scene(daily, starts={"full": NOW}, runs=runs)
    again_at = NOW + pause * MINUTE
    assert due(failing, again_at, RETRY) == Due(kind=Kind.FULL, slot=again_at, reason=timetable.RETRY)
    assert due(failing, again_at - MINUTE, RETRY) is None


def test_before_the_baseline_no_other_kind_takes_the_turn_of_a_failed_full_run() -> None:
    """The incremental one that has been due for long would be vetoed again and again."""
    daily = an_integration(schedule=Schedule(full=Every.parse("daily")))
    runs = [a_run("full", NOW - n * MINUTE, Outcome.FAILED) for n in range(4)]
    found = due(scene(daily, starts={"full": NOW}, runs=runs), NOW + 40 * MINUTE, RETRY)
    assert found == Due(kind=Kind.FULL, slot=NOW + 40 * MINUTE, reason=timetable.RETRY)


def test_an_unfinished_run_waits_too_while_its_start_keeps_failing() -> None:
    runs = [a_run("full", NOW, Outcome.FAILED), a_run("full", NOW - MINUTE, None)]
    failing = scene(starts={**RECENT, "full": NOW}, runs=runs, unfinished=runs[1])
    assert due(failing, NOW + 4 * MINUTE, RETRY) is None
    found = due(failing, NOW + 5 * MINUTE, RETRY)
    assert found is not None
    assert found.reason == timetable.RESUMED


@pytest.mark.parametrize(
    "integration", [replace(ESTABLISHED, schedule=Schedule(full=MANUAL, incremental=MANUAL, sweep=MANUAL)), ESTABLISHED]
)
def test_what_failed_by_hand_or_was_vetoed_on_its_way_is_not_repeated_at_once(integration: Integration) -> None:
    runs = [a_run("full", NOW, Outcome.FAILED)]
    if integration is ESTABLISHED:  # the mass closure veto: a start, but no failure
        runs = [a_run("full", NOW + MINUTE, Outcome.VETOED), *runs]
    found = due(scene(integration, starts={**RECENT, "full": runs[0].started_at}, runs=runs), NOW + 6 * MINUTE, RETRY)
    assert found is None


REFUSALS = [
    (scene(replace(ESTABLISHED, is_paused=True)), Kind.FULL, timetable.PAUSED),
    (scene(replace(ESTABLISHED, unauthorized_at=NOW)), Kind.FULL, timetable.UNAUTHORIZED),
    (scene(an_integration()), Kind.INCREMENTAL, timetable.NO_BASELINE),
    (scene(an_integration()), Kind.SWEEP, timetable.NO_BASELINE),
    (scene(is_undecided=True), Kind.INCREMENTAL, timetable.UNDECIDED),
    (scene(lease=Lease.HELD, unfinished=a_run("full", NOW, None)), Kind.FULL, timetable.RUNNING),
    (scene(lease=Lease.FULL), Kind.FULL, timetable.CAP_REACHED),
]


@pytest.mark.parametrize(("against", "kind", "reason"), REFUSALS, ids=[reason for *_, reason in REFUSALS])
def test_each_veto_rule_refuses_with_its_reason_and_is_recorded(against: Scene, kind: Kind, reason: str) -> None:
    for why in (timetable.SCHEDULED, timetable.BY_HAND, timetable.RETRY):
        decision = decide(against, Due(kind=kind, slot=NOW, reason=why), NOW)
        assert (decision.is_go, decision.reason, rows(decision)) == (False, reason, [("vetoed", reason)])
        (note,) = decision.notes
        assert (note.kind, note.started_at, note.finished_at) == (kind, NOW, NOW)


@pytest.mark.parametrize("kind", Kind)
def test_where_nothing_speaks_against_it_it_is_a_go(kind: Kind) -> None:
    wanted = Due(kind=kind, slot=NOW, reason=timetable.SCHEDULED)
    assert decide(scene(), wanted, NOW) == Decision(kind=kind, reason=timetable.SCHEDULED, is_go=True, notes=[])


@pytest.mark.parametrize("kind", [Kind.FULL, Kind.SWEEP])
def test_a_larger_one_looks_anew_while_a_decision_is_waited_for(kind: Kind) -> None:
    assert decide(scene(is_undecided=True), late(timedelta(), kind), NOW).is_go


def test_the_first_full_one_needs_no_baseline() -> None:
    assert decide(scene(an_integration(), starts={}), late(timedelta()), NOW).is_go


@pytest.mark.parametrize(("against", "kind", "reason"), REFUSALS, ids=[reason for *_, reason in REFUSALS])
def test_the_same_veto_is_recorded_once_until_something_changed_but_by_hand_each_time(against: Scene, kind: Kind, reason: str) -> None:
    told = replace(against, starts={}, runs=[a_run(kind, NOW - 3 * MINUTE, Outcome.VETOED, reason)])
    assert rows(decide(told, late(timedelta(), kind), NOW)) == []
    assert rows(decide(told, Due(kind=kind, slot=NOW, reason=timetable.BY_HAND), NOW)) == [("vetoed", reason)]
    other = replace(told, runs=[a_run(kind, NOW - 3 * MINUTE, Outcome.VETOED, "something else")])
    assert rows(decide(other, late(timedelta(), kind), NOW)) == [("vetoed", reason)]
    ran = replace(told, starts={kind: NOW - 2 * MINUTE})
    assert rows(decide(ran, late(timedelta(), kind), NOW)) == [("vetoed", reason)]


def test_who_finds_the_lease_taken_a_moment_ago_says_nothing() -> None:
    """Another replica is about to begin the same run."""
    just_taken = scene(lease=Lease.HELD, starts={})
    decision = decide(just_taken, late(2 * HOUR), NOW)
    assert (decision.is_go, rows(decision)) == (False, [])


@pytest.mark.parametrize(
    ("values", "cause"),
    [
        ({}, timetable.NO_PROCESS),
        ({"lease": Lease.FULL}, timetable.CAP_REACHED),
        ({"lease": Lease.HELD, "unfinished": a_run("incremental", NOW - DAY, None)}, timetable.RUNNING),
        ({"runs": [a_run("full", NOW - HOUR, Outcome.VETOED, timetable.CAP_REACHED)]}, timetable.CAP_REACHED),
    ],
)
def test_a_missed_start_is_recorded_once_with_its_cause_and_caught_up_once(values: dict[str, Any], cause: str) -> None:
    started = {"full": NOW - 3 * HOUR}
    missed = scene(starts=started, **values)
    decision = decide(missed, late(2 * HOUR), NOW)
    assert ("misfired", cause) in rows(decision)
    again = decide(replace(missed, runs=[*decision.notes, *missed.runs]), late(2 * HOUR), NOW + MINUTE)
    assert rows(again) == []
    assert decision.is_go == again.is_go == (missed.lease is Lease.TAKEN)
    if decision.is_go:
        assert decision.reason == again.reason == timetable.CATCH_UP


@pytest.mark.parametrize(
    ("by", "every", "is_missed"),
    [
        (59 * timedelta(seconds=1), "1 min", False),
        (61 * timedelta(seconds=1), "1 min", True),
        (5 * MINUTE, "hourly", False),
        (7 * MINUTE, "hourly", True),
        (9 * MINUTE, "daily", False),
        (11 * MINUTE, "daily", True),
    ],
)
def test_a_start_counts_as_missed_beyond_a_grace(by: timedelta, every: str, is_missed: bool) -> None:
    integration = replace(ESTABLISHED, schedule=Schedule(full=Every.parse(every)))
    assert bool(rows(decide(scene(integration, starts={}), late(by), NOW))) == is_missed


@pytest.mark.parametrize("reason", [timetable.PAUSED, timetable.UNAUTHORIZED, timetable.NO_BASELINE, timetable.UNDECIDED])
def test_what_somebody_held_back_was_not_missed(reason: str) -> None:
    before = scene(starts={}, runs=[a_run("full", NOW - HOUR, Outcome.VETOED, reason)])
    decision = decide(before, late(2 * HOUR), NOW)
    assert (decision.is_go, decision.reason, rows(decision)) == (True, timetable.SCHEDULED, [])


@pytest.mark.parametrize(
    ("why", "is_go"), [("scheduled", False), (timetable.RETRY, False), (timetable.BY_HAND, True), (timetable.RESUMED, True)]
)
def test_outside_its_hours_only_a_person_starts_one_and_only_what_began_goes_on(why: str, is_go: bool) -> None:
    closed = replace(ESTABLISHED, schedule=Schedule(window=Window.parse("22:00-06:00 UTC")))
    decision = decide(scene(closed), Due(kind=Kind.FULL, slot=NOW, reason=why), NOW)
    assert (decision.is_go, rows(decision)) == (is_go, [])


def test_a_start_whose_hours_passed_is_missed_and_caught_up_in_the_next_ones() -> None:
    nightly = replace(ESTABLISHED, schedule=Schedule(full=Every.parse("daily"), sweep=MANUAL, window=Window.parse("22:00-06:00 UTC")))
    night = NOW.replace(hour=22, minute=0) - DAY
    slept = scene(nightly, starts={"full": night - DAY + MINUTE})
    wanted = due(slept, NOW, RETRY)
    assert wanted is not None
    assert timedelta() <= wanted.slot - night < 5 * MINUTE
    decision = decide(slept, wanted, NOW)
    assert (decision.is_go, rows(decision)) == (False, [("misfired", timetable.NO_PROCESS)])
    slept = replace(slept, runs=decision.notes)
    assert next_start(slept, Kind.FULL, NOW, RETRY) == night + DAY
    decision = decide(slept, wanted, night + DAY)
    assert (decision.is_go, decision.reason, rows(decision)) == (True, timetable.CATCH_UP, [])


def test_two_installations_with_the_same_id_start_at_different_moments() -> None:
    other = replace(ESTABLISHED, base_url="https://sjc1.qualtrics.com/API/v3/")
    assert next_start(scene(), Kind.FULL, NOW, RETRY) != next_start(scene(other), Kind.FULL, NOW, RETRY)


FAILED = a_run("full", NOW - MINUTE, Outcome.FAILED)
CLOSED = Schedule(sweep=Every.parse("daily"), window=Window.parse("22:00-06:00 UTC"))
FORETOLD = {
    "all ran a moment ago": scene(),
    "it is new": scene(an_integration(), starts={}),
    "it is new, and its first run failed": scene(an_integration(), starts={"full": NOW - MINUTE}, runs=[FAILED]),
    "it is new, and its first run was cut off": scene(
        an_integration(), starts={"full": NOW - MINUTE}, unfinished=a_run("full", NOW - MINUTE, None)
    ),
    "one runs": scene(lease=Lease.HELD, starts={**RECENT, "full": NOW - MINUTE}, unfinished=a_run("full", NOW - MINUTE, None)),
    "one was cut off": scene(starts={**RECENT, "full": NOW - MINUTE}, unfinished=a_run("full", NOW - MINUTE, None)),
    "one was cut off and cannot go on": scene(
        starts={**RECENT, "full": NOW - MINUTE}, runs=[FAILED], unfinished=a_run("full", NOW - 2 * MINUTE, None)
    ),
    "one failed": scene(starts={**RECENT, "full": NOW - MINUTE}, runs=[FAILED]),
    "one failed again and again": scene(starts={**RECENT, "full": NOW - MINUTE}, runs=[FAILED] * 6),
    "one failed that is started by hand alone": scene(
        replace(ESTABLISHED, schedule=Schedule(full=MANUAL)), starts={**RECENT, "full": NOW - MINUTE}, runs=[FAILED]
    ),
    "a larger one is due soon": scene(starts={"sweep": NOW - 5 * HOUR, "full": NOW - 59 * MINUTE, "incremental": NOW - 20 * MINUTE}),
    "a larger one is due before": scene(starts={"sweep": NOW - 5 * HOUR, "full": NOW - 57 * MINUTE, "incremental": NOW - 6 * MINUTE}),
    "its hours are closed": scene(replace(ESTABLISHED, schedule=CLOSED)),
    "its hours are closed, and one failed": scene(
        replace(ESTABLISHED, schedule=CLOSED), starts={**RECENT, "full": NOW - MINUTE}, runs=[FAILED]
    ),
}


@pytest.mark.parametrize("situation", FORETOLD)
def test_the_next_start_of_each_kind_is_the_one_that_happens(situation: str) -> None:
    """Two days are played in half minutes; every start succeeds at once, and what runs has just ended."""
    played, happened, now = FORETOLD[situation], dict[Kind, datetime](), NOW
    if played.lease is Lease.HELD:
        played = replace(played, unfinished=None, lease=Lease.TAKEN)
    while now < NOW + 2 * DAY:
        wanted = due(played, now, RETRY)
        if wanted is None or not decide(played, wanted, now).is_go:
            now += MINUTE / 2
            continue
        happened.setdefault(wanted.kind, now)
        settled = played.integration if wanted.kind is not Kind.FULL else replace(played.integration, baseline_at=NOW - 9 * DAY)
        played = replace(played, integration=settled, starts={**played.starts, wanted.kind: now}, runs=(), unfinished=None)
    for kind in Kind:
        foretold = next_start(FORETOLD[situation], kind, NOW, RETRY)
        if timetable.awaits_baseline(FORETOLD[situation].integration, kind) or kind not in happened:
            assert foretold is None
        else:
            assert foretold is not None
            assert abs(happened[kind] - foretold) < 4 * MINUTE  # starts move a little by when the one before them was


def test_what_should_have_started_is_told_since_when() -> None:
    forgotten = scene(starts={"full": NOW - 3 * HOUR, "sweep": NOW - 3 * HOUR, "incremental": NOW - 3 * HOUR})
    for kind in (Kind.FULL, Kind.INCREMENTAL):
        since = next_start(forgotten, kind, NOW, RETRY)
        assert since is not None
        assert since < NOW - HOUR


@pytest.mark.parametrize("kind", [Kind.INCREMENTAL, Kind.SWEEP])
def test_before_the_baseline_what_is_scheduled_waits_for_it_and_what_is_not_waits_for_somebody(kind: Kind) -> None:
    by_hand = an_integration(schedule=Schedule(incremental=MANUAL, sweep=MANUAL))
    assert [timetable.awaits_baseline(it, kind) for it in (an_integration(), by_hand, ESTABLISHED)] == [True, False, False]
    assert next_start(scene(an_integration(), starts={}), kind, NOW, RETRY) is None
