"""Who may see a survey's numbers: its brand's administrators, its owner, and those it was shared with; nobody else, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from bot import authority
from bot.authority import Rights
from bot.messages import Member, MemberKind
from bot.model import Survey, User
from bot.ports import UnitOfWork
from store.unit_of_work import SqlStore
from tests.unit.core.examples import NOW, a_survey, an_integration

ADMIN, OWNER, OTHER, FRIEND = (f"{name}@acme.example" for name in ("admin", "owner", "other", "friend"))
MEMBER = Member(workspace_id="T1", user_id="U1", kind=MemberKind.MEMBER, email=OWNER)
#: The brand acme is seen with two accounts' eyes; the brand other with one; nobody knows yet what new belongs to.
BRANDS = {"main": "acme", "team": "acme", "other": "other", "new": None}


def user(user_id: str, email: str, **values: Any) -> User:
    return replace(User(user_id=user_id, email=email, user_type="UT_FULLUSER"), **values)


USERS = (user("UR_admin", ADMIN, user_type="UT_BRANDADMIN"), user("UR_owner", OWNER), user("UR_other", OTHER))


def owned(survey_id: str, owner_id: str = "UR_owner", **values: Any) -> Survey:
    return a_survey(survey_id=survey_id, owner_id=owner_id, **values)


def fill(uow: UnitOfWork) -> None:
    for name, brand in BRANDS.items():
        uow.integrations.save(an_integration(name))
        uow.integrations.set_brand(name, brand)
    uow.users.save("main", USERS)
    uow.surveys.save("main", [owned("SV_mine"), owned("SV_both"), owned("SV_theirs", "UR_other")], NOW)
    uow.surveys.save("team", [owned("SV_both", is_active=False), owned("SV_team")], NOW)
    uow.surveys.save("other", [owned("SV_elsewhere")], NOW)
    uow.surveys.save("new", [owned("SV_new")], NOW)


async def seen(store: SqlStore, email: str | None) -> Mapping[str, str]:
    """What `may_see` answers for every survey there is."""
    every = ["SV_mine", "SV_both", "SV_theirs", "SV_team", "SV_elsewhere", "SV_new", "SV_nonsense", ""]
    found = await store.read(lambda uow: {survey_id: authority.may_see(uow, email, survey_id) for survey_id in every})
    return {survey_id: integration_id for survey_id, integration_id in found.items() if integration_id is not None}


async def rights(store: SqlStore, email: str | None) -> Rights:
    return await store.read(lambda uow: authority.visible(uow, email))


async def test_an_administrator_sees_the_whole_brand_and_no_other(store: SqlStore) -> None:
    await store.write(fill)
    assert await seen(store, ADMIN) == {"SV_mine": "main", "SV_both": "main", "SV_theirs": "main", "SV_team": "team"}
    assert await rights(store, ADMIN) == Rights(integrations=frozenset({"main", "team"}))
    await store.write(lambda uow: uow.users.save("new", [user("UR_admin", ADMIN, user_type="UT_BRANDADMIN")]))
    assert (await rights(store, ADMIN)).integrations == {"main", "team", "new"}, "an unknown brand is one's own integration"


async def test_an_owner_sees_their_surveys_where_their_account_is_known_and_nothing_else(store: SqlStore) -> None:
    await store.write(fill)
    assert await seen(store, OWNER) == {"SV_mine": "main", "SV_both": "main"}
    assert await rights(store, OWNER) == Rights(surveys={"SV_mine": "main", "SV_both": "main"})
    assert await seen(store, OTHER) == {"SV_theirs": "main"}


async def test_of_several_integrations_that_know_the_owner_one_that_sees_the_survey_active_is_read(store: SqlStore) -> None:
    await store.write(fill)
    await store.write(lambda uow: uow.users.save("team", USERS))
    assert (await rights(store, OWNER)).surveys == {"SV_mine": "main", "SV_both": "main", "SV_team": "team"}
    await store.write(lambda uow: uow.surveys.save("main", [owned("SV_both", is_active=False)], NOW))
    await store.write(lambda uow: uow.surveys.save("team", [owned("SV_both")], NOW))
    assert (await rights(store, OWNER)).surveys["SV_both"] == (await seen(store, OWNER))["SV_both"] == "team"


@pytest.mark.parametrize("change", [{"is_active": False}, {"email": "new@acme.example"}, {"email": None}])
async def test_rights_end_with_the_account_and_follow_its_address(store: SqlStore, change: dict[str, Any]) -> None:
    await store.write(fill)
    await store.write(lambda uow: uow.users.save("main", [replace(each, **change) for each in USERS]))
    for email in (ADMIN, OWNER):
        assert (await seen(store, email), await rights(store, email)) == ({}, Rights())


async def test_a_survey_is_shared_by_name_alone_and_until_it_is_unshared(store: SqlStore) -> None:
    await store.write(fill)
    person = await store.write(lambda uow: uow.people.ids([FRIEND])[FRIEND])
    assert (await seen(store, FRIEND), await rights(store, FRIEND)) == ({}, Rights())
    for _ in range(2):
        assert await store.write(lambda uow: uow.grants.share("SV_both", person, NOW)) == ["main", "team"]
    assert await seen(store, FRIEND) == {"SV_both": "main"}
    assert await rights(store, FRIEND) == Rights(surveys={"SV_both": "main"})
    assert await store.read(lambda uow: uow.grants.shared_with("SV_both")) == [FRIEND]
    assert await store.write(lambda uow: uow.grants.unshare("SV_both", person))
    assert not await store.write(lambda uow: uow.grants.unshare("SV_both", person))
    assert (await seen(store, FRIEND), await rights(store, FRIEND)) == ({}, Rights())


async def test_what_does_not_exist_cannot_be_shared_and_a_share_goes_with_its_integration(store: SqlStore) -> None:
    await store.write(fill)
    person = await store.write(lambda uow: uow.people.ids([FRIEND])[FRIEND])
    assert await store.write(lambda uow: uow.grants.share("SV_nonsense", person, NOW)) == []
    assert await store.write(lambda uow: uow.grants.share("SV_elsewhere", person, NOW)) == ["other"]
    await store.write(lambda uow: uow.integrations.remove("other", 10))
    assert await seen(store, FRIEND) == {}


async def test_nobody_has_rights_by_an_empty_address(store: SqlStore) -> None:
    await store.write(fill)
    await store.write(lambda uow: uow.users.save("main", [user("UR_owner", "")]))
    for email in ("", None, "zoe@acme.example"):
        assert (await seen(store, email), bool(await rights(store, email))) == ({}, False)


@pytest.mark.parametrize(
    "member",
    [
        None,
        *(replace(MEMBER, kind=kind) for kind in MemberKind if kind is not MemberKind.MEMBER),
        replace(MEMBER, has_unconfirmed_email=True),
        replace(MEMBER, email=None),
        replace(MEMBER, email=""),
    ],
)
def test_an_address_proves_nothing_but_on_a_members_own_account(member: Member | None) -> None:
    assert authority.proven_address(member) is None
    assert authority.proven_address(MEMBER) == OWNER
