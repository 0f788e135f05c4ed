"""Whose signature a delivery may bear: the integrations and their shared keys, remembered for a few seconds."""

from __future__ import annotations

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
#: A signature that no known key made leads to a look at the tables: perhaps the key is new. Not more often than this.
_PATIENCE = timedelta(seconds=1)
_NEVER = datetime.min.replace(tzinfo=UTC)

log = logging.getLogger(__name__)


@dataclass(slots=True)
class PushKeys:
    """All integrations' keys, in memory, so that a delivery is judged while the database is busy."""

    store: Store
    clock: Callable[[], datetime]
    _keys: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]], repr=False)
    _read_at: datetime = _NEVER
    _doubted_at: datetime = _NEVER
    #: Stands in where there is no key, so that an unknown integration is refused as slowly as a wrong signature.
    _nobodys: str = field(default_factory=secrets.token_hex, repr=False)

    async def accept(self, integration_id: str, message: bytes, signature: str) -> bool:
        """Say whether one of the integration's keys signed `message`. Raises Unavailable when the database does not answer."""
        now = self.clock()
        if abs(now - self._read_at) > _MEMORY:
            await self._read(now)
        if self._is_signed(integration_id, message, signature):
            return True
        if abs(now - self._doubted_at) < _PATIENCE:
            return False
        self._doubted_at = now
        await self._read(now)
        accepted = self._is_signed(integration_id, message, signature)
        if not accepted and integration_id in self._keys:
            log.warning("push.refused", extra={"integration": integration_id, "keys": len(self._keys[integration_id])})
        return accepted

    def _is_signed(self, integration_id: str, message: bytes, signature: str) -> bool:
        """HMAC-SHA512, lower-case hex (reference qualtrics.md 9). Every key is tried, whichever fits."""
        keys = self._keys.get(integration_id) or (self._nobodys,)
        expected = [hmac.digest(key.encode(), message, hashlib.sha512).hex().encode() for key in keys]
        return any([hmac.compare_digest(one, signature.encode()) for one in expected])  # noqa: C419 - a generator would stop at the first

    async def _read(self, now: datetime) -> None:
        self._keys = await self.store.read(_all_keys)
        self._read_at = now


def _all_keys(uow: UnitOfWork) -> Mapping[str, Sequence[str]]:
    return {integration.integration_id: _keys(uow, integration.integration_id) for integration in uow.integrations.all()}


def _keys(uow: UnitOfWork, integration_id: str) -> Sequence[str]:
    """None when they do not open: that must not silence the other integrations."""
    try:
        return uow.integrations.push_keys(integration_id)
    except Malformed:
        log.error("push.keys_unreadable", extra={"integration": integration_id})  # noqa: TRY400 - the integration says where to look
        return ()
