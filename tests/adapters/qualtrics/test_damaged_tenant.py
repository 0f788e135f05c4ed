"""A tenant whose answers arrive damaged: nothing breaks, nobody is told by mistake, and once they arrive whole everybody was told once."""

from __future__ import annotations

import logging
import re
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
import respx
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.qualtrics.client import QualtricsClient
from adapters.qualtrics.credentials import ApiToken
from adapters.sandbox.clock import SandboxClock
from adapters.sandbox.qualtrics.server import qualtrics_app
from adapters.sandbox.qualtrics.tenant import Tenant
from bot.errors import SurveybotError
from bot.model import Integration
from bot.ports import UnitOfWork
from bot.syncing.sync import Kind, Synchronisation
from store.encryption import Keyring
from store.unit_of_work import SqlStore

#: In no shape of an id: ids are logged, and here any value of an answer may be this.
TOKEN = "canary.token.7f3a"
HOME = "https://iad1.qualtrics.com"
ROOT = f"{HOME}/API/v3/"
PEOPLE = ("ana@acme.example", "ben@acme.example")
#: What no answer of Qualtrics' says there. Another valid date or address would be what it says.
STRANGE = (
    *("null", "-1", "1e999", "9" * 400, '""', "[]", "{}", "[" * 2000 + "]" * 2000, "NaN", '"\x00"'),
    *(r'"\u0000"', r'"\ud83d"', '"0000-00-00 00:00:00"', '"99999-01-01T00:00:00Z"', f'"{TOKEN}"', f'"//[{TOKEN}"'),
)
#: Where in the body, in thousandths; and what stands there instead of a value, or None: it ends there.
DAMAGE = st.tuples(st.integers(0, 999), st.none() | st.sampled_from(STRANGE))
#: By the number of the answer.
DAMAGES = st.dictionaries(st.integers(0, 24), DAMAGE, min_size=1, max_size=6)


@dataclass
class Wire:
    """The way of a tenant's answers, on which some are damaged."""

    inside: httpx.AsyncClient
    damages: Mapping[int, tuple[int, str | None]] = field(default_factory=dict)
    answers: int = 0

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        answer = await self.inside.request(request.method, request.url, headers=request.headers, content=request.content)
        body = answer.content
        if (damage := self.damages.get(self.answers)) is not None:
            body = _damaged(body, *damage)
        self.answers += 1
        return httpx.Response(answer.status_code, content=body)


def _damaged(body: bytes, thousandths: int, value: str | None) -> bytes:
    at = len(body) * thousandths // 1000
    if value is None:
        return body[:at]
    strange = f": {value}".encode().replace(b"\\", rb"\\")  # as a template of `re`
    return body[:at] + re.sub(rb':\s*("[^"]*"|[\w.-]+)', strange, body[at:], count=1)


class _Overheard(logging.Handler):
    text = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.text += f"{record.getMessage()} {record.__dict__}\n"


async def _lives(path: Path, keyring: Keyring, damages: Mapping[int, tuple[int, str | None]]) -> str:
    """Look twice while answers are damaged and twice after; return what was logged."""
    clock = SandboxClock()
    tenant = Tenant(clock, public_url=HOME)
    app = qualtrics_app(tenant, token=TOKEN, page_size=2)
    overheard = _Overheard()
    logging.getLogger().addHandler(overheard)
    store = SqlStore(f"sqlite:///{path}", keyring)
    try:
        async with (
            respx.mock() as api,
            httpx.AsyncClient(transport=httpx.ASGITransport(app=app)) as inside,
            QualtricsClient(ROOT, ApiToken(TOKEN)) as source,
        ):
            wire = Wire(inside)
            api.route().mock(side_effect=wire)
            synchronisation = Synchronisation(source=source, store=store, integration_id="main", clock=clock)
            integration = Integration(integration_id="main", name="Main", base_url=ROOT, mass_closure_share=1)
            await store.write(lambda uow: uow.integrations.save(integration))
            await synchronisation.run(Kind.FULL)
            clock.advance(timedelta(minutes=10))
            surveys = [tenant.distribution(tenant.send_survey(name=name, emails=PEOPLE)).survey_id for name in ("Pulse", "Lunch")]
            wire.damages, wire.answers = damages, 0
            for kind in (Kind.INCREMENTAL, Kind.FULL):
                with suppress(SurveybotError):
                    await synchronisation.run(kind)
                clock.advance(timedelta(minutes=10))
                told = await store.read(_told)
                assert set(told) <= {(survey, email) for survey in surveys for email in PEOPLE}, "nobody is told because of bad data"
            wire.damages = {}
            for kind in (Kind.FULL, Kind.SWEEP):
                clock.advance(timedelta(hours=7))
                await synchronisation.run(kind)
            assert await store.read(_told) == Counter({(survey, email): 1 for survey in surveys for email in PEOPLE})
    finally:
        await store.close()
        logging.getLogger().removeHandler(overheard)
    return overheard.text


def _told(uow: UnitOfWork) -> Counter[tuple[str, str | None]]:
    return Counter((delivery.survey_id, uow.people.email(delivery.person_id)) for delivery in uow.outbox.list(100))


async def _survives(database: bytes, keyring: Keyring, damages: Mapping[int, tuple[int, str | None]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "life.db"
        path.write_bytes(database)
        log = await _lives(path, keyring, damages)
        stored = _all_bytes(Path(folder))
    assert b"/jfe/form" not in stored, "personal links are encrypted"
    assert "/jfe/form" not in log
    for email in PEOPLE:
        assert email not in log
    assert TOKEN not in log


def _all_bytes(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.iterdir())


@pytest.fixture
def database(migrated_sqlite: bytes) -> Callable[[], bytes]:
    """A migrated database; hypothesis would print all of its bytes."""
    return lambda: migrated_sqlite


@settings(max_examples=8)
@given(damages=DAMAGES)
async def test_damaged_answers_tell_nobody_by_mistake_and_keep_nobody_from_being_told(
    database: Callable[[], bytes], keyring: Keyring, damages: Mapping[int, tuple[int, str | None]]
) -> None:
    await _survives(database(), keyring, damages)


@pytest.mark.deep
@settings(max_examples=700)
@given(damages=DAMAGES)
async def test_thousands_of_damaged_answers_tell_nobody_by_mistake_and_keep_nobody_from_being_told(
    database: Callable[[], bytes], keyring: Keyring, damages: Mapping[int, tuple[int, str | None]]
) -> None:
    """On average three answers an example are damaged."""
    await _survives(database(), keyring, damages)
