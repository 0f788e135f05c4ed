"""The clients of a bot that many workspaces and organisations installed by OAuth: their tokens are in the store."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack.clients import make_client
from adapters.slack.renewal import Renewal, is_due, is_over
from bot.errors import Gone, Malformed, Unauthorized, Unavailable, loggable
from bot.installations import Tokens
from bot.ports import Store, UnitOfWork

#: How long what another process did may go unseen: an installation, its end, a renewal.
_FRESH = timedelta(seconds=10)
#: How soon a renewal that failed is tried again while the old token lives.
_AGAIN = timedelta(minutes=1)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    #: None = not installed, or not any more.
    tokens: Tokens | None
    #: Slack has refused to renew them.
    is_broken: bool
    read_at: datetime


class InstalledWorkspaces:
    """`Clients` over the table of installations."""

    def __init__(self, store: Store, renewal: Renewal, client: AsyncWebClient, clock: Callable[[], datetime]) -> None:
        """`client` has no token; those with one share its session."""
        self._store = store
        self._renewal = renewal
        self._client = client
        self._clock = clock
        self._known: dict[str, _Known] = {}
        self._renew_after: dict[str, datetime] = {}
        self._renewing: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def workspaces(self) -> Sequence[str]:
        installations = await self._store.read(lambda uow: uow.installations.all())
        return [it.workspace_id for it in installations if it.revoked_at is None]

    async def about(self, installation_id: str | None) -> str | None:
        """Asks Slack nothing: it waits for the acknowledgement."""
        if installation_id is None:
            return None
        try:
            known = await self._read(installation_id)
        except Unauthorized:  # it is installed: whoever asks is told that something is wrong
            return installation_id
        return None if known.tokens is None or (known.is_broken and self._is_over(known)) else installation_id

    async def of(self, workspace_id: str) -> AsyncWebClient:
        known, renewing = await self._read(workspace_id), self._renewing[workspace_id]
        if self._is_to_renew(workspace_id, known) and (self._is_over(known) or not renewing.locked()):  # else somebody is at it
            async with renewing:
                known = await self._read(workspace_id)
                if self._is_to_renew(workspace_id, known):  # nobody has done it meanwhile
                    known = await self._renewed(workspace_id, known)
        if known.tokens is None:
            raise Gone("the app is not installed in this workspace")
        if self._is_over(known):
            raise Unauthorized("the token has ended and Slack refuses to renew it; the app must be installed there again")
        return make_client(known.tokens.access, self._client.base_url, self._client.session)

    @property
    def without_access(self) -> AsyncWebClient:
        return self._client

    def changed(self, workspace_id: str) -> None:
        self._known.pop(workspace_id, None)
        self._renew_after.pop(workspace_id, None)

    async def _read(self, workspace_id: str) -> _Known:
        """Raises Unauthorized when the stored token does not open."""
        now, known = self._clock(), self._known.get(workspace_id)
        if known is not None and now - known.read_at < _FRESH:
            return known
        try:
            known = await self._store.read(lambda uow: _stored(uow, workspace_id, now))
        except Malformed as error:
            raise Unauthorized(f"the workspace's token does not open: {error}") from error
        self._known[workspace_id] = known
        return known

    def _is_over(self, known: _Known) -> bool:
        return known.tokens is None or is_over(known.tokens, self._clock())

    def _is_to_renew(self, workspace_id: str, known: _Known) -> bool:
        now = self._clock()
        if known.tokens is None or (known.is_broken and not self._renewal.has_newer(known.tokens)):
            return False
        return is_due(known.tokens, now) and now >= self._renew_after.get(workspace_id, now)

    async def _renewed(self, workspace_id: str, known: _Known) -> _Known:
        try:
            renewed = replace(known, tokens=await self._renewal.renewed(workspace_id), is_broken=False, read_at=self._clock())
        except (Unauthorized, Unavailable) as error:
            self.changed(workspace_id)
            if self._is_over(known):
                raise
            log.warning("slack.token_not_renewed", extra={"workspace": workspace_id, **loggable(error)})
            self._renew_after[workspace_id] = self._clock() + _AGAIN
            return known
        self._known[workspace_id] = renewed
        return renewed


def _stored(uow: UnitOfWork, workspace_id: str, now: datetime) -> _Known:
    installation = uow.installations.get(workspace_id)
    is_broken = installation is not None and installation.broken_at is not None
    return _Known(tokens=uow.installations.tokens(workspace_id), is_broken=is_broken, read_at=now)
