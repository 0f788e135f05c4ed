"""Forms in modals: opened in time, answered in time, and no way around what a person may see."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime

import pytest

from adapters.sandbox.slack.faults import RateLimited
from adapters.sandbox.slack.workspace import Workspace
from adapters.slack import answers
from bot import actions
from bot.errors import Unavailable
from bot.messages import Preference
from bot.page import Form, Page, PrivatePage
from bot.ports import Store
from tests.adapters.slack.conftest import Bot, StartBot, settled


def seen(workspace: Workspace, user_id: str = "U0ANA") -> str:
    """The modal that somebody looks at."""
    return json.dumps(workspace.modals[user_id], ensure_ascii=False)


async def typed(bot: Bot, text: str, place: str = "C0GENERAL") -> None:
    await bot.sender.command("U0ANA", place, "/surveys", text)
    await settled()


async def submitted(bot: Bot, **values: str | list[str]) -> None:
    assert (await bot.sender.submit("U0ANA", values)).status == 200
    await settled()


async def preference(store: Store) -> Preference:
    return await store.read(lambda uow: uow.preferences.get(uow.people.find("ana@acme.example") or 0))


async def test_what_was_left_out_is_asked_for_and_found_without_a_link_in_sight(bot: Bot) -> None:
    await typed(bot, "find")
    assert "Words of its name or its sender" in seen(bot.workspace)
    await submitted(bot, words="vey 2")
    assert "8 surveys" not in seen(bot.workspace)
    assert "Survey 21" in seen(bot.workspace)
    assert "Survey 100" not in seen(bot.workspace)
    await bot.press("U0ANA", "Details")
    assert "Status" in seen(bot.workspace)
    assert "Q_DL" not in seen(bot.workspace)
    await bot.press("U0ANA", "Respond in private")
    assert "Sent to you" in seen(bot.workspace)
    assert "Q_DL=ana" in json.dumps(bot.newest("U0ANA", bot.dm("U0ANA")).blocks)
    assert bot.workspace.refused == []


async def test_a_field_with_nothing_in_it_is_complained_about_kindly(bot: Bot) -> None:
    await typed(bot, "find")
    await submitted(bot, words="   ")
    assert bot.workspace.view_errors["U0ANA"] == {"words": "Please type a part of the survey's name or of its sender."}
    await submitted(bot, words="nothing like it")
    assert "No survey that was sent to you" in seen(bot.workspace)


async def test_settings_are_saved_and_shown(bot: Bot, store: Store) -> None:
    await typed(bot, "settings")
    await submitted(bot, told=["reminders"])
    assert "Your settings are saved." in seen(bot.workspace)
    assert await preference(store) == Preference(new_surveys=False)
    await bot.press("U0ANA", "Change settings")
    await submitted(bot, told=[])
    assert await preference(store) == Preference(new_surveys=False, reminders=False)


async def test_what_was_changed_on_the_home_tab_is_shown_there_at_once(bot: Bot) -> None:
    assert "switched reminders off" not in json.dumps(await bot.open_home("U0ANA"))
    await bot.press("U0ANA", "Change settings")
    await submitted(bot, told=["new_surveys"])
    assert "switched reminders off" in json.dumps(bot.workspace.homes["U0ANA"])


async def test_a_form_stands_open_before_anything_was_looked_up(start: StartBot, surveys: None, workspace: Workspace) -> None:
    gate = asyncio.Event()

    async def slow(store: Store, asking: actions.Asking, now: datetime) -> Page | PrivatePage | Form:
        await gate.wait()
        return await actions.handle(store, asking, now)

    bot = await start(handle=slow)
    assert (await bot.sender.command("U0ANA", "C0GENERAL", "/surveys", "settings")).status == 200
    async with asyncio.timeout(30):
        while "U0ANA" not in workspace.modals:
            await workspace.wait_for_change(workspace.version)
    assert "Loading" in seen(workspace)
    gate.set()
    await settled()
    assert "Write to me" in seen(workspace)


async def test_a_submitted_form_is_answered_at_once_and_filled_later(
    bot: Bot, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "_PATIENCE_SECONDS", 0)
    await typed(bot, "find")
    await submitted(bot, words="survey 21")
    assert "Survey 21" in seen(workspace)
    assert any(call.method == "views.update" and "Survey 21" in json.dumps(call.arguments) for call in workspace.journal)


async def test_a_form_that_slack_did_not_open_is_offered_by_a_button(bot: Bot) -> None:
    bot.workspace.faults.add(RateLimited(30), method="views.open")
    offer = await bot.command("U0ANA", "C0GENERAL", "settings")
    assert "took too long" in offer.text
    bot.workspace.faults.clear()
    await bot.press("U0ANA", "Settings", "C0GENERAL", offer.ts)
    assert "Write to me" in seen(bot.workspace)


async def test_trouble_is_said_in_the_form(start: StartBot, workspace: Workspace) -> None:
    async def fail(_store: Store, _asking: actions.Asking, _now: datetime) -> Page:
        raise Unavailable("the database is down")

    bot = await start(handle=fail)
    await typed(bot, "settings")
    assert "Something went wrong" in seen(workspace)


async def test_a_form_of_another_version_is_answered_politely(bot: Bot, workspace: Workspace) -> None:
    await typed(bot, "find")
    for changed in ({"callback_id": "surveys.delete"}, {"private_metadata": "not json"}):
        workspace.stacks["U0ANA"][-1] |= changed
        await submitted(bot, words="x")
        assert "Out of date" in seen(workspace)
        await typed(bot, "find")


async def test_guests_are_asked_nothing(bot: Bot, store: Store) -> None:
    await bot.sender.command("U0GUEST", "C0GENERAL", "/surveys", "settings")
    await settled()
    assert "For members only" in seen(bot.workspace, "U0GUEST")


async def test_a_list_in_a_channel_costs_slack_one_call(bot: Bot) -> None:
    await bot.command("U0ANA", "C0GENERAL")
    before = len(bot.workspace.journal)
    await bot.command("U0ANA", "C0GENERAL")
    assert [call.method for call in bot.workspace.journal[before:]] == ["response_url"]
