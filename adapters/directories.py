"""The people of every workspace are read now and then: each workspace in its own time, and none waits because another one fails."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from adapters.slack.clients import Clients
from adapters.slack.directory import SlackDirectory
from bot.errors import SurveybotError, loggable

log = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class Directories:
    clients: Clients
    directory: SlackDirectory
    clock: Callable[[], datetime]
    #: Seconds from one reading to the next, and from one that failed.
    every: float
    retry: float
    _due: dict[str, datetime] = field(default_factory=dict[str, datetime])
    #: How the last reading of a workspace failed.
    _errors: dict[str, SurveybotError] = field(default_factory=dict[str, SurveybotError])

    async def refresh_due(self) -> None:
        """Raises what went wrong in a workspace, now or when it was read last."""
        workspaces = await self.clients.workspaces()
        for workspace_id in workspaces:
            if (now := self.clock()) >= self._due.get(workspace_id, now):
                await self._refresh(workspace_id)
        self._errors = {workspace_id: error for workspace_id, error in self._errors.items() if workspace_id in workspaces}
        for error in self._errors.values():
            raise error

    async def _refresh(self, workspace_id: str) -> None:
        seconds = self.every
        try:
            await self.directory.refresh(workspace_id)
            self._errors.pop(workspace_id, None)
        except SurveybotError as error:
            if workspace_id not in self._errors:
                log.warning("slack.directory_not_read", extra={"workspace": workspace_id, **loggable(error)})
            self._errors[workspace_id] = error
            seconds = min(self.retry, self.every)
        self._due[workspace_id] = self.clock() + timedelta(seconds=seconds)
