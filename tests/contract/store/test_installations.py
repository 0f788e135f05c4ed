"""Installations remember what was granted; tokens are sealed, exchanged with the keys, and gone when the app is removed."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from bot.errors import Malformed
from bot.installations import Installation, Tokens
from bot.messages import Member, MemberKind
from store import rotation
from store.encryption import Keyring
from store.engine import connect
from store.unit_of_work import SqlStore
from tests.conftest import KEY
from tests.contract.store.examples import DAY, NOW

ACME = Installation(workspace_id="T1", name="Acme", scopes=frozenset({"chat:write", "commands"}), installed_at=NOW)
TOKENS = Tokens(access="xoxb-canary", refresh="xoxe-canary", expires_at=NOW + DAY)
GRID = replace(ACME, workspace_id="E1", name="Grid", scopes=frozenset[str]())
PERSON = Member(workspace_id="T1", user_id="U2", kind=MemberKind.MEMBER, email="ada@example.org")


@pytest.fixture(autouse=True)
async def filled(store: SqlStore) -> None:
    await store.write(lambda u: (u.installations.save(ACME, TOKENS), u.installations.save(GRID, Tokens(access="xoxb-grid"))))
    await store.write(lambda u: u.members.save([PERSON, replace(PERSON, workspace_id="E1")]))


async def test_they_come_back_as_they_were_saved(store: SqlStore) -> None:
    assert await store.read(lambda u: list(u.installations.all())) == [GRID, ACME]
    assert await store.read(lambda u: (u.installations.tokens("T1"), u.installations.tokens("E1"))) == (TOKENS, Tokens(access="xoxb-grid"))
    assert await store.read(lambda u: (u.installations.get("T2"), u.installations.tokens("T2"))) == (None, None)


async def test_removing_the_app_forgets_tokens_and_people_of_that_workspace_alone_and_again_changes_nothing(store: SqlStore) -> None:
    for _ in range(2):
        assert await store.write(lambda u: u.installations.revoke("T1", NOW + DAY))
    assert await store.read(lambda u: u.installations.get("T1")) == replace(ACME, revoked_at=NOW + DAY)
    assert await store.read(lambda u: u.installations.tokens("T1")) is None
    assert [member.workspace_id for member in await store.read(lambda u: u.members.by_email("ada@example.org"))] == ["E1"]
    await store.write(lambda u: u.installations.renew("T1", TOKENS))
    assert await store.read(lambda u: u.installations.tokens("T1")) is None, "a renewal that comes too late revives nothing"

    again = replace(ACME, installed_at=NOW + 2 * DAY)
    await store.write(lambda u: u.installations.save(again, TOKENS))
    assert not await store.write(lambda u: u.installations.revoke("T1", NOW + DAY)), "it was installed since"
    assert await store.read(lambda u: (u.installations.get("T1"), u.installations.tokens("T1"))) == (again, TOKENS)


async def test_a_refused_renewal_is_remembered_until_the_next_that_works(store: SqlStore) -> None:
    await store.write(lambda u: u.installations.set_broken("T1", NOW))
    assert await store.read(lambda u: u.installations.get("T1")) == replace(ACME, broken_at=NOW)
    await store.write(lambda u: u.installations.renew("T1", TOKENS))
    assert await store.read(lambda u: u.installations.get("T1")) == ACME


async def test_forgetting_leaves_nothing(store: SqlStore) -> None:
    await store.write(lambda u: u.installations.forget("T1"))
    assert await store.read(lambda u: list(u.installations.all())) == [GRID]
    assert [member.workspace_id for member in await store.read(lambda u: u.members.by_email("ada@example.org"))] == ["E1"]


async def test_tokens_are_sealed_for_their_own_row_and_column(store: SqlStore, database_url: str) -> None:
    engine = connect(database_url, read_only=False, connections=1)
    with engine.begin() as connection:
        rows = connection.execute(text("SELECT access_token, refresh_token FROM installations")).all()
        assert not any(b"canary" in bytes(sealed) for row in rows for sealed in row if sealed is not None)
        connection.execute(text("UPDATE installations SET access_token = refresh_token WHERE workspace_id = 'T1'"))
    engine.dispose()
    with pytest.raises(Malformed):
        await store.read(lambda u: u.installations.tokens("T1"))


async def test_keys_are_exchanged_without_losing_a_token(store: SqlStore, database_url: str) -> None:
    new = "second:" + base64.b64encode(bytes(32)).decode()
    assert rotation.count(database_url) == {"first": 3}
    assert rotation.rotate(database_url, Keyring.parse(f"{new},{KEY}")) == rotation.Rotated(done=3)
    anew = SqlStore(database_url, Keyring.parse(new))
    assert await anew.read(lambda u: u.installations.tokens("T1")) == TOKENS
    await anew.close()


async def test_a_state_is_good_once_and_for_its_time(store: SqlStore) -> None:
    soon = NOW + timedelta(minutes=10)
    await store.write(lambda u: [u.oauth_states.add(state, soon, NOW) for state in ("a", "b")])
    assert [await store.write(lambda u: u.oauth_states.take("a", NOW)) for _ in range(2)] == [True, False]
    assert not await store.write(lambda u: u.oauth_states.take("b", soon))
    assert not await store.write(lambda u: u.oauth_states.take("never", NOW))
