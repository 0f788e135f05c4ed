"""Somebody in Slack and in Teams is told once: where they want it, else where they were last, and where it can be."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from bot import actions
from bot.delivering import living
from bot.errors import Gone, ShutOut
from bot.messages import (
    Address,
    DeliveryState,
    Member,
    MemberKind,
    MessageRef,
    Place,
    Platform,
    Preference,
    Reach,
    Request,
    Surface,
    Unreachable,
)
from bot.page import Action, Form, Page, PrivatePage, Select
from bot.ports import Store
from tests.contract.core.conftest import Life, RecordingChannel
from tests.unit.core.examples import DAY

EMAIL = "ana@acme.example"
TENANT = "0a000000-0000-0000-0000-000000000000"
BOTH = Reach(platforms=frozenset(Platform), tenant_id=TENANT)
IN_SLACK = Member(workspace_id="T1", user_id="slack", kind=MemberKind.MEMBER, email=EMAIL)
IN_TEAMS = replace(IN_SLACK, workspace_id=TENANT, user_id="teams")
CHAT = Address(workspace_id=TENANT, conversation_id="a:ana", user_id="teams", service_url="https://smba.trafficmanager.net/teams/")


@pytest.fixture
async def two(store: Store) -> Life:
    """Ana has added the bot in Teams, and is in Slack as well."""
    life = Life(store, reach=BOTH)
    await life.long_ago()
    await store.write(lambda uow: uow.members.save([IN_SLACK, IN_TEAMS]))
    await store.write(lambda uow: uow.addresses.save(CHAT))
    return life


async def invited(life: Life, survey_id: str = "SV_1") -> None:
    """Sent a survey of three days, and told of it."""
    life.source.put(survey_id)
    life.source.send(f"EMD_{survey_id}", {"CID_1": EMAIL}, survey_id, link_expires_at=life.now + 3 * DAY)
    await life.sync()
    await life.deliver()


async def reminded(life: Life) -> None:
    life.wait(days=2)
    await life.sync()
    await life.remind()
    await life.deliver()


def told(life: Life) -> list[str]:
    return [user_id for user_id, _ in life.channel.sent]


async def ask(life: Life, member: Member, verb: str, **data: str) -> Page | Form:
    answer = await actions.handle(
        life.store, Request(member=member, action=Action(verb=verb, data=data), surface=Surface.PRIVATE), life.now, reach=life.reach
    )
    assert isinstance(answer, Page | Form)
    return answer


async def test_the_reminder_goes_where_they_were_last_and_the_invitation_is_edited_where_it_is(two: Life) -> None:
    await invited(two)
    await living.touched(two.store, IN_TEAMS, two.now)
    await reminded(two)
    two.wait(minutes=1)
    await two.edit()
    assert told(two) == ["slack", "teams"]
    assert two.channel.edited == ["1"]
    assert [(d.workspace_id, d.state) for d in await two.deliveries()] == [("T1", DeliveryState.SENT), (TENANT, DeliveryState.SENT)]
    assert await two.deliver() == 0


async def test_where_somebody_was_is_written_down_once_an_hour(two: Life) -> None:
    seen: list[object] = []
    for _ in range(3):
        two.wait(minutes=40)
        await living.touched(two.store, IN_TEAMS, two.now)
        seen += [account.used_at for account in await two.store.read(lambda uow: uow.members.accounts(EMAIL)) if account.used_at]
    assert seen == [two.now - timedelta(minutes=80)] * 2 + [two.now]
    await two.store.write(lambda uow: uow.members.save([replace(IN_TEAMS, locale="de")]))
    assert await two.store.read(lambda uow: uow.members.is_used_since(IN_TEAMS, two.now))


async def test_the_place_can_be_chosen_by_whoever_has_two_and_nowhere_is_a_place(two: Life) -> None:
    (where,) = (field for field in (await ask(two, IN_TEAMS, "settings.edit")).elements if isinstance(field, Select))
    assert [option.value for option in where.options] == list(Place)
    saved = await ask(two, IN_SLACK, "settings.save", told="new_surveys reminders", place="teams")
    assert "In Microsoft Teams" in str(saved.elements)
    await invited(two)
    await ask(two, IN_SLACK, "settings.save", told="new_surveys reminders", place="nowhere")
    await invited(two, "SV_2")
    assert told(two) == ["teams"]
    await ask(two, IN_SLACK, "settings.save", told="new_surveys reminders", place="slack")
    await ask(two, IN_SLACK, "settings.save", told="new_surveys reminders", place="the moon")
    await two.deliver()
    assert told(two) == ["teams", "slack"]


async def test_with_one_place_there_is_nothing_to_choose_but_what_was_chosen_is_shown(two: Life) -> None:
    two.reach = Reach()
    form = await ask(two, IN_SLACK, "settings.edit")
    assert not [field for field in form.elements if isinstance(field, Select)]
    await ask(two, IN_SLACK, "settings.save", told="reminders")
    person_id = await two.store.read(lambda uow: uow.people.find(EMAIL)) or 0
    assert await two.store.read(lambda uow: uow.preferences.get(person_id)) == Preference(new_surveys=False)
    await ask(two, IN_SLACK, "settings.save", told="reminders", place="teams")
    (where,) = (field for field in (await ask(two, IN_SLACK, "settings.edit")).elements if isinstance(field, Select))
    assert (where.chosen, [option.value for option in where.options]) == ("teams", list(Place))


async def test_who_has_removed_the_bot_in_teams_is_told_in_slack(two: Life) -> None:
    """It turns out when they are written to."""
    await living.touched(two.store, IN_TEAMS, two.now)

    async def removed() -> None:
        await two.store.write(lambda uow: uow.addresses.close(TENANT, CHAT.conversation_id))

    two.channel.errors = [ShutOut("the person has removed the bot")]
    two.channel.before_error = removed
    await invited(two)
    assert told(two) == ["slack"]
    assert [(d.workspace_id, d.state) for d in await two.deliveries()] == [("T1", DeliveryState.SENT)]


async def test_who_is_reached_nowhere_is_told_once_the_bot_is_back(two: Life) -> None:
    two.reach = replace(BOTH, platforms=frozenset({Platform.TEAMS}))
    await two.store.write(lambda uow: uow.addresses.close(TENANT, CHAT.conversation_id))
    await invited(two)
    assert [(d.state, d.reason) for d in await two.deliveries()] == [(DeliveryState.UNREACHABLE, Unreachable.SHUT_OUT)]
    assert await two.store.write(lambda uow: uow.outbox.reopen_reachable(two.reach, two.now)) == 0
    await two.store.write(lambda uow: uow.addresses.save(CHAT))
    assert await two.store.write(lambda uow: uow.outbox.reopen_reachable(two.reach, two.now)) == 1
    await two.deliver()
    assert told(two) == ["teams"]


async def test_a_lost_answer_is_looked_up_where_it_was_sent_wherever_they_are_by_now(two: Life) -> None:
    await invited(two, "SV_1")
    two.channel.is_readable = True
    two.channel.errors = [OSError("the connection broke")]
    await invited(two, "SV_2")
    lost = (await two.deliveries())[-1]
    two.channel.take(IN_SLACK, Page(title="New survey", elements=()), lost.key)
    await living.touched(two.store, IN_TEAMS, two.now)
    two.wait(minutes=5)
    await two.settle()
    await two.deliver()
    assert told(two) == ["slack", "slack"]


async def test_what_another_account_of_theirs_cannot_help_with_is_a_failure(two: Life) -> None:
    """Nothing says that they are not reached there, so the next attempt would end the same."""
    two.channel.errors = [ShutOut("channel_not_found"), Gone("user_not_found")]
    await invited(two, "SV_1")
    await invited(two, "SV_2")
    assert {d.state for d in await two.deliveries()} == {DeliveryState.FAILED}


class SlowInTeams(RecordingChannel):
    """An edit in Teams has its turn only after six elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.enough = asyncio.Event()

    async def edit_turn(self, member: Member) -> None:
        if member.workspace_id == TENANT:
            await self.enough.wait()

    async def edit(self, message: MessageRef, member: Member, page: Page | PrivatePage, key: str) -> None:
        await super().edit(message, member, page, key)
        if len(self.edited) == 6:
            self.enough.set()


async def test_one_chat_that_is_slow_holds_up_no_edit_of_the_other(two: Life) -> None:
    two.channel = SlowInTeams()
    people = [IN_TEAMS, *(replace(IN_SLACK, user_id=f"slack{number}", email=f"{number}@acme.example") for number in range(6))]
    await two.store.write(lambda uow: uow.members.save([replace(IN_SLACK, kind=MemberKind.DEACTIVATED), *people]))
    two.source.put()
    two.source.send("EMD_1", {f"CID_{it.user_id}": it.email for it in people})
    await two.sync()
    await two.deliver()
    two.source.put(is_active=False)
    await two.sync()
    for member in people:
        await living.touched(two.store, member, two.now)
    async with asyncio.timeout(30):
        assert await two.edit() == len(people)
