"""The coverage of a survey, for those whose it is."""

from __future__ import annotations

import pytest

from bot import actions
from bot.exports import OPEN_FOR, Export
from bot.messages import Member, MemberKind, Request, Surface
from bot.model import User
from bot.page import Action, Link, Page
from tests.contract.core.conftest import Life
from tests.contract.core.test_actions import ANA, NOW
from tests.unit.core.test_pages import words

OWNER = "owner@acme.example"
FILE = "https://surveybot.acme.example/coverage/x.csv"


async def ask(
    life: Life, verb: str, email: str = OWNER, survey: str = "SV_1", surface: Surface = Surface.PRIVATE
) -> tuple[Page, list[Export]]:
    """The page, and the exports a way to which was made."""
    made: list[Export] = []

    def link(export: Export) -> str:
        made.append(export)
        return FILE

    member = Member(workspace_id="T1", user_id="U1", kind=MemberKind.MEMBER, email=email)
    request = Request(member=member, action=Action(verb=verb, data={"survey": survey}), surface=surface)
    answer = await actions.handle(life.store, request, life.now, files=link)
    assert isinstance(answer, Page)
    return answer, made


def links(page: Page) -> list[str]:
    return [button.url for element in page.elements for button in getattr(element, "buttons", ()) if isinstance(button, Link)]


def verbs(page: Page) -> list[str]:
    return [button.action.verb for element in page.elements for button in getattr(element, "buttons", ()) if not isinstance(button, Link)]


@pytest.fixture
async def sent(life: Life) -> Life:
    """A survey of the owner's to 30 people, 24 of whom are in the chat and are told."""
    await life.long_ago()
    life.source.user_list = (User(user_id="UR_1", email=OWNER),)
    life.source.put()
    names = [f"person{number}" for number in range(30)]
    await life.join(*names[:24])
    life.source.send("EMD_1", {f"CID_{name}": f"{name}@acme.example" for name in names})
    await life.sync()
    await life.deliver()
    await life.store.write(lambda uow: uow.users.save("main", life.source.user_list))
    return life


async def test_an_owner_sees_whom_their_survey_reached_and_takes_it_along(sent: Life) -> None:
    page, _ = await ask(sent, "stats.coverage")
    said = words(page)
    assert "Mailed by Qualtrics: 30 or more" in said
    assert "Reached in chat: 20 or more" in said
    assert "No chat account found, or the app not added: 5 or more" in said
    assert "Others, or too few to tell apart: about 5" in said
    assert (links(page), verbs(page)) == ([], ["stats.export", "stats.survey"])
    page, made = await ask(sent, "stats.export")
    assert links(page) == [FILE]
    assert made == [Export(email=OWNER, survey_id="SV_1", locale="en", until=NOW + OPEN_FOR)]


async def test_where_others_look_on_there_is_no_way_to_the_file(sent: Life) -> None:
    for verb in ("stats.coverage", "stats.export"):
        page, made = await ask(sent, verb, surface=Surface.SHARED)
        assert "our own conversation" in words(page)
        assert (links(page), verbs(page), made) == ([], ["stats.survey"], [])


async def test_nobody_else_learns_that_there_is_such_a_survey(sent: Life) -> None:
    for verb in ("stats.coverage", "stats.export"):
        for email, survey in ((ANA, "SV_1"), (OWNER, "SV_other"), (OWNER, "")):
            page, _ = await ask(sent, verb, email, survey)
            assert page == (await ask(sent, verb, email, "SV_nonsense"))[0]
            assert links(page) == []
            assert "Engagement" not in words(page)
