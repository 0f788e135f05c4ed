"""Teams beside Slack, end to end: tokens of the sandbox's identity provider, the real connector client, cards that people press."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from adapters.sandbox.demo import Sandbox, sandbox
from adapters.sandbox.people import entra_id
from adapters.sandbox.teams.window import snapshot
from bot.syncing.sync import Kind
from tests.scenarios.conftest import NOT_IN_SLACK, House

TIA = entra_id(NOT_IN_SLACK)


@pytest.fixture
async def both(database_url: str) -> AsyncIterator[House]:
    async with sandbox(database_url, has_teams=True) as inside:
        built = House(inside)
        await built.sync(Kind.FULL)
        yield built


def cards(inside: Sandbox) -> list[dict[str, Any]]:
    assert inside.teams
    personal = snapshot(inside.teams.client.tenant, TIA)["chats"][0]
    return [message["activity"]["attachments"][0]["content"] for message in personal["messages"] if message["from"] == "bot"]


async def test_somebody_in_teams_alone_is_told_there_and_presses_a_button(both: House) -> None:
    inside = both.inside
    assert inside.teams
    tenant = inside.teams.client.tenant

    async def is_known() -> bool:
        return await inside.bot.core.store.read(lambda uow: uow.members.get(tenant.tenant_id, TIA)) is not None

    while not await is_known():  # the team's roster is read once its activity is answered
        await inside.workspace.wait_for_change(0)
    both.send(NOT_IN_SLACK)
    await both.look()
    [card] = cards(inside)
    assert "Town hall" in str(card)
    details = next(action for part in card["body"] for action in part.get("actions", ()) if action["title"] == "Details")
    chat = tenant.personal(TIA)
    [message] = chat.messages
    answer = await inside.teams.press(TIA, chat.conversation_id, message, details, {})
    assert answer is not None
    assert answer.card
    assert "Town hall" in str(cards(inside)[0])
    assert cards(inside)[0] != card
