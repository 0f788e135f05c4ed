"""Slack's store rules about security, installation and its end, and privacy; manifest/README.md lists all of them."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
from slack_sdk.signature import SignatureVerifier

from adapters.sandbox.slack.sender import tell_news
from adapters.sandbox.slack.workspace import ConversationKind
from adapters.slack.scopes import SCOPES
from tests.adapters.slack.conftest import Bot, settled
from tests.adapters.slack_install.conftest import House, opened
from tests.adapters.slack_install.test_installing import database
from tests.sides import in_slack

BODY = "command=/surveys&user_id=U0ANA&channel_id=C0GENERAL&team_id=T0ACME&response_url=https://example.org"


@pytest.fixture
async def house(tmp_path: Path, migrated_sqlite: bytes) -> AsyncIterator[House]:
    """The whole bot, to be installed by OAuth."""
    (tmp_path / "surveybot.db").write_bytes(migrated_sqlite)
    async with opened(tmp_path) as it:
        yield it


@pytest.mark.parametrize(("secret", "age_seconds"), [("another secret", 0), ("a-signing-secret-of-tests", 301), (None, 0)])
async def test_rule_23_every_request_is_verified(bot: Bot, secret: str | None, age_seconds: int) -> None:
    """By the signing secret, not by the deprecated token; `test_forged.py` tries a thousand more."""
    at, headers = str(int(time.time()) - age_seconds), {"Content-Type": "application/x-www-form-urlencoded"}
    if secret is not None:
        signature = SignatureVerifier(secret).generate_signature(timestamp=at, body=BODY)
        headers |= {"X-Slack-Request-Timestamp": at, "X-Slack-Signature": str(signature)}
    async with aiohttp.ClientSession() as session, session.post(bot.url, data=BODY + "&token=unused", headers=headers) as answer:
        assert answer.status == 401
    await settled()
    assert bot.workspace.journal == []


async def test_rule_24_tokens_are_kept_encrypted_and_out_of_logs(house: House, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "adapters")
    await house.install("T0ACME")
    await house.ask(house.acme, "U0ANA")
    tokens = await house.tokens("T0ACME")
    assert tokens is not None
    stored = database(house)
    logged = "\n".join(f"{record.getMessage()} {vars(record)}" for record in caplog.records)
    for secret in (tokens.access, house.slack.app.signing_secret, house.slack.app.client_secret):
        assert secret
        assert secret.encode() not in stored
        assert secret not in logged + repr(tokens) + repr(house.settings)


async def test_rule_25_an_installation_has_a_state_asks_for_all_scopes_and_ends_with_the_next_steps(house: House) -> None:
    """The address to begin at leads to Slack's own page at once, as a direct install must."""
    begun = await house.visit(f"{house.url}/slack/install")
    asked = parse_qs(urlsplit(begun.location).query)
    assert begun.status == 302
    assert urlsplit(begun.location).path == "/oauth/v2/authorize"
    assert set(asked["scope"][0].split(",")) == {scope.name for scope in SCOPES}
    assert not asked.get("user_scope", [""])[0]
    assert len(asked["state"][0]) >= 32
    assert (await house.visit(f"{house.url}/slack/install")).location != begun.location

    back, cookie = await house.allow("T0ACME")
    forged = back.replace(parse_qs(urlsplit(back).query)["state"][0], "forged")
    assert (await house.visit(forged, cookie)).status in {400, 401}
    assert await house.installation("T0ACME") is None
    shown = await house.visit(back, cookie)
    assert shown.status == 200
    assert "/surveys" in shown.page
    assert "<ol>" in shown.page


async def test_rule_26_uninstalling_cleans_up(house: House) -> None:
    """The token goes, the people go, and nothing is sent there any more."""
    await house.install("T0ACME")
    await house.ask(house.acme, "U0ANA")
    house.slack.uninstall(house.slack.installations[0])
    await tell_news(house.slack)
    await settled()
    store = house.bot.core.store
    assert await house.tokens("T0ACME") is None
    assert await store.read(lambda uow: uow.members.by_email("ana@acme.example")) == []
    assert await store.read(lambda uow: uow.directory_readings.get("T0ACME")) is None
    assert await in_slack(house.bot).clients.workspaces() == []


async def test_rule_27_organisations_and_their_workspaces_are_understood(house: House) -> None:
    """Installed once for all of them, a person is known by the organisation's id, wherever they ask."""
    await house.install("E0GRID")
    north = house.slack.workspaces["T0NORTH"]
    assert "no access" not in (await house.ask(north, "W0ANA")).text
    (ana,) = await house.bot.core.store.read(lambda uow: uow.members.by_email("ana@grid.example"))
    assert (ana.workspace_id, ana.user_id, ana.kind) == ("E0GRID", "W0ANA", "member")
    await in_slack(house.bot).directory_reader.read("E0GRID")
    assert await house.bot.core.store.read(lambda uow: uow.members.by_email("ana@grid.example")) == [ana]


async def test_rule_28_nobody_learns_through_the_app_what_they_could_not_see_without_it(bot: Bot) -> None:
    """No channel's name or members; another person's surveys and link to nobody; nothing private where others look on."""
    bot.workspace.add_channel("C0SECRET", "project-x", kind=ConversationKind.PRIVATE, members={"U0ANA"})
    listed = await bot.command("U0ANA", "C0SECRET")
    await bot.press("U0ANA", "Details", "C0SECRET", listed.ts)
    await bot.command("U0BEN", "C0GENERAL", "list")
    await bot.open_home("U0BEN")
    said = [json.dumps(call.arguments) for call in bot.workspace.journal]
    assert said
    for text in said:
        assert "project-x" not in text
        assert "Q_DL" not in text
    home = json.dumps(bot.workspace.homes["U0BEN"])
    assert "Survey 100" in home
    assert "Survey 1*" not in home
