"""People and Slack speak to the bot over HTTP, signed, and see what they may see."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import datetime

import pytest

from adapters.core import utc_now
from adapters.sandbox.slack.faults import RateLimited
from adapters.sandbox.slack.objects import user_object
from adapters.sandbox.slack.sender import SlackSender
from adapters.sandbox.slack.workspace import ConversationKind, Message, UserKind, Workspace, elements
from adapters.slack.channel import SlackChannel
from adapters.slack.clients import Clients
from adapters.slack.pacing import SlackPace
from bot.actions import Asking
from bot.errors import Unavailable, UserError
from bot.messages import Member, Surface
from bot.page import Action, Button, Buttons, Page, PrivatePage, Text
from bot.ports import Store
from store.encryption import Keyring
from store.gates import SqlGates
from store.unit_of_work import SqlStore
from tests.adapters.slack.conftest import Bot, StartBot, settled

SORRY = "Something went wrong on my side"


def labels(blocks: object) -> list[str]:
    assert isinstance(blocks, (list, tuple))
    return [element["text"]["text"] for block in blocks for element in elements(block)]


def has_link(blocks: object) -> bool:
    return "Q_DL" in json.dumps(blocks)


def leaks(said: object, owner: str | None) -> bool:
    """Whether there is a personal link in it that is not this person's own."""
    own = {"U0ANA": "Q_DL=ana", "U0BEN": "Q_DL=ben"}.get(owner or "", "no link at all")
    return "Q_DL" in json.dumps(said).replace(own, "")


@pytest.fixture(autouse=True)
async def no_link_leaves_its_owners_eyes(workspace: Workspace) -> AsyncIterator[None]:
    """After every test here: each personal link ever sent went to its owner alone, and nothing was shown to a whole channel."""
    yield
    dms = {workspace.direct_message(user_id).conversation_id: user_id for user_id in ("U0ANA", "U0BEN")}
    for call in workspace.journal:
        assert "in_channel" not in json.dumps(call.arguments)
        if call.method != "response_url":  # where that led is seen below
            to = str(call.arguments.get("user_id") or call.arguments.get("channel"))
            assert not leaks(call.arguments, dms.get(to, to))
    for conversation in workspace.conversations.values():
        owner = dms.get(conversation.conversation_id)
        for message in conversation.messages.values():
            assert not leaks([message.text, message.blocks], owner)
            assert owner is not None or message.sender != workspace.bot_user_id or message.only_for is not None
    assert workspace.refused == []
    assert workspace.timeouts == []


class TestEvents:
    def publishes(self, workspace: Workspace) -> int:
        return sum(call.method == "views.publish" for call in workspace.journal)

    def opened(self, sender: SlackSender, tab: str = "home") -> dict[str, object]:
        return sender.envelope({"type": "app_home_opened", "user": "U0ANA", "tab": tab})

    async def test_an_event_delivered_four_times_has_one_effect(self, bot: Bot) -> None:
        answers = await bot.sender.deliver(self.opened(bot.sender), attempts=(0, 1, 2, 3))
        await settled()
        assert [answer.status for answer in answers] == [200] * 4
        assert self.publishes(bot.workspace) == 1

    async def test_also_when_the_bot_was_restarted_in_between(self, start: StartBot, workspace: Workspace) -> None:
        envelope = self.opened((await start()).sender)
        for attempt in range(4):
            await (await start()).sender.deliver(envelope, attempts=(attempt,))
            await settled()
        assert self.publishes(workspace) == 1

    async def test_a_retry_whose_first_delivery_was_lost_has_its_effect(self, bot: Bot) -> None:
        await bot.sender.deliver(self.opened(bot.sender), attempts=(3,))
        await settled()
        assert self.publishes(bot.workspace) == 1

    async def test_an_event_that_cannot_be_remembered_is_left_for_slack_to_repeat(self, start: StartBot, keyring: Keyring) -> None:
        forgetful = SqlStore("sqlite:////nowhere/surveybot.db", keyring)
        broken, bot = await start(memory=forgetful), await start()
        envelope = self.opened(bot.sender)
        (answer,) = await broken.sender.deliver(envelope)
        assert answer.status == 500
        await bot.sender.deliver(envelope, attempts=(1,))
        await settled()
        assert self.publishes(bot.workspace) == 1
        await forgetful.close()

    async def test_another_tab_draws_nothing(self, bot: Bot) -> None:
        await bot.sender.deliver(self.opened(bot.sender, tab="messages"))
        await settled()
        assert self.publishes(bot.workspace) == 0

    @pytest.mark.parametrize("kind", ["team_join", "user_change"])
    async def test_what_changes_in_slack_is_known_here(self, bot: Bot, store: Store, kind: str) -> None:
        changed = bot.workspace.add_user("U0NEW", "new", email="new@acme.example", kind=UserKind.GUEST)
        await bot.sender.event({"type": kind, "user": user_object(bot.workspace, changed)})
        await settled()
        member = await store.read(lambda uow: uow.members.get("T0ACME", "U0NEW"))
        assert member is not None
        assert (member.kind, member.email) == ("guest", "new@acme.example")


class TestCommand:
    async def test_lists_a_persons_own_surveys_to_them_alone(self, bot: Bot) -> None:
        answer = await bot.command("U0ANA", "C0GENERAL")
        assert answer.only_for == "U0ANA"
        assert "Survey 1" in json.dumps(answer.blocks)
        assert "Survey 100" not in json.dumps(answer.blocks)
        assert labels(answer.blocks)[-1] == "Next page"

    async def test_acknowledges_before_it_works(self, start: StartBot, workspace: Workspace) -> None:
        """The answer is not even begun when the acknowledgement is here."""
        gate = asyncio.Event()

        async def slow(_store: Store, _asking: Asking, _now: datetime) -> Page:
            await gate.wait()
            return Page(title="At last", elements=(Text(("Done.",)),))

        bot = await start(handle=slow)
        assert (await bot.sender.command("U0ANA", "C0GENERAL", "/surveys")).status == 200
        assert workspace.conversations["C0GENERAL"].messages == {}
        gate.set()
        await settled()
        assert bot.newest("U0ANA", "C0GENERAL").text.startswith("At last")

    async def test_is_private_in_the_direct_message_with_the_bot_alone(self, start: StartBot, workspace: Workspace) -> None:
        seen: dict[str, Surface] = {}
        where = ""

        async def note(store: Store, asking: Asking, _now: datetime) -> Page:
            seen[where] = (await store.read(asking.found)).surface
            return Page(title="Noted", elements=(Text(("Yes.",)),))

        bot = await start(handle=note)
        workspace.add_channel("C0SECRET", "secret", kind=ConversationKind.PRIVATE, members={"U0ANA"})
        for where in ("C0GENERAL", "C0SECRET", "D0HUMANS", bot.dm("U0ANA")):
            await bot.command("U0ANA", where)
        assert seen == {
            "C0GENERAL": Surface.SHARED,
            "C0SECRET": Surface.SHARED,
            "D0HUMANS": Surface.SHARED,
            bot.dm("U0ANA"): Surface.PRIVATE,
        }

    @pytest.mark.parametrize("text", ["help", "wat", "<!channel> & <@U0BEN>"])
    async def test_help_and_unknown_words_are_answered(self, bot: Bot, text: str) -> None:
        answer = await bot.command("U0ANA", "C0GENERAL", text)
        assert answer.only_for == "U0ANA"
        assert "24 hours before it closes" in answer.text

    async def test_what_was_typed_is_shown_as_typed_and_calls_nobody(self, bot: Bot) -> None:
        answer = await bot.command("U0ANA", "C0GENERAL", "<!channel>")
        assert "“&lt;!channel&gt;”" in answer.text
        assert "<!channel>" not in answer.text

    @pytest.mark.parametrize("words", ["payload", "find payload= {", "find my payload=1"])
    async def test_no_word_keeps_it_from_being_understood(self, bot: Bot, words: str) -> None:
        assert (await bot.command("U0ANA", bot.dm("U0ANA"), words)).only_for == "U0ANA"

    async def test_an_unknown_command_is_answered_politely(self, bot: Bot) -> None:
        answer = await bot.command("U0ANA", "C0GENERAL", "", command="/surveyz")
        assert "/surveyz" in json.dumps(answer.blocks)

    @pytest.mark.parametrize("user_id", ["U0GUEST", "U0FAR", "U0SHY", "U0GONE"])
    async def test_those_without_surveys_here_are_told_so(self, bot: Bot, user_id: str) -> None:
        answer = await bot.command(user_id, "C0GENERAL")
        assert answer.only_for == user_id
        assert SORRY not in answer.text
        assert "Survey 1" not in answer.text

    async def test_in_a_direct_message_of_somebody_the_bot_cannot_talk_to_is_answered_too(self, bot: Bot) -> None:
        bot.workspace.add_channel("D0FAR", "directmessage", kind=ConversationKind.DIRECT, members={"U0FAR", "U0BEN"})
        answer = await bot.command("U0FAR", "D0FAR")
        assert (answer.only_for, SORRY in answer.text) == ("U0FAR", False)


class TestButtons:
    async def test_turn_pages_in_place(self, bot: Bot) -> None:
        first = await bot.command("U0ANA", "C0GENERAL")
        await bot.press("U0ANA", "Next page", "C0GENERAL", first.ts)
        second = bot.newest("U0ANA", "C0GENERAL")
        assert second.ts == first.ts
        assert "Survey 21" in json.dumps(second.blocks)
        await bot.press("U0ANA", "Previous page", "C0GENERAL", first.ts)
        assert bot.newest("U0ANA", "C0GENERAL").text == first.text

    async def test_lead_to_details_and_back(self, bot: Bot) -> None:
        listed = await bot.command("U0ANA", bot.dm("U0ANA"))
        await bot.press("U0ANA", "Details", bot.dm("U0ANA"), listed.ts)
        details = bot.newest("U0ANA", bot.dm("U0ANA"))
        assert has_link(details.blocks)
        await bot.press("U0ANA", "My active surveys", bot.dm("U0ANA"), listed.ts)
        assert bot.newest("U0ANA", bot.dm("U0ANA")).text == listed.text

    async def test_in_a_channel_hand_the_link_over_in_the_direct_message(self, bot: Bot) -> None:
        listed = await bot.command("U0ANA", "C0GENERAL")
        await bot.press("U0ANA", "Details", "C0GENERAL", listed.ts)
        assert not has_link(bot.newest("U0ANA", "C0GENERAL").blocks)
        await bot.press("U0ANA", "Respond in private", "C0GENERAL", listed.ts)
        assert "in private" in bot.newest("U0ANA", "C0GENERAL").text
        assert has_link(bot.newest("U0ANA", bot.dm("U0ANA")).blocks)

    @pytest.mark.usefixtures("surveys")
    async def test_hand_over_no_faster_than_messages_may_leave(
        self, start: StartBot, clients: Clients, store: Store, gates: SqlGates, ana: Member
    ) -> None:
        slow = SlackChannel(clients, store, SlackPace(gates, utc_now, sends_per_minute=120))
        bot = await start(dms=slow)
        listed = await bot.command("U0ANA", "C0GENERAL")
        await bot.press("U0ANA", "Details", "C0GENERAL", listed.ts)
        clock = asyncio.get_running_loop().time
        begin = clock()
        await slow.turn(ana)
        await bot.press("U0ANA", "Respond in private", "C0GENERAL", listed.ts)
        assert clock() - begin >= 0.3
        assert has_link(bot.newest("U0ANA", bot.dm("U0ANA")).blocks)

    async def test_on_a_notification_leave_it_and_answer_below(self, bot: Bot, channel: SlackChannel, store: Store) -> None:
        page = Page(title="New survey", elements=(Buttons((Button(label="My active surveys", action=Action(verb="surveys.list")),)),))
        await bot.command("U0ANA", "C0GENERAL")
        member = await store.read(lambda uow: uow.members.get("T0ACME", "U0ANA"))
        assert member is not None
        told = await channel.send(member, page)
        await bot.press("U0ANA", "My active surveys", told.channel_id, told.message_id)
        notification, answer = bot.workspace.sees("U0ANA", told.channel_id).values()
        assert (notification.ts, notification.edited) == (told.message_id, False)
        assert (answer.only_for, "Survey 1" in json.dumps(answer.blocks)) == ("U0ANA", True)

    async def test_with_a_link_are_acknowledged_and_nothing_else(self, bot: Bot) -> None:
        listed = await bot.command("U0ANA", bot.dm("U0ANA"))
        await bot.press("U0ANA", "Details", bot.dm("U0ANA"), listed.ts)
        before = len(bot.workspace.journal)
        await bot.press("U0ANA", "Respond in Qualtrics", bot.dm("U0ANA"), listed.ts)
        assert len(bot.workspace.journal) == before

    @pytest.mark.parametrize(
        ("action_id", "value"),
        [
            ("survey.show#1", '{"survey":"SV_100"}'),
            ("survey.handover#1", '{"survey":"SV_100"}'),
            ("survey.show#1", '{"survey":"SV_NEVER"}'),
            ("survey.show#1", "{}"),
            ("survey.show#1", "not json"),
            ("survey.show#1", None),
            ("survey.delete#1", "{}"),
            ("nonsense", "{}"),
            ("b1x2", '{"survey":1}'),
        ],
    )
    async def test_of_others_and_of_the_past_are_answered_politely_and_give_nothing_away(
        self, bot: Bot, action_id: str, value: str | None
    ) -> None:
        button = {"type": "button", "text": {"type": "plain_text", "text": "Press"}, "action_id": action_id}
        block = {"type": "actions", "elements": [button | ({"value": value} if value is not None else {})]}
        for place in (bot.dm("U0ANA"), "C0GENERAL"):
            message = bot.workspace.post(place, sender=bot.workspace.bot_user_id, text="x", blocks=[block], only_for="U0ANA")
            await bot.press("U0ANA", "Press", place, message.ts)
            answer = bot.newest("U0ANA", place)
            assert answer.edited
            assert "Survey 100" not in json.dumps(answer.blocks)
            assert SORRY not in answer.text
        assert bot.workspace.direct_message("U0BEN").messages == {}


class TestHome:
    async def test_lists_a_persons_surveys_and_leads_to_their_link(self, bot: Bot) -> None:
        home = await bot.open_home("U0ANA")
        assert "Survey 1" in json.dumps(home["blocks"])
        await bot.press("U0ANA", "Details")
        assert has_link(bot.workspace.homes["U0ANA"]["blocks"])
        await bot.press("U0ANA", "Back to Home")
        assert labels(bot.workspace.homes["U0ANA"]["blocks"]) == labels(home["blocks"])

    async def test_is_not_drawn_over_something_newer(self, bot: Bot) -> None:
        old = await bot.open_home("U0ANA")
        await bot.press("U0ANA", "Details")
        await bot.sender.event({"type": "app_home_opened", "user": "U0ANA", "tab": "home", "view": old})
        await settled()
        assert has_link(bot.workspace.homes["U0ANA"]["blocks"])

    @pytest.mark.parametrize("user_id", ["U0GUEST", "U0FAR", "U0SHY"])
    async def test_tells_everybody_else_what_this_is_and_what_they_can_do(self, bot: Bot, user_id: str) -> None:
        home = await bot.open_home(user_id)
        assert "use the e-mail" in json.dumps(home)
        await bot.press(user_id, "What can they see?")
        assert "What I store" in json.dumps(bot.workspace.homes[user_id])
        await bot.press(user_id, "Back to Home")
        assert labels(bot.workspace.homes[user_id]["blocks"]) == labels(home["blocks"])

    async def test_each_person_has_their_own(self, bot: Bot) -> None:
        assert "Survey 100" not in json.dumps((await bot.open_home("U0ANA"))["blocks"])
        assert "Survey 100" in json.dumps((await bot.open_home("U0BEN"))["blocks"])


class TestTrouble:
    @pytest.mark.parametrize("error", [Unavailable("the database is down"), KeyError("ana@acme.example"), ValueError()])
    async def test_is_one_polite_sentence_to_the_person_and_no_address_in_the_log(
        self, start: StartBot, error: Exception, caplog: pytest.LogCaptureFixture
    ) -> None:
        async def fail(_store: Store, _asking: Asking, _now: datetime) -> Page:
            raise error

        bot = await start(handle=fail)
        answer = await bot.command("U0ANA", "C0GENERAL")
        assert SORRY in json.dumps(await bot.open_home("U0ANA"))
        assert (answer.only_for, SORRY in answer.text) == ("U0ANA", True)
        ours = [record for record in caplog.records if record.name.startswith("adapters.slack")]
        assert [(record.getMessage(), record.__dict__["user"]) for record in ours] == [("slack.answer_failed", "U0ANA")] * 2
        assert "acme.example" not in caplog.text + str([record.__dict__ for record in ours])

    async def test_of_the_persons_own_making_is_said_in_its_words(self, start: StartBot) -> None:
        async def refuse(_store: Store, _asking: Asking, _now: datetime) -> Page:
            raise UserError("Say it with fewer words, please.")

        answer = await (await start(handle=refuse)).command("U0ANA", "C0GENERAL")
        assert "Say it with fewer words, please." in answer.text

    async def test_a_handover_that_could_not_be_sent_is_not_said_to_be(self, bot: Bot) -> None:
        listed = await bot.command("U0ANA", "C0GENERAL")
        await bot.press("U0ANA", "Details", "C0GENERAL", listed.ts)
        bot.workspace.faults.add(RateLimited(30), method="chat.postMessage")
        await bot.press("U0ANA", "Respond in private", "C0GENERAL", listed.ts)
        assert SORRY in bot.newest("U0ANA", "C0GENERAL").text
        assert bot.workspace.direct_message("U0ANA").messages == {}

    async def test_with_the_answer_itself_is_logged_and_survived(self, bot: Bot, caplog: pytest.LogCaptureFixture) -> None:
        bot.workspace.faults.down = True
        assert (await bot.sender.command("U0ANA", "C0GENERAL", "/surveys")).status == 200
        await settled()
        told = [record.getMessage() for record in caplog.records if record.name.startswith("adapters.slack")]
        assert told == ["slack.answer_failed", "slack.request_failed"]
        bot.workspace.faults.clear()
        assert "Survey 1" in json.dumps((await bot.command("U0ANA", "C0GENERAL")).blocks)

    async def test_a_private_page_of_somebody_else_is_shown_nowhere(self, start: StartBot, store: Store) -> None:
        ben = (await store.write(lambda uow: uow.people.ids(["ben@acme.example"])))["ben@acme.example"]

        async def leak(store: Store, asking: Asking, _now: datetime) -> PrivatePage:
            await store.read(asking.found)
            return PrivatePage(owner=ben, title="Secret", elements=(Text(("For your eyes only.",)),))

        bot = await start(handle=leak)
        assert SORRY in json.dumps(await bot.open_home("U0ANA"))
        assert SORRY in (await bot.command("U0ANA", bot.dm("U0ANA"))).text
        assert "For your eyes only." in json.dumps(await bot.open_home("U0BEN"))
        assert "For your eyes only." in (await bot.command("U0BEN", bot.dm("U0BEN"))).text

    async def test_a_private_page_is_never_shown_where_others_look_on(self, start: StartBot, store: Store) -> None:
        ana = (await store.write(lambda uow: uow.people.ids(["ana@acme.example"])))["ana@acme.example"]

        async def leak(store: Store, asking: Asking, _now: datetime) -> PrivatePage:
            await store.read(asking.found)
            return PrivatePage(owner=ana, title="Secret", elements=(Text(("For your eyes only.",)),))

        bot = await start(handle=leak)
        answers: list[Message] = [await bot.command("U0ANA", place) for place in ("C0GENERAL", "D0HUMANS")]
        assert all(SORRY in answer.text for answer in answers)
        assert "For your eyes only." in (await bot.command("U0ANA", bot.dm("U0ANA"))).text
