"""After a rotation nothing needs the old key any more, and nothing was lost: also when it was interrupted, or rows do not open."""

from __future__ import annotations

import base64

import pytest
from sqlalchemy import update

from bot.ports import UnitOfWork
from store import rotation, tables
from store.encryption import Keyring
from store.engine import connect
from store.rotation import Rotated
from store.unit_of_work import SqlStore
from tests.conftest import KEY
from tests.contract.store.examples import furnish, link

NEW = "second:" + base64.b64encode(bytes(32)).decode()
BOTH, ALONE = Keyring.parse(f"{NEW},{KEY}"), Keyring.parse(NEW)
LINKS = 5


@pytest.fixture
async def filled(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two secrets, a set of push keys, and more links than fit into two transactions."""
    monkeypatch.setattr(rotation, "_CHUNK", 2)

    def work(u: UnitOfWork) -> None:
        for name in ("branch", "main"):
            furnish(u, name)
            u.integrations.set_secret(name, f"secret of {name}")
        u.integrations.set_push_keys("main", ["newer", "older"])
        links = [link(f"CID_{number}", url=f"https://q/{number}") for number in range(LINKS)]
        u.invitations.save_links("main", "EMD_1", [*links, link("CID_X", url=None)], u.people.ids(["ada@example.org"]))

    await store.write(work)


async def opened(database_url: str, keyring: Keyring) -> list[object]:
    """Everything that is encrypted, read with these keys."""
    store = SqlStore(database_url, keyring)

    def work(u: UnitOfWork) -> list[object]:
        found = sorted(u.invitations.of_person(1), key=lambda it: it.contact_id)[:LINKS]
        links = [u.invitations.link(it) for it in found]
        secrets = [u.integrations.secret("branch"), u.integrations.secret("main"), list(u.integrations.push_keys("main"))]
        return [*secrets, *(each and each.url for each in links)]

    try:
        return await store.read(work)
    finally:
        await store.close()


EVERYTHING = ["secret of branch", "secret of main", ["newer", "older"], *(f"https://q/{number}" for number in range(LINKS))]


@pytest.mark.usefixtures("filled")
async def test_everything_opens_with_the_new_key_alone(database_url: str) -> None:
    assert rotation.count(database_url) == {"first": 8}
    assert rotation.rotate(database_url, BOTH) == Rotated(done=8)
    assert rotation.count(database_url) == {"second": 8}
    assert await opened(database_url, ALONE) == EVERYTHING
    assert rotation.rotate(database_url, ALONE) == Rotated()


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("stop_at", range(1, 6))
async def test_an_interrupted_rotation_leaves_everything_readable_and_goes_on(database_url: str, stop_at: int) -> None:
    calls: list[Rotated] = []

    def interrupt(rotated: Rotated) -> None:
        calls.append(rotated)
        if len(calls) == stop_at:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rotation.rotate(database_url, BOTH, interrupt)
    done = calls[-1].done
    assert rotation.count(database_url) == {key: number for key, number in {"first": 8 - done, "second": done}.items() if number}
    assert await opened(database_url, BOTH) == EVERYTHING
    assert rotation.rotate(database_url, BOTH) == Rotated(done=8 - done)
    assert await opened(database_url, ALONE) == EVERYTHING


@pytest.mark.usefixtures("filled")
async def test_what_does_not_open_stays_as_it_is_and_is_counted(database_url: str) -> None:
    engine, table = connect(database_url, read_only=False, connections=1), tables.invitations
    with engine.begin() as connection:
        connection.execute(update(table).where(table.c.contact_id.in_(["CID_0", "CID_1", "CID_4"])).values(link=b"\x03oldsomething"))
    engine.dispose()
    assert rotation.count(database_url) == {"first": 5, "old": 3}
    assert rotation.rotate(database_url, BOTH) == Rotated(done=5, unopened=3)
    assert rotation.count(database_url) == {"second": 5, "old": 3}


def test_an_empty_database_has_nothing_to_rotate(database_url: str) -> None:
    assert rotation.count(database_url) == {}
    assert rotation.rotate(database_url, BOTH) == Rotated()
