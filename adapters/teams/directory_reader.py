"""Reads who is in the tenant once a day: the rosters of all conversations with the bot, by one process at a time.

Nothing else tells who has left, or has another address by now. A reading goes on at the conversation where it broke off.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from adapters.readings import Readings, ended
from adapters.teams.directory import TeamsDirectory
from adapters.teams.pacing import TeamsPace
from bot.errors import Forbidden, Gone, Rejected, Throttled, loggable
from bot.messages import Address
from bot.ports import Store, UnitOfWork
from bot.ports.records import DirectoryReading

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamsDirectoryReader:
    directory: TeamsDirectory
    store: Store
    pace: TeamsPace
    tenant_id: str
    readings: Readings
    clock: Callable[[], datetime]

    async def read_due(self) -> None:
        """Read everybody where that is due. Raises what went wrong, now or last."""
        await self.readings.take(self.tenant_id, self.read)
        self.readings.raise_failure([self.tenant_id])

    async def read(self) -> bool:
        """Read everybody; False = another process is at it. Raises Unavailable or Unauthorized; what was read before is kept."""
        async with self.readings.alone(self.tenant_id) as is_alone:
            if not is_alone:
                return False
            (reading, _), is_whole = await self.readings.begin(self.tenant_id), True
            while (address := await self.store.read(partial(self._next, reading))) is not None:
                is_whole &= await self._roster(address)
                reading = replace(reading, team_id=address.conversation_id)
                await self.store.write(partial(_keep, reading))
            vanished = await self.store.write(partial(self._end, reading, is_whole=is_whole))
            log.info("teams.directory_read", extra={"vanished": vanished, "is_whole": is_whole})
        return True

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
        since = ended(uow, reading, now)
        uow.members.disown_unseen(self.tenant_id, since)
        uow.members.seen(self.tenant_id, uow.addresses.shut_out(self.tenant_id), now)
        return uow.members.deactivate_unseen(self.tenant_id, since) if is_whole else 0


def _keep(reading: DirectoryReading, uow: UnitOfWork) -> None:
    uow.directory_readings.save(reading)
