"""The core is told in which channel or group somebody asks, also by what they were shown for it elsewhere while they are still there."""

from __future__ import annotations

from datetime import datetime

import pytest

from adapters.sandbox.teams.tenant import Conversation as Place
from adapters.teams.authentication import Doorkeeper
from adapters.teams.channel import TeamsChannel
from adapters.teams.directory import TeamsDirectory
from adapters.teams.inbound import Inbound
from adapters.teams.turns import Turns
from adapters.visits import Visits
from bot import actions
from bot.actions import Asking
from bot.messages import Conversation
from bot.page import Form, Page, PrivatePage
from bot.ports import Store
from tests.adapters.teams.conftest import NOW, REACH, TENANT_ID, People, button

GENERAL = Conversation(workspace_id=TENANT_ID, channel_id="19:general@thread.tacv2")
Asked = list[Conversation | None]


@pytest.fixture
def asked() -> Asked:
    return []


@pytest.fixture
def inbound(doorkeeper: Doorkeeper, directory: TeamsDirectory, channel: TeamsChannel, store: Store, asked: Asked) -> Inbound:
    async def noting(store: Store, asking: Asking, now: datetime) -> Page | PrivatePage | Form:
        request = await store.read(asking.found)
        asked.append(request.conversation)
        assert "in" not in request.action.data
        return await actions.handle(store, asking, now, reach=REACH)

    visits = Visits(store, lambda: NOW)
    turns = Turns(store=store, directory=directory, channel=channel, clock=lambda: NOW, handle=noting, visits=visits)
    return Inbound(doorkeeper, directory, turns, store, lambda: NOW)


async def test_a_thread_of_a_channel_is_the_channel_and_a_personal_chat_is_none(people: People, asked: Asked) -> None:
    thread = Place(conversation_id=f"{GENERAL.channel_id};messageid=17", kind="channel", members=["ana"])
    await people.ask("ana", "<at>Surveybot</at> list", thread)
    await people.ask("ana", "list")
    assert asked == [GENERAL, None]


async def test_what_is_shown_in_the_personal_chat_remembers_where_it_was_asked_for_while_both_are_there(
    people: People, asked: Asked, store: Store
) -> None:
    general = people.tenant.conversations[GENERAL.channel_id]
    card = await people.ask("ana", "<at>Surveybot</at> surveys find", general)
    await people.client.press("ana", button(card, "Find"), words="pulse")
    general.members.remove("ana")
    await people.client.press("ana", button(card, "Find"), words="pulse")
    general.members.append("ana")
    await people.client.submit("ana", button(card, "Find"), words="pulse")
    await store.write(lambda uow: uow.addresses.close(GENERAL.workspace_id, GENERAL.channel_id))
    await people.client.press("ana", button(card, "Find"), words="pulse")
    assert asked == [GENERAL, GENERAL, None, GENERAL, None]


@pytest.mark.parametrize("place", ["19:elsewhere@thread.tacv2", "a:ben", "a:ana"])
async def test_a_place_where_the_bot_is_not_or_that_is_somebodys_own_chat_is_not_believed(people: People, asked: Asked, place: str) -> None:
    await people.ask("ben", "help")
    card = await people.ask("ana", "find")
    forged = button(card, "Find") | {"data": {"in": place}}
    await people.client.press("ana", forged, words="pulse")
    assert asked == [None, None, None]
