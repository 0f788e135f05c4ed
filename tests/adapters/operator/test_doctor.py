"""`surveybot doctor` asks everything, tells what to do about each fault, and hides no fault behind another."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from adapters.doctor.check import Check, Level
from adapters.doctor.jobs import remembered
from adapters.doctor.report import report
from adapters.sandbox.demo import Sandbox
from adapters.sandbox.qualtrics.faults import Faults
from adapters.sandbox.slack.faults import RateLimited, Refused
from adapters.slack.scopes import REQUIRED
from bot.errors import Unavailable
from bot.model import DistributionStats
from bot.ports import UnitOfWork
from bot.ports.records import Closure, Gaps, Outcome, RequestLine, Run
from bot.syncing.look import Kind
from bot.syncing.status import IntegrationStatus, JobState, JobStatus
from store import migrations
from tests.adapters.conftest import on_both_databases
from tests.adapters.operator.conftest import GOOD, Shell, variables
from tests.contract.store.examples import distribution, event, survey
from tests.sides import in_slack
from tests.unit.core.examples import NOW, an_integration

HOUR = timedelta(hours=1)
QUALTRICS = "access, surveys, survey options, distributions, history, links, directories, contacts, users, push, clock, speed, buttons"
TABLES = "full sync, incremental sync, sweep sync, picture, gaps, limits"
NAMES = (
    *("database", "database clock", "encryption keys"),
    *(f"acme, {name}" for name in f"{QUALTRICS}, {TABLES}".split(", ")),
    *("Slack", "people in Slack", "messages", "channel posts"),
)
Row = tuple[Callable[[Sandbox], Any], str, Level, str, str]


async def report_of(inside: Sandbox) -> dict[str, Check]:
    return {check.name: check for check in await report(inside.bot.core.settings, inside.clock)}


async def write(inside: Sandbox, work: Callable[[UnitOfWork], object]) -> None:
    await inside.bot.core.store.write(work)


@on_both_databases
async def test_a_fresh_installation_lacks_nothing_but_work(inside: Sandbox) -> None:
    found = await report_of(inside)
    assert tuple(found) == NAMES
    assert [(check.name, check.level) for check in found.values() if check.level is not Level.OK] == [
        ("acme, full sync", Level.WARN),
        ("people in Slack", Level.WARN),
    ]
    assert found["database"].text == "reachable, schema is current"
    assert found["Slack"].text == "workspace T0ACME, all scopes"


async def test_an_installation_that_works_has_no_fault(inside: Sandbox) -> None:
    await inside.bot.core.jobs.start("acme", Kind.FULL)
    await in_slack(inside.bot).directory_reader.read(inside.workspace.team_id)
    inside.tenant.send_survey(name="Town hall")
    await inside.bot.core.jobs.start("acme", Kind.INCREMENTAL)
    inside.workspace.faults.add(Refused("msg_too_long"), method="chat.postMessage")
    await inside.bot.deliver()
    found = await report_of(inside)
    assert [check for check in found.values() if check.level is Level.FAIL] == []
    assert found["acme, full sync"].text.startswith("ok, ")
    [acme] = await inside.bot.core.store.read(lambda uow: uow.integrations.all())
    assert acme.brand_host == "sandbox.qualtrics.com"
    assert found["people in Slack"].text == (
        "22 can be written to; not: 1 deactivated, 2 guests (SURVEYBOT_SLACK__ALLOW_GUESTS lets them in), "
        "1 of another organisation, 2 bots, 1 whose profile shows no e-mail address"
    )
    assert found["messages"].text.splitlines()[0] == "1 failed, 17 sent, 4 unreachable"
    assert "        1 x Rejected: chat.postMessage answered 200 msg_too_long" in found["messages"].text.splitlines()


async def no_integration(inside: Sandbox) -> None:
    await write(inside, lambda uow: uow.integrations.remove("acme", 1000))


async def no_secret(inside: Sandbox) -> None:
    await write(inside, lambda uow: uow.integrations.save(an_integration("new")))


async def secret_of_another_key(inside: Sandbox) -> None:
    engine = create_engine(inside.bot.core.settings.database_url.get_secret_value().replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        connection.execute(text("UPDATE integrations SET secret = :bytes"), {"bytes": b"\x05other" + bytes(40)})
    engine.dispose()


async def run_failed(inside: Sandbox) -> None:
    inside.tenant.faults = Faults(status=503, prefix="/surveys")
    with pytest.raises(Unavailable):
        await inside.bot.core.jobs.start("acme", Kind.FULL)
    inside.tenant.faults = Faults()


async def paused(inside: Sandbox) -> None:
    await write(inside, lambda uow: uow.integrations.set_paused("acme", is_paused=True))


async def gaps(inside: Sandbox) -> None:
    def lack(uow: UnitOfWork) -> None:
        uow.surveys.save("acme", [survey()], NOW)
        uow.distributions.save("acme", [distribution()])
        uow.distributions.set_history_for("acme", "EMD_1", DistributionStats(), at=NOW, rows_missing=3)

    await write(inside, lack)


async def logged(inside: Sandbox, status: int | None) -> None:
    line = RequestLine(at=inside.clock() - HOUR, method="GET", path="/surveys", status=status, duration_ms=31, request_id=None)
    await write(inside, lambda uow: uow.requests.add("acme", [line, line]))


async def throttled(inside: Sandbox) -> None:
    await logged(inside, 429)


async def unanswered(inside: Sandbox) -> None:
    await logged(inside, None)


async def mass_closure(inside: Sandbox) -> None:
    await inside.bot.core.jobs.start("acme", Kind.FULL)
    for one in list(inside.tenant.surveys):
        inside.tenant.delete(one.survey_id)
    inside.clock.advance(HOUR)
    await inside.bot.core.jobs.start("acme", Kind.FULL)


async def messages_wait(inside: Sandbox) -> None:
    def wait(uow: UnitOfWork) -> None:
        uow.outbox.add([event(uow.people.ids(["ada@acme.example"])["ada@acme.example"])], inside.clock() - HOUR)

    await write(inside, wait)


async def clock_apart(inside: Sandbox) -> None:
    inside.clock.advance(HOUR)


async def slack_token_wrong(inside: Sandbox) -> None:
    inside.workspace.faults.add(Refused("invalid_auth"), times=None)


async def slack_scope_missing(inside: Sandbox) -> None:
    inside.workspace.scopes -= {"users:read.email", "im:write"}


async def slack_scopes_of_yesterday(inside: Sandbox) -> None:
    """The app was installed before channels were looked at."""
    inside.workspace.scopes -= {"channels:read", "groups:read"}


async def slack_down(inside: Sandbox) -> None:
    inside.workspace.faults.down = True


async def slack_throttled(inside: Sandbox) -> None:
    inside.workspace.faults.add(RateLimited(), times=None)


FAULTS: list[Row] = [
    (no_integration, "integrations", Level.FAIL, "there is none", "`surveybot integration add`"),
    (no_secret, "new, secret", Level.FAIL, "none is stored", "`surveybot integration secret new`"),
    (secret_of_another_key, "acme, secret", Level.FAIL, "does not open", "`surveybot integration secret acme`"),
    (secret_of_another_key, "encryption keys", Level.FAIL, "1 rows are encrypted with the key other", "put it back there"),
    (run_failed, "acme, full sync", Level.FAIL, "failed: Unavailable: GET /API/v3/surveys", "`surveybot sync run --integration acme`"),
    (paused, "acme, paused", Level.WARN, "nothing is read", "`surveybot integration resume acme`"),
    (gaps, "acme, gaps", Level.WARN, "3 rows of 1 distributions", "`surveybot sync run --sweep --integration acme`"),
    (throttled, "acme, limits", Level.WARN, "2 requests of the last 24 hours were refused (429)", "--requests-per-minute N`"),
    (unanswered, "acme, answers", Level.WARN, "2 requests of the last 24 hours got none", "--timeout-seconds N`"),
    (mass_closure, "acme, picture", Level.FAIL, "would close", "`surveybot sync picture --integration acme`"),
    (messages_wait, "messages", Level.FAIL, "the oldest waits for 60 minutes", "is `surveybot serve` running"),
    (clock_apart, "database clock", Level.WARN, "s apart", "let NTP set both"),
    (slack_token_wrong, "Slack", Level.FAIL, "invalid_auth", "copy SURVEYBOT_SLACK__BOT_TOKEN anew"),
    (slack_scope_missing, "Slack", Level.FAIL, "the app lacks im:write, users:read.email", "then install the app again"),
    (slack_scopes_of_yesterday, "Slack", Level.FAIL, "the app lacks channels:read, groups:read", "then install the app again"),
    (slack_down, "Slack", Level.FAIL, "answered 503", "does this machine reach http"),
    (slack_throttled, "Slack", Level.FAIL, "answered 429", "wait a minute"),
]


@pytest.mark.parametrize("row", FAULTS, ids=[f"{row[0].__name__}: {row[1]}" for row in FAULTS])
async def test_each_fault_is_named_with_its_fix(inside: Sandbox, row: Row) -> None:
    fault, name, level, wrong, fix = row
    await fault(inside)
    check = (await report_of(inside))[name]
    assert check.level is level
    assert wrong in check.text
    assert fix in check.text


def test_no_two_faults_share_a_sentence() -> None:
    said = [(name, wrong) for _, name, _, wrong, _ in FAULTS]
    assert len(set(said)) == len(said)


def _job(state: JobState, **values: Any) -> IntegrationStatus:
    run = Run(integration_id="main", kind="full", started_at=NOW - HOUR, outcome=Outcome.OK, error="2 surveys were left out.")
    job = JobStatus(kind=Kind.FULL, state=state, last=run, success=None, next_run=NOW + HOUR)
    return IntegrationStatus(
        integration=an_integration(), jobs=[replace(job, **values)], closures=(), gaps=Gaps(distributions=0, rows=0), hints=0
    )


@pytest.mark.parametrize(
    ("status", "level", "sentence"),
    [
        (_job(JobState.OK), Level.OK, "ok, 2026-11-23 08:30 UTC"),
        (_job(JobState.RUNNING), Level.OK, "running, 2026-11-23 08:30 UTC"),
        (_job(JobState.OK, next_run=NOW - HOUR), Level.WARN, "due since 2026-11-23 08:30 UTC; is `surveybot serve` running?"),
        (_job(JobState.PARTIAL), Level.WARN, "left surveys out: 2 surveys were left out.; they are tried again at the next run"),
        (_job(JobState.FAILED), Level.FAIL, "failed: 2 surveys were left out.; `surveybot sync run --integration main` runs it now"),
        (_job(JobState.VETOED), Level.WARN, "vetoed at 2026-11-23 08:30 UTC: 2 surveys were left out."),
        (_job(JobState.MISFIRED), Level.WARN, "misfired at 2026-11-23 08:30 UTC"),
        (_job(JobState.CUT_OFF), Level.WARN, "its process died after 2026-11-23 08:30 UTC; the next start goes on there"),
        (_job(JobState.NEVER, last=None), Level.WARN, "never ran; is `surveybot serve` running?"),
        (_job(JobState.NEVER, last=None, kind=Kind.SWEEP), Level.OK, "never ran"),
    ],
)
def test_each_state_of_a_job_has_its_sentence(status: IntegrationStatus, level: Level, sentence: str) -> None:
    check = next(iter(remembered(status, {}, NOW)))
    assert check.level is level
    assert sentence in check.text


def test_a_waiting_picture_tells_how_much_it_would_close() -> None:
    closures = [Closure(survey_id="SV_1", survey_name="Pulse", distribution_id=it, is_missing=True) for it in (None, "EMD_1", "EMD_2")]
    found = {check.name: check for check in remembered(replace(_job(JobState.OK), closures=closures), {}, NOW)}
    assert "would close 1 surveys and delete 2 distributions" in found["main, picture"].text


def test_the_manifest_asks_for_the_scopes_that_are_checked() -> None:
    manifest = json.loads(Path("manifest/slack.json").read_bytes())
    assert set(manifest["oauth_config"]["scopes"]["bot"]) == REQUIRED


async def test_several_faults_are_all_shown_and_fail_the_command(inside: Sandbox, shell: Shell) -> None:
    shell.set(variables(inside.bot.core.settings))
    ended = await shell.run("doctor")
    assert (ended.code, ended.err) == (0, ""), "a warning is no failure"
    assert [line[6:].partition(":")[0] for line in ended.out.splitlines()] == list(NAMES)
    assert {line[:6] for line in ended.out.splitlines()} == {"ok    ", "warn  "}

    inside.tenant.faults = Faults(status=503)
    inside.workspace.faults.down = True
    ended = await shell.run("doctor")
    failed = [line[6:].partition(":")[0] for line in ended.out.splitlines() if line.startswith("FAIL  ")]
    assert failed == ["acme, access", "Slack"]
    assert (ended.code, ended.err) == (1, "")


async def test_a_database_without_this_schema_is_the_only_answer(empty_database_url: str, shell: Shell) -> None:
    shell.set({**GOOD, "SURVEYBOT_DATABASE_URL": empty_database_url})
    ended = await shell.run("doctor")
    assert (ended.code, ended.out) == (1, "FAIL  database: the schema is not this version's; run `surveybot db upgrade`\n")
    assert (await shell.run("db", "upgrade")).out == "The database is at this version's schema.\n"
    assert migrations.is_current(empty_database_url)


@pytest.mark.parametrize("url", ["sqlite:///no/such/folder/s.db", "postgresql://me:c4n4ry@127.0.0.1:1/name"])
async def test_a_database_that_cannot_be_reached_is_the_only_answer(shell: Shell, url: str) -> None:
    shell.set({**GOOD, "SURVEYBOT_DATABASE_URL": url})
    ended = await shell.run("doctor")
    sentence = "FAIL  database: the database cannot answer now; is it running, and is SURVEYBOT_DATABASE_URL right?\n"
    assert (ended.code, ended.out, ended.err) == (1, sentence, "")


async def test_a_closed_brand_is_told_with_its_end_and_not_asked(inside: Sandbox) -> None:
    await write(inside, lambda uow: uow.integrations.set_brand("acme", "sandbox"))
    inside.tenant.faults = Faults(status=429, retry_after=3000)
    await report_of(inside)
    inside.tenant.faults, asked = Faults(), inside.tenant.calls["/whoami"]
    check = (await report_of(inside))["acme, access"]
    assert check.level is Level.FAIL
    assert re.match(
        r"nothing was asked: the limit of the whole brand is closed until \d\d:\d\d UTC \(\d+ s\) because of a 429; ", check.text
    )
    assert inside.tenant.calls["/whoami"] == asked


async def test_what_is_wrong_with_the_file_of_integrations_is_told(database_url: str, shell: Shell) -> None:
    file = shell.folder / "integrations.toml"
    file.write_text('[[integrations]]\nname = "Main"\n')
    shell.set({**GOOD, "SURVEYBOT_DATABASE_URL": database_url, "SURVEYBOT_INTEGRATIONS_FILE": str(file)})
    ended = await shell.run("doctor")
    assert ended.code == 1
    assert "FAIL  integrations file: " in ended.out
    assert "base_url" in ended.out
    assert "Slack: " in ended.out, "it hides nothing else"
