"""Who was answered is looked at afterwards: their older messages may say what is not so any more, and now they look."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime

from bot.delivering import living
from bot.messages import Member
from bot.ports import Store


class Visits:
    """One person at a time, so that who waits for an answer goes first; and once, however often they come by until it is their turn."""

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock
        self._turn = asyncio.Lock()
        self._waiting = set[Member]()

    async def came_by(self, member: Member | None) -> None:
        """None: it is not known who was answered."""
        if member is None or member.email is None or member in self._waiting:
            return
        self._waiting.add(member)
        try:
            await self._turn.acquire()
        finally:
            self._waiting.discard(member)
        try:
            await living.touched(self._store, member, self._clock())
        finally:
            self._turn.release()
