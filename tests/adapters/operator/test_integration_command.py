"""`surveybot integration`: every command with good and bad input, spoken to a simulated tenant; and no secret leaves the store."""

from __future__ import annotations

import getpass
import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.model import Integration
from bot.schedule import Every, Schedule
from store import migrations
from tests.adapters.operator.conftest import CLIENT_SECRET, GOOD, OTHER, TOKEN, Desk, Ended, Shell

CHOICES = "1 min, 2 min, 5 min, 15 min, 30 min, hourly, 4 h, 8 h, 12 h, daily, `weekly on monday` (or another day) or manual"
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


async def test_added_integrations_are_tried_out_stored_and_listed(desk: Desk) -> None:
    assert await desk.add() == Ended(
        0, f"Integration main is stored.\n{desk.brand}  acme is the same account at the same base URL: one of them is enough\n", ""
    )
    ended = await desk.add("Oauth", "--client-id", "client", secret=CLIENT_SECRET)
    assert ended.out.startswith(f"Integration oauth is stored.\n{desk.brand}")
    assert await desk.stored("main") == Integration(integration_id="main", name="Main", base_url=desk.base_url, brand_id="sandbox")
    assert await desk.secret("main") == TOKEN
    oauth = await desk.stored("oauth")
    assert oauth is not None
    assert (oauth.client_id, oauth.brand_id) == ("client", "sandbox")
    lines = (await desk.integration("list")).out.splitlines()
    assert re.split(r" {2,}", lines[0]) == ["ID", "NAME", "BASE URL", "SECRET", "STATE", "LAST SUCCESS (UTC)", "BRAND"]
    assert [re.split(r" {2,}", line) for line in lines[1:]] == [
        ["acme", "Acme", desk.base_url, "API token", "active", "never", "sandbox"],
        ["main", "Main", desk.base_url, "API token", "active", "never", "sandbox"],
        ["oauth", "Oauth", desk.base_url, "OAuth client", "active", "never", "sandbox"],
    ]


async def test_every_switch_is_stored(desk: Desk) -> None:
    limits = ("--requests-per-second", "2", "--timeout-seconds", "5", "--connect-timeout-seconds", "1.5", "--no-request-log")
    times = ("--full-sync", "4 h", "--incremental-sync", "weekly on friday", "--sweep", "manual", "--window", "22:00-06:00 Asia/Tokyo")
    ended = await desk.add(
        "Main", "--id", "hq", "--paused", "--mass-closure-share", "0.5", "--group-size", "7", "--no-test", *limits, *times
    )
    assert ended == Ended(0, "Integration hq is stored.\n", "")
    shown = (await desk.integration("show", "hq")).out
    assert shown == "".join(
        line + "\n"
        for line in (
            "[[integrations]]",
            'id = "hq"',
            'name = "Main"',
            f'base_url = "{desk.base_url}"',
            "requests_per_minute = 120",
            "timeout_seconds = 5",
            "connect_timeout_seconds = 1.5",
            "request_log = false",
            "mass_closure_share = 0.5",
            "group_size = 7",
            "people_by_status = false",
            "paused = true",
            'full_sync = "4 h"',
            'incremental_sync = "weekly on friday"',
            'sweep = "manual"',
            'window = "22:00-06:00 Asia/Tokyo"',
            "# secret: stored",
            "# brand: none",
            "# first full synchronisation: none",
            "# refused since: none",
        )
    )


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--full-sync", "3 h"], f"--full-sync must be {CHOICES}.\n"),
        (["--id", "A B", "--window", "x"], "--id must be of a-z, 0-9 and - between them, 63 at most.\n--window must be like"),
        (["--requests-per-second", "1", "--requests-per-minute", "1"], "--requests-per-second goes without requests_per_minute.\n"),
        (["--client-id", "a:b"], "--client-id must be ASCII without spaces and colons"),
        (["--secret-file", "nope"], "--secret-file names a file that cannot be read: No such file or directory.\n"),
        (["--secret-file", "short"], "--secret-file names a secret that must be at least 8 characters, ASCII without spaces.\n"),
        (["--id", "acme"], "There is an integration acme already: `surveybot integration set acme` changes it, --id adds another one.\n"),
    ],
    ids=lambda it: it[0] if isinstance(it, list) else "",
)
async def test_what_is_wrong_is_a_sentence_and_nothing_is_stored(desk: Desk, arguments: list[str], sentence: str) -> None:
    (desk.shell.folder / "short").write_text("short")
    ended = await desk.add("Main", *arguments)
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith(sentence)
    assert await desk.stored("main") is None


async def test_subscriptions_are_not_left_at_qualtrics_unless_wanted(desk: Desk) -> None:
    await desk.change(lambda uow: uow.integrations.set_push_keys("acme", ["canary-key"]))
    refused = await desk.integration("remove", "acme", "--yes")
    assert (refused.code, refused.out) == (1, "")
    assert "`surveybot push remove --integration acme` first, or --keep-subscriptions.\n" in refused.err
    stored = await desk.stored("acme")
    assert stored is not None
    assert not stored.is_paused
    assert (await desk.integration("remove", "acme", "--yes", "--keep-subscriptions")).code == 0
    assert await desk.stored("acme") is None


async def test_the_secret_comes_from_a_file_the_environment_or_a_hidden_prompt(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    (desk.shell.folder.parent / "token").write_text(f"{TOKEN}\n")
    assert (await desk.add("File", "--secret-file", "../token", secret=OTHER)).code == 0
    assert await desk.secret("file") == TOKEN

    monkeypatch.delenv("SURVEYBOT_SECRET")
    nobody = await desk.integration("add", "Main", "--base-url", desk.base_url)
    assert (nobody.code, nobody.err) == (
        1,
        "There is nobody to ask for the secret: give --secret-file, or set SURVEYBOT_SECRET in the environment, not in .env.\n",
    )

    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    answers = iter(["short", OTHER])
    monkeypatch.setattr(getpass, "getpass", lambda *_, **__: next(answers))
    short = await desk.integration("add", "Main", "--base-url", desk.base_url)
    assert (short.code, short.err) == (1, "The secret must be at least 8 characters, ASCII without spaces.\n")
    assert (await desk.integration("add", "Main", "--base-url", desk.base_url)).code == 0
    assert await desk.secret("main") == OTHER


async def test_settings_change_one_by_one_and_the_rest_stays(desk: Desk) -> None:
    await desk.add("Main", "--requests-per-minute", "30", "--window", "22:00-06:00 UTC", "--full-sync", "daily")
    await desk.change(lambda uow: uow.integrations.set_baseline("main", NOW))
    assert await desk.integration("set", "main", "--requests-per-second", "1", "--full-sync", "manual") == Ended(
        0, "Integration main is changed.\n", ""
    )
    first = await desk.stored("main")
    assert first is not None
    assert (first.requests_per_minute, first.schedule.full, str(first.schedule.window)) == (60, Every(), "22:00-06:00 UTC")
    await desk.integration(
        "set", "main", "--requests-per-minute", "0", "--window", "off", "--full-sync", "hourly", "--name", "Headquarters"
    )
    assert await desk.stored("main") == Integration(
        integration_id="main", name="Headquarters", base_url=desk.base_url, schedule=Schedule(), brand_id="sandbox", baseline_at=NOW
    )
    nothing = await desk.integration("set", "main", "--no-test")
    assert (nothing.code, nothing.err) == (1, "Name what is to change: `surveybot integration set --help` lists the switches.\n")
    wrong = await desk.integration("set", "main", "--timeout-seconds", "0")
    assert (wrong.code, wrong.err) == (1, "--timeout-seconds must be more than 0.\n")


async def test_what_the_settings_file_overrules_at_the_next_start_is_told(desk: Desk) -> None:
    await desk.add()
    (desk.shell.folder / "i.toml").write_text((await desk.integration("export", "main")).out)
    desk.shell.set({"SURVEYBOT_INTEGRATIONS_FILE": "i.toml"})
    ended = await desk.integration("set", "main", "--timeout-seconds", "7")
    assert "  i.toml (SURVEYBOT_INTEGRATIONS_FILE) has it too, and overrules this at the next start\n" in ended.out
    assert "i.toml" not in (await desk.integration("set", "acme", "--incremental-sync", "5 min")).out
    assert "timeout_seconds = 7\n" in (await desk.integration("show", "main")).out, "no command but `import` applies the file"
    ended = await desk.integration("remove", "main", "--yes")
    assert ended.out.endswith("\n  i.toml (SURVEYBOT_INTEGRATIONS_FILE) has it too, and adds it again at the next start\n")
    assert [line.split()[0] for line in (await desk.integration("list")).out.splitlines()] == ["ID", "acme"]


async def test_a_settings_file_that_cannot_be_used_stops_no_command(desk: Desk) -> None:
    (desk.shell.folder / "i.toml").write_text('[[integrations]]\nname = "Acme"\nsecret_env = "NOT_IN_THIS_SHELL"\n')
    desk.shell.set({"SURVEYBOT_INTEGRATIONS_FILE": "i.toml"})
    assert (await desk.integration("list")).code == 0
    assert await desk.integration("set", "acme", "--incremental-sync", "5 min") == Ended(
        0,
        "Integration acme is changed.\n"
        "  i.toml (SURVEYBOT_INTEGRATIONS_FILE) cannot be used from here; if acme is in it, it overrules this at the next start\n",
        "",
    )


async def test_a_new_secret_is_tried_out_first_and_ends_a_refusal(desk: Desk) -> None:
    await desk.add()
    await desk.change(lambda uow: uow.integrations.set_unauthorized("main", NOW))
    assert "refused since 2026-11-23 12:00" in (await desk.integration("list")).out
    desk.shell.set({"SURVEYBOT_SECRET": "canary-wrong-token"})
    assert (await desk.integration("secret", "main")).code == 1
    assert await desk.secret("main") == TOKEN
    desk.shell.set({"SURVEYBOT_SECRET": CLIENT_SECRET})
    assert await desk.integration("secret", "main", "--client-id", "client") == Ended(
        0, f"The secret of main is replaced.\n{desk.brand}", ""
    )
    changed = await desk.stored("main")
    assert changed is not None
    assert (changed.client_id, changed.unauthorized_at, await desk.secret("main")) == ("client", None, CLIENT_SECRET)
    desk.shell.set({"SURVEYBOT_SECRET": OTHER})
    assert (await desk.integration("secret", "main", "--client-id", "none")).code == 0
    again = await desk.stored("main")
    assert again is not None
    assert again.client_id is None


async def test_a_test_tells_what_the_stored_credentials_see_and_ends_a_refusal(desk: Desk) -> None:
    await desk.add()
    await desk.change(lambda uow: uow.integrations.set_unauthorized("main", NOW))
    assert await desk.integration("test", "main") == Ended(0, f"Integration main works.\n{desk.brand}", "")
    tested = await desk.stored("main")
    assert tested is not None
    assert tested.unauthorized_at is None
    desk.inside.tenant.credentials.revoke(TOKEN)
    refused = await desk.integration("test", "main")
    assert refused.code == 1
    assert "answered 401" in refused.err
    await desk.change(lambda uow: uow.integrations.save(Integration(integration_id="new", name="New", base_url=desk.base_url)))
    assert (await desk.integration("test", "new")).err == "new has no secret: `surveybot integration secret new` stores one.\n"
    assert "no secret" in (await desk.integration("list")).out


async def test_pause_and_resume(desk: Desk) -> None:
    assert (await desk.integration("pause", "acme")).out == "Integration acme is paused.\n"
    paused = await desk.stored("acme")
    assert "paused" in (await desk.integration("list")).out
    assert (await desk.integration("resume", "acme")).out == "Integration acme is read again.\n"
    resumed = await desk.stored("acme")
    assert paused is not None
    assert resumed is not None
    assert (paused.is_paused, resumed.is_paused) == (True, False)


async def test_what_an_older_version_left_is_connected_by_adding_it(desk: Desk) -> None:
    left = Integration(integration_id="main", name="Main", base_url="", is_paused=True)
    await desk.change(lambda uow: uow.integrations.save(left))
    assert "not connected" in (await desk.integration("list")).out
    assert (await desk.integration("resume", "main")).err == "main was never connected: `surveybot integration add 'Main'` does it.\n"
    assert (await desk.add()).code == 0
    assert await desk.stored("main") == Integration(integration_id="main", name="Main", base_url=desk.base_url, brand_id="sandbox")


async def test_removing_asks_for_the_id_and_takes_all_of_it(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    await desk.add()
    answers = iter(["Main", "main"])
    monkeypatch.setattr("click.termui.visible_prompt_func", lambda _: next(answers))
    monkeypatch.setattr("typer._click.termui.visible_prompt_func", lambda _: next(answers), raising=False)
    wrong = await desk.integration("remove", "main")
    assert (wrong.code, wrong.err) == (1, "That is not its id; nothing was removed.\n")
    assert f"Main ({desk.base_url}) goes: settings, secret, 0 surveys" in wrong.out
    assert await desk.stored("main") is not None
    assert (await desk.integration("remove", "main")).out.endswith("Integration main is removed.\n")
    assert await desk.stored("main") is None
    assert await desk.stored("acme") is not None


async def test_an_integration_that_is_being_read_is_paused_and_removed_later(desk: Desk) -> None:
    await desk.change(lambda uow: uow.leases.take("sync:acme", "somebody", timedelta(minutes=1)))
    ended = await desk.integration("remove", "acme", "--yes")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err == "acme is being read right now. It is paused from now on: try again when that run has ended.\n"
    await desk.change(lambda uow: uow.leases.release("sync:acme", "somebody"))
    assert await desk.integration("remove", "acme", "--yes") == Ended(0, "Integration acme is removed.\n", "")
    assert (await desk.integration("list")).out == "There is no integration yet; `surveybot integration add` adds one.\n"
    assert (await desk.integration("show", "acme")).err == "There is no integration 'acme'; `surveybot integration add` adds one.\n"


@pytest.mark.parametrize("command", ["show", "set", "secret", "test", "pause", "resume", "remove", "export"])
async def test_an_unknown_id_is_answered_with_the_known_ones(desk: Desk, command: str) -> None:
    desk.shell.set({"SURVEYBOT_SECRET": TOKEN})
    ended = await desk.integration(command, "nope", *(["--name", "x"] if command == "set" else []))
    assert (ended.code, ended.out, ended.err) == (1, "", "There is no integration 'nope'; there are acme.\n")


async def test_exported_integrations_come_back_without_losing_anything(desk: Desk) -> None:
    await desk.add("Main", "--full-sync", "daily", "--client-id", "client", secret=CLIENT_SECRET)
    await desk.add("Branch", "--paused")
    exported = (await desk.integration("export", "main", "branch")).out
    (desk.shell.folder / "i.toml").write_text(exported)
    before = [await desk.stored(name) for name in ("main", "branch")]
    assert (await desk.integration("import", "i.toml")).out == "main: as it was\nbranch: as it was\n"
    assert [await desk.stored(name) for name in ("main", "branch")] == before
    await desk.integration("remove", "main", "--yes")
    came = (await desk.integration("import", "i.toml")).out
    assert came == "main: added; `surveybot integration secret main` stores the secret it lacks\nbranch: as it was\n"
    assert (await desk.integration("export", "main", "branch")).out == exported
    assert "secret" not in exported
    (desk.shell.folder / "i.toml").write_text('[[integrations]]\napi_token = "canary-in-the-file"\n')
    refused = await desk.integration("import", "i.toml")
    assert (refused.code, refused.out) == (1, "")
    assert refused.err.startswith("The file i.toml must be put right:\n  integration 1: api_token: a secret has no place in this file")


async def test_no_file_of_the_database_holds_a_secret(desk: Desk, tmp_path: Path) -> None:
    """`Desk` watches what the commands print. The control: what is stored in clear beside the secrets is found."""
    await desk.add("Findable")
    await desk.add("Refused", "--no-test", secret="canary-refused")
    for arguments in (["test", "refused"], ["test", "findable"], ["list"], ["export"]):
        await desk.integration(*arguments)
    files = _files(tmp_path)
    if files:  # PostgreSQL's are watched by tests/contract/store/test_secrecy.py
        assert any(b"Findable" in content for content in files)
        assert not any(b"canary" in content for content in files)


async def test_without_schema_every_command_is_one_sentence(shell: Shell, empty_database_url: str) -> None:
    shell.set({**GOOD, "SURVEYBOT_DATABASE_URL": empty_database_url})
    ended = await shell.run("integration", "list")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err == "The database is not at this version's schema. Run `surveybot db upgrade`, then start again.\n"
    assert not migrations.is_current(empty_database_url)


def _files(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
