"""A large simulated Qualtrics in a process of its own, so that it does not run in the interpreter that is measured."""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing import get_context
from multiprocessing.connection import Connection

from starlette.types import ASGIApp, Receive, Scope, Send

from adapters.sandbox.qualtrics.bulk import bulk_tenant
from adapters.sandbox.qualtrics.limits import Limits
from adapters.sandbox.qualtrics.records import numbered
from adapters.sandbox.qualtrics.server import qualtrics_app
from adapters.sandbox.qualtrics.tenant import Tenant
from adapters.sandbox.serving import serving

TOKEN = "benchmark"
#: Distribution, contact, e-mail address, status, when it was sent and completed.
Row = tuple[str, str, str, str, datetime | None, datetime | None]
#: Every tenth recipient, from the first on, was mailed and did nothing yet (adapters/sandbox/qualtrics/bulk.py).
_UNTOUCHED = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """How large a tenant is: `surveys`, each with `distributions`, each to the same `recipients`."""

    surveys: int
    distributions: int
    recipients: int

    @property
    def invitations(self) -> int:
        return self.surveys * self.distributions * self.recipients


@dataclass(frozen=True, slots=True)
class Simulated:
    """The running tenant, from outside."""

    url: str
    _commands: Connection[object, object]

    def answer(self, distributions: int, recipients: int) -> int:
        """Let so many recipients in each of so many distributions finish the survey. Returns how many calls came since last time."""
        self._commands.send((distributions, recipients))
        calls = self._commands.recv()
        assert isinstance(calls, int)
        return calls

    def calls(self) -> int:
        """How many calls came since last time."""
        return self.answer(0, 0)

    def refused(self) -> int:
        """How many calls came over the limit."""
        self._commands.send("refused")
        number = self._commands.recv()
        assert isinstance(number, int)
        return number

    def answers_at_most(self, calls: int | None) -> None:
        """Leave what comes after so many calls from now on without an answer; None = answer everything."""
        self._commands.send(_AtMost(calls))
        self._commands.recv()

    def rows(self) -> set[Row]:
        """Every invitation there is."""
        self._commands.send("rows")
        rows = self._commands.recv()
        assert isinstance(rows, set)
        return rows


@dataclass(frozen=True, slots=True)
class _AtMost:
    calls: int | None


class _Answering:
    """An app that leaves calls unanswered for ever once it was told to."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.left: int | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.left == 0:
            await asyncio.Event().wait()
        if self.left is not None:
            self.left -= 1
        await self._app(scope, receive, send)


@contextmanager
def simulated(shape: Shape, *, calls_per_minute: int | None = None) -> Generator[Simulated]:
    """Run a tenant while the context is open; None = it takes any number of calls."""
    ours, theirs = get_context("spawn").Pipe()
    process = get_context("spawn").Process(target=_serve, args=(theirs, shape, calls_per_minute), daemon=True)
    process.start()
    theirs.close()
    try:
        url = ours.recv()
        assert isinstance(url, str)
        yield Simulated(url, ours)
    finally:
        ours.send(None)
        process.join()


def _serve(commands: Connection[object, object], shape: Shape, calls_per_minute: int | None) -> None:
    asyncio.run(_served(commands, shape, calls_per_minute))


async def _served(commands: Connection[object, object], shape: Shape, calls_per_minute: int | None) -> None:
    tenant = bulk_tenant(
        lambda: datetime.now(UTC),
        "https://acme.eu.qualtrics.com",
        surveys=shape.surveys,
        distributions=shape.distributions,
        recipients=shape.recipients,
    )
    limits = tenant.limits = None if calls_per_minute is None else Limits(brand=calls_per_minute, endpoints={})
    app = _Answering(qualtrics_app(tenant, token=TOKEN))
    async with serving(app) as url:
        commands.send(f"{url}/API/v3/")
        while command := await asyncio.to_thread(commands.recv):
            if command == "rows":
                commands.send({row for number in range(shape.surveys * shape.distributions) for row in _rows(tenant, number)})
                continue
            if command == "refused":
                commands.send(limits.refused.total() if limits else 0)
                continue
            if isinstance(command, _AtMost):
                app.left = command.calls
                commands.send(None)
                continue
            assert isinstance(command, tuple)
            _let_answer(tenant, *command)
            commands.send(tenant.calls.total())
            tenant.calls.clear()


def _rows(tenant: Tenant, number: int) -> Iterator[Row]:
    distribution = tenant.distribution(numbered("EMD", number))
    for row in distribution.recipients:
        times = _told(row.sent_at), _told(row.completed_at)
        yield distribution.distribution_id, row.contact.contact_id, str(row.contact.email), row.status, *times


def _told(at: datetime | None) -> datetime | None:
    """Qualtrics tells milliseconds."""
    return at and at.replace(microsecond=at.microsecond // 1000 * 1000)


def _let_answer(tenant: Tenant, distributions: int, recipients: int) -> None:
    for number in range(distributions):
        distribution = tenant.distribution(numbered("EMD", number))
        for recipient in range(recipients):
            row = distribution.recipients.get(numbered("CID", recipient * _UNTOUCHED))
            assert row is not None
            tenant.change(distribution, row, "SurveyFinished")
