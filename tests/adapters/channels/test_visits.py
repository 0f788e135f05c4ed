"""Looking at the older messages of whoever was answered."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from adapters.visits import Visits
from bot.messages import Member, MemberKind
from bot.ports import Store
from tests.unit.core.examples import NOW

ANA = Member(workspace_id="T1", user_id="U0ANA", kind=MemberKind.MEMBER, email="ana@acme.example")
BEN = Member(workspace_id="T1", user_id="U0BEN", kind=MemberKind.MEMBER, email="ben@acme.example")


class _Busy:
    """A store that answers when it is let; nothing is stale."""

    def __init__(self) -> None:
        self.looks = 0
        self.is_free = asyncio.Event()

    async def read(self, _work: object) -> Any:
        self.looks += 1
        await self.is_free.wait()
        return (), False


async def test_in_a_rush_everybody_is_looked_at_once_more_however_often_they_came_by() -> None:
    """Once more than whoever is being looked at: what they came by for may be newer."""
    store = _Busy()
    visits = Visits(cast("Store", store), lambda: NOW)
    async with asyncio.TaskGroup() as group:
        for member in (ANA, *[ANA, BEN, None] * 10):
            group.create_task(visits.came_by(member))
            await asyncio.sleep(0)
        assert store.looks == 1, "one at a time"
        store.is_free.set()
    assert store.looks == 3
