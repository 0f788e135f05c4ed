"""`surveybot survey`: a survey's numbers are shared with a person by name, seen, and taken back; the log tells it by ids alone."""

from __future__ import annotations

import pytest

from bot import authority
from store.unit_of_work import SqlStore
from tests.adapters.operator.conftest import GOOD, Shell
from tests.contract.store.examples import furnish

ADA = "ada@example.org"


@pytest.fixture
async def person(shell: Shell, store: SqlStore, database_url: str) -> int:
    shell.set({**GOOD, "SURVEYBOT_DATABASE_URL": database_url})
    await store.write(furnish)
    return (await store.write(lambda uow: uow.people.ids([ADA])))[ADA]


async def test_a_survey_is_shared_and_unshared(shell: Shell, store: SqlStore, person: int) -> None:
    shared = await shell.run("survey", "share", "SV_1", "Ada@Example.org")
    assert (shared.code, shared.out) == (0, f"{ADA} may see the numbers of SV_1. No chat account with this address is known yet.\n")
    assert await store.read(lambda uow: authority.may_see(uow, ADA, "SV_1")) == "main"
    assert (await shell.run("survey", "shares", "SV_1")).out == f"{ADA}\n"

    unshared = await shell.run("survey", "unshare", "SV_1", ADA)
    assert (unshared.code, unshared.out) == (0, f"SV_1 is not shared with {ADA} any more.\n")
    assert await store.read(lambda uow: authority.may_see(uow, ADA, "SV_1")) is None
    assert (await shell.run("survey", "shares", "SV_1")).out == "SV_1 is shared with nobody.\n"

    for ended, event in ((shared, "survey.shared"), (unshared, "survey.unshared")):
        assert f'"person": {person}' in ended.err
        assert (event in ended.err, "SV_1" in ended.err, ADA in ended.err.lower()) == (True, True, False)


@pytest.mark.usefixtures("person")
async def test_what_cannot_be_done_is_said_with_what_can(shell: Shell, store: SqlStore) -> None:
    missing = await shell.run("survey", "share", "SV_nonsense", "eve@example.org")
    assert (missing.code, "known after the next look" in missing.err) == (1, True)
    assert await store.read(lambda uow: uow.people.find("eve@example.org")) is None, "it left nobody behind"
    assert "surveybot survey shares SV_1" in (await shell.run("survey", "unshare", "SV_1", ADA)).err
    assert (await shell.run("survey", "share", "SV_1", "ada")).code == 2
