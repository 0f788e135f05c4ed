"""A lost answer is found out where the conversation may be read, and otherwise never repeated."""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot import participations
from bot.delivering import living
from bot.delivering.outcomes import UNREPEATED
from bot.errors import Ambiguous, Throttled, Unavailable
from bot.events import EventKind
from bot.messages import Delivery, DeliveryState, Member, MemberKind, MessageRef
from bot.page import Page, PrivatePage
from bot.ports import UnitOfWork
from bot.rules import State
from store.encryption import Keyring
from store.unit_of_work import SqlStore
from tests.contract.core.conftest import Life, RecordingChannel

ANA = "ana@acme.example"
ASKING = {"New survey", "Survey closes soon", "More time to answer"}


class Unreliable(RecordingChannel):
    """Takes messages, and answers as it is told to: `lost` = taken, but no answer; any other word = not taken."""

    answers: list[str]

    async def send(self, member: Member, page: Page | PrivatePage, key: str | None = None) -> MessageRef:
        match self.answers.pop(0) if self.answers else "well":
            case "lost":
                self.take(member, page, key)
                raise Ambiguous("the connection broke")
            case "dropped":
                raise Ambiguous("the connection broke")
            case "throttled":
                raise Throttled("429", retry_after=5)
            case "down":
                raise Unavailable("503")
            case _:
                return self.take(member, page, key)


async def invited(life: Life, *answers: str, is_readable: bool) -> Unreliable:
    channel = Unreliable(is_readable=is_readable)
    channel.answers = list(answers)
    life.channel = channel
    await life.long_ago()
    await life.join("ana")
    life.source.put()
    life.source.send("EMD_1", {"CID_ana": ANA})
    await life.sync()
    await life.deliver()
    return channel


async def state(life: Life) -> DeliveryState:
    (delivery,) = await life.deliveries()
    return delivery.state


@pytest.mark.parametrize(("answer", "messages"), [("lost", 1), ("dropped", 0)])
async def test_where_nobody_may_read_a_lost_answer_stays_unknown_and_says_why(life: Life, answer: str, messages: int) -> None:
    channel = await invited(life, answer, is_readable=False)
    assert await life.settle() == 0, "it may still arrive"
    life.wait(seconds=61)
    assert await life.settle() == 1
    life.wait(hours=1)
    await life.deliver()
    (delivery,) = await life.deliveries()
    assert (delivery.state, len(channel.sent)) == (DeliveryState.UNKNOWN, messages)
    assert UNREPEATED[EventKind.SURVEY_INVITED] in (delivery.reason or "")


@pytest.mark.parametrize("answer", ["lost", "dropped"])
async def test_where_it_may_be_read_everybody_has_one_message_in_the_end(life: Life, answer: str) -> None:
    """One that did not arrive is sent again; one that did is found, and lives on."""
    channel = await invited(life, answer, is_readable=True)
    life.wait(seconds=61)
    assert await life.settle() == 1
    await life.deliver()
    assert (await state(life), len(channel.sent)) == (DeliveryState.SENT, 1)
    life.source.move("EMD_1", "CID_ana", "SurveyFinished")
    await life.sync()
    life.wait(seconds=20)
    await life.edit()
    assert [page.title for page in channel.shows.values()] == ["Thank you"]


def test_there_is_a_stated_policy_for_every_kind_of_message() -> None:
    assert set(UNREPEATED) == set(EventKind)


steps = st.lists(
    st.one_of(
        st.sampled_from(["deliver", "settle", "edit", "remind", "sync", "touch", "close", "open"]),
        st.sampled_from([5, 60, 130, 3600, 6 * 86_400]),
        st.tuples(st.just("move"), st.sampled_from(["Success", "Opened", "SurveyStarted", "SurveyFinished", "SessionExpired"])),
        st.tuples(st.just("die"), st.booleans()),
    ),
    max_size=14,
)
answers = st.lists(st.sampled_from(["well", "lost", "dropped", "throttled", "down"]), max_size=5)


async def die(life: Life, channel: Unreliable, *, is_sent: bool) -> None:
    """A process claims one message, and is killed in the middle of the call, before or after it arrived."""
    lease, queues = timedelta(seconds=120), await life.store.read(lambda uow: uow.outbox.queues(life.now))
    if not queues:
        return
    claimed = await life.store.write(lambda uow: uow.outbox.claim(queues[0], life.now, owner="dead", lease=lease, limit=1))
    for held in claimed:
        begin = partial(_begin, held, life.now + lease)
        await life.store.write(begin)
        if is_sent:
            (member,) = await life.store.read(lambda uow: uow.members.by_email(ANA))
            channel.take(member, Page(title="New survey", elements=()), held.key)


def _begin(held: Delivery, lease_until: datetime, uow: UnitOfWork) -> bool:
    return uow.outbox.begin_sending(held.delivery_id, owner="dead", lease_until=lease_until)


async def step(life: Life, channel: Unreliable, what: object) -> None:
    match what:
        case "deliver" | "settle" | "edit" | "remind" | "sync":
            await getattr(life, str(what))()
        case "touch":
            await living.touched(life.store, Member(workspace_id="T1", user_id="ana", kind=MemberKind.MEMBER, email=ANA), life.now)
        case "close" | "open":
            life.source.put(is_active=what == "open")
        case ("move", str() as status):
            life.source.move("EMD_1", "CID_ana", status)
        case ("die", bool() as is_sent):
            await die(life, channel, is_sent=is_sent)
        case _:
            assert isinstance(what, int)
            life.wait(seconds=what)


async def live(life: Life, planned: list[object], planned_answers: list[str]) -> None:
    channel = await invited(life, *planned_answers, is_readable=True)
    for what in planned:
        await step(life, channel, what)
    channel.answers.clear()
    for what in ("sync", "touch", *(("deliver", "settle", 130) * 4), 700, "deliver", "sync", "touch", 130, "edit", "touch", "edit"):
        await step(life, channel, what)
    told = Counter((it.kind, it.person_id) for it in await life.deliveries() if it.state is DeliveryState.SENT)
    assert len(channel.sent) == told.total(), "every message is known, and none was repeated"
    assert set(told.values()) <= {1}
    asking = [page.title for page in channel.shows.values() if page.title in ASKING]
    assert len(asking) == int(bool(told) and await is_open(life)), (
        "the way to answer is in one message while there is one, and in none after"
    )


async def is_open(life: Life) -> bool:
    person = await life.store.read(lambda uow: uow.people.find(ANA))
    found = await life.store.read(lambda uow: participations.in_survey(uow, "SV_1", [person or 0], life.now))
    return found[person or 0].state is State.OPEN


@pytest.fixture(scope="session")
def template(migrated_sqlite: bytes, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database; hypothesis would print all of its bytes."""
    path = tmp_path_factory.mktemp("settling") / "template.db"
    path.write_bytes(migrated_sqlite)
    return path


@settings(max_examples=15)
@given(planned=steps, planned_answers=answers)
def test_any_mixture_of_losses_deaths_throttles_and_changes_ends_with_one_right_message(
    template: Path, keyring: Keyring, planned: list[object], planned_answers: list[str]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "life.db"
        path.write_bytes(template.read_bytes())

        async def run() -> None:
            store = SqlStore(f"sqlite:///{path}", keyring)
            try:
                await live(Life(store), planned, planned_answers)
            finally:
                await store.close()

        asyncio.run(run())
