"""Slack's store rules about notifications, shared places, the Home and Messages tabs; manifest/README.md lists all of them."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable

import pytest

from adapters.sandbox.slack.objects import user_object
from adapters.sandbox.slack.workspace import Message, Workspace, elements
from adapters.slack.channel import SlackChannel
from adapters.slack.directory import SlackDirectory
from adapters.slack.manifest import manifest
from bot.delivering import delivery
from bot.delivering.delivery import Sender
from bot.events import Event, EventKind
from bot.messages import Preference
from bot.model import Survey
from bot.ports import Store, UnitOfWork
from tests.adapters.slack.conftest import NOW, TEAM, Bot, settled

#: What calls people in a message. `@everyone` does so only where a call asks for it (https://docs.slack.dev/messaging/formatting-message-text).
MENTION = re.compile(r"<!(?:channel|here|everyone|subteam)|<@")
NAUGHTY = "<!channel> <!here> <!everyone> <!subteam^S1> <@U0BEN> @everyone"

Tell = Callable[[str, str], Awaitable[None]]


@pytest.fixture
def tell(store: Store, channel: SlackChannel, directory: SlackDirectory, surveys: None) -> Tell:
    """Say, as delivery does, that a survey was sent to somebody; nothing is sent where nothing should be."""
    sender = Sender(store=store, channel=channel, clock=lambda: NOW, owner="here")

    async def invited(email: str, survey_id: str) -> None:
        for user_id in ("U0ANA", "U0BEN"):
            await directory.member(TEAM, user_id)

        def add(uow: UnitOfWork) -> None:
            person_id = uow.people.ids([email])[email]
            event = Event(kind=EventKind.SURVEY_INVITED, integration_id="main", survey_id=survey_id, person_id=person_id, mark="")
            uow.outbox.add([event], NOW)

        await store.write(add)
        await delivery.deliver_due(sender)

    return invited


def sent(workspace: Workspace) -> list[str]:
    return [str(call.result.get("channel")) for call in workspace.journal if call.method == "chat.postMessage"]


def dm_messages(workspace: Workspace, user_id: str) -> list[Message]:
    return list(workspace.direct_message(user_id).messages.values())


async def test_rule_15_only_who_expects_a_message_gets_one(bot: Bot, workspace: Workspace, tell: Tell) -> None:
    """Not who joins, opens the app or types a command; not who was sent nothing; who was sent a survey, once."""
    joined = workspace.add_user("U0NEW", "neo", email="neo@acme.example")
    await bot.sender.event({"type": "team_join", "user": user_object(workspace, joined)})
    await bot.open_home("U0NEW")
    for user_id in ("U0BEN", "U0FAR"):
        await bot.open_home(user_id)
        await bot.command(user_id, "C0GENERAL")
    assert sent(workspace) == []
    for _ in range(2):
        await tell("ana@acme.example", "SV_1")
    await tell("ben@acme.example", "SV_1")
    assert sent(workspace) == [bot.dm("U0ANA")]


async def test_rule_16_notifications_can_be_configured(bot: Bot, workspace: Workspace, tell: Tell, store: Store) -> None:
    """From the Home tab; and what is not wanted is not sent."""
    home = await bot.open_home("U0ANA")
    labels = [element["text"]["text"] for block in home["blocks"] for element in elements(block) if "text" in element]
    assert [label for label in labels if "settings" in label.casefold()]

    def choose(uow: UnitOfWork) -> None:
        uow.preferences.save(uow.people.ids(["ana@acme.example"])["ana@acme.example"], Preference(new_surveys=False), NOW)

    await store.write(choose)
    await tell("ana@acme.example", "SV_1")
    assert sent(workspace) == []


async def test_rule_17_notifications_can_be_acted_upon(bot: Bot, workspace: Workspace, tell: Tell) -> None:
    """They are made of blocks, the first button opens the survey, and the text alone says it all."""
    await tell("ana@acme.example", "SV_1")
    (message,) = dm_messages(workspace, "U0ANA")
    button = next(element for block in message.blocks for element in elements(block))
    assert button["url"].startswith("https://acme.qualtrics.com/")
    assert "Survey 1" in message.text
    assert workspace.refused == []


async def test_rule_18_nothing_is_posted_where_it_is_unclear_who_let_the_app_post(bot: Bot, workspace: Workspace, tell: Tell) -> None:
    """Shared places see nothing of it at all: whatever is typed there is answered to one person."""
    await tell("ana@acme.example", "SV_1")
    listed = await bot.command("U0ANA", "C0GENERAL")
    await bot.press("U0ANA", "Details", "C0GENERAL", listed.ts)
    await bot.press("U0ANA", "Respond in private", "C0GENERAL", listed.ts)
    for channel in workspace.conversations.values():
        for message in channel.messages.values():
            assert message.only_for is not None or channel.members == {"U0ANA", workspace.bot_user_id}


async def test_rule_19_nobody_is_called_by_a_mention(bot: Bot, workspace: Workspace, tell: Tell, store: Store) -> None:
    """Whatever is typed, and whatever a survey is called."""
    named = Survey(survey_id="SV_1", name=NAUGHTY, owner_id="UR_1", is_active=True, last_modified=NOW)
    await store.write(lambda uow: uow.surveys.save("main", [named], NOW))
    await tell("ana@acme.example", "SV_1")
    await bot.command("U0ANA", "C0GENERAL", NAUGHTY)
    await bot.command("U0ANA", "C0GENERAL", "", command=NAUGHTY)
    await bot.command("U0ANA", "C0GENERAL")
    await bot.open_home("U0ANA")
    shown = [text for call in workspace.journal for text in _mrkdwn(call.arguments)]
    assert any("everyone" in text for text in shown)
    assert [text for text in shown if MENTION.search(text)] == []
    assert not [call for call in workspace.journal if call.arguments.keys() & {"link_names", "parse"}]


def _mrkdwn(value: object) -> list[str]:
    """All that Slack would read as markup: mrkdwn texts, and a message's own text."""
    if isinstance(value, dict):
        mine = [value["text"]] if isinstance(value.get("text"), str) and value.get("type") != "plain_text" else []
        return mine + [text for part in value.values() for text in _mrkdwn(part)]
    return [text for part in value for text in _mrkdwn(part)] if isinstance(value, list | tuple) else []


async def test_rule_20_it_speaks_as_itself_and_neither_to_slackbot_nor_to_general(bot: Bot, workspace: Workspace, tell: Tell) -> None:
    await tell("ana@acme.example", "SV_1")
    calls = [call for call in workspace.journal if call.method.startswith("chat.")]
    assert calls
    for call in calls:
        assert not call.arguments.keys() & {"username", "icon_url", "icon_emoji", "as_user"}
        assert call.arguments["channel"] not in {"C0GENERAL", "#general", "USLACKBOT"}
    assert not [scope for scope in manifest("x")["oauth_config"]["scopes"]["bot"] if "customize" in scope or "public" in scope]


@pytest.mark.parametrize("user_id", ["U0ANA", "U0BEN", "U0GUEST", "U0FAR", "U0SHY"])
async def test_rule_21_the_home_tab_is_useful_to_anyone_and_shows_what_they_may_see(bot: Bot, workspace: Workspace, user_id: str) -> None:
    """Nobody is asked to do anything first; everybody finds help there; others' surveys are not theirs to see."""
    blocks = (await bot.open_home(user_id))["blocks"]
    said = json.dumps(blocks)
    assert len(re.sub(r"[^a-z ]", "", said.casefold()).split()) >= 15
    assert [element for block in blocks for element in elements(block)]
    assert ("Survey 100" in said) is (user_id == "U0BEN")
    assert ('"Survey 1"' in said or "Survey 1*" in said or "Survey 1\\n" in said or "Survey 1 " in said) <= (user_id == "U0ANA")
    assert {call.arguments.get("user_id") for call in workspace.journal if call.method == "views.publish"} == {user_id}


def test_rule_22_the_messages_tab_is_used_and_nobody_writes_into_the_void() -> None:
    """The bot sends there, and does not read: so people cannot write there."""
    made = manifest("bot.example.org")
    assert made["features"]["app_home"] == {
        "home_tab_enabled": True,
        "messages_tab_enabled": True,
        "messages_tab_read_only_enabled": True,
    }
    assert not [event for event in made["settings"]["event_subscriptions"]["bot_events"] if event.startswith("message")]


async def test_a_home_tab_is_published_only_to_who_opened_it(bot: Bot, workspace: Workspace, tell: Tell) -> None:
    await tell("ana@acme.example", "SV_1")
    await settled()
    assert workspace.homes == {}
