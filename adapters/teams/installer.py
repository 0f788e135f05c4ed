"""Gives the app to people who wait for a message and never added it, by Microsoft Graph: off unless the settings name their domains."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from aiolimiter import AsyncLimiter

from adapters.teams.graph import INSTALL, USERS, Graph
from bot.errors import Forbidden, Gone, Rejected
from bot.installations import Offered
from bot.ports import Store, UnitOfWork

#: People a second: a new one every half second leaves Graph's limits to others.
_A_SECOND = 2
#: Asked for at a time, and for how long nobody else asks for them: whoever is left over is asked for again then.
_AT_ONCE = 20
_LEASE = timedelta(minutes=15)
#: Until somebody is asked for again; who got the app never is, for they may have removed it.
_RESTS: Mapping[Offered, timedelta] = {Offered.NO_ACCOUNT: timedelta(days=30), Offered.REFUSED: timedelta(days=3)}

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Installer:
    graph: Graph
    store: Store
    clock: Callable[[], datetime]
    tenant_id: str
    #: Of the e-mail addresses whose people get the app.
    domains: frozenset[str]
    #: Reads who is in a chat, by its id.
    meet: Callable[[str], Awaitable[object]]
    #: Of the app; None = Graph is asked for it.
    catalog_id: str | None = None
    pace: AsyncLimiter = field(default_factory=lambda: AsyncLimiter(1, 1 / _A_SECOND))

    async def install_due(self) -> int:
        """Give it to all who wait, and return how many were settled. Their conversations come as events, and then what waits is sent.

        Raises what `Graph` does; whoever is left over has their turn in a quarter of an hour.
        """
        settled, catalog_id = 0, self.catalog_id
        while waiting := await self.store.write(self._claim):
            granted = await self.graph.permissions()
            if INSTALL.name not in granted:
                raise Forbidden(f"Microsoft Graph was not granted {INSTALL.name}")
            catalog_id = catalog_id or await self.graph.app()
            for person_id, email in waiting.items():
                await self.pace.acquire()
                outcome = await self._give(email, catalog_id, may_look=USERS.name in granted)
                due_at = self.clock() + _RESTS[outcome] if outcome in _RESTS else None
                await self.store.write(partial(_record, person_id, outcome, due_at))
                log.info("teams.app_given", extra={"person": person_id, "outcome": str(outcome)})
                settled += 1
        return settled

    async def _give(self, email: str, catalog_id: str, *, may_look: bool) -> Offered:
        """Who has the app already got it while nobody listened: their chat is looked up, for Teams tells of it only once."""
        try:
            try:
                user, is_new = email, await self.graph.install(email, catalog_id)
            except Gone:  # not the name they sign in with
                user = await self.graph.user(email) if may_look else None
                if user is None:
                    return Offered.NO_ACCOUNT
                is_new = await self.graph.install(user, catalog_id)
            if not is_new:
                await self.meet(await self.graph.chat(user, catalog_id))
        except (Forbidden, Gone, Rejected):
            return Offered.REFUSED
        return Offered.INSTALLED

    def _claim(self, uow: UnitOfWork) -> Mapping[int, str]:
        now = self.clock()
        return uow.app_offers.claim(self.tenant_id, self.domains, now, now + _LEASE, _AT_ONCE)


def _record(person_id: int, outcome: Offered, due_at: datetime | None, uow: UnitOfWork) -> None:
    uow.app_offers.record(person_id, outcome, due_at)
