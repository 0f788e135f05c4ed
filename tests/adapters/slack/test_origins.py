"""The core is told in which channel somebody asks, also by a window that they opened there, and by nothing else."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import datetime

import pytest

from adapters.sandbox.slack.workspace import ConversationKind, Workspace
from adapters.slack.origins import Origins
from bot import actions
from bot.actions import Asking
from bot.messages import Conversation
from bot.page import Form, Page, PrivatePage
from bot.ports import Store
from store.encryption import Keyring
from tests.adapters.slack.conftest import TEAM, Bot, StartBot, settled

Asked = list[tuple[str, Conversation | None]]
GENERAL = Conversation(workspace_id=TEAM, channel_id="C0GENERAL")


@pytest.fixture
def asked() -> Asked:
    """Verbs, and where they were asked for."""
    return []


@pytest.fixture
async def bot(start: StartBot, surveys: None, asked: Asked) -> Bot:
    async def noting(store: Store, asking: Asking, now: datetime) -> Page | PrivatePage | Form:
        request = await store.read(asking.found)
        asked.append((request.action.verb, request.conversation))
        assert "in" not in request.action.data
        return await actions.handle(store, asking, now)

    handle: Callable[[Store, Asking, datetime], Awaitable[Page | PrivatePage | Form]] = noting
    return await start(handle=handle)


async def test_commands_and_buttons_are_asked_for_where_they_were_typed_and_pressed(bot: Bot, asked: Asked) -> None:
    bot.workspace.add_channel("G0MANY", "mpdm", kind=ConversationKind.GROUP, members={"U0ANA", "U0BEN"})
    dm = bot.dm("U0ANA")
    for place in ("C0GENERAL", "G0MANY", "D0HUMANS", dm):
        answer = await bot.command("U0ANA", place)
        await bot.press("U0ANA", "Details", place, answer.ts)
    many = Conversation(workspace_id=TEAM, channel_id="G0MANY")
    assert [where for _, where in asked] == [GENERAL, GENERAL, many, many, None, None, None, None]


async def test_a_window_remembers_the_channel_it_was_opened_in_through_everything_that_happens_in_it(bot: Bot, asked: Asked) -> None:
    await bot.sender.command("U0ANA", "C0GENERAL", "/surveys", "find")
    await settled()
    await bot.sender.submit("U0ANA", {"words": "survey 2"})
    await settled()
    await bot.press("U0ANA", "Details")
    assert asked == [("surveys.search", GENERAL), ("surveys.find", GENERAL), ("survey.show", GENERAL)]
    assert "C0GENERAL" not in json.dumps(bot.workspace.modals["U0ANA"])


async def test_a_window_of_the_home_tab_is_of_no_channel(bot: Bot, asked: Asked) -> None:
    await bot.open_home("U0ANA")
    await bot.press("U0ANA", "Change settings")
    await bot.sender.submit("U0ANA", {"told": []})
    await settled()
    assert {where for _, where in asked} == {None}


@pytest.mark.parametrize("whose", ["U0BEN", None])
async def test_what_was_not_sealed_for_this_person_is_not_believed(bot: Bot, asked: Asked, keyring: Keyring, whose: str | None) -> None:
    carried = {"in": "C0GENERAL"} if whose is None else Origins(keyring).seal(GENERAL, whose)
    await bot.sender.command("U0ANA", "C0GENERAL", "/surveys", "find")
    await settled()
    bot.workspace.stacks["U0ANA"][-1] |= {"private_metadata": json.dumps(carried)}
    await bot.sender.submit("U0ANA", {"words": "survey 2"})
    await settled()
    assert asked[-1] == ("surveys.find", None)


def test_what_is_carried_opens_for_the_same_person_in_the_same_workspace_alone(workspace: Workspace, keyring: Keyring) -> None:
    origins = Origins(keyring)
    carried = origins.seal(GENERAL, "U0ANA")
    assert origins.open(carried, TEAM, "U0ANA") == GENERAL
    assert origins.open(carried, TEAM, "U0BEN") is None
    assert origins.open(carried, "T2", "U0ANA") is None
    assert origins.open({}, TEAM, "U0ANA") is None
    assert origins.seal(None, "U0ANA") == {}
