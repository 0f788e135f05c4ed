"""Files are fetched by whoever was given the way to them, for ten minutes, and as long as they may see what is in them."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import datetime
from http import HTTPStatus

import httpx
import pytest
from starlette.applications import Starlette

from adapters.exports import Exports
from bot.exports import OPEN_FOR, Export
from bot.model import User
from bot.ports import UnitOfWork
from store.encryption import Keyring
from store.unit_of_work import SqlStore
from tests.contract.store.examples import NOW, furnish, member, survey

OWNER = "owner@example.org"
EXPORT = Export(email=OWNER, survey_id="SV_1", locale="en", until=NOW + OPEN_FOR)


class Clock:
    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now


def fill(uow: UnitOfWork) -> None:
    furnish(uow)
    uow.surveys.save("main", [survey(name="=cmd|'/c calc'!A1")], NOW)
    uow.users.save("main", [User(user_id="UR_1", email=OWNER)])
    uow.members.save([member("U1", email=OWNER)])


@pytest.fixture
async def exports(store: SqlStore, keyring: Keyring) -> Exports:
    await store.write(fill)
    return Exports(store=store, clock=Clock(), keyring=keyring, public_url="https://bot.example/")


async def fetch(exports: Exports, url: str) -> httpx.Response:
    transport = httpx.ASGITransport(Starlette(routes=exports.routes()))
    async with httpx.AsyncClient(transport=transport, base_url="https://bot.example") as client:
        return await client.get(url)


async def test_a_file_is_fetched_by_its_link_and_kept_by_no_cache(exports: Exports) -> None:
    url = exports.link(EXPORT)
    assert OWNER not in url
    assert "SV_1" not in base64.urlsafe_b64decode(url.rpartition("/")[2].removesuffix(".csv") + "==").decode("latin-1")
    got = await fetch(exports, url)
    assert (got.status_code, got.headers["Content-Type"]) == (HTTPStatus.OK, "text/csv; charset=utf-8")
    assert (got.headers["Cache-Control"], got.headers["Referrer-Policy"]) == ("no-store", "no-referrer")
    assert got.headers["Content-Disposition"].startswith("attachment;")
    head, first, *_ = got.text.removeprefix("\ufeff").splitlines()
    assert head == '"Survey","Recipients","People","In words"'
    assert first == '"\'=cmd|\'/c calc\'!A1","All","","not shown"'


async def test_too_late_or_no_longer_theirs_or_never_given_is_all_the_same(exports: Exports, store: SqlStore) -> None:
    url = exports.link(EXPORT)
    strange = [exports.link(replace(EXPORT, **changes)) for changes in ({"email": "x@example.org"}, {"survey_id": "SV_2"}, {"until": NOW})]
    damaged = [url.replace(".csv", "A.csv"), "https://bot.example/coverage/x.csv", f"https://bot.example/coverage/{'A' * 3000}.csv"]
    stored = exports.keyring.encrypt("{}", "main|secret")
    other = f"https://bot.example/coverage/{base64.urlsafe_b64encode(stored).decode()}.csv"
    answers = {(got.status_code, got.text) for each in [*strange, *damaged, other] for got in [await fetch(exports, each)]}
    await store.write(lambda uow: uow.members.save([replace(member("U1", email=OWNER), email=None)]))
    gone = await fetch(exports, url)
    assert answers == {(gone.status_code, gone.text)}
    assert gone.status_code == HTTPStatus.NOT_FOUND
    assert (await fetch(exports, url)).headers["Cache-Control"] == "no-store"
