"""A client of Qualtrics for each integration: opened at first use, opened anew once its settings or its secret changed."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from adapters.qualtrics.client import QualtricsClient
from adapters.qualtrics.credentials import LEAST_SCOPES, ApiToken, ClientCredentials, Credentials
from adapters.qualtrics.pacing import Limits, Pace
from adapters.request_log import RequestLog
from adapters.settings import Settings
from bot.errors import UserError
from bot.model import Integration
from bot.ports import Store, UnitOfWork
from bot.ports.records import RequestLine
from bot.schedule import Schedule
from store.gates import SqlGates


def credentials(integration: Integration, secret: str, *more_scopes: str) -> Credentials:
    """`more_scopes` are asked for besides the least; an OAuth client that was not given one of them gets no token at all."""
    if integration.client_id is None:
        return ApiToken(secret)
    return ClientCredentials(integration.client_id, secret, (*LEAST_SCOPES, *more_scopes))


def learn_brand(uow: UnitOfWork, integration_id: str, brand_id: str) -> None:
    """Store which brand is seen. Raises UserError where another one's surveys are stored: the two would be mixed."""
    known = uow.integrations.get(integration_id)
    if known is not None and known.baseline_at is not None and known.brand_id not in {None, brand_id}:
        raise UserError(
            f"These credentials are of the brand {brand_id}, and what is stored of {integration_id} is of {known.brand_id}: "
            "`surveybot integration add` adds another integration."
        )
    uow.integrations.set_brand(integration_id, brand_id)


class Connections:
    """For one event loop. Several integrations of one brand share its limits, also with other processes."""

    def __init__(self, store: Store, settings: Settings, request_log: RequestLog, gates: SqlGates) -> None:
        """`gates` are closed by whoever opened them."""
        self._store = store
        self._limits: Limits = settings.limits.paced()
        self._request_log = request_log
        self._gates = gates
        self._open: dict[str, _Open] = {}
        self._opening: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._everything = AsyncExitStack()

    async def source(self, integration: Integration) -> QualtricsClient:
        """Return the client of a stored integration; it stays open until `aclose`, also when a later call opens another one.

        A newly opened one asks which brand it sees, for that has the limits, and stores it. Raises UserError without a secret or for
        another brand (`learn_brand`), Malformed when the secret does not open, and what `QualtricsClient.account` raises.
        """
        name = integration.integration_id
        secret = await self._store.read(lambda uow: uow.integrations.secret(name))
        if secret is None:
            raise UserError(f"{name} has no secret: `surveybot integration secret {name}` stores one.")
        wanted = _Settings(_what_matters(integration), secret)
        async with self._opening[name]:
            known = self._open.get(name)
            if known is None or known.settings != wanted:
                known = self._open[name] = _Open(wanted, await self._opened(integration, secret))
            return known.client

    def unstored(
        self,
        integration: Integration,
        secret: str,
        *more_scopes: str,
        attempts: int = 2,
        on_request: Callable[[RequestLine], None] = lambda _: None,
    ) -> QualtricsClient:
        """A client for trying settings out; the caller closes it. What it asks is logged if the integration is stored in the end."""
        sink = self._request_log.sink(integration)

        def tell(line: RequestLine) -> None:
            sink(line)
            on_request(line)

        return self._client(integration, credentials(integration, secret, *more_scopes), self._pace(integration), tell, attempts)

    async def aclose(self) -> None:
        await self._everything.aclose()

    async def _opened(self, integration: Integration, secret: str) -> QualtricsClient:
        name, pace = integration.integration_id, self._pace(integration)
        sink = self._request_log.sink(integration)
        async with AsyncExitStack() as opening:
            client = await opening.enter_async_context(self._client(integration, credentials(integration, secret), pace, sink))
            pace.brand = (await client.account()).brand_id
            if pace.brand != integration.brand_id:
                await self._store.write(lambda uow: learn_brand(uow, name, pace.brand))
            self._everything.push_async_callback(opening.pop_all().aclose)
        return client

    def _pace(self, integration: Integration) -> Pace:
        brand = integration.brand_id or urlsplit(integration.base_url).hostname or ""
        return Pace(self._gates, self._limits, brand, integration.integration_id, integration.requests_per_minute)

    def _client(
        self, integration: Integration, who: Credentials, pace: Pace, on_request: Callable[[RequestLine], None], attempts: int = 4
    ) -> QualtricsClient:
        return QualtricsClient(
            integration.base_url,
            who,
            timeout_seconds=integration.timeout_seconds,
            connect_timeout_seconds=integration.connect_timeout_seconds,
            attempts=attempts,
            pace=pace,
            on_request=on_request,
        )


def _what_matters(integration: Integration) -> Integration:
    """The integration without what says nothing about how Qualtrics is asked."""
    found_out = {"brand_id": None, "brand_host": None, "baseline_at": None, "unauthorized_at": None}
    shown = {"name": "", "group_size": 0, "shows_people": False}
    return replace(integration, schedule=Schedule(), mass_closure_share=0, is_paused=False, **shown, **found_out)


@dataclass(frozen=True, slots=True)
class _Settings:
    integration: Integration
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Open:
    settings: _Settings
    client: QualtricsClient
