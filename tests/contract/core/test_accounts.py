"""Whose account Qualtrics does not list any more has no rights here, however the list was read."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.errors import Forbidden, Rejected, SurveybotError, Unavailable
from bot.model import User
from bot.syncing.sync import Kind
from tests.contract.core.conftest import Life
from tests.contract.core.dying import die_after

PEOPLE = [User(user_id=f"UR_{number}", email=f"{number}@acme.example", user_type="UT_BRANDADMIN") for number in range(7)]


async def admins(life: Life) -> set[int]:
    """The numbers of those who may see the integration's status."""
    found = set[int]()
    for number, user in enumerate(PEOPLE):
        if await life.store.read(lambda uow, email=str(user.email): uow.users.admin_of(email)):
            found.add(number)
    return found


async def know_all(life: Life) -> None:
    life.source.put()
    life.source.user_list = tuple(PEOPLE)
    await life.baseline()
    assert await admins(life) == set(range(7))


async def test_who_is_not_listed_any_more_has_no_rights_in_this_integration_and_keeps_those_in_others(life: Life) -> None:
    await know_all(life)
    await life.sync(Kind.FULL, "branch")
    life.source.user_list = (*PEOPLE[:2], replace(PEOPLE[2], user_type="UT_FULLUSER"), *PEOPLE[4:])
    run = await life.sync(Kind.FULL)
    assert run.changed == 2
    kept = {user.email: await life.store.read(lambda uow, u=user: uow.users.admin_of(str(u.email))) for user in PEOPLE}
    branch = {f"{number}@acme.example": ["branch"] for number in (2, 3)}
    assert kept == {user.email: ["branch", "main"] for user in PEOPLE} | branch
    assert (await life.sync(Kind.FULL)).changed == 0


async def test_an_incremental_look_takes_nobodys_rights(life: Life) -> None:
    await know_all(life)
    life.source.user_list = ()
    await life.sync()
    assert await admins(life) == set(range(7))


@pytest.mark.parametrize("writes", range(1, 7))
async def test_wherever_a_look_dies_the_next_process_ends_the_rights_of_those_that_neither_saw(life: Life, writes: int) -> None:
    """Or the next look, where the list was left in the middle: what neither saw may have moved between their pages."""
    await know_all(life)
    life.source.user_list = (*PEOPLE[:3], *PEOPLE[4:])
    life.source.pages.clear()
    await die_after(life, writes)
    assert await admins(life) >= {0, 1, 2, 4, 5, 6}
    run = await life.sync(Kind.FULL)
    assert (run.outcome, run.resumed) == ("ok", 1)
    assert life.source.pages["users"] <= 3 + 1
    if writes in {2, 3}:
        assert await admins(life) == set(range(7))
        await life.sync(Kind.FULL)
    assert await admins(life) == {0, 1, 2, 4, 5, 6}


async def test_what_an_abandoned_look_had_listed_counts_for_no_later_one(life: Life) -> None:
    await know_all(life)
    await die_after(life, 3)
    life.wait(hours=7)
    life.source.user_list = tuple(PEOPLE[4:])
    assert (await life.sync(Kind.FULL)).resumed == 0
    assert await admins(life) == {4, 5, 6}


async def test_a_list_that_breaks_off_takes_nobodys_rights(life: Life) -> None:
    await know_all(life)
    life.source.user_list = tuple(PEOPLE[4:])
    life.source.errors["users"] = Unavailable("HTTP 503")
    life.source.pages_before_error = 1
    with pytest.raises(Unavailable):
        await life.sync(Kind.FULL)
    assert await admins(life) == set(range(7))


@pytest.mark.parametrize("error", [Forbidden("brand admins only"), Rejected("HTTP 400")])
@pytest.mark.parametrize("pages", [0, 1])
async def test_a_list_that_is_refused_ends_the_rights_of_all(life: Life, error: SurveybotError, pages: int) -> None:
    await know_all(life)
    life.source.errors["users"] = error
    life.source.pages_before_error = pages
    assert (await life.sync(Kind.FULL)).outcome == "ok"
    assert await admins(life) == set()
    life.source.errors.clear()
    await life.sync(Kind.FULL)
    assert await admins(life) == set(range(7))


async def test_a_look_that_dies_after_the_refusal_goes_on_without_losing_a_survey(life: Life) -> None:
    await know_all(life)
    for survey_id in ("SV_2", "SV_3"):
        life.source.put(survey_id)
    await life.sync(Kind.FULL)
    life.source.errors["users"] = Forbidden("brand admins only")
    await die_after(life, 4)  # its begin, the refusal, both pages of surveys
    assert (await life.sync(Kind.FULL)).resumed == 1
    assert sum(survey.is_active for survey in await life.store.read(lambda uow: uow.surveys.all("main"))) == 3


async def test_who_may_be_among_unreadable_accounts_keeps_their_rights_for_one_look(life: Life) -> None:
    await know_all(life)
    life.source.user_list = tuple(PEOPLE[1:])
    life.source.skips, life.source.skipped = ("users",), 1
    await life.sync(Kind.FULL)
    assert await admins(life) == set(range(7))
    await life.sync(Kind.FULL)
    assert await admins(life) == set(range(1, 7))


async def test_after_a_list_that_was_read_whole_unreadable_accounts_keep_their_rights_again(life: Life) -> None:
    await know_all(life)
    for skipped, seen in ((1, PEOPLE[1:]), (0, PEOPLE), (1, PEOPLE[2:])):
        life.source.skips, life.source.skipped, life.source.user_list = ("users",), skipped, tuple(seen)
        await life.sync(Kind.FULL)
    assert await admins(life) == set(range(7))
