"""`surveybot sync`: what an operator sees of a synchronisation, and how long it says that it will take."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from adapters.commands.progress import seconds_left, spoken
from adapters.sandbox.demo import Sandbox
from adapters.sandbox.qualtrics.faults import Faults
from adapters.settings import Limits
from bot.syncing import timetable
from bot.syncing.sync import Progress
from tests.adapters.operator.conftest import Shell, variables
from tests.unit.core.examples import an_integration

COUNTS = st.integers(0, 100_000)
LIMITS = Limits()
NOTHING_WAITS = "Nothing of acme waits for a decision.\n"


@st.composite
def progresses(draw: st.DrawFn) -> Progress:
    names = ("calls", "lists_left", "links_pages_left", "history_pages_left")
    return Progress(**{name: draw(COUNTS) for name in names})


@given(progresses(), st.floats(0, 10_000), st.none() | st.floats(1, 6000))
def test_the_time_left_is_never_less_than_the_limits_and_the_speed_so_far_allow(
    progress: Progress, elapsed: float, own: float | None
) -> None:
    left = seconds_left(progress, elapsed, LIMITS, own)
    calls = progress.lists_left + progress.links_pages_left + progress.history_pages_left
    assert left >= 60 * calls / LIMITS.brand
    assert left >= 60 * progress.history_pages_left / LIMITS.history
    assert left >= 60 * progress.links_pages_left / LIMITS.links
    assert own is None or left >= 60 * calls / own
    assert not progress.calls or left * progress.calls >= 0.999 * calls * elapsed
    assert (left == 0) == (calls == 0)


def test_time_is_told_as_the_least_while_nobody_knows_what_the_lists_lead_to() -> None:
    listing = Progress(calls=10, surveys=20, lists_left=15)
    assert spoken(listing, seconds_left(listing, 60, LIMITS, None)) == "at least 0:01:30 left"
    reading = Progress(calls=100, history_pages_left=3000)
    assert spoken(reading, seconds_left(reading, 1, LIMITS, None)) == "about 0:10:00 left"
    assert spoken(Progress(calls=100), 0) == ""


async def test_a_synchronisation_tells_what_it_did(shell: Shell, inside: Sandbox) -> None:
    shell.set(variables(inside.bot.core.settings))
    ended = await shell.run("sync")
    assert ended.code == 0, ended.err
    run = json.loads(ended.out)
    assert (run["kind"], run["outcome"], run["reason"], run["told"]) == ("full", "ok", "by hand", 0)
    assert run["invitations"] > 100
    assert f"{run['calls']} calls · {run['invitations']} invitations" in " ".join(ended.err.split())
    for kind in ("incremental", "sweep", "full"):
        assert json.loads((await shell.run("sync", "run", f"--{kind}")).out)["kind"] == kind


async def test_of_several_integrations_all_are_read_or_the_one_that_is_named(shell: Shell, inside: Sandbox) -> None:
    shell.set(variables(inside.bot.core.settings))
    await inside.bot.core.store.write(lambda u: u.integrations.save(an_integration("branch", is_paused=True)))
    ended = await shell.run("sync", "run", "--integration", "acme")
    assert (ended.code, json.loads(ended.out)["integration_id"]) == (0, "acme")
    ended = await shell.run("sync", "run")
    assert ended.code == 1
    assert ended.out.count('"outcome": "ok"') == ended.out.count('"outcome": "vetoed"') == 1
    assert f"branch: not synchronised: {timetable.PAUSED}." in ended.err
    ended = await shell.run("sync", "--integration", "acme")
    assert (ended.code, json.loads(ended.out)["integration_id"]) == (0, "acme")
    ended = await shell.run("sync", "--integration", "acme", "drop")
    assert (ended.code, ended.out) == (2, "")
    assert "--integration goes behind the command" in " ".join(ended.err.split())
    for command in (["picture"], ["approve", "0"], ["drop"]):
        assert (await shell.run("sync", *command)).err == "Say which one with --integration; there are acme, branch.\n"
        ended = await shell.run("sync", *command, "--integration", "nope")
        assert (ended.code, ended.err) == (1, "There is no integration 'nope'; there are acme, branch.\n")


async def test_a_veto_is_a_sentence_with_its_reason_and_exit_code_1(shell: Shell, inside: Sandbox) -> None:
    shell.set(variables(inside.bot.core.settings))
    ended = await shell.run("sync", "run", "--incremental")
    assert ended.code == 1
    assert (json.loads(ended.out)["outcome"], json.loads(ended.out)["reason"]) == ("vetoed", timetable.NO_BASELINE)
    assert f"acme: not synchronised: {timetable.NO_BASELINE}." in ended.err


async def test_two_kinds_at_once_are_wrong_usage(shell: Shell) -> None:
    ended = await shell.run("sync", "run", "--full", "--sweep")
    assert (ended.code, ended.out) == (2, "")


async def test_a_synchronisation_that_fails_is_a_sentence_and_the_status_keeps_it(shell: Shell, inside: Sandbox) -> None:
    shell.set(variables(inside.bot.core.settings))
    inside.tenant.faults = Faults(status=503, prefix="/surveys")
    ended = await shell.run("sync")
    assert (ended.code, ended.out) == (1, "")
    assert "acme: GET /API/v3/surveys answered 503" in ended.err
    assert ended.err.endswith("`surveybot doctor` says what can be done about it.\n")
    assert "Traceback" not in ended.err
    shown = await shell.run("sync", "status")
    assert shown.code == 0
    assert "GET /API/v3/surveys answered 503" in shown.out


async def test_the_status_shows_each_job_and_what_it_brought(shell: Shell, inside: Sandbox) -> None:
    shell.set(variables(inside.bot.core.settings))
    fresh = (await shell.run("sync", "status")).out.splitlines()
    assert [line.split()[:4] for line in fresh[1:]] == [["acme", kind, "never", "run"] for kind in ("full", "incremental", "sweep")]
    assert [line.endswith("after the first full") for line in fresh[1:]] == [False, True, True]
    run = json.loads((await shell.run("sync")).out)
    (full,) = [line for line in (await shell.run("sync", "status")).out.splitlines() if line.split()[:2] == ["acme", "full"]]
    assert full.split()[2] == "ok"
    seen = run["surveys"] + run["distributions"] + run["invitations"]
    assert full.split()[-6:-2] == [str(number) for number in (seen, run["changed"], run["skipped"], run["calls"])]
    assert run["finished_at"][:19].replace("T", " ") in full


async def test_what_was_held_back_is_shown_and_approved_or_dropped(shell: Shell, inside: Sandbox) -> None:
    shell.set(variables(inside.bot.core.settings))
    assert [(await shell.run("sync", command)).out for command in ("picture", "drop")] == [NOTHING_WAITS] * 2
    assert (await shell.run("sync", "approve", "0")).code == 1
    assert (await shell.run("sync")).code == 0
    for survey in inside.tenant.surveys:
        inside.tenant.deactivate(survey.survey_id)
    ended = await shell.run("sync")
    assert ended.code == 1
    assert "`surveybot sync picture --integration acme` shows it" in ended.err
    *picture, decide = (await shell.run("sync", "picture")).out.splitlines()
    name = decide.removeprefix("`surveybot sync approve --integration acme ").partition("`")[0]
    assert len(picture) > 1
    assert all(line.endswith("is not active any more") for line in picture)
    assert "held back" in (await shell.run("sync", "status")).out
    assert (await shell.run("sync", "drop")).out == "acme: dropped.\n"
    assert (await shell.run("sync")).code == 1
    refused = await shell.run("sync", "approve", "another")
    assert (refused.code, "does not wait any more" in refused.err) == (1, True)
    approved = await shell.run("sync", "approve", name)
    assert (approved.code, approved.err) == (0, "")
    assert approved.out.startswith("acme: ok, ")
    assert (await shell.run("sync", "picture")).out == NOTHING_WAITS
    surveys = await inside.bot.core.store.read(lambda u: u.surveys.all("acme"))
    assert not any(survey.is_active for survey in surveys)
