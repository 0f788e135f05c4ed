"""`surveybot slack`: who installed the app, whether it still works there, and forgetting them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from adapters.core import utc_now
from adapters.slack.scopes import REQUIRED
from bot.installations import Installation, Tokens
from bot.messages import Member, MemberKind
from bot.ports import UnitOfWork
from store.unit_of_work import SqlStore
from tests.adapters.operator.conftest import GOOD, Shell
from tests.contract.store.examples import DAY, NOW

ACME = Installation(workspace_id="T1", name="Acme", scopes=REQUIRED, installed_at=NOW)
TOKENS = Tokens(access="xoxb-canary")


@pytest.fixture
async def filled(shell: Shell, store: SqlStore, database_url: str) -> None:
    shell.set({**GOOD, "SURVEYBOT_DATABASE_URL": database_url})

    def work(uow: UnitOfWork) -> None:
        uow.installations.save(ACME, TOKENS)
        uow.installations.save(replace(ACME, workspace_id="T2", name="Lacking", scopes=REQUIRED - {"im:write"}), TOKENS)
        uow.installations.save(replace(ACME, workspace_id="T3", name="Renewed"), replace(TOKENS, expires_at=utc_now() - timedelta(hours=1)))
        uow.installations.save(replace(ACME, workspace_id="T4", name="Gone"), TOKENS)
        uow.installations.revoke("T4", NOW + DAY)
        uow.installations.save(replace(ACME, workspace_id="E1", name="Broken"), TOKENS)
        uow.installations.set_broken("E1", NOW + DAY)
        uow.members.save([Member(workspace_id="T1", user_id="U2", kind=MemberKind.MEMBER, email="ada@example.org")])

    await store.write(work)


@pytest.mark.usefixtures("filled")
async def test_workspaces_are_listed_with_what_is_to_be_done(shell: Shell) -> None:
    ended = await shell.run("slack", "list")
    day, since = f"{NOW + DAY:%Y-%m-%d}", f"{NOW:%Y-%m-%d}"
    cells = [line.split("  ") for line in ended.out.splitlines()]
    assert [[cell.strip() for cell in row if cell] for row in cells] == [
        ["WORKSPACE", "NAME", "SINCE", "TOKEN", "SCOPES MISSING"],
        ["E1", "Broken", since, f"not renewed since {NOW + DAY:%Y-%m-%d %H:%M} UTC: install again", "none"],
        ["T1", "Acme", since, "good", "none"],
        ["T2", "Lacking", since, "good", "im:write"],
        ["T3", "Renewed", since, "ended; `surveybot serve` renews it", "none"],
        ["T4", "Gone", since, f"removed on {day}", "none"],
    ]
    assert (ended.code, "canary" in ended.out + ended.err) == (0, False)


@pytest.mark.usefixtures("filled")
async def test_a_forgotten_workspace_leaves_no_token_and_no_people(shell: Shell, store: SqlStore) -> None:
    ended = await shell.run("slack", "forget", "T1")
    assert (ended.code, "T1 is forgotten" in ended.out) == (0, True)
    assert await store.read(lambda u: (u.installations.get("T1"), u.installations.tokens("T1"))) == (None, None)
    assert await store.read(lambda u: u.members.by_email("ada@example.org")) == []
    again = await shell.run("slack", "forget", "T1")
    assert (again.code, "Nothing is known of T1" in again.err) == (1, True)


@pytest.mark.usefixtures("filled")
async def test_the_people_of_a_workspace_whose_token_was_in_the_settings_are_forgotten_too(shell: Shell, store: SqlStore) -> None:
    member = Member(workspace_id="T9", user_id="U9", kind=MemberKind.MEMBER, email="bob@example.org")
    await store.write(lambda u: u.members.save([member]))
    ended = await shell.run("slack", "forget", "T9")
    assert (ended.code, "T9 is forgotten" in ended.out) == (0, True)
    assert await store.read(lambda u: u.members.by_email("bob@example.org")) == []
