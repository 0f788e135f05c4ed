"""One JSON object a line on standard error, whoever logs; what libraries say about requests stays out."""

from __future__ import annotations

import asyncio
import json
import logging
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
import stamina
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from adapters import logs
from adapters.sandbox.demo import sandbox
from adapters.slack.clients import make_client
from adapters.slack_access import told
from bot.syncing.sync import Kind
from tests.adapters.operator.conftest import Shell
from tests.sides import in_slack

CANARY = "xoxb-c4n4ry-token"


def test_a_record_is_one_line_of_json_with_its_extra_fields(shell: Shell) -> None:
    before = datetime.now(UTC)
    logs.configure("INFO", colour=False)
    logging.getLogger("bot.syncing.sync").info("sync.%s", "finished", extra={"integration": "acme", "rows": 3, "odd": {1}})
    (line,) = _lines(shell)
    assert before <= datetime.fromisoformat(line.pop("timestamp")) <= datetime.now(UTC)
    assert line == {"event": "sync.finished", "level": "info", "logger": "bot.syncing.sync", "integration": "acme", "rows": 3, "odd": "{1}"}


@pytest.mark.parametrize("colour", [False, True])
def test_an_exception_is_told_with_its_traceback_and_without_local_variables(shell: Shell, colour: bool) -> None:
    logs.configure("INFO", colour=colour)
    _break(CANARY, logging.getLogger("a"))
    written = shell.capsys.readouterr().err
    assert written.count("Traceback (most recent call last)") == 1
    assert written.count("ZeroDivisionError: division by zero") == 1
    assert "c4n4ry" not in written
    if not colour:
        assert [json.loads(line)["event"] for line in written.splitlines()] == ["job.broken"]


def test_colours_are_for_terminals(shell: Shell) -> None:
    logs.configure("INFO")
    logging.getLogger("a").info("plain")
    assert _lines(shell)[0]["event"] == "plain"
    logs.configure("INFO", colour=True)
    logging.getLogger("a").info("coloured")
    assert "\x1b[" in shell.capsys.readouterr().err


def test_configuring_again_replaces_what_was(shell: Shell) -> None:
    logs.configure("ERROR", colour=False)
    logs.configure("INFO", colour=False)
    logging.getLogger("a").info("once")
    assert len(_lines(shell)) == 1


async def test_no_token_address_or_link_of_a_request_is_logged_even_at_debug(shell: Shell, migrated_sqlite: bytes) -> None:
    """A whole synchronisation, a message, a command, a refused call and a repeated one."""
    (shell.folder / "s.db").write_bytes(migrated_sqlite)
    logs.configure("DEBUG", colour=False)
    with stamina.set_testing(True, attempts=2):
        async with sandbox("sqlite:///s.db") as inside:
            inside.tenant.faults.status, inside.tenant.faults.times = 503, 1
            await inside.bot.core.jobs.start("acme", Kind.FULL)
            await in_slack(inside.bot).directory_reader.read(inside.workspace.team_id)
            inside.tenant.send_survey(name="Pulse")
            await inside.bot.core.jobs.start("acme", Kind.INCREMENTAL)
            await inside.bot.deliver()
            version = inside.workspace.version
            assert (await inside.sender.command("U001", "C001", "/surveys", "")).status == 200
            await asyncio.wait_for(inside.workspace.wait_for_change(version), 30)
            await _refused(make_client(CANARY, f"{inside.url}/api/"))
            settings = inside.bot.core.settings
            token = await inside.bot.core.store.read(lambda uow: uow.integrations.secret("acme"))
    assert len(inside.workspace.journal) > 20
    written = shell.capsys.readouterr()
    assert "sync.finished" in written.err
    assert written.out == ""
    assert token
    secrets = (told(settings.slack.bot_token), told(settings.slack.signing_secret), token)
    for forbidden in (*secrets, CANARY, "@example.com", "/jfe/form/", "/response/", "Pulse"):
        assert forbidden not in written.err


async def test_httpx_would_tell_addresses_if_it_were_let(shell: Shell) -> None:
    """What the silence is for: the same request, with httpx at its own level."""
    logs.configure("DEBUG", colour=False)
    transport = httpx.MockTransport(lambda _: httpx.Response(200))
    async with httpx.AsyncClient(transport=transport) as client:
        await client.get(f"https://a.b/{CANARY}")
        assert shell.capsys.readouterr().err == ""
        logging.getLogger("httpx").setLevel("DEBUG")
        await client.get(f"https://a.b/{CANARY}")
        assert CANARY in shell.capsys.readouterr().err


def _break(token: str, log: logging.Logger) -> None:
    try:
        assert len(token) / 0
    except ZeroDivisionError:
        log.exception("job.broken")


async def _refused(client: AsyncWebClient) -> None:
    with pytest.raises(SlackApiError, match="invalid_auth"):
        await client.auth_test()
    assert client.session is not None
    await client.session.close()


def _lines(shell: Shell) -> list[dict[str, Any]]:
    return [json.loads(line) for line in shell.capsys.readouterr().err.splitlines()]
