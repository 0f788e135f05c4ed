"""An integration's event subscriptions at Qualtrics: made, replaced and removed so that whoever is interrupted just does it again."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from adapters import qualtrics_events
from adapters.push_keys import address_of, key_of, stored
from adapters.qualtrics.client import QualtricsClient
from adapters.qualtrics.subscriptions import Subscription
from bot.errors import Gone, UserError
from bot.ports import Store, UnitOfWork

#: The least that shortens the delay: whoever answered needs no reminder, and a closed survey takes no answer (FEATURES B11).
TOPICS = ("surveyengine.completedResponse.*", "controlpanel.activateSurvey", "controlpanel.deactivateSurvey")


@dataclass(frozen=True, slots=True, kw_only=True)
class EventSubscriptions:
    """Those of one integration. A brand's list has other programs' too; ours are known by where they lead.

    Qualtrics does not tell with which key a subscription signs, so keys are stored before they are used, and forgotten after; each with the
    address it was registered for.
    Methods raise what `QualtricsClient` raises, and UserError.
    """

    client: QualtricsClient
    store: Store
    integration_id: str

    async def all(self) -> Sequence[Subscription]:
        return [one async for page in self.client.subscriptions() for one in page.items]

    def is_ours(self, one: Subscription) -> bool:
        return one.url.endswith(qualtrics_events.path(self.integration_id))

    async def register(self, public_url: str) -> int:
        """Subscribe to what is not subscribed to yet; returns how many subscriptions were made."""
        address = self._address(public_url)
        keys, known = await self._keys(address), {one.topics for one in await self._leading_to(address)}
        if known and not keys:
            fix = f"`surveybot push replace --url {public_url}` makes a new one"
            raise UserError(f"Qualtrics calls {address} already, with a key that is not stored here; {fix}.")
        if not keys:
            await self._keep(address, keys := (_new_key(),))
        return await self._subscribe(address, [topic for topic in TOPICS if topic not in known], keys[0])

    async def replace(self, public_url: str | None) -> int:
        """Make everything anew with a new key, then remove what was there; returns how many were removed. No event is lost meanwhile."""
        address, key = await self._meant(public_url), _new_key()
        old = await self._leading_to(address)
        await self._keep(address, (key, *await self._keys(address)))
        await self._subscribe(address, TOPICS, key)
        await self._unsubscribe(old)
        await self._keep(address, (key,))
        return len(old)

    async def remove(self, public_url: str | None) -> int:
        """Remove what leads here, then the keys; returns how many were removed."""
        address = await self._meant(public_url)
        old = await self._leading_to(address)
        await self._unsubscribe(old)
        await self._keep(address, ())
        return len(old)

    def _address(self, public_url: str) -> str:
        return public_url.rstrip("/") + qualtrics_events.path(self.integration_id)

    async def _meant(self, public_url: str | None) -> str:
        """Another installation may see the same brand, so what Qualtrics calls is no hint: without a URL it is what was registered here."""
        if public_url is not None:
            return self._address(public_url)
        match sorted({address_of(one) for one in await self.store.read(self._stored)}):
            case [address]:
                return address
            case []:
                raise UserError(
                    f"Nothing of {self.integration_id} was registered from here; if Qualtrics calls it, name the address with --url."
                )
            case several:
                raise UserError(f"Qualtrics calls {' and '.join(several)}: name one with --url (without /qualtrics/...).")

    async def _leading_to(self, address: str) -> Sequence[Subscription]:
        return [one for one in await self.all() if one.url == address]

    async def _subscribe(self, address: str, topics: Iterable[str], key: str) -> int:
        return len([await self.client.subscribe(topic, address, key) for topic in topics])

    async def _unsubscribe(self, subscriptions: Iterable[Subscription]) -> None:
        for one in subscriptions:
            try:
                await self.client.unsubscribe(one.subscription_id)
            except Gone:
                continue  # as it was to be

    async def _keys(self, address: str) -> Sequence[str]:
        """Those of an address, the newest first."""
        return [key_of(one) for one in await self.store.read(self._stored) if address_of(one) == address]

    async def _keep(self, address: str, keys: Iterable[str]) -> None:
        """Store these keys of an address in place of those it had."""

        def keep(uow: UnitOfWork) -> None:
            others = [one for one in self._stored(uow) if address_of(one) != address]
            uow.integrations.set_push_keys(self.integration_id, [*(stored(key, address) for key in keys), *others])

        await self.store.write(keep)

    def _stored(self, uow: UnitOfWork) -> Sequence[str]:
        return uow.integrations.push_keys(self.integration_id)


def _new_key() -> str:
    return secrets.token_hex(32)
