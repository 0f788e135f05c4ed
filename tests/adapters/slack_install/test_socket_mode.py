"""Where nothing can call the bot, it hears of everything over a connection of its own, as it would by HTTP."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from pydantic import SecretStr

from adapters.sandbox.slack.faults import Status
from adapters.sandbox.slack.sender import SlackSender
from adapters.slack.inbound import PATH
from bot.errors import Unauthorized
from tests.adapters.slack.conftest import settled
from tests.adapters.slack_install.conftest import House, opened

APP_TOKEN = "xapp-1-A0SURVEYBOT-1-sandbox"


async def test_commands_clicks_and_events_come_once_and_go_on_after_a_reconnect(folder: Path) -> None:
    async with opened(folder, app_token=SecretStr(APP_TOKEN), signing_secret=None) as house:
        await house.slack.sockets.opened()
        assert (await house.install("T0ACME")).status == 200
        assert (await house.browser.post(f"{house.url}{PATH}")).status == 404
        assert await ready(house) == 200

        sender, dm = SlackSender(house.acme, ""), house.acme.direct_message("U0ANA").conversation_id
        assert (await sender.command("U0ANA", dm, "/surveys")).status == 200
        await settled()
        assert "survey" in list(house.acme.sees("U0ANA", dm).values())[-1].text.casefold()

        opening = sender.envelope({"type": "app_home_opened", "user": "U0ANA", "tab": "home", "channel": dm})
        await sender.deliver(opening, attempts=(0, 1, 2))
        await settled()
        assert house.called("views.publish") == 1

        await house.slack.sockets.disconnect("refresh_requested")
        await house.slack.sockets.opened()
        assert (await sender.open_home("U0ANA")).status == 200
        await settled()
        assert house.called("views.publish") == 2
    left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    assert [task for task in left if "socket_mode" in repr(task)] == []


async def test_without_a_connection_the_bot_is_not_ready_and_its_log_quotes_nothing(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with opened(folder, app_token=SecretStr(APP_TOKEN), signing_secret=None) as house:
        await house.slack.sockets.opened()
        house.slack.faults.add(Status(503), method="apps.connections.open", times=None)
        await house.slack.sockets.disconnect("link_disabled")
        async with asyncio.timeout(30):
            while await ready(house) != 503 or not (trouble := [it for it in caplog.records if it.name == "adapters.slack.socket_mode"]):
                pass
    assert {record.getMessage() for record in trouble} == {"slack.socket_trouble"}
    assert not any("ticket" in str(vars(record)) or APP_TOKEN in str(vars(record)) for record in caplog.records)


async def test_a_wrong_app_token_is_told_at_the_start(folder: Path) -> None:
    with pytest.raises(Unauthorized, match="is SURVEYBOT_SLACK__APP_TOKEN right"):
        async with opened(folder, app_token=SecretStr("xapp-1-wrong-000000"), signing_secret=None):
            pass


async def ready(house: House) -> int:
    async with house.browser.get(f"{house.url}/readyz") as answer:
        return answer.status
