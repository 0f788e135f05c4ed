"""Reads who is in each workspace: page by page within Slack's limit, by one process at a time, and on from where it broke off.

`users.list` is the one way that scales: 200 people a call, where asking for each would take a day (reference slack.md 3). Between two
readings events keep the directory fresh. Only a whole list shows who is in it no more.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from adapters.readings import Readings, ended
from adapters.slack.clients import Clients, is_org
from adapters.slack.directory import member_of, save
from adapters.slack.errors import fields, next_cursor, translated
from adapters.slack.pacing import PEOPLE, TEAMS, Pacing, heeding
from bot.errors import Rejected, Superseded, Throttled
from bot.messages import Member, MemberKind
from bot.ports import Store, UnitOfWork
from bot.ports.records import DirectoryReading

#: People a page (https://docs.slack.dev/reference/methods/users.list: "no more than 200").
_PAGE = 200
#: Workspaces read at a time; each has limits of its own.
AT_ONCE = 4
#: How often one page is asked for again after a 429, and the longest single wait.
_PATIENCE = 10
_LONGEST_WAIT_SECONDS = 60.0
#: What somebody is in an organisation is the most that they are in one of its workspaces.
_LEAST_FIRST = (MemberKind.DEACTIVATED, MemberKind.STRANGER, MemberKind.BOT, MemberKind.GUEST, MemberKind.MEMBER)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectoryReader:
    clients: Clients
    store: Store
    pace: Pacing
    readings: Readings
    clock: Callable[[], datetime]

    async def read_due(self) -> None:
        """Read the workspaces that are due; one that cannot be read keeps no other waiting. Raises what went wrong in one, now or last.

        May be under way several times: a workspace that takes long keeps none waiting that comes later.
        """
        workspaces, room = await self.clients.workspaces(), asyncio.Semaphore(AT_ONCE)

        async def turn(workspace_id: str) -> None:
            async with room:
                await self.readings.take(workspace_id, partial(self.read, workspace_id))

        async with asyncio.TaskGroup() as group:
            for workspace_id in workspaces:
                group.create_task(turn(workspace_id))
        self.readings.raise_failure(workspaces)

    async def read(self, workspace_id: str) -> bool:
        """Read everybody, on from where an earlier reading broke off; False = another process is at it.

        Raises Unavailable, Unauthorized, or Gone (no longer installed). What was read before an error is kept.
        """
        async with self.readings.alone(workspace_id) as is_alone:
            if not is_alone:
                return False
            reading, is_resumed = await self.readings.begin(workspace_id)
            try:
                await self._read(reading)
            except Rejected:  # Slack knows the cursor no more, or it was forgotten meanwhile
                if not is_resumed:
                    raise
                await self.store.write(lambda uow: uow.directory_readings.forget(workspace_id))
                reading, _ = await self.readings.begin(workspace_id)
                await self._read(reading)
        return True

    async def _read(self, reading: DirectoryReading) -> None:
        teams = await self._teams(reading.workspace_id)
        for team_id in teams:
            if team_id < reading.team_id:
                continue
            reading = replace(reading, team_id=team_id, cursor=reading.cursor if team_id == reading.team_id else "")
            async for members, cursor in self._pages(reading):
                reading = replace(reading, cursor=cursor)
                await self.store.write(partial(self._keep, reading, members))
        vanished = await self.store.write(partial(self._end, reading))
        log.info("slack.directory_read", extra={"workspace": reading.workspace_id, "vanished": vanished})

    def _keep(self, reading: DirectoryReading, members: Sequence[Member], uow: UnitOfWork) -> None:
        """A page and where the list goes on, in one transaction.

        Raises Superseded where the reading was forgotten meanwhile: the app was removed, or reaches other workspaces now.
        """
        if uow.directory_readings.get(reading.workspace_id) is None:
            raise Superseded("the reading was forgotten while it went on")
        if is_org(reading.workspace_id) and reading.began_at is not None:
            known = uow.members.seen_since(reading.workspace_id, [member.user_id for member in members], reading.began_at)
            members = [_most({it.user_id: it for it in known}, member) for member in members]
        save(uow, reading.workspace_id, members, self.clock())
        uow.directory_readings.save(reading)

    def _end(self, reading: DirectoryReading, uow: UnitOfWork) -> int:
        return uow.members.deactivate_unseen(reading.workspace_id, ended(uow, reading, self.clock()))

    async def _teams(self, workspace_id: str) -> Sequence[str]:
        """The workspaces to read, by id: those an organisation lets the app into. A workspace of its own needs no name."""
        if not is_org(workspace_id):
            return [""]
        found, cursor = list[str](), ""
        while True:
            answer = await self._called(TEAMS, workspace_id, limit=1000, cursor=cursor or None)
            with translated(TEAMS, repeatable=True):
                found += [str(team["id"]) for team in answer["teams"]]
            cursor = next_cursor(answer)
            if not cursor:
                return sorted(found)

    async def _pages(self, reading: DirectoryReading) -> AsyncIterator[tuple[Sequence[Member], str]]:
        cursor, where = reading.cursor, {"team_id": reading.team_id} if reading.team_id else {}
        while True:
            answer = await self._called(PEOPLE, reading.workspace_id, limit=_PAGE, cursor=cursor or None, include_locale=True, **where)
            with translated(PEOPLE, repeatable=True):
                members = [member_of(profile, reading.workspace_id) for profile in answer["members"]]
            cursor = next_cursor(answer)
            yield members, cursor
            if not cursor:
                return

    async def _called(self, method: str, workspace_id: str, **arguments: Any) -> Mapping[str, Any]:  # noqa: ANN401 - as the SDK's methods take them
        """A 429, whoever got it, is waited for, within bounds."""
        for _ in range(_PATIENCE):
            try:
                return await self._call(method, workspace_id, arguments)
            except Throttled as error:
                await asyncio.sleep(min(error.retry_after or 0.0, _LONGEST_WAIT_SECONDS))
        return await self._call(method, workspace_id, arguments)

    async def _call(self, method: str, workspace_id: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        await self.pace.turn(method, workspace_id)
        client = await self.clients.of(workspace_id)  # anew for each page: a long list may outlive a token
        call = client.users_list if method == PEOPLE else client.auth_teams_list
        async with heeding(self.pace, method, workspace_id, repeatable=True):
            return fields(await call(**arguments))


def _most(known: Mapping[str, Member], member: Member) -> Member:
    before = known.get(member.user_id, member)
    return max(before, member, key=lambda it: _LEAST_FIRST.index(it.kind))
