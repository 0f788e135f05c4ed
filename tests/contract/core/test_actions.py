"""What people ask for, over a real database: everybody sees their own, and nobody learns anything else."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from bot import actions
from bot.messages import Member, MemberKind, Platform, Reach, Request, Surface
from bot.page import Action, Entry, Form, Page, PrivatePage, Respond
from tests.contract.core.conftest import Life
from tests.unit.core.examples import DAY, NOW
from tests.unit.core.test_pages import words

ANA, BEN = "ana@acme.example", "ben@acme.example"


async def ask(
    life: Life,
    verb: str,
    data: Mapping[str, str] | None = None,
    *,
    email: str | None = ANA,
    surface: Surface = Surface.PRIVATE,
    kind: MemberKind = MemberKind.MEMBER,
) -> Page | PrivatePage:
    answer = await ask_any(life, verb, data, email=email, surface=surface, kind=kind)
    assert not isinstance(answer, Form)
    return answer


async def ask_any(
    life: Life,
    verb: str,
    data: Mapping[str, str] | None = None,
    *,
    email: str | None = ANA,
    surface: Surface = Surface.PRIVATE,
    kind: MemberKind = MemberKind.MEMBER,
) -> Page | PrivatePage | Form:
    member = Member(workspace_id="T1", user_id="U1", kind=kind, email=email)
    request = Request(member=member, action=Action(verb=verb, data=data or {}), surface=surface)
    return await actions.handle(life.store, request, life.now, reach=life.reach)


async def filled(life: Life) -> None:
    """Ana: one open survey closing last, one first, one without end, one finished. Ben: one of his own."""
    for survey_id, expires_at in {"SV_late": NOW + 9 * DAY, "SV_soon": NOW + DAY, "SV_endless": None, "SV_done": NOW + DAY}.items():
        life.source.put(survey_id, name=survey_id)
        life.source.send(f"EMD_{survey_id}", {"CID_1": ANA}, survey_id, link_expires_at=expires_at)
    life.source.move("EMD_SV_done", "CID_1", "SurveyFinished", NOW)
    life.source.put("SV_ben")
    life.source.send("EMD_ben", {"CID_2": BEN}, "SV_ben")
    await life.baseline()


def titles(page: Page | PrivatePage) -> list[str]:
    return [element.title for element in page.elements if isinstance(element, Entry)]


async def test_the_list_shows_what_can_be_answered_soonest_expiry_first(life: Life) -> None:
    await filled(life)
    assert titles(await ask(life, "surveys.list")) == ["SV_soon", "SV_late", "SV_endless"]
    life.wait(days=2)
    assert titles(await ask(life, "surveys.list")) == ["SV_late", "SV_endless"]


@pytest.mark.parametrize("page", ["0", "-1", "x", "²", "99999999999999999999"])
async def test_a_page_number_that_is_none_shows_a_page_that_exists(life: Life, page: str) -> None:
    await filled(life)
    assert len(titles(await ask(life, "surveys.list", {"page": page}))) == 3


async def test_details_in_private_hold_the_persons_own_link(life: Life) -> None:
    await filled(life)
    page = await ask(life, "survey.show", {"survey": "SV_soon"})
    assert isinstance(page, PrivatePage)
    (respond,) = [element for element in page.elements if isinstance(element, Respond)]
    assert respond.link.url.endswith("EMD_SV_soon_CID_1")


async def test_details_where_others_look_on_hold_no_link(life: Life) -> None:
    await filled(life)
    page = await ask(life, "survey.show", {"survey": "SV_soon"}, surface=Surface.SHARED)
    assert isinstance(page, Page)
    assert "survey.handover" in repr(page)


async def test_a_finished_survey_is_shown_with_thanks_and_no_link(life: Life) -> None:
    await filled(life)
    page = await ask(life, "survey.show", {"survey": "SV_done"})
    assert "Thank you" in words(page)
    assert not [element for element in page.elements if isinstance(element, Respond)]


@pytest.mark.parametrize("verb", ["survey.show", "survey.handover"])
@pytest.mark.parametrize("surface", list(Surface))
async def test_somebody_elses_survey_and_one_that_never_existed_look_the_same(life: Life, verb: str, surface: Surface) -> None:
    await filled(life)
    other = await ask(life, verb, {"survey": "SV_ben"}, surface=surface)
    missing = await ask(life, verb, {"survey": "SV_nonsense"}, surface=surface)
    assert other == missing == await ask(life, verb, surface=surface)
    assert other.title == "Survey not available"


async def test_handing_over_names_the_survey(life: Life) -> None:
    await filled(life)
    assert "sent you SV_soon" in words(await ask(life, "survey.handover", {"survey": "SV_soon"}, surface=Surface.SHARED))


@pytest.mark.parametrize("verb", sorted((actions.VIEWS.keys() | actions.FORMS.keys() | actions.COMMANDS.keys()) - actions.FOR_ANYBODY))
@pytest.mark.parametrize(
    ("kind", "title"),
    [(MemberKind.GUEST, "For members only"), (MemberKind.STRANGER, "For members only"), (MemberKind.BOT, "For members only")],
)
async def test_guests_and_strangers_are_refused_everything(life: Life, verb: str, kind: MemberKind, title: str) -> None:
    await filled(life)
    assert (await ask(life, verb, {"survey": "SV_soon"}, kind=kind)).title == title


async def test_guests_see_their_own_where_the_settings_allow_it(life: Life) -> None:
    await filled(life)
    life.reach = Reach(guests=frozenset({Platform.SLACK}))
    assert len(titles(await ask(life, "surveys.list", kind=MemberKind.GUEST))) == 3


async def test_somebody_without_an_address_is_told_what_to_do(life: Life) -> None:
    await filled(life)
    assert "Ask your administrator" in words(await ask(life, "surveys.list", email=None))


async def test_somebody_qualtrics_does_not_know_has_an_empty_list(life: Life) -> None:
    await filled(life)
    assert "no surveys to answer" in words(await ask(life, "surveys.list", email="zoe@acme.example"))


async def test_an_unknown_verb_is_out_of_date(life: Life) -> None:
    assert (await ask(life, "survey.explode")).title == "Out of date"


async def test_the_unknown_word_is_repeated_in_the_help(life: Life) -> None:
    assert "“surveis”" in words(await ask(life, "help.show", {"unknown": "surveis"}))
