"""Channels in Teams are subscribed by whoever may see the survey, and let go when the bot cannot post there any more."""

from __future__ import annotations

import json
from typing import Any

import pytest

from adapters.sandbox.teams.tenant import Json
from bot.messages import Conversation
from bot.model import User
from bot.ports import Store
from bot.subscriptions import Paused, Subscription
from tests.adapters.teams.conftest import TENANT_ID, People, button, title

GENERAL = Conversation(workspace_id=TENANT_ID, channel_id="19:general@thread.tacv2")


@pytest.fixture
async def owner(store: Store, surveys: None) -> None:
    """Ana owns SV_1."""
    await store.write(lambda uow: uow.users.save("main", [User(user_id="UR_1", email="ana@acme.example", first_name="Ana")]))


async def subscribed(store: Store) -> list[Subscription]:
    return list(await store.read(lambda uow: uow.subscriptions.of_conversation(GENERAL)))


async def features(store: Store) -> list[tuple[str, str]]:
    return [(it.subject, " ".join(sorted(it.features))) for it in await subscribed(store)]


@pytest.mark.usefixtures("owner")
async def test_a_mention_subscribes_the_channel_a_form_asks_for_the_rest_and_a_colleague_removes_it(people: People, store: Store) -> None:
    general = people.tenant.conversations[GENERAL.channel_id]
    subscribe = "<at>Surveybot</at> subscribe “Pulse” launch"
    for who in ("far", "gus"):
        assert title(await people.ask("ana", subscribe, general)) == "Not in this channel"
        general.members.remove(who)
    assert title(await people.ask("ana", subscribe, general)) == "Subscribed"
    assert await features(store) == [("SV_1", "launch")]
    assert title(await people.ask("ben", "<at>Surveybot</at> subscribe Pulse", general)) == "For survey owners"
    form = await people.ask("ana", "<at>Surveybot</at> subscribe", general)
    submit = button(form, "Subscribe")
    inputs: dict[str, Any] = {"what": "all", "features[]": "weekly,closed", "weekday": "4", "weekly_at": "16:00"}
    answer = await people.client.press("ana", submit, **inputs)
    assert "All surveys that Ana may see" in json.dumps(answer.json(), ensure_ascii=False)
    assert await features(store) == [("SV_1", "launch"), ("all", "closed weekly")]
    listed = await people.ask("ben", "<at>Surveybot</at> list", general)
    assert title(listed) == "Subscriptions"
    await people.press("ben", "Remove", listed)
    assert await features(store) == [("all", "closed weekly")]
    forged: Json = submit | {"data": {"in": "19:elsewhere@thread.tacv2"}}
    await people.client.press("ana", forged, **inputs)
    assert len(await store.read(lambda uow: uow.subscriptions.active())) == 1
    assert title(await people.ask("ana", "subscribe all")) == "Please ask in a channel"


REMOVED: Json = {"type": "installationUpdate", "action": "remove"}
DELETED: Json = {"type": "conversationUpdate", "channelData": {"eventType": "channelDeleted", "channel": {"id": GENERAL.channel_id}}}


@pytest.mark.usefixtures("owner")
@pytest.mark.parametrize(("told", "why"), [(REMOVED, Paused.REMOVED), (DELETED, Paused.ARCHIVED)])
async def test_what_teams_tells_of_the_end_of_a_channel_pauses_it_and_its_owner_is_told_once(
    people: People, store: Store, told: Json, why: Paused
) -> None:
    general = people.tenant.conversations[GENERAL.channel_id]
    general.members = ["ana", "ben"]
    await people.ask("ana", "<at>Surveybot</at> subscribe Pulse", general)
    for _ in range(2):
        activity = people.client.activity("message", "ana", general) | {"text": None} | told
        activity["channelData"] = {"tenant": {"id": TENANT_ID}, **told.get("channelData", {})}
        assert (await people.client.post(activity)).is_success
    assert [it.paused for it in await subscribed(store)] == [why]
    posts = await store.read(lambda uow: uow.posts.list(10))
    assert [post.news.kind.value for post in posts].count("paused") == 1
