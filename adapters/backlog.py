"""What waits to be sent, and how long it takes, in words for whoever runs the bot."""

from __future__ import annotations

from collections.abc import Sequence

from adapters.core import Core
from bot.pace import Backlog, backlogs
from bot.pages.reader import Reader
from bot.pages.status import backlog_words


async def waiting(core: Core) -> Sequence[Backlog]:
    now, per_minute = core.clock(), core.settings.sends_per_minute
    return await core.store.read(lambda uow: backlogs(uow, now, per_minute))


def told(backlog: Sequence[Backlog]) -> str:
    return backlog_words(backlog, Reader("en", "UTC"))
