"""The commands as an operator types them: a sentence and an exit code for everything that can be foreseen."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
from pathlib import Path

import httpx
import pytest

from adapters.sandbox.demo import Sandbox
from adapters.sandbox.qualtrics.faults import Faults
from adapters.sandbox.slack.faults import Refused
from bot.gallery import forms, gallery
from store import migrations
from tests.adapters.operator.conftest import GOOD, Ended, Shell, process, until, variables

ASK_DOCTOR = "\n`surveybot doctor` says what can be done about it.\n"
FREE_PORT = "0"


async def test_help_names_every_command(shell: Shell) -> None:
    ended = await shell.run("--help")
    assert ended.code == 0
    assert all(command in ended.out for command in ("demo", "serve", "sync", "preview", "doctor", "db"))


@pytest.mark.parametrize(
    "arguments",
    [["nope"], ["preview", "nope"], ["preview", "--format", "pdf"], ["demo", "--port", "65536"], ["demo", "--log-level", "LOUD"], []],
    ids=" ".join,
)
async def test_wrong_usage_is_exit_code_2(shell: Shell, arguments: list[str]) -> None:
    ended = await shell.run(*arguments)
    assert ended.code == 2
    assert "Traceback" not in ended.err


@pytest.mark.parametrize("command", [["doctor"], ["serve"], ["sync"], ["db", "upgrade"]], ids=" ".join)
async def test_without_settings_every_command_that_needs_them_lists_them(shell: Shell, command: list[str]) -> None:
    ended = await shell.run(*command)
    assert (ended.code, ended.out) == (1, "")
    chats = "SURVEYBOT_SLACK__BOT_TOKEN, SURVEYBOT_TEAMS__APP_ID"
    assert [line.partition(":")[0].strip() for line in ended.err.splitlines()[1:]] == ["SURVEYBOT_ENCRYPTION_KEYS", chats]


async def test_preview_shows_a_page_in_every_form(shell: Shell) -> None:
    """None of it needs settings. That every page can be drawn is held where cards are tested."""
    names = (await shell.run("preview")).out.splitlines()
    assert names == [*gallery(), *forms()]
    text = await shell.run("preview", "new-survey")
    assert (text.code, text.err) == (0, "")
    assert "Respond in Qualtrics" in text.out
    message, home = [json.loads((await shell.run("preview", "new-survey", "--format", form)).out) for form in ("slack", "home")]
    assert message["blocks"]
    assert message["text"].split()[0] in text.out
    assert home["type"] == "home"
    assert home["blocks"]
    assert json.loads((await shell.run("preview", "search-form", "--format", "slack")).out)["type"] == "modal"
    assert json.loads((await shell.run("preview", "search-form", "--format", "teams")).out)["summary"] == "Find a survey"


async def test_a_schema_is_made_and_making_it_again_changes_nothing(shell: Shell, empty_database_url: str) -> None:
    shell.set({**GOOD, "SURVEYBOT_DATABASE_URL": empty_database_url})
    for _ in range(2):
        assert await shell.run("db", "upgrade") == Ended(0, "The database is at this version's schema.\n", "")
        assert migrations.is_current(empty_database_url)


@pytest.mark.parametrize("command", [["serve"], ["sync"]], ids=" ".join)
async def test_a_database_without_schema_is_one_sentence(shell: Shell, empty_database_url: str, command: list[str]) -> None:
    shell.set({**GOOD, "SURVEYBOT_DATABASE_URL": empty_database_url, "SURVEYBOT_PORT": FREE_PORT})
    ended = await shell.run(*command)
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.endswith("The database is not at this version's schema. Run `surveybot db upgrade`, then start again.\n")
    assert "Traceback" not in ended.err


@pytest.mark.parametrize("command", [["serve"], ["sync"], ["db", "upgrade"]], ids=" ".join)
@pytest.mark.parametrize("url", ["sqlite:///no/such/folder/s.db", "postgresql://me:c4n4ry@127.0.0.1:1/name"])
async def test_a_database_that_is_down_is_one_sentence(shell: Shell, url: str, command: list[str]) -> None:
    shell.set({**GOOD, "SURVEYBOT_DATABASE_URL": url, "SURVEYBOT_PORT": FREE_PORT})
    ended = await shell.run(*command)
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.endswith("the database cannot answer now" + ASK_DOCTOR)
    assert "Traceback" not in ended.err
    assert "c4n4ry" not in ended.err


async def test_a_bot_that_slack_does_not_know_does_not_start(shell: Shell, inside: Sandbox) -> None:
    shell.set(variables(inside.bot.core.settings))
    shell.set({"SURVEYBOT_PORT": FREE_PORT, "SURVEYBOT_SLACK__BOT_TOKEN": "xoxb-c4n4ry-revoked"})
    assert await shell.run("serve") == Ended(1, "", "auth.test answered 200 invalid_auth" + ASK_DOCTOR)
    inside.workspace.faults.add(Refused("ratelimited"))
    assert (await shell.run("serve")).err.startswith("auth.test answered 200")


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_a_port_that_is_taken_is_one_sentence_naming_what_to_change(shell: Shell, host: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        taken = socket.create_server((host, 0), family=family)
    except OSError:
        pytest.skip(f"this machine has no {host}")
    with taken:
        port = str(taken.getsockname()[1])
        shell.set({**GOOD, "SURVEYBOT_HOST": host, "SURVEYBOT_PORT": port})
        sentence = f"Port {port} of {host} is in use or may not be opened here. Choose another one with"
        assert await shell.run("serve") == Ended(1, "", f"{sentence} SURVEYBOT_HOST or SURVEYBOT_PORT.\n")
        if family == socket.AF_INET:
            assert await shell.run("demo", "--port", port) == Ended(1, "", f"{sentence} --port.\n")


async def test_a_host_that_is_no_host_is_the_same_sentence(shell: Shell) -> None:
    shell.set({**GOOD, "SURVEYBOT_HOST": "a..b"})
    assert (await shell.run("serve")).err.startswith("Port 8080 of a..b is in use or may not be opened here.")


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
async def test_a_stopped_bot_soon_ends_in_order(inside: Sandbox, tmp_path: Path, how: signal.Signals) -> None:
    """While it synchronises, which is the longest thing it does."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = str(probe.getsockname()[1])
    inside.tenant.faults = Faults(slow_seconds=60, prefix="/surveys")
    async with process(tmp_path, {**variables(inside.bot.core.settings), "SURVEYBOT_PORT": port}, "serve") as bot:
        await _answers(f"http://127.0.0.1:{port}/readyz")
        await until(inside, lambda _: inside.tenant.calls["/surveys"])
        out, err = await _stop(bot, how)
    assert (bot.returncode, out) == (0, "")
    assert "Traceback" not in err
    assert all(json.loads(line)["level"] == "info" for line in err.splitlines())
    runs = await inside.bot.core.store.read(lambda uow: uow.runs.latest("acme"))
    assert any(run.outcome is None for run in runs), "the next start goes on with it"
    inside.tenant.faults = Faults()


async def test_a_bot_without_integrations_starts_and_says_so_once(inside: Sandbox, tmp_path: Path) -> None:
    await inside.bot.core.store.write(lambda uow: uow.integrations.remove("acme", 1))
    out, err = await _served(tmp_path, variables(inside.bot.core.settings))
    assert out == ""
    assert [line for line in err.splitlines() if "integration add" in line] == [line for line in err.splitlines() if "warning" in line]
    assert err.count("integrations.none") == 1


async def test_a_file_of_integrations_is_applied_at_the_start_with_its_secrets(inside: Sandbox, tmp_path: Path) -> None:
    text = '[[integrations]]\nname = "Filed"\nbase_url = "http://127.0.0.1:1/API/v3/"\nsecret_env = "FILED"\nfull_sync = "manual"\n'
    _write(tmp_path / "i.toml", text)
    filed = {"SURVEYBOT_INTEGRATIONS_FILE": "i.toml", "FILED": "canary-filed"}
    _, err = await _served(tmp_path, {**variables(inside.bot.core.settings), **filed})
    stored = await inside.bot.core.store.read(lambda uow: (uow.integrations.get("filed"), uow.integrations.secret("filed")))
    assert stored[0] is not None
    assert stored[1] == "canary-filed"
    assert "canary" not in err


async def test_a_file_of_integrations_with_mistakes_is_told_instead(shell: Shell, database_url: str) -> None:
    _write(shell.folder / "i.toml", "[[integrations]]\n")
    shell.set({**GOOD, "SURVEYBOT_DATABASE_URL": database_url, "SURVEYBOT_PORT": FREE_PORT, "SURVEYBOT_INTEGRATIONS_FILE": "i.toml"})
    lines = "The file i.toml must be put right:\n  integration 1: base_url: is missing\n  integration 1: name: is missing\n"
    assert await shell.run("serve") == Ended(1, "", lines)


async def test_a_stopped_demo_soon_ends_in_order(tmp_path: Path) -> None:
    """Whatever the operator has set for the real bot."""
    async with process(tmp_path, {"SURVEYBOT_PORT": "wrong", "TMPDIR": str(tmp_path)}, "demo", "--port", "0") as demo:
        assert demo.stdout is not None
        line = (await asyncio.wait_for(demo.stdout.readline(), 120)).decode()
        assert line.startswith("Surveybot demo: open http://127.0.0.1:")
        await _answers(line.split()[3])
        out, err = await _stop(demo, signal.SIGINT)
    assert (demo.returncode, out) == (130, "")
    assert "Traceback" not in err
    assert _names(tmp_path) == []


async def test_a_synchronisation_can_be_interrupted(inside: Sandbox, tmp_path: Path) -> None:
    inside.tenant.faults = Faults(slow_seconds=60, prefix="/surveys")
    async with process(tmp_path, variables(inside.bot.core.settings), "sync") as sync:
        await until(inside, lambda _: inside.tenant.calls["/surveys"])
        out, err = await _stop(sync, signal.SIGINT)
    assert (sync.returncode, out) == (130, "")
    assert "Traceback" not in err
    runs = await inside.bot.core.store.read(lambda uow: uow.runs.latest("acme"))
    assert any(run.outcome is None for run in runs), "the next start goes on with it"
    inside.tenant.faults = Faults()


async def _served(folder: Path, environment: dict[str, str]) -> tuple[str, str]:
    """What a bot said until it was ready and stopped."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = str(probe.getsockname()[1])
    async with process(folder, {**environment, "SURVEYBOT_PORT": port}, "serve") as bot:
        await _answers(f"http://127.0.0.1:{port}/readyz")
        return await _stop(bot, signal.SIGTERM)


def _write(file: Path, text: str) -> None:
    file.write_text(text)


async def _answers(url: str) -> None:
    """Wait until a server is up: the start of a process takes a busy machine long."""
    async with asyncio.timeout(120), httpx.AsyncClient(transport=httpx.AsyncHTTPTransport(retries=20), timeout=60) as client:
        assert (await client.get(url)).status_code == 200


def _names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


async def _stop(running: asyncio.subprocess.Process, how: signal.Signals) -> tuple[str, str]:
    """It takes half a second; on a busy machine more, but never as long as what is interrupted."""
    running.send_signal(how)
    out, err = await asyncio.wait_for(running.communicate(), 50)
    return out.decode(), err.decode()
