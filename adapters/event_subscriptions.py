"""An integration's event subscriptions at Qualtrics: made, replaced and removed so that whoever is interrupted just does it again."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from adapters import qualtrics_events
from adapters.qualtrics.client import QualtricsClient
from adapters.qualtrics.subscriptions import Subscription
from bot.errors import Gone, UserError
from bot.ports import Store

#: The least that shortens the delay: whoever answered needs no reminder, and a closed survey takes no answer (FEATURES B11).
TOPICS = ("surveyengine.completedResponse.*", "controlpanel.activateSurvey", "controlpanel.deactivateSurvey")


@dataclass(frozen=True, slots=True, kw_only=True)
class EventSubscriptions:
    """Those of one integration. A brand's list has other programs' too; ours are known by where they lead.

    Qualtrics does not tell with which key a subscription signs, so keys are stored before they are used, and forgotten after.
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
        address, keys = self._address(public_url), await self._keys()
        known = {one.topics for one in await self.all() if one.url == address}
        if known and not keys:
            fix = f"`surveybot push replace --url {public_url}` makes a new one"
            raise UserError(f"Qualtrics calls {address} already, with a key that is not stored here; {fix}.")
        if not keys:
            await self._store((_new_key(),))
        return await self._subscribe(address, [topic for topic in TOPICS if topic not in known], (await self._keys())[0])

    async def replace(self, public_url: str | None) -> int:
        """Make everything anew with a new key, then remove what was there; returns how many were removed. No event is lost meanwhile."""
        ours = [one for one in await self.all() if self.is_ours(one)]
        address, before = self._only_address(ours, public_url), await self._keys()
        key = _new_key()
        await self._store((key, *before))
        await self._subscribe(address, TOPICS, key)
        old = [one for one in ours if one.url == address]
        await self._unsubscribe(old)
        if len(old) == len(ours):  # none is left that may sign with an old key
            await self._store((key,))
        return len(old)

    async def remove(self, public_url: str | None) -> int:
        """Remove what leads here, then the keys; returns how many were removed."""
        if public_url is None and not await self._keys():
            raise UserError(f"No key is stored for {self.integration_id}: if Qualtrics calls it, name the address with --url.")
        ours = [one for one in await self.all() if self.is_ours(one)]
        address = self._only_address(ours, public_url) if ours else None
        theirs = [one for one in ours if one.url == address]
        await self._unsubscribe(theirs)
        if len(theirs) == len(ours):
            await self._store(())
        return len(theirs)

    def _address(self, public_url: str) -> str:
        return public_url.rstrip("/") + qualtrics_events.path(self.integration_id)

    def _only_address(self, ours: Iterable[Subscription], public_url: str | None) -> str:
        """Another installation may see the same brand, so an address is not guessed."""
        if public_url is not None:
            return self._address(public_url)
        match sorted({one.url for one in ours}):
            case [address]:
                return address
            case []:
                raise UserError(f"There is no event subscription of {self.integration_id}: `surveybot push register` makes one.")
            case several:
                raise UserError(f"Qualtrics calls {' and '.join(several)}: name one with --url (without /qualtrics/...).")

    async def _subscribe(self, address: str, topics: Iterable[str], key: str) -> int:
        return len([await self.client.subscribe(topic, address, key) for topic in topics])

    async def _unsubscribe(self, subscriptions: Iterable[Subscription]) -> None:
        for one in subscriptions:
            try:
                await self.client.unsubscribe(one.subscription_id)
            except Gone:
                continue  # as it was to be

    async def _keys(self) -> Sequence[str]:
        return await self.store.read(lambda uow: uow.integrations.push_keys(self.integration_id))

    async def _store(self, keys: Sequence[str]) -> None:
        await self.store.write(lambda uow: uow.integrations.set_push_keys(self.integration_id, keys))


def _new_key() -> str:
    return secrets.token_hex(32)
