"""Teams beside Slack on the page: who sees what, and what happens when they write, press and add."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from adapters.sandbox.teams.tenant import Asked, Fault, Json, LostAnswer

if TYPE_CHECKING:
    from tests.adapters.sandbox_page.conftest import World

GO: Json = {"type": "Action.Execute", "title": "Go", "verb": "go", "data": {"survey": "SV_1"}}
OLD: Json = {"type": "Action.Submit", "title": "Old", "data": {"verb": "go"}}


def card(text: str, *actions: Json) -> Json:
    body: list[Json] = [{"type": "TextBlock", "text": text}]
    body += [{"type": "ActionSet", "actions": list(actions)}] if actions else []
    return {"type": "AdaptiveCard", "version": "1.5", "body": body}


def sent(world: World, chat_id: str, *actions: Json) -> str:
    """A message of the bot."""
    message_id = world.teams.next_id()
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "content": card("Before", *actions)}
    world.teams.conversations[chat_id].messages[message_id] = {"type": "message", "summary": "Before", "attachments": [attachment]}
    return message_id


async def chats(world: World, user: str = "U1") -> dict[str, Any]:
    return {chat["name"] or chat["kind"]: chat for chat in (await world.state(user))["teams"]["chats"]}


async def test_one_person_is_shown_in_slack_and_teams_and_others_where_they_are(world: World) -> None:
    state = await world.state("U1")
    assert [(one["id"], one["group"], one["slack"], one["teams"]) for one in state["people"]] == [
        ("U1", "In Slack and Teams", "U1", "ada"),
        ("U2", "In Slack only", "U2", None),
        ("U3", "Deactivated accounts", "U3", None),
        ("tia", "In Teams only", None, "tia"),
        ("gus", "Guests", None, "gus"),
    ]
    assert (state["me"]["slack"], state["workspace"]["me"]["id"], state["teams"]["me"]["id"]) == ("U1", "U1", "ada")
    assert (await world.state("tia"))["workspace"] is None
    assert (await world.state("U2"))["teams"] is None


async def test_nobody_sees_the_personal_chat_of_somebody_else(world: World) -> None:
    sent(world, world.teams.personal("tia").conversation_id)
    assert (await chats(world))["personal"]["messages"] == []
    assert len((await chats(world, "tia"))["personal"]["messages"]) == 1
    assert [chat["kind"] for chat in (await world.state("gus"))["teams"]["chats"]] == ["personal"]


async def test_what_is_written_is_shown_and_heard_in_shared_places_when_it_mentions_the_bot(world: World) -> None:
    personal = world.teams.personal("ada").conversation_id
    said = [
        (await world.do(what="teams_say", user="ada", chat=chat, words=words)).json()["said"]
        for chat, words in ((personal, "surveys"), ("19:general", "hello all"), ("19:general", "@Surveybot surveys"))
    ]
    assert said[1] == "Teams tells Surveybot nothing where it was not added, and among others only what begins with @Surveybot."
    first, second = world.bot.told
    assert (first["text"], first["from"]["aadObjectId"], first["conversation"]["conversationType"]) == ("surveys", "ada", "personal")
    assert (second["text"], second["entities"][-1]["mentioned"]["id"]) == ("<at>Surveybot</at> surveys", "28:app")
    assert second["conversation"]["id"].startswith("19:general;messageid=")
    assert [message["text"] for message in (await chats(world))["General"]["messages"]] == ["hello all", "@Surveybot surveys"]


async def test_a_pressed_button_replaces_the_card_for_whoever_pressed_it(world: World) -> None:
    message = sent(world, "19:general", GO)
    press = {"what": "teams_press", "user": "ada", "chat": "19:general", "message": message, "action": GO, "typed": {"words": "x"}}
    world.bot.answer = {"statusCode": 200, "type": "application/vnd.microsoft.card.adaptive", "value": card("After", GO)}
    assert (await world.do(**press)).status_code == 200
    [told] = world.bot.told
    assert (told["name"], told["replyToId"]) == ("adaptiveCard/action", message)
    assert told["value"]["action"] == {"type": "Action.Execute", "verb": "go", "data": {"survey": "SV_1", "words": "x"}}
    first = [(await chats(world, user))["General"]["messages"][0]["activity"]["attachments"][0] for user in ("U1", "tia")]
    assert [attachment["content"]["body"][0]["text"] for attachment in first] == ["After", "Before"]
    world.bot.answer = {"statusCode": 200, "type": "application/vnd.microsoft.activity.message", "value": "I wrote to you."}
    assert (await world.do(**press)).json()["said"] == "Teams shows: “I wrote to you.”"
    world.bot.answer, world.bot.status = None, 500
    assert (await world.do(**press)).json()["said"] == "Teams shows: “Something went wrong. Please try again.”"


async def test_an_older_button_is_told_as_a_message(world: World) -> None:
    personal = world.teams.personal("ada").conversation_id
    message = sent(world, personal, OLD)
    await world.do(what="teams_press", user="ada", chat=personal, message=message, action=OLD, typed={"words": "x"})
    assert [(told["type"], told["value"]) for told in world.bot.told] == [("message", {"verb": "go", "words": "x"})]


async def test_the_app_is_removed_added_and_blocked(world: World) -> None:
    personal = world.teams.personal("ada").conversation_id
    for change, has_app, is_blocked in (("block", True, True), ("remove", False, True), ("add", True, False), ("unblock", True, False)):
        assert (await world.do(what="teams_app", user="ada", chat=personal, change=change)).status_code == 200
        chat = (await chats(world))["personal"]
        assert (chat["has_app"], chat["is_blocked"]) == (has_app, is_blocked)
    assert [(told["type"], told.get("action")) for told in world.bot.told] == [
        ("installationUpdate", "remove"),
        ("conversationUpdate", None),
        ("installationUpdate", "add"),
    ]


@pytest.mark.parametrize("fault", ["off", "429", "500", "502", "lost", "hang"])
async def test_teams_is_broken_and_works_again(world: World, fault: str) -> None:
    answer = await world.do(what="teams_fault", fault=fault)
    assert answer.json()["said"].startswith("Teams ")
    assert (await world.state())["faults"]["teams_fault"] == fault
    match world.teams.trouble:
        case None:
            assert fault == "off"
        case Fault(status):
            assert str(status) == fault
        case trouble:
            assert (fault == "lost") == isinstance(trouble, LostAnswer)


async def test_teams_counts_calls_and_counts_no_more(world: World) -> None:
    for fault, is_counted in (("real", True), ("off", False)):
        assert (await world.do(what="teams_pace", fault=fault)).status_code == 200
        assert (world.teams.throttle is not None) is is_counted
    assert (await world.state())["faults"]["teams_pace"] == "off"


@pytest.mark.parametrize(
    ("deed", "status"),
    [
        ({"what": "teams_say", "user": "nobody", "chat": "19:general", "words": "x"}, 409),
        ({"what": "teams_say", "user": "ada", "chat": "19:none", "words": "x"}, 404),
        ({"what": "teams_say", "user": "gus", "chat": "19:general", "words": "x"}, 404),
        ({"what": "teams_say", "user": "ada", "chat": "19:general", "words": ""}, 400),
        ({"what": "teams_press", "user": "ada", "chat": "19:general", "message": "1", "action": {}}, 404),
        ({"what": "teams_app", "user": "ada", "chat": "19:general", "change": "explode"}, 400),
        ({"what": "teams_fault", "fault": "418"}, 400),
    ],
)
async def test_what_cannot_be_done_is_refused(world: World, deed: Json, status: int) -> None:
    assert (await world.browser.post("/sandbox/do", json=deed)).status_code == status
    assert world.bot.told == []


async def test_what_the_bot_asked_of_teams_is_listed_newest_first_with_its_outcome(world: World) -> None:
    for status in (201, 429, None):
        path = "/v3/conversations"
        world.teams.asked.append(Asked(at=world.clock.now(), method="POST", path=path, body={"members": []}, status=status))
    listed = (await world.browser.get("/sandbox/calls")).json()["teams"]
    assert [(one["method"], one["answer"]) for one in listed] == [
        ("POST /v3/conversations", answer) for answer in ("connection cut", "HTTP 429", "ok")
    ]


async def test_a_button_that_is_not_on_the_card_cannot_be_pressed(world: World) -> None:
    message = sent(world, "19:general", GO)
    deed = {"what": "teams_press", "user": "ada", "chat": "19:general", "message": message, "action": GO | {"verb": "other"}}
    assert (await world.browser.post("/sandbox/do", json=deed)).status_code == 404
    assert world.bot.told == []


async def test_what_is_for_one_person_is_seen_and_pressed_by_nobody_else(world: World) -> None:
    message = sent(world, "19:general", GO)
    world.teams.conversations["19:general"].messages[message]["recipient"] = {"id": "29:ada"}
    seen = [(await chats(world, user))["General"]["messages"] for user in ("U1", "tia")]
    assert [[one["only_you"] for one in messages] for messages in seen] == [[True], []]
    press = {"what": "teams_press", "chat": "19:general", "message": message, "action": GO}
    assert [(await world.do(**press, user=user)).status_code for user in ("tia", "ada")] == [404, 200]
    assert [told["recipient"].get("isTargeted") for told in world.bot.told] == [True]


async def test_a_card_that_draws_itself_anew_does_when_somebody_looks(world: World) -> None:
    message = sent(world, "19:general", GO)
    world.teams.conversations["19:general"].messages[message]["attachments"][0]["content"]["refresh"] = {"action": GO}
    look = {"what": "teams_look", "user": "ada", "chat": "19:general", "message": message}
    for answer, shown in (({"statusCode": 404, "value": {}}, "Before"), ({"statusCode": 200, "value": card("After")}, "After")):
        world.bot.answer = answer
        assert (await world.do(**look)).status_code == 200
        [one] = (await chats(world))["General"]["messages"]
        assert one["activity"]["attachments"][0]["content"]["body"][0]["text"] == shown
        assert one["sentence"] is None
    assert {told["value"]["trigger"] for told in world.bot.told} == {"automatic"}
