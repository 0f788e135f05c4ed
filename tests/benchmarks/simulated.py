"""A large simulated Qualtrics in a process of its own, so that it does not run in the interpreter that is measured."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing import get_context
from multiprocessing.connection import Connection

from adapters.sandbox.qualtrics.bulk import bulk_tenant
from adapters.sandbox.qualtrics.records import numbered
from adapters.sandbox.qualtrics.server import qualtrics_app
from adapters.sandbox.qualtrics.tenant import Tenant
from adapters.sandbox.serving import serving

TOKEN = "benchmark"
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


@contextmanager
def simulated(shape: Shape) -> Generator[Simulated]:
    """Run a tenant while the context is open."""
    ours, theirs = get_context("spawn").Pipe()
    process = get_context("spawn").Process(target=_serve, args=(theirs, shape), daemon=True)
    process.start()
    theirs.close()
    try:
        url = ours.recv()
        assert isinstance(url, str)
        yield Simulated(url, ours)
    finally:
        ours.send(None)
        process.join()


def _serve(commands: Connection[object, object], shape: Shape) -> None:
    asyncio.run(_served(commands, shape))


async def _served(commands: Connection[object, object], shape: Shape) -> None:
    tenant = bulk_tenant(
        lambda: datetime.now(UTC),
        "https://acme.eu.qualtrics.com",
        surveys=shape.surveys,
        distributions=shape.distributions,
        recipients=shape.recipients,
    )
    async with serving(qualtrics_app(tenant, token=TOKEN)) as url:
        commands.send(f"{url}/API/v3/")
        while command := await asyncio.to_thread(commands.recv):
            assert isinstance(command, tuple)
            _let_answer(tenant, *command)
            commands.send(tenant.calls.total())
            tenant.calls.clear()


def _let_answer(tenant: Tenant, distributions: int, recipients: int) -> None:
    for number in range(distributions):
        distribution = tenant.distribution(numbered("EMD", number))
        for recipient in range(recipients):
            row = distribution.recipients.get(numbered("CID", recipient * _UNTOUCHED))
            assert row is not None
            tenant.change(distribution, row, "SurveyFinished")
