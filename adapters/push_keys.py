"""Whose signature a delivery may bear: the integrations and their shared keys, remembered for a few seconds."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from bot.errors import Malformed
from bot.ports import Store, UnitOfWork

#: How long a key that was taken away is still believed.
_MEMORY = timedelta(seconds=5)
#: Refusals are not told more often.
_SILENCE = timedelta(seconds=1)
_NEVER = datetime.min.replace(tzinfo=UTC)

log = logging.getLogger(__name__)


@dataclass(slots=True)
class PushKeys:
    """All integrations' keys, in memory: what one of them signed waits for the database every few seconds alone."""

    store: Store
    clock: Callable[[], datetime]
    _keys: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]], repr=False)
    _read_at: datetime = _NEVER
    _told_at: datetime = _NEVER
    #: Looks at the tables that have begun, and which of them brought `_keys`.
    _begun: int = 0
    _brought_by: int = 0
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    #: Stands in where there is no key, so that an unknown integration is refused as slowly as a wrong signature.
    _nobodys: str = field(default_factory=secrets.token_hex, repr=False)

    async def accept(self, integration_id: str, message: bytes, signature: str) -> bool:
        """Say whether one of the integration's keys signed `message`; nothing is refused before a look at the keys of now.

        Raises Unavailable when the database does not answer.
        """
        now = self.clock()
        if abs(now - self._read_at) <= _MEMORY and self._is_signed(integration_id, message, signature):
            return True
        await self._look(now)
        is_signed = self._is_signed(integration_id, message, signature)
        if not is_signed and integration_id in self._keys and abs(now - self._told_at) >= _SILENCE:
            self._told_at = now
            log.warning("push.refused", extra={"integration": integration_id, "keys": len(self._keys[integration_id])})
        return is_signed

    def _is_signed(self, integration_id: str, message: bytes, signature: str) -> bool:
        """HMAC-SHA512, lower-case hex (reference qualtrics.md 9). Every key is tried, whichever fits."""
        keys = self._keys.get(integration_id) or (self._nobodys,)
        expected = [hmac.digest(key.encode(), message, hashlib.sha512).hex().encode() for key in keys]
        return any([hmac.compare_digest(one, signature.encode()) for one in expected])  # noqa: C419 - a generator would stop at the first

    async def _look(self, now: datetime) -> None:
        """Read the keys; those who ask while others look share the next look, so that forgeries do not keep the database busy."""
        before = self._begun
        async with self._turn:
            if self._brought_by > before:
                return
            self._begun += 1
            look = self._begun
            self._keys = await self.store.read(_all_keys)
            self._read_at, self._brought_by = now, look


def _all_keys(uow: UnitOfWork) -> Mapping[str, Sequence[str]]:
    return {integration.integration_id: _keys(uow, integration.integration_id) for integration in uow.integrations.all()}


def _keys(uow: UnitOfWork, integration_id: str) -> Sequence[str]:
    """None when they do not open: that must not silence the other integrations."""
    try:
        return [key_of(one) for one in uow.integrations.push_keys(integration_id)]
    except Malformed:
        log.error("push.keys_unreadable", extra={"integration": integration_id})  # noqa: TRY400 - the integration says where to look
        return ()


def stored(key: str, address: str) -> str:
    """How a key is stored: with the address that it was registered for."""
    return f"{key} {address}"


def key_of(text: str) -> str:
    return text.partition(" ")[0]


def address_of(text: str) -> str:
    return text.partition(" ")[2]
