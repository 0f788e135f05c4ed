"""Channels in Slack are subscribed by command and by window, and by nothing that pretends to be one of theirs."""

from __future__ import annotations

import json

import pytest

from adapters.core import utc_now
from adapters.slack.channel import SlackChannel
from adapters.slack.clients import Clients
from adapters.slack.directory import SlackDirectory
from adapters.slack.pacing import SlackPace
from bot.messages import Conversation, Readership
from bot.model import User
from bot.ports import Store
from store.gates import SqlGates
from tests.adapters.slack.conftest import TEAM, Bot, StartBot, settled

HERE = Conversation(workspace_id=TEAM, channel_id="C0TEAM")
STATS = "/survey-stats"


@pytest.fixture(autouse=True)
async def owner(store: Store, surveys: None) -> None:
    """Ana owns all surveys."""
    await store.write(lambda uow: uow.users.save("main", [User(user_id="UR_1", email="ana@acme.example", first_name="Ana")]))


async def in_force(store: Store) -> dict[str, str]:
    found = await store.read(lambda uow: uow.subscriptions.of_conversation(HERE))
    return {it.subject: " ".join(sorted(it.features)) for it in found}


def seen(bot: Bot) -> str:
    return json.dumps(bot.workspace.modals["U0ANA"], ensure_ascii=False)


async def test_a_command_subscribes_the_channel_and_a_colleague_there_removes_it(bot: Bot, store: Store) -> None:
    answer = await bot.command("U0ANA", "C0TEAM", "subscribe “Survey 21” launch closing", STATS)
    assert answer.only_for == "U0ANA"
    assert "Subscribed by\nAna" in answer.text.replace(": ", "\n")
    assert await in_force(store) == {"SV_21": "closing launch"}
    assert (await bot.command("U0BEN", "C0TEAM", "subscribe Survey 21 launch", STATS)).text.startswith("For survey owners")
    assert (await bot.command("U0GUEST", "C0GENERAL", "unsubscribe all", STATS)).text.startswith("For members only")
    listed = await bot.command("U0BEN", "C0TEAM", "list", STATS)
    await bot.press("U0BEN", "Remove", "C0TEAM", listed.ts)
    assert "1 subscription was removed" in bot.newest("U0BEN", "C0TEAM").text
    assert await in_force(store) == {}
    for place in (bot.dm("U0ANA"), "D0HUMANS"):
        assert (await bot.command("U0ANA", place, "subscribe all", STATS)).text.startswith("Please ask in a channel")
    assert bot.workspace.refused == []


async def test_a_window_asks_for_what_is_missing_complains_at_its_fields_and_changes_what_is_in_force(bot: Bot, store: Store) -> None:
    await bot.sender.command("U0ANA", "C0TEAM", STATS, "subscribe weekly")
    await settled()
    said = {"what": "SV_7", "weekday": "4", "weekly_at": "16:00"}
    await bot.sender.submit("U0ANA", {**said, "features": []})
    await settled()
    assert list(bot.workspace.view_errors["U0ANA"]) == ["features"]
    await bot.sender.submit("U0ANA", {**said, "features": ["weekly", "results"]})
    await settled()
    assert "Friday at 16:00" in seen(bot)
    assert await in_force(store) == {"SV_7": "results weekly"}
    await bot.press("U0ANA", "Change")
    await bot.sender.submit("U0ANA", {"features": ["closed"]})
    await settled()
    assert await in_force(store) == {"SV_7": "closed"}
    assert bot.workspace.refused == []


async def test_a_window_whose_channel_was_changed_subscribes_none(bot: Bot, store: Store) -> None:
    await bot.sender.command("U0ANA", "C0TEAM", STATS, "subscribe")
    await settled()
    bot.workspace.stacks["U0ANA"][-1] |= {"private_metadata": json.dumps({"in": "C0BOARD"})}
    await bot.sender.submit("U0ANA", {"what": "all", "features": ["weekly"]})
    await settled()
    assert "Please ask in a channel" in seen(bot)
    assert await store.read(lambda uow: uow.subscriptions.active()) == []


async def test_who_is_deactivated_while_the_channel_is_looked_at_subscribes_nothing(
    start: StartBot, clients: Clients, gates: SqlGates, store: Store, directory: SlackDirectory
) -> None:
    class Slow(SlackChannel):
        async def readership(self, conversation: Conversation) -> Readership:
            await directory.absorb(TEAM, {"id": "U0ANA", "deleted": True})
            return await super().readership(conversation)

    bot = await start(dms=Slow(clients, store, SlackPace(gates, utc_now, sends_per_minute=60_000)))
    answer = await bot.command("U0ANA", "C0TEAM", "subscribe Survey 21", STATS)
    assert answer.text.startswith("For members only")
    assert await in_force(store) == {}


async def test_a_channel_that_guests_or_others_read_is_subscribed_neither_by_command_nor_by_window(bot: Bot, store: Store) -> None:
    bot.workspace.add_channel("C0GUEST", "guest", members={"U0ANA", "U0GUEST"})
    bot.workspace.add_channel("C0SHARED", "shared", members={"U0ANA"}, is_shared=True)
    for place in ("C0GUEST", "C0SHARED"):
        answer = await bot.command("U0ANA", place, "subscribe Survey 21", STATS)
        assert answer.text.startswith("Not in this channel")
        assert ("People of other organisations" in answer.text) is (place == "C0SHARED")
        await bot.sender.command("U0ANA", place, STATS, "subscribe")
        await settled()
        await bot.sender.submit("U0ANA", {"what": "all", "features": ["weekly"]})
        await settled()
        assert "Not in this channel" in seen(bot)
    assert await store.read(lambda uow: uow.subscriptions.all()) == []
    assert bot.workspace.refused == []
