"""Who has answered is told by name only where everything allows it, and to whoever owns the survey or administers its brand alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot import actions
from bot.messages import Member, MemberKind, Request, Surface
from bot.model import Anonymity, LinkType, SurveyDetails, User
from bot.page import Action, Button, Buttons, Page
from bot.ports import UnitOfWork
from bot.standings import Standing
from tests.contract.core.conftest import Life
from tests.unit.core.examples import NOW
from tests.unit.core.test_pages import words

OWNER, ADMIN, FRIEND, ANA = (f"{name}@acme.example" for name in ("owner", "admin", "friend", "person00"))
USERS = (User(user_id="UR_1", email=OWNER), User(user_id="UR_2", email=ADMIN, user_type="UT_BRANDADMIN"))


async def ask(
    life: Life, email: str = OWNER, *, standing: str = "answered", page: str = "1", surface: Surface = Surface.PRIVATE, survey: str = "SV_1"
) -> Page:
    member = Member(workspace_id="T1", user_id="U1", kind=MemberKind.MEMBER, email=email)
    action = Action(verb="stats.people", data={"survey": survey, "standing": standing, "page": page})
    answer = await actions.handle(life.store, Request(member=member, action=action, surface=surface), life.now)
    assert isinstance(answer, Page)
    return answer


def named(page: Page) -> list[str]:
    return [line for line in words(page).splitlines() if line.startswith("person")]


def ways(page: Page) -> list[str]:
    return [button.label for row in page.elements if isinstance(row, Buttons) for button in row.buttons if isinstance(button, Button)]


@pytest.fixture
async def sent(life: Life) -> Life:
    """Of 40 people 25 have answered, none has only begun; one of those 25 by a reminder, whose first link they did not use."""
    life.settings = replace(life.settings, shows_people=True)
    life.source.put()
    life.source.send("EMD_1", {f"CID_{number:02}": f"person{number:02}@acme.example" for number in range(40)})
    for number in range(27):
        status = "SurveyFinished" if number < 24 else "Opened"
        life.source.move("EMD_1", f"CID_{number:02}", status, NOW if number < 24 else None)
    life.source.send("EMD_2", {"CID_30": "person30@acme.example"}, request_type="Reminder", parent_id="EMD_1")
    life.source.move("EMD_2", "CID_30", "SurveyFinished", NOW)
    await life.baseline()

    def know(uow: UnitOfWork) -> None:
        uow.users.save("main", USERS)
        uow.grants.share("SV_1", uow.people.ids([FRIEND])[FRIEND], NOW)

    await life.store.write(know)
    return life


async def test_an_owner_turns_the_pages_of_those_who_have_answered_and_those_who_have_not(sent: Life) -> None:
    first, second = await ask(sent), await ask(sent, page="2")
    assert (len(named(first)), named(second)) == (20, [f"person{number:02}@acme.example" for number in (20, 21, 22, 23, 30)])
    assert ways(first) == ["Next page", "Show: Not begun", "Results"]
    assert len(named(await ask(sent, ADMIN, standing="not begun"))) == 15
    assert named(await ask(sent, standing="begun")) == named(first)


@pytest.mark.parametrize(("begun", "lists"), [(0, {"answered", "not begun"}), (2, {"answered"}), (5, {"answered", "begun", "not begun"})])
async def test_who_is_in_no_list_is_not_known_by_it(sent: Life, begun: int, lists: set[str]) -> None:
    """An owner knows whom they mailed: 25 who have answered and 13 who have not begun would leave the two who have."""
    for number in range(24, 24 + begun):
        sent.source.move("EMD_1", f"CID_{number:02}", "SurveyStarted")
    sent.wait(hours=1)
    await sent.sync()
    titles = {standing: words(await ask(sent, standing=standing)).splitlines()[1].casefold() for standing in Standing}
    assert {str(standing) for standing, title in titles.items() if title.split(" · ")[1].split(",")[0] == standing} == lists


async def test_nobody_is_named_where_anything_forbids_it(sent: Life) -> None:
    """In a shared place, to somebody the survey was shared with, without policy, or of a survey that may be anonymous."""

    async def forbidden(email: str = OWNER, surface: Surface = Surface.PRIVATE) -> bool:
        page = await ask(sent, email, surface=surface)
        return not named(page) and ways(page) == ["Results"]

    assert await forbidden(surface=Surface.SHARED)
    assert await forbidden(FRIEND)
    assert not named(await ask(sent, ANA))
    assert await ask(sent, ANA) == await ask(sent, ANA, survey="SV_nonsense")
    assert not await forbidden()

    def anonymise(uow: UnitOfWork, anonymity: Anonymity) -> None:
        uow.surveys.save_details("main", "SV_1", SurveyDetails(ends_at=None, anonymity=anonymity), NOW)

    for anonymity in (Anonymity.UNKNOWN, Anonymity.ANONYMIZED):
        await sent.store.write(lambda uow, it=anonymity: anonymise(uow, it))
        assert await forbidden()
    await sent.store.write(lambda uow: anonymise(uow, Anonymity.IDENTIFIED))
    assert not await forbidden()
    shared_link = replace(sent.source.sent["EMD_1"], distribution_id="EMD_9", link_type=LinkType.ANONYMOUS)
    await sent.store.write(lambda uow: uow.distributions.save("main", [shared_link]))
    assert await forbidden()
    await sent.store.write(lambda uow: uow.distributions.save("main", [replace(shared_link, link_type=LinkType.INDIVIDUAL)]))
    assert not await forbidden()
    await sent.store.write(lambda uow: uow.integrations.save(replace(sent.settings, shows_people=False)))
    assert await forbidden()
