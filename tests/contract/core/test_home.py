"""The Home tab is of use to whoever opens it, whatever is known of them."""

from __future__ import annotations

from collections.abc import Mapping

from bot import actions
from bot.messages import Member, MemberKind, Request, Surface
from bot.model import User
from bot.page import Action, Form, Page, PrivatePage
from bot.syncing.look import Kind
from tests.contract.core.conftest import Life
from tests.contract.core.test_actions import ANA, filled, titles
from tests.unit.core.examples import DAY, NOW
from tests.unit.core.test_pages import buttons, words

ADMIN = User(user_id="UR_9", email=ANA, user_type="UT_BRANDADMIN")


async def ask(
    life: Life, verb: str = "home.show", data: Mapping[str, str] | None = None, email: str | None = ANA
) -> Page | PrivatePage | Form:
    member = Member(workspace_id="T1", user_id="U1", kind=MemberKind.MEMBER, email=email)
    request = Request(member=member, action=Action(verb=verb, data=data or {}), surface=Surface.HOME)
    return await actions.handle(life.store, request, life.now)


async def home(life: Life, email: str | None = ANA) -> Page:
    page = await ask(life, email=email)
    assert isinstance(page, Page)
    return page


async def test_it_lists_what_is_open_what_closes_next_and_when_reminders_come(life: Life) -> None:
    await filled(life)
    page = await home(life)
    assert titles(page) == ["SV_soon", "SV_late", "SV_endless"]
    assert f"Closes next: SV_soon: {(NOW + DAY).isoformat()}" in words(page)
    assert words(page).count("Reminder: ") == 1
    assert f"Reminder: SV_late: {(NOW + 8 * DAY).isoformat()}" in words(page)


async def test_before_there_is_a_qualtrics_or_its_first_look_it_says_so(life: Life) -> None:
    assert "not connected to Qualtrics yet" in words(await home(life))
    life.source.put()
    await life.sync(Kind.INCREMENTAL)
    assert "for the first time" in words(await home(life))
    await life.sync(Kind.FULL)
    assert "no surveys to answer right now" in words(await home(life))


async def test_while_reading_is_held_up_it_says_so_and_promises_no_reminder(life: Life) -> None:
    await filled(life)
    await life.store.write(lambda uow: uow.integrations.set_paused("main", is_paused=True))
    page = await home(life)
    assert "may be out of date" in words(page)
    assert titles(page) == ["SV_soon", "SV_late", "SV_endless"]
    assert "Reminder: " not in words(page)


async def test_brand_administrators_see_whether_reading_is_in_order_and_nobody_else_does(life: Life) -> None:
    await filled(life)
    assert "sync.status" not in [button.action.verb for button in buttons(await home(life))]
    await life.store.write(lambda uow: uow.users.save("main", [ADMIN]))
    page = await home(life)
    assert "1 integration, in order." in words(page)
    assert "sync.status" in [button.action.verb for button in buttons(page)]
    await life.store.write(lambda uow: uow.integrations.set_unauthorized("main", NOW))
    assert "1 integration needs a look." in words(await home(life))


async def test_people_without_address_are_told_what_to_do(life: Life) -> None:
    await filled(life)
    assert "Ask your administrator" in words(await home(life, email=None))


async def test_every_page_there_leads_back_and_forms_know_where_they_were_opened(life: Life) -> None:
    await filled(life)
    for verb in ("surveys.list", "survey.show", "survey.why", "privacy.show", "help.show", "settings.show", "sync.status", "nonsense"):
        page = await ask(life, verb, {"survey": "SV_soon"})
        assert not isinstance(page, Form)
        assert buttons(page)[-1].action == Action(verb="home.show")
    form = await ask(life, "settings.edit")
    assert isinstance(form, Form)
    assert form.action.data == {actions.CAME_FROM: "home"}


async def test_why_names_owner_and_sender_and_privacy_the_survey(life: Life) -> None:
    await filled(life)
    await life.store.write(lambda uow: uow.users.save("main", [User(user_id="UR_1", email=None, first_name="Nia", last_name="Okafor")]))
    why = await ask(life, "survey.why", {"survey": "SV_soon"})
    assert isinstance(why, Page)
    assert "Its owner in Qualtrics: Nia Okafor" in words(why)
    assert ANA not in words(why)
    somebody_elses = await ask(life, "survey.why", {"survey": "SV_ben"})
    assert isinstance(somebody_elses, Page)
    assert somebody_elses.title == "Survey not available"
    privacy = await ask(life, "privacy.show", {"survey": "SV_ben"})
    assert isinstance(privacy, Page)
    assert "SV_ben" not in words(privacy)


async def test_a_search_finds_ones_own_by_name_or_sender_also_what_is_over(life: Life) -> None:
    await filled(life)

    async def found(text: str) -> list[str]:
        page = await ask(life, "surveys.find", {"words": text})
        assert isinstance(page, Page)
        return titles(page)

    assert sorted(await found("sv")) == ["SV_done", "SV_endless", "SV_late", "SV_soon"]
    assert (await found("people SV"))[-1] == "SV_done"
    assert await found("DONE team") == ["SV_done"]
    assert await found("ben") == []
