"""Carries a tenant's events to their subscribers over HTTP: when told to, or all the time."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import NoReturn

import httpx

from adapters.sandbox.qualtrics.events import Delivery
from adapters.sandbox.qualtrics.tenant import Tenant

_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What became of one delivery."""

    delivery: Delivery
    #: None: nobody answered in time.
    status: int | None


class Courier:
    """Sends each delivery once: whether and how often Qualtrics repeats one is not known (reference qualtrics.md 9)."""

    def __init__(self, tenant: Tenant, *, timeout_seconds: float = 5.0) -> None:
        self._tenant, self._timeout_seconds = tenant, timeout_seconds
        #: All that was sent, forged ones too, in order.
        self.sent: list[Sent] = []

    async def send_all(self) -> list[Sent]:
        """Send what waits, one after the other; a refusal or silence is in what is returned, and raises nothing."""
        before = len(self.sent)
        async with self._client() as http:
            while self._tenant.deliveries:
                await self._post(http, self._tenant.deliveries.popleft())
        return self.sent[before:]

    async def send(self, delivery: Delivery) -> Sent:
        """Send this one, be it a replay or a forgery."""
        async with self._client() as http:
            return await self._post(http, delivery)

    async def run(self, *, every_seconds: float = 0.5) -> NoReturn:
        """Send what happens, until cancelled."""
        while True:
            await self.send_all()
            await asyncio.sleep(every_seconds)

    def _client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(timeout=self._timeout_seconds, headers=_FORM, trust_env=False)

    async def _post(self, http: httpx.AsyncClient, delivery: Delivery) -> Sent:
        subscription = delivery.subscription
        try:
            status = (await http.post(subscription.publication_url, content=delivery.body)).status_code
        except (httpx.HTTPError, httpx.InvalidURL):
            status = None
        subscription.successful_calls += status is not None and httpx.codes.is_success(status)
        self.sent.append(Sent(delivery=delivery, status=status))
        return self.sent[-1]
