"""Who wants to be told less is told less, is counted, and is told after all once they want it again."""

from __future__ import annotations

from bot import actions
from bot.messages import DeliveryState, Member, MemberKind, Preference, Reach, Request, Surface
from bot.model import User
from bot.page import Action, Form, Page
from bot.syncing.sync import Kind
from tests.contract.core.conftest import Life
from tests.unit.core.examples import DAY, NOW

ANA = "ana@acme.example"
EVERYTHING, NOTHING = "new_surveys reminders", ""


async def choose(life: Life, told: str, kind: MemberKind = MemberKind.MEMBER) -> Page:
    """What submitting the settings form does."""
    member = Member(workspace_id="T1", user_id="ana", kind=kind, email=ANA)
    request = Request(member=member, action=Action(verb="settings.save", data={"told": told}), surface=Surface.SHARED)
    page = await actions.handle(life.store, request, life.now)
    assert isinstance(page, Page)
    return page


async def show_form(life: Life) -> Form:
    member = Member(workspace_id="T1", user_id="ana", kind=MemberKind.MEMBER, email=ANA)
    form = await actions.handle(life.store, Request(member=member, action=Action(verb="settings.edit"), surface=Surface.SHARED), life.now)
    assert isinstance(form, Form)
    return form


async def sent(life: Life, *survey_ids: str) -> None:
    """Surveys of three days that Ana alone was sent, as one look finds them."""
    for survey_id in survey_ids:
        life.source.put(survey_id, name=survey_id)
        life.source.send(f"EMD_{survey_id}", {"CID_1": ANA}, survey_id, link_expires_at=life.now + 3 * DAY)
    await life.sync()
    await life.deliver()


async def preference(life: Life) -> Preference:
    return await life.store.read(lambda uow: uow.preferences.get(uow.people.find(ANA) or 0))


async def messages(life: Life) -> list[str]:
    """What was sent, by title."""
    return [page.title for _, page in life.channel.sent]


async def states(life: Life) -> list[tuple[str, DeliveryState, str | None]]:
    return [(delivery.survey_id, delivery.state, delivery.reason) for delivery in await life.deliveries()]


async def test_who_opted_out_is_not_told_is_counted_and_not_tried_again(life: Life) -> None:
    await life.long_ago()
    await life.join("ana")
    await choose(life, NOTHING)
    await sent(life, "SV_1")
    opted_out = [("SV_1", DeliveryState.UNREACHABLE, "opted out")]
    assert await states(life) == opted_out
    assert await life.store.read(lambda uow: uow.outbox.reasons()) == {"opted out": 1}
    assert await life.store.write(lambda uow: uow.outbox.reopen_reachable(Reach(), life.now)) == 0
    assert await states(life) == opted_out
    assert life.channel.sent == []


async def test_who_opts_in_again_is_told_of_what_they_can_still_answer_and_were_not_told_of(life: Life) -> None:
    await life.long_ago()
    await life.join("ana")
    await choose(life, "reminders")
    await sent(life, "SV_done", "SV_open", "SV_gone")
    life.source.move("EMD_SV_done", "CID_1", "SurveyFinished", NOW)
    life.source.put("SV_gone", name="SV_gone", is_active=False)
    await life.sync()
    await choose(life, EVERYTHING)
    await choose(life, EVERYTHING)
    await life.deliver()
    assert await messages(life) == ["New survey"]
    assert [state for survey_id, state, _ in await states(life) if survey_id == "SV_open"] == [DeliveryState.SENT]


async def test_a_reminder_takes_the_place_of_news_that_were_not_wanted(life: Life) -> None:
    await life.long_ago()
    await life.join("ana")
    await choose(life, "reminders")
    await sent(life, "SV_1")
    life.wait(days=2)
    await life.sync()
    await life.remind()
    await life.deliver()
    await choose(life, EVERYTHING)
    await life.deliver()
    assert await messages(life) == ["Survey closes soon"]


async def test_reminders_alone_can_be_switched_off(life: Life) -> None:
    await life.long_ago()
    await life.join("ana")
    await choose(life, "new_surveys")
    await sent(life, "SV_1")
    life.wait(days=2)
    await life.remind()
    await life.deliver()
    assert await messages(life) == ["New survey"]
    await choose(life, EVERYTHING)
    await life.deliver()
    assert await messages(life) == ["New survey", "Survey closes soon"]


async def test_whoever_chose_nothing_wants_everything_and_what_nobody_offers_is_ignored(life: Life) -> None:
    assert await preference(life) == Preference()
    assert "saved" in str((await choose(life, "everything new_surveys <!channel>")).elements)
    assert await preference(life) == Preference(reminders=False)


async def test_who_may_see_numbers_is_asked_about_their_own_surveys_and_of_nobody_else_that_choice_is_changed(life: Life) -> None:
    """Also a form that was drawn for an owner is of no avail to who is none any more."""
    life.source.user_list = (User(user_id="UR_1", email=ANA),)
    assert "of mine" not in str(await show_form(life)), "nothing is known yet"
    life.source.put()
    await life.sync(Kind.FULL)
    assert "of mine" in str(await show_form(life))
    assert "Numbers before surveys of mine close" in str(await choose(life, EVERYTHING))
    assert await preference(life) == Preference(own_surveys=False)
    await choose(life, f"{EVERYTHING} own_surveys")
    assert await preference(life) == Preference()
    await choose(life, EVERYTHING)
    life.source.user_list = ()
    await life.sync(Kind.FULL)
    assert "of mine" not in str(await choose(life, f"{EVERYTHING} own_surveys"))
    assert await preference(life) == Preference(own_surveys=False)


async def test_guests_change_nothing(life: Life) -> None:
    assert (await choose(life, NOTHING, MemberKind.GUEST)).title == "For members only"
    assert await preference(life) == Preference()
