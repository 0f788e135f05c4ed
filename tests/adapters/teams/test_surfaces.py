"""Where answers are seen: in a personal chat, in a channel or group chat for one person's eyes, and in messages that renew themselves."""

from __future__ import annotations

import json
from datetime import datetime

import pytest
import stamina

from adapters.sandbox.teams.tenant import BLOCKED, Conversation, Fault, Json, refusal
from adapters.teams.inbound import Inbound
from adapters.teams.turns import Turns
from adapters.teams.wire import Incoming, parse
from bot.actions import Asking
from bot.messages import Conversation as Place
from bot.messages import Request
from bot.page import AnyPage
from bot.ports import Store
from tests.adapters.teams.conftest import LINK, TENANT_ID, People, button, title

CHANNEL = "19:general@thread.tacv2"


@pytest.fixture
def general(people: People) -> Conversation:
    return people.tenant.conversations[CHANNEL]


@pytest.fixture
def is_targeting() -> bool:
    return True


def newest(place: Conversation) -> tuple[str, Json]:
    """Who alone sees the newest message there, and its card."""
    message = list(place.messages.values())[-1]
    return message["recipient"]["id"], message["attachments"][0]["content"]


async def test_only_whoever_asks_in_a_channel_sees_the_answer_there_and_no_link(people: People, general: Conversation) -> None:
    """A list, details in its place, the handover; of them no link stands in the channel."""
    assert (await people.client.say("ana", "<at>Surveybot</at> surveys", general)).status_code == 202
    seen_by, listed = newest(general)
    assert (seen_by, title(listed)) == ("29:ana", "My active surveys")
    details = (await people.client.press("ana", button(listed, "Details"), general, is_targeted=True)).json()
    handover = button(details["value"], "Respond in private")
    assert people.seen("ana") == []
    answer = (await people.client.press("ana", handover, general, is_targeted=True)).json()
    assert title(answer["value"]) == "Sent to you"
    assert f"{LINK}ana" in json.dumps(people.newest("ana"))
    assert LINK not in json.dumps([details, answer, list(general.messages.values())])
    assert len(general.messages) == 1


async def test_a_button_of_a_post_that_all_see_is_answered_beside_it(people: People, general: Conversation) -> None:
    press = {"type": "Action.Execute", "verb": "survey.show", "data": {"survey": "SV_1"}}
    answer = (await people.client.press("ben", press, general)).json()
    assert answer["value"] == "I have answered here; only you see it."
    seen_by, card = newest(general)
    assert seen_by == "29:ben"
    assert LINK not in json.dumps(card)


async def test_a_form_opens_where_only_the_asker_sees_it(people: People, general: Conversation) -> None:
    """And its answer takes its place there."""
    await people.client.say("ana", "surveys settings", general, is_targeted=True)
    seen_by, form = newest(general)
    assert (seen_by, title(form)) == ("29:ana", "Settings")
    answer = (await people.client.press("ana", button(form, "Save"), general, is_targeted=True, **{"told[]": "reminders"})).json()
    assert title(answer["value"]) == "Settings"
    assert len(general.messages) == 1


@pytest.mark.parametrize("trouble", [Fault(400), refusal(403, "BotNotInConversationRoster"), refusal(404, "x"), Fault(503)], ids=repr)
async def test_where_teams_refuses_it_the_answer_goes_to_the_persons_chat(people: People, general: Conversation, trouble: Fault) -> None:
    await people.ask("ana", "help")
    people.tenant.troubles.append(trouble)
    await people.client.say("ana", "surveys", general)
    assert [title(card) for card in people.seen("ana")] == ["Surveybot help", "My active surveys"]
    assert general.messages == {}


async def test_what_is_wrong_with_a_form_is_said_beside_it(people: People) -> None:
    """It stays as it was filled in; an older client gets a message."""
    find = button(await people.ask("ana", "find"), "Find")
    answer = await people.client.press("ana", find, words=" ")
    assert answer.json()["value"] == "Please type a part of the survey's name or of its sender."
    await people.client.submit("ana", find, words=" ")
    assert title(people.newest("ana")) == "That did not work"
    assert title((await people.client.press("ana", find, words="pulse")).json()["value"]) == "Found surveys"


async def test_a_moments_trouble_of_teams_is_waited_out_with_whoever_waits(people: People, general: Conversation, store: Store) -> None:
    """For an answer, and for the roster of a team that adds the bot."""
    with stamina.set_testing(True, attempts=3):  # without the seconds in between
        people.tenant.troubles.extend([Fault(503), Fault(504, retry_after_s=1)])
        await people.client.install("ana", conversation=general)
        assert await store.read(lambda uow: uow.members.get(TENANT_ID, "sam")) is not None
        people.tenant.troubles.append(Fault(502))
        await people.client.say("ana", "help")
    assert [title(card) for card in people.seen("ana")] == ["Surveybot help"]


@pytest.mark.parametrize("is_targeting", [True, False])
async def test_somebody_no_message_reaches_is_told_so_where_they_asked(people: People, general: Conversation, is_targeting: bool) -> None:
    await people.ask("ana", "help")
    people.tenant.troubles.extend([refusal(403, "Forbidden"), BLOCKED] if is_targeting else [BLOCKED])
    await people.client.say("ana", "<at>Surveybot</at> surveys", general)
    (message,) = general.messages.values()
    assert "recipient" not in message
    assert title(message["attachments"][0]["content"]) == "Please add me first"


async def test_a_message_renews_itself_for_its_reader(people: People, inbound: Inbound) -> None:
    """Whoever looks is who it is drawn for; what cannot be drawn, or not in time, stays as it is."""
    card = {"refresh": {"action": {"type": "Action.Execute", "verb": "survey.show", "data": {"survey": "SV_1"}}}}
    drawn = (await people.client.look("ben", card)).json()
    assert drawn["type"] == "application/vnd.microsoft.card.adaptive"
    assert f"{LINK}ben" in json.dumps(drawn)
    card["refresh"]["action"] |= {"verb": "message.show", "data": {"message": "1"}}
    stays = (await people.client.look("ben", card)).json()
    assert (stays["statusCode"], stays["type"]) == (404, "application/vnd.microsoft.error")
    inbound._moment_seconds = 0
    assert (await people.client.look("ben", card)).json() == stays
    assert people.seen("ben") == []


@pytest.mark.parametrize("is_targeting", [True, False])
async def test_a_request_knows_the_place_it_was_made_in_without_its_thread(people: People, turns: Turns, general: Conversation) -> None:
    asked: list[Request] = []
    handle = turns.handle

    async def noting(store: Store, asking: Asking, now: datetime) -> AnyPage:
        request = await store.read(asking.found)
        asked.append(request)
        return await handle(store, asking, now)

    object.__setattr__(turns, "handle", noting)
    activity = people.client.activity("message", "ana", general)
    thread = activity["conversation"] | {"id": f"{CHANNEL};messageid=1700000000000"}
    await people.client.post(activity | {"text": "help", "conversation": thread})
    await people.client.say("ana", "help")
    assert [request.conversation for request in asked] == [Place(workspace_id=TENANT_ID, channel_id=CHANNEL), None]
    assert not any(";messageid=" in path for _, path, _ in people.tenant.journal) or turns.is_targeting


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, ""),
        ("<at>Surveybot</at> list", "list"),
        ("<AT>Surveybot</AT>&nbsp; find  a &amp; b\n", "find a & b"),
        (" <at id='0'>Surveybot</at>find <at>Ben</at>", "find Ben"),
        ("please <at>surveybot</at> list", "please list"),
        ("<at>" * 100_000, ""),
    ],
)
def test_a_mention_is_no_part_of_what_is_said(text: str | None, said: str) -> None:
    mention = {"type": "mention", "text": "<at>Surveybot</at>", "mentioned": {"id": "28:bot"}}
    body = {"type": "message", "text": text, "recipient": {"id": "28:bot"}, "entities": [mention, {"type": "mention", "text": 7}]}
    incoming: Incoming = parse(json.dumps(body).encode())
    assert incoming.said == said
