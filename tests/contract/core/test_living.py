"""One living message: it shows what is true for its reader, it is edited in place, and never en masse (FEATURES C6)."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from bot import actions
from bot.delivering import living
from bot.errors import Ambiguous, Gone, Rejected, Throttled, Unavailable
from bot.messages import Member, MemberKind, Reach, Request, Shown, Surface
from bot.page import Action, Form, Page, PrivatePage, Respond
from bot.syncing.sync import Kind
from store.engine import connect
from tests.contract.core.conftest import Life
from tests.unit.core.examples import DAY

ANA = "ana@acme.example"


@pytest.fixture
async def told(life: Life) -> Life:
    """Ana, and then Ben, were told of a survey that closes in a week."""
    await life.long_ago()
    await life.join("ana")
    life.source.put()
    life.source.send("EMD_1", {f"CID_{name}": f"{name}@acme.example" for name in ("ana", "ben")})
    await life.sync()
    await life.deliver()
    await life.join("ben")
    await life.store.write(lambda uow: uow.outbox.reopen_reachable(Reach(), life.now))
    await life.deliver()
    return life


def titles(life: Life) -> list[str]:
    """What the messages say now, in the order in which they were sent."""
    return [page.title for page in life.channel.shows.values()]


def has_button(page: Page | PrivatePage) -> bool:
    return any(isinstance(element, Respond) for element in page.elements)


async def touch(life: Life, email: str = ANA) -> int:
    name = email.partition("@")[0]
    return await living.touched(life.store, Member(workspace_id="T1", user_id=name, kind=MemberKind.MEMBER, email=email), life.now)


async def test_whoever_answers_is_thanked_in_the_same_message_and_nobody_else_is_edited(told: Life) -> None:
    told.source.move("EMD_1", "CID_ana", "SurveyFinished")
    await told.sync()
    assert await told.edit() == 0, "it is debounced"
    told.wait(seconds=20)
    await told.edit()
    assert titles(told) == ["Thank you", "New survey"]
    assert not has_button(told.channel.shows["1"])
    assert (len(told.channel.sent), told.channel.edited) == (2, ["1"])


async def test_several_changes_are_one_edit_that_shows_the_last_of_them(told: Life) -> None:
    for seconds, status in ((0, "SurveyStarted"), (5, "SessionExpired"), (5, "SurveyFinished")):
        told.wait(seconds=seconds)
        told.source.move("EMD_1", "CID_ana", status)
        await told.sync()
    told.wait(seconds=20)
    await told.edit()
    await told.edit()
    assert (titles(told)[0], told.channel.edited) == ("Thank you", ["1"])


async def test_what_changes_nothing_that_is_shown_edits_nothing(told: Life) -> None:
    told.source.move("EMD_1", "CID_ana", "Opened")
    await told.sync(Kind.SWEEP)
    assert await touch(told) == 0
    told.wait(minutes=5)
    assert await told.edit() == 0
    assert told.channel.edited == []


async def test_a_reminder_takes_over_and_the_invitation_says_so(told: Life) -> None:
    told.wait(days=6, hours=1)
    await told.remind()
    await told.deliver()
    told.wait(seconds=20)
    await told.edit()
    assert titles(told) == ["See below", "See below", "Survey closes soon", "Survey closes soon"]
    assert [has_button(page) for page in told.channel.shows.values()] == [False, False, True, True]
    told.source.move("EMD_1", "CID_ana", "SurveyFinished")
    await told.sync()
    told.wait(seconds=20)
    await told.edit()
    assert (titles(told)[0], titles(told).count("Thank you")) == ("Thank you", 2)


async def test_a_closing_edits_nobody_until_they_come_by(told: Life) -> None:
    told.source.put(is_active=False)
    await told.sync()
    told.wait(minutes=5)
    assert await told.edit() == 0
    assert await touch(told) == 1
    await told.edit()
    assert titles(told) == ["Survey closed", "New survey"]
    assert await touch(told) == 0


async def test_so_does_a_deadline(told: Life) -> None:
    told.wait(days=8)
    assert await told.edit() == 0
    await touch(told)
    await told.edit()
    assert titles(told) == ["Time is over", "New survey"]


async def test_a_message_gets_its_button_back_when_its_survey_does(told: Life) -> None:
    told.source.put(is_active=False)
    await told.sync()
    await touch(told)
    await told.edit()
    told.source.put()
    await told.sync()
    await touch(told)
    await told.edit()
    assert titles(told) == ["New survey", "New survey"]
    assert has_button(told.channel.shows["1"])


async def test_a_reminder_whose_deadline_moved_away_does_not_claim_to_close_soon(told: Life) -> None:
    told.wait(days=6, hours=1)
    await told.remind()
    await told.deliver()
    told.source.send("EMD_1", {"CID_ana": ANA}, link_expires_at=told.now + 20 * DAY)
    await told.sync()
    await touch(told)
    await told.edit()
    assert (titles(told)[0], titles(told).count("More time to answer")) == ("See below", 1)


async def test_whoever_is_asked_anew_keeps_the_thanks_for_the_first_time(told: Life) -> None:
    told.source.move("EMD_1", "CID_ana", "SurveyFinished")
    await told.sync()
    told.wait(seconds=20)
    await told.edit()
    told.wait(days=1)
    told.source.send("EMD_2", {"CID_ana": ANA}, send_date=told.now)
    await told.sync()
    await told.deliver()
    await touch(told)
    told.wait(seconds=20)
    await told.edit()
    assert titles(told) == ["Thank you", "New survey", "New survey"]


@pytest.mark.parametrize("error", [Gone("message_not_found"), Rejected("edit_window_closed"), Rejected("cant_update_message")])
async def test_a_dead_end_is_tried_once(told: Life, error: Exception) -> None:
    told.source.move("EMD_1", "CID_ana", "SurveyFinished")
    await told.sync()
    told.channel.edit_errors = [error]
    for _ in range(3):
        told.wait(minutes=10)
        await told.edit()
        await touch(told)
    assert told.channel.edited == []
    assert await told.store.read(lambda uow: uow.sent.waiting()) == 0


async def test_a_link_that_does_not_open_leaves_its_message_as_it_is_and_holds_up_no_other(told: Life, database_url: str) -> None:
    engine = connect(database_url, read_only=False, connections=1)
    with engine.begin() as connection:
        connection.execute(text("UPDATE invitations SET link = :bad WHERE contact_id = 'CID_ana'"), {"bad": b"\x04lost damaged"})
    engine.dispose()
    told.source.move("EMD_1", "CID_ben", "SurveyFinished")
    await told.sync()
    assert await touch(told) == 0
    ids = [delivery.delivery_id for delivery in await told.deliveries()]
    await told.store.write(lambda uow: uow.sent.look_at(ids, told.now))
    await told.edit()
    assert titles(told) == ["New survey", "Thank you"]


async def test_who_has_left_is_not_edited_for(told: Life) -> None:
    await told.join("ana", kind=MemberKind.DEACTIVATED)
    told.source.move("EMD_1", "CID_ana", "SurveyFinished")
    await told.sync()
    told.wait(seconds=20)
    await told.edit()
    assert told.channel.edited == []
    assert await told.store.read(lambda uow: uow.sent.waiting()) == 0


@pytest.mark.parametrize("error", [Ambiguous("lost"), Unavailable("503"), Throttled("429", retry_after=1)])
async def test_trouble_of_a_workspace_delays_an_edit_and_loses_none(told: Life, error: Exception) -> None:
    told.source.move("EMD_1", "CID_ana", "SurveyFinished")
    await told.sync()
    told.channel.edit_errors = [error]
    for _ in range(2):
        told.wait(minutes=3)
        await told.edit()
    assert (titles(told)[0], told.channel.edited) == ("Thank you", ["1"])


async def test_what_happens_while_a_message_is_on_its_way_is_not_missed(life: Life) -> None:
    """It was drawn before its reader answered."""
    await life.long_ago()
    await life.join("ana")
    life.source.put()
    life.source.send("EMD_1", {"CID_ana": ANA})
    await life.sync()
    send = life.channel.take

    async def answered_meanwhile(*arguments: object) -> object:
        life.source.move("EMD_1", "CID_ana", "SurveyFinished")
        await life.sync()
        return send(*arguments)  # type: ignore[arg-type]

    life.channel.send = answered_meanwhile  # type: ignore[method-assign, assignment]
    await life.deliver()
    assert titles(life) == ["New survey"]
    life.wait(seconds=20)
    await life.edit()
    assert titles(life) == ["Thank you"]


async def test_of_messages_sent_before_they_remembered_what_they_show_the_truth_is_shown(told: Life) -> None:
    (delivery, _) = await told.deliveries()
    assert delivery.showing is not None
    assert delivery.showing.what is Shown.OPEN


async def test_a_message_draws_itself_anew_for_its_reader_alone_whenever_they_look(told: Life) -> None:
    """As things are at that moment, before any edit."""

    async def look(name: str, message: str, surface: Surface = Surface.PRIVATE) -> Page | PrivatePage | Form:
        member = Member(workspace_id="T1", user_id="U1", kind=MemberKind.MEMBER, email=f"{name}@acme.example")
        request = Request(member=member, action=Action(verb="message.show", data={"message": message}), surface=surface)
        return await actions.handle(told.store, request, told.now)

    again = [page.again for page in told.channel.shows.values()]
    (anas, bens) = [action.data["message"] for action in again if action is not None]
    seen = await look("ana", anas)
    assert isinstance(seen, PrivatePage)
    assert (seen.title, seen.again) == ("New survey", again[0])
    told.source.move("EMD_1", "CID_ana", "SurveyFinished")
    await told.sync()
    assert (await look("ana", anas)).title == "Thank you"
    assert (await look("ben", bens)).title == "New survey"
    for name, message, surface in (("ben", anas, Surface.PRIVATE), ("ben", bens, Surface.SHARED), ("ben", "x", Surface.PRIVATE)):
        with pytest.raises(Gone):
            await look(name, message, surface)
