"""`surveybot keys`: after a rotation the old key may leave the settings, and everything still opens."""

from __future__ import annotations

import base64

import pytest
from sqlalchemy import update

from store import tables
from store.encryption import Keyring
from store.engine import connect
from store.unit_of_work import SqlStore
from tests.adapters.operator.conftest import GOOD, Ended, Shell
from tests.conftest import KEY
from tests.unit.core.examples import an_integration

NEW = "second:" + base64.b64encode(bytes(32)).decode()


@pytest.fixture
async def filled(shell: Shell, store: SqlStore, database_url: str) -> None:
    shell.set({**GOOD, "SURVEYBOT_DATABASE_URL": database_url})
    for name in ("branch", "main"):
        await store.write(lambda u, name=name: u.integrations.save(an_integration(name)))
        await store.write(lambda u, name=name: u.integrations.set_secret(name, f"secret-of-{name}"))


async def keys(shell: Shell, command: str) -> Ended:
    ended = await shell.run("keys", command)
    assert "secret-of" not in ended.out + ended.err
    return ended


@pytest.mark.usefixtures("filled")
async def test_keys_are_exchanged_and_counted(shell: Shell, database_url: str) -> None:
    assert await keys(shell, "status") == Ended(0, "KEY    ROWS\nfirst  2     encrypts\n", "")
    shell.set({"SURVEYBOT_ENCRYPTION_KEYS": f"{NEW},{KEY}"})
    assert (await keys(shell, "status")).out == "KEY     ROWS\nfirst   2     only decrypts\nsecond  0     encrypts\n"
    rotated = await keys(shell, "rotate")
    assert (rotated.code, rotated.out) == (0, "Rows encrypted anew with the key second: 2.\n")
    assert "2/2" in rotated.err
    shell.set({"SURVEYBOT_ENCRYPTION_KEYS": NEW})
    assert (await keys(shell, "status")).out == "KEY     ROWS\nsecond  2     encrypts\n"
    alone = SqlStore(database_url, Keyring.parse(NEW))
    assert await alone.read(lambda u: u.integrations.secret("main")) == "secret-of-main"
    await alone.close()
    assert (await keys(shell, "rotate")).out == "Rows encrypted anew with the key second: 0.\n"


@pytest.mark.usefixtures("filled")
async def test_rows_that_do_not_open_are_told(shell: Shell, database_url: str) -> None:
    engine, table = connect(database_url, read_only=False, connections=1), tables.integrations
    with engine.begin() as connection:
        connection.execute(update(table).where(table.c.integration_id == "branch").values(secret=b"\x04lostnonsense"))
    engine.dispose()
    shell.set({"SURVEYBOT_ENCRYPTION_KEYS": f"{NEW},{KEY}"})
    ended = await keys(shell, "rotate")
    assert (ended.code, ended.out) == (1, "Rows encrypted anew with the key second: 1.\n")
    assert "Rows that did not open: 1. Their key is not in SURVEYBOT_ENCRYPTION_KEYS, or they are damaged;" in ended.err
    assert "lost    1     not in SURVEYBOT_ENCRYPTION_KEYS\n" in (await keys(shell, "status")).out


@pytest.mark.parametrize("command", ["status", "rotate"])
async def test_without_schema_there_is_one_sentence(shell: Shell, empty_database_url: str, command: str) -> None:
    shell.set({**GOOD, "SURVEYBOT_DATABASE_URL": empty_database_url})
    ended = await keys(shell, command)
    assert (ended.code, ended.out) == (1, "")
    assert ended.err == "The database is not at this version's schema. Run `surveybot db upgrade` first.\n"
