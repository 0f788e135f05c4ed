"""Reads who is in the tenant once a day: the rosters of all conversations with the bot, by one process at a time.

Nothing else tells who has left, or has another address by now. A reading goes on at the conversation where it broke off.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from adapters.teams.directory import TeamsDirectory
from adapters.teams.pacing import TeamsPace
from bot.errors import Forbidden, Gone, Rejected, SurveybotError, Throttled, loggable
from bot.leasing import held
from bot.messages import Address
from bot.ports import Store, UnitOfWork
from bot.records import DirectoryReading, Lease

#: A reading that was left this long ago is begun anew: what its rosters told is old.
_RESUMABLE = timedelta(hours=6)
#: Clocks of processes may differ by so much.
_SKEW = timedelta(minutes=1)
_LEASE = timedelta(seconds=60)

log = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class TeamsDirectoryReader:
    directory: TeamsDirectory
    store: Store
    pace: TeamsPace
    tenant_id: str
    #: This process among all.
    owner: str
    clock: Callable[[], datetime]
    #: From one whole reading to the next, whichever process reads, and from one that failed here.
    every: timedelta
    retry: timedelta
    _failure: tuple[SurveybotError, datetime] | None = None

    async def read_due(self) -> None:
        """Read everybody where that is due. Raises what went wrong, now or last."""
        if self._failure is not None and self._failure[1] > self.clock():
            raise self._failure[0]
        self._failure = None
        if not await self.store.read(self._is_due):
            return
        try:
            await self.read()
        except SurveybotError as error:
            self._failure = (error, self.clock() + min(self.retry, self.every))
            raise

    async def read(self) -> bool:
        """Read everybody; False = another process is at it. Raises Unavailable or Unauthorized; what was read before is kept."""
        name, holder = f"directory:{self.tenant_id}", f"{self.owner}:{uuid.uuid4().hex[:8]}"
        if await self.store.write(lambda uow: uow.leases.take(name, holder, _LEASE)) is not Lease.TAKEN:
            return False
        async with held(self.store, name, holder, _LEASE):
            reading, is_whole = await self.store.write(self._begin), True
            while (address := await self.store.read(partial(self._next, reading))) is not None:
                is_whole &= await self._roster(address)
                reading = replace(reading, team_id=address.conversation_id)
                await self.store.write(partial(_keep, reading))
            vanished = await self.store.write(partial(self._end, reading, is_whole=is_whole))
            log.info("teams.directory_read", extra={"vanished": vanished, "is_whole": is_whole})
        return True

    def _is_due(self, uow: UnitOfWork) -> bool:
        reading = uow.directory_readings.get(self.tenant_id)
        return reading is None or reading.ended_at is None or reading.ended_at <= self.clock() - self.every

    def _begin(self, uow: UnitOfWork) -> DirectoryReading:
        """Return the reading to go on with."""
        now, last = self.clock(), uow.directory_readings.get(self.tenant_id)
        if last is not None and last.began_at is not None and now - last.began_at < _RESUMABLE:
            return last
        begun = DirectoryReading(workspace_id=self.tenant_id, began_at=now, ended_at=last and last.ended_at)
        uow.directory_readings.save(begun)
        return begun

    def _next(self, reading: DirectoryReading, uow: UnitOfWork) -> Address | None:
        return uow.addresses.open_after(self.tenant_id, reading.team_id)

    async def _roster(self, address: Address) -> bool:
        """False = its people are not told, wherever they are. One that is gone is left out: whoever was in no other has left."""
        try:
            await self.directory.read_roster(address.service_url, address.conversation_id, self.pace.people_turn)
        except (Forbidden, Gone, Rejected) as error:
            log.info("teams.roster_not_told", extra={"conversation": address.conversation_id, **loggable(error)})
            return isinstance(error, Gone)
        except Throttled as error:
            await self.pace.refused(error.retry_after)
            raise
        return True

    def _end(self, reading: DirectoryReading, uow: UnitOfWork, *, is_whole: bool) -> int:
        """Of those who have removed the bot nothing is told: they are taken to be where they were, unless others have their address."""
        now = self.clock()
        since = (reading.began_at or now) - _SKEW
        uow.members.disown_unseen(self.tenant_id, since)
        uow.members.seen(self.tenant_id, uow.addresses.shut_out(self.tenant_id), now)
        _keep(DirectoryReading(workspace_id=self.tenant_id, began_at=None, ended_at=now), uow)
        return uow.members.deactivate_unseen(self.tenant_id, since) if is_whole else 0


def _keep(reading: DirectoryReading, uow: UnitOfWork) -> None:
    uow.directory_readings.save(reading)
