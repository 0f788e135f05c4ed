"""What people in Teams do, and what they get for it."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import httpx
import pytest
from starlette.applications import Starlette

from adapters.sandbox.teams.tenant import BLOCKED
from adapters.teams.authentication import Doorkeeper
from adapters.teams.directory import TeamsDirectory
from adapters.teams.inbound import LONGEST_BODY_BYTES, Inbound
from adapters.teams.turns import WELCOMES, Turns
from bot.delivering import addressing
from bot.messages import Member, MemberKind
from bot.ports import Store
from tests.adapters.teams.conftest import APP_ID, LINK, NOW, REACH, TENANT_ID, People, actions, button, title

CHANNEL = "19:general@thread.tacv2"


async def test_a_person_asks_opens_a_survey_and_gets_their_own_link(people: People) -> None:
    """The list by a message, the survey by a pressed button whose card takes the place of the list."""
    card = await people.ask("ana", "list")
    answer = await people.press("ana", "Details", card)
    assert (answer["statusCode"], answer["type"]) == (200, "application/vnd.microsoft.card.adaptive")
    assert title(answer["value"]) == "Pulse ∗1∗"  # noqa: RUF001  a look-alike
    assert [action["url"] for action in actions(answer["value"]["body"]) if "url" in action] == [f"{LINK}ana"]
    assert len(people.seen("ana")) == 1


async def test_a_client_without_execute_gets_the_same_by_a_message(people: People) -> None:
    details = button(await people.ask("ben", "/surveys"), "Details")
    assert (await people.client.submit("ben", details)).status_code == 202
    assert f"{LINK}ben" in json.dumps(people.newest("ben"))


async def test_what_is_asked_in_a_channel_is_answered_in_the_persons_own_chat(people: People, store: Store) -> None:
    channel = people.tenant.conversations[CHANNEL]
    card = await people.ask("ana", "<at>Surveybot</at>&nbsp; surveys\n", channel)
    assert title(card) == "My active surveys"
    answer = await people.press("ana", "Details", card, channel)
    assert answer == {"statusCode": 200, "type": "application/vnd.microsoft.activity.message", "value": "I have answered in our own chat."}
    assert f"{LINK}ana" in json.dumps(people.newest("ana"))
    assert channel.messages == {}
    shared = await store.read(lambda uow: uow.addresses.personal(TENANT_ID, "ana"))
    assert shared is not None
    assert shared.conversation_id == "a:ana"


async def test_a_press_in_a_channel_of_somebody_who_has_blocked_the_bot_says_so(people: People) -> None:
    channel = people.tenant.conversations[CHANNEL]
    details = button(await people.ask("ana", "list"), "Details")
    people.tenant.troubles.append(BLOCKED)
    answer = (await people.client.press("ana", details, channel)).json()
    assert "Please add me to your own chats" in answer["value"]


@pytest.mark.parametrize(("user_id", "expected"), [("gus", "For members only"), ("far", "For members only"), ("sam", "I cannot match you")])
async def test_who_is_no_member_or_has_no_address_is_told_so(people: People, user_id: str, expected: str) -> None:
    """The stranger says to have Ana's address."""
    assert title(await people.ask(user_id, "list")) == expected


async def test_a_new_person_is_welcomed_once_and_known_by_the_roster(people: People, store: Store) -> None:
    for action in ("add", "add-upgrade", "remove-upgrade"):
        assert {answer.status_code for answer in await people.client.install("ben", action)} == {202}
    assert [title(card) for card in people.seen("ben")] == ["Surveybot help"]
    assert "/surveys" not in json.dumps(people.newest("ben")), "a slash opens a menu in Teams"
    known = await store.read(lambda uow: uow.members.get(TENANT_ID, "ben"))
    assert known is not None
    assert (known.kind, known.email, known.zone, known.locale) == (MemberKind.MEMBER, "ben@acme.example", "UTC", "en-GB")


async def test_whoever_is_first_heard_of_by_an_upgrade_becomes_known_without_a_welcome(people: People, store: Store) -> None:
    await people.client.install("ben", "add-upgrade")
    assert people.seen("ben") == []
    assert await store.read(lambda uow: uow.members.get(TENANT_ID, "ben")) is not None


async def test_who_removes_the_bot_is_not_written_to_until_they_add_it_again(people: People, store: Store) -> None:
    await people.client.install("ana")
    await people.client.install("ana", "remove")
    address = await store.read(lambda uow: uow.addresses.personal(TENANT_ID, "ana"))
    assert address is not None
    assert address.is_closed
    await people.client.install("ana")
    assert [title(card) for card in people.seen("ana")] == ["Surveybot help"] * 2


async def test_a_place_that_removes_the_bot_or_is_deleted_is_not_written_to(people: People, store: Store) -> None:
    """Two activities tell of it, in no certain order; a channel's end is told to its team."""
    channel = people.tenant.conversations[CHANNEL]
    removed = people.client.activity("conversationUpdate", "ana", channel) | {"membersRemoved": [{"id": f"28:{APP_ID}"}]}
    deleted = people.client.activity("conversationUpdate", "ana", people.tenant.channel("19:team@thread.tacv2", [])) | {
        "channelData": {"tenant": {"id": TENANT_ID}, "eventType": "channelDeleted", "channel": {"id": CHANNEL}}
    }
    for ends in (removed, deleted):
        await people.client.install("ana", conversation=channel)
        for activity in (people.client.activity("installationUpdate", "ana", channel) | {"action": "remove"}, ends)[ends is deleted :]:
            assert (await people.client.post(activity)).status_code == 202
        address = await store.read(lambda uow: uow.addresses.get(TENANT_ID, CHANNEL))
        assert address is not None
        assert address.is_closed


async def test_whoever_joins_a_team_becomes_known_and_other_changes_read_nobody(people: People, store: Store) -> None:
    channel = people.tenant.conversations[CHANNEL]
    renamed = people.client.activity("conversationUpdate", "ana", channel) | {
        "channelData": {"tenant": {"id": TENANT_ID}, "eventType": "x"}
    }
    await people.client.post(renamed)
    assert people.tenant.journal == []
    added = {"membersAdded": [{"id": "28:another-bot"}, {"id": "29:left-again"}, {"id": "29:ben"}]}
    await people.client.post(people.client.activity("conversationUpdate", "ana", channel) | added)
    asked = [path.rpartition("/")[2] for _, path, _ in people.tenant.journal]
    assert asked == ["29:left-again", "29:ben"]
    assert (await store.read(lambda uow: uow.members.get(TENANT_ID, "ben"))) is not None


async def test_a_team_that_adds_the_bot_makes_its_people_known(people: People, store: Store) -> None:
    await people.client.install("ana", conversation=people.tenant.conversations[CHANNEL])
    known = [await store.read(lambda uow, user_id=user_id: uow.members.get(TENANT_ID, user_id)) for user_id in people.tenant.people]
    assert [one.kind for one in known if one] == ["member", "member", "guest", "stranger", "member"]
    assert people.tenant.personal("ana").messages == {}


async def test_what_takes_longer_than_a_moment_follows_as_a_message(people: People, inbound: Inbound) -> None:
    """It is not begun a second time."""
    details = button(await people.ask("ana", "list"), "Details")
    inbound._moment_seconds = 0
    answer = await people.client.press("ana", details)
    assert answer.json()["value"] == "This takes a little longer. I will send you a message."
    assert f"{LINK}ana" in json.dumps(people.newest("ana"))
    assert len(people.seen("ana")) == 2


async def test_a_second_delivery_changes_nothing(people: People) -> None:
    details = button(await people.ask("ana", "list"), "Details")
    value = {"action": {**details, "fallback": None}}
    press = people.client.activity("invoke", "ana") | {"name": "adaptiveCard/action", "value": value}
    first, again = await people.client.post(press), await people.client.post(press)
    assert (first.json()["type"], again.json()["value"]) == ("application/vnd.microsoft.card.adaptive", "I am at it already.")
    message = people.client.activity("message", "ana") | {"text": "help"}
    assert [(await people.client.post(message)).status_code for _ in range(2)] == [202, 202]
    assert [title(card) for card in people.seen("ana")] == ["My active surveys", "Surveybot help"]


async def test_another_replica_drops_what_this_one_has_answered(
    people: People, doorkeeper: Doorkeeper, directory: TeamsDirectory, turns: Turns, store: Store
) -> None:
    """And so does this one once it was started anew: what was here is in the database."""
    other = Starlette(routes=Inbound(doorkeeper, directory, turns, store, lambda: NOW).routes())
    message = people.client.activity("message", "ana") | {"text": "help"}
    for client in (people.client, replace(people.client, transport=httpx.ASGITransport(other))):
        assert (await client.post(message)).status_code == 202
    assert len(people.seen("ana")) == 1


@pytest.mark.parametrize("value", [None, {}, {"action": {}}, {"action": {"type": "Action.Execute", "verb": 7}}, "x", [1]])
async def test_a_button_that_is_not_ours_is_out_of_date(people: People, value: object) -> None:
    answer = await people.client.post(people.client.activity("invoke", "ana") | {"name": "adaptiveCard/action", "value": value})
    assert (answer.status_code, title(answer.json()["value"])) == (200, "Out of date")


async def test_what_means_nothing_to_us_is_acknowledged(people: People) -> None:
    """What is edited was answered when it was said."""
    said = {"text": "list", "reactionsAdded": [{"type": "like"}]}
    for kind in ("typing", "messageReaction", "messageUpdate", "messageDelete", "event", "endOfConversation", "trace", "of tomorrow"):
        assert (await people.client.post(people.client.activity(kind, "ana") | said)).status_code == 202
    of_a_bot = people.client.activity("message", "ana") | {"text": "list", "from": {"id": "28:another", "name": "Another bot"}}
    assert (await people.client.post(of_a_bot)).status_code == 202
    assert people.seen("ana") == []


@pytest.mark.parametrize("name", ["task/fetch", "composeExtension/query", "signin/verifyState", "message/submitAction", "", None])
async def test_what_no_bot_of_ours_offers_is_not_implemented(people: People, name: str | None) -> None:
    answer = await people.client.post(people.client.activity("invoke", "ana") | {"name": name, "value": {"action": {}}})
    assert answer.status_code == 501


async def test_what_is_no_activity_is_a_bad_request(people: People) -> None:
    activity = people.client.activity("message", "ana")
    token = people.client.identity.sign(people.tenant.service_url)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    bodies = [b"", b"null", b"[]", b'"x"', b"{", b"\xff", b"{}", json.dumps(activity | {"conversation": "x"}).encode()]
    bodies.append(b'{"type": "message", "value": ' + b"[" * 100_000 + b"]" * 100_000 + b"}")
    async with httpx.AsyncClient(headers=headers, transport=people.client.transport) as client:
        assert {(await client.post(people.client.url, content=body)).status_code for body in bodies} == {400}
        assert (await client.post(people.client.url, content=b"x" * (LONGEST_BODY_BYTES + 1))).status_code == 413
        plain = await client.post(people.client.url, content=b"{}", headers={"Content-Type": "text/plain"})
        assert plain.status_code == 415


async def test_messages_go_to_the_address_teams_was_last_heard_from(people: People, store: Store) -> None:
    await people.ask("ana", "list")
    people.tenant.service_url += "emea/"
    await people.client.post(people.client.activity("typing", "ana"))
    address = await store.read(lambda uow: uow.addresses.personal(TENANT_ID, "ana"))
    assert address is not None
    assert address.service_url == people.tenant.service_url


async def test_a_roster_that_does_not_know_whoever_asks_is_said_to_them(people: People) -> None:
    people.tenant.personal("ana").members.clear()
    answer = await people.client.press("ana", {"type": "Action.Execute", "verb": "surveys.list", "data": {}})
    assert title(answer.json()["value"]) == "That did not work"


async def test_whose_address_is_somebody_elses_by_now_is_shown_nothing_of_theirs(people: People, store: Store) -> None:
    await people.ask("ana", "list")
    people.tenant.people["ana"].email = "ana.old@acme.example"
    people.tenant.people["sam"].email = "ana@acme.example"
    await people.client.install("sam")
    owner = await store.read(lambda uow: addressing.addressee(uow, uow.people.find("ana@acme.example") or 0, REACH))
    assert isinstance(owner, Member)
    assert owner.user_id == "sam"
    assert "Pulse" not in str(await people.ask("ana", "list"))


async def test_who_asks_does_not_wait_behind_all_who_are_given_the_app(people: People, turns: Turns) -> None:
    for _ in range(WELCOMES):
        await turns.welcoming.acquire()
    async with asyncio.TaskGroup() as group:
        group.create_task(people.client.install("ben"))
        await people.ask("ana", "list")
        assert people.seen("ben") == []
        turns.welcoming.release()
    assert [title(card) for card in people.seen("ben")] == ["Surveybot help"]
