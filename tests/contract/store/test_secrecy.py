"""No personal link and no secret can be read in the database, nor a link opened in another row."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from sqlalchemy import text, update

from bot.errors import Malformed
from bot.installations import Installation, Tokens
from bot.ports import UnitOfWork
from store import tables
from store.encryption import Keyring
from store.engine import connect
from store.unit_of_work import SqlStore
from tests.contract.store.examples import DAY, NOW, furnish, link, row

CANARY = "canary-4f1d9c"
URL = f"https://brand.qualtrics.com/jfe/form/SV_1?Q_DL={CANARY}"


@pytest.fixture
async def filled(store: SqlStore) -> None:
    def work(u: UnitOfWork) -> None:
        furnish(u)
        u.integrations.set_secret("main", f"{CANARY}-token")
        u.integrations.set_push_keys("main", [f"{CANARY}-key", CANARY])
        tokens = Tokens(access=f"{CANARY}-access", refresh=f"{CANARY}-refresh")
        u.installations.save(Installation(workspace_id="T1", name="Acme", scopes=frozenset(), installed_at=NOW), tokens)
        u.oauth_states.add(f"{CANARY}-state", NOW, NOW - DAY)
        people = u.people.ids(["ada@example.org"])
        u.invitations.save_history("main", "EMD_1", [row(url=URL), row("CID_2", url=None)])
        u.invitations.save_links("main", "EMD_1", [link(url=URL), link("CID_2", url=URL), link("CID_3", url=URL)], people)

    await store.write(work)


@pytest.mark.usefixtures("filled")
def test_the_files_of_the_database_hold_no_link_and_no_secret(database_url: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """The control: the e-mail address beside it is found."""
    if database_url.startswith("sqlite"):
        folder = tmp_path
    else:
        postgres = request.getfixturevalue("postgres")
        postgres.run("CHECKPOINT")
        folder = postgres.folder
    files = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    assert any(b"ada@example.org" in content for content in files)
    assert not any(CANARY.encode() in content for content in files)
    assert not any(base64.b64encode(URL.encode())[:24] in content for content in files)


@pytest.mark.usefixtures("filled")
def test_no_column_of_any_row_shows_a_link_or_a_secret(database_url: str) -> None:
    engine = connect(database_url, read_only=True, connections=1)
    with engine.begin() as connection:
        shown = [repr(connection.execute(text(f"SELECT * FROM {name}")).all()) for name in tables.METADATA.tables]  # noqa: S608 - our own names
    engine.dispose()
    assert any("CID_3" in rows for rows in shown)
    assert not any(CANARY in rows for rows in shown)


@pytest.mark.usefixtures("filled")
async def test_a_link_copied_into_another_row_does_not_open(store: SqlStore, database_url: str) -> None:
    engine, table = connect(database_url, read_only=False, connections=1), tables.invitations
    with engine.begin() as connection:
        theirs = table.select().with_only_columns(table.c.link).where(table.c.contact_id == "CID_2").scalar_subquery()
        connection.execute(update(table).where(table.c.contact_id == "CID_1").values(link=theirs))
    engine.dispose()
    found = {it.contact_id: it for it in await store.read(lambda u: u.invitations.of_person(1))}
    with pytest.raises(Malformed):
        await store.read(lambda u: u.invitations.link(found["CID_1"]))
    opened = await store.read(lambda u: u.invitations.link(found["CID_2"]))
    assert opened is not None
    assert opened.url == URL
    assert CANARY not in repr(opened)


@pytest.mark.usefixtures("filled")
async def test_after_a_new_key_old_links_open_and_new_ones_are_written_with_it(
    store: SqlStore, database_url: str, keyring: Keyring
) -> None:
    new = "second:" + base64.b64encode(bytes(32)).decode()
    old = "first:" + base64.b64encode(bytes(range(32))).decode()
    rotated = SqlStore(database_url, Keyring.parse(f"{new},{old}"))
    people = {"ada@example.org": 1}
    await rotated.write(lambda u: u.invitations.save_links("main", "EMD_1", [link("CID_4", url=URL)], people))
    found = {it.contact_id: it for it in await rotated.read(lambda u: u.invitations.of_person(1))}
    opened = [await rotated.read(lambda u, i=found[name]: u.invitations.link(i)) for name in ("CID_1", "CID_4")]
    await rotated.close()
    assert [each and each.url for each in opened] == [URL, URL]
    with pytest.raises(Malformed, match="not configured"):
        await store.read(lambda u: u.invitations.link(found["CID_4"]))
