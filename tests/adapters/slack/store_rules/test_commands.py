"""Slack's store rules about commands, answers and errors; manifest/README.md lists all of them."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime
from typing import Any

import pytest

from adapters.sandbox.slack.workspace import Message, Workspace, elements
from adapters.slack.manifest import manifest
from bot.actions import Asking
from bot.errors import Unavailable
from bot.page import Page, Text
from bot.ports import Store
from tests.adapters.slack.conftest import Bot, StartBot, settled

COMMANDS: list[dict[str, Any]] = manifest("bot.example.org")["features"]["slash_commands"]
NAMES = [command["command"] for command in COMMANDS]


def buttons(blocks: object) -> list[str]:
    assert isinstance(blocks, (list, tuple))
    return [element["text"]["text"] for block in blocks for element in elements(block) if "text" in element]


async def test_rule_08_everything_is_acknowledged_within_three_seconds(start: StartBot, workspace: Workspace) -> None:
    """However long the answer takes: here it is not even begun."""
    gate = asyncio.Event()

    async def stuck(_store: Store, _asking: Asking, _now: datetime) -> Page:
        await gate.wait()
        return Page(title="At last", elements=(Text(("Done.",)),))

    bot = await start(handle=stuck)
    answers = [await bot.sender.command("U0ANA", "C0GENERAL", name) for name in NAMES]
    answers.append(await bot.sender.open_home("U0ANA"))
    assert [(answer.status, answer.body) for answer in answers] == [(200, "")] * len(answers)
    gate.set()
    await settled()
    assert workspace.timeouts == []


@pytest.mark.parametrize("name", NAMES)
async def test_rule_09_help_and_unknown_words_are_answered_with_usage(bot: Bot, name: str) -> None:
    for typed in ("help", "HELP", "frobnicate", "<!channel>"):
        answer = await bot.command("U0ANA", "C0GENERAL", typed, command=name)
        assert answer.only_for == "U0ANA"
        assert name in answer.text
        assert "help" in answer.text


def test_rule_10_commands_have_names_of_their_own_a_description_and_a_hint() -> None:
    """`/help`, `/list` and the like belong to others."""
    for command in COMMANDS:
        assert "survey" in command["command"]
        assert 2 <= len(command["description"].split()) <= 12
        assert command["usage_hint"].startswith("[")
        assert command["should_escape"]
    assert len(set(NAMES)) == len(NAMES)


async def test_rule_11_answers_are_seen_by_the_person_who_asked_alone(bot: Bot) -> None:
    """By the command's own response URL, so that it works everywhere, also where the bot is not."""
    bot.workspace.add_channel("C0AWAY", "bot-is-not-here", members={"U0ANA", "U0BEN"})
    for channel_id in ("C0GENERAL", "C0AWAY", "D0HUMANS"):
        answers = [await bot.command("U0ANA", channel_id, typed, command=name) for name in NAMES for typed in ("", "help", "what?")]
        assert {answer.only_for for answer in answers} == {"U0ANA"}
        assert bot.workspace.sees("U0BEN", channel_id) == {}
    assert "chat.postMessage" not in {call.method for call in bot.workspace.journal}
    assert "in_channel" not in json.dumps([call.arguments for call in bot.workspace.journal])


async def test_rule_12_errors_say_what_to_do_next(start: StartBot, workspace: Workspace) -> None:
    async def broken(_store: Store, _asking: Asking, _now: datetime) -> Page:
        raise Unavailable("the database is down")

    bot = await start(handle=broken)
    answer = await bot.command("U0ANA", "C0GENERAL")
    assert "try again" in answer.text
    assert buttons(answer.blocks)
    assert "database" not in answer.text
    assert buttons((await bot.open_home("U0ANA"))["blocks"])


async def test_rule_13_no_way_ends_where_no_other_begins(bot: Bot) -> None:
    """From every answer there is a button on; from details and from the second page one leads back."""
    dm = bot.dm("U0ANA")
    first = await bot.command("U0ANA", dm)
    await bot.press("U0ANA", "Details", dm, first.ts)
    details = bot.newest("U0ANA", dm)
    await bot.press("U0ANA", "My active surveys", dm, first.ts)
    assert bot.newest("U0ANA", dm).text == first.text
    shown: list[Message] = [first, details, await bot.command("U0ANA", dm, "help"), await bot.command("U0ANA", dm, "what?")]
    nobody = [await bot.command(user_id, "C0GENERAL") for user_id in ("U0GUEST", "U0SHY")]
    assert [message.text.splitlines()[0] for message in (*shown, *nobody) if not buttons(message.blocks)] == []


@pytest.mark.parametrize("user_id", ["U0GUEST", "U0ONE", "U0FAR", "U0SHY", "U0GONE", "U0BEN"])
async def test_rule_14_who_has_no_surveys_here_is_answered_kindly_everywhere(bot: Bot, user_id: str) -> None:
    """Guests, strangers of a shared channel, people without an address; on the Home tab, too."""
    sorry = "Something went wrong"
    for name in NAMES:
        answer = await bot.command(user_id, "C0GENERAL", command=name)
        assert (answer.only_for, sorry in answer.text, "Survey 1\n" in answer.text) == (user_id, False, False)
        assert len(answer.text.split()) >= 8
    home = json.dumps((await bot.open_home(user_id))["blocks"])
    assert sorry not in home
