"""What each table about the bot's own work can do, as protocols: runs, how far lists were read, leases, hints, requests, figures."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from bot.model import Distribution, Pool, Survey
from bot.ports.records import Gaps, Lease, Position, Refresh, RequestLine, Run, Throttle


class Runs(Protocol):
    def start(self, run: Run) -> int:
        """Add a row; also for starts that end at once, vetoed or misfired. Returns its number."""
        ...

    def finish(self, run_id: int, run: Run) -> None: ...
    def unfinished(self, integration_id: str) -> tuple[int, Run] | None:
        """The newest run that was begun and has no outcome."""
        ...

    def latest(self, integration_id: str) -> Sequence[Run]:
        """The newest row of each kind."""
        ...

    def last_success(self, integration_id: str) -> Mapping[str, Run]:
        """The newest OK or PARTIAL run, by kind."""
        ...

    def last_start(self, integration_id: str) -> Mapping[str, datetime]:
        """When a run of each kind was last really begun (neither vetoed at the start nor misfired), by kind."""
        ...

    def list(self, integration_id: str, limit: int) -> Sequence[Run]:
        """The newest first."""
        ...


class Positions(Protocol):
    """How far lists were read, by name: `surveys`, `distributions:SV_1`, `links:EMD_1`, `history:EMD_1`."""

    def get(self, integration_id: str, name: str, since: datetime) -> Position | None:
        """None also for one saved before `since`: Qualtrics may not know it any more."""
        ...

    def save(self, integration_id: str, name: str, position: Position, now: datetime) -> None: ...
    def all(self, integration_id: str, prefix: str, since: datetime) -> Mapping[str, Position]:
        """By what follows the prefix in their names; of those that go on only such as were saved since then."""
        ...

    def clear(self, integration_id: str, names: Collection[str]) -> None: ...
    def clear_all(self, integration_id: str, prefix: str) -> None:
        """Forget all positions whose name begins so."""
        ...


class Pictures(Protocol):
    """What a look has listed so far, kept beside the tables until it is applied, approved or dropped (FEATURES B5)."""

    def add_surveys(self, integration_id: str, surveys: Sequence[Survey]) -> None: ...
    def add_distributions(self, integration_id: str, distributions: Sequence[Distribution]) -> None: ...
    def surveys(self, integration_id: str) -> Sequence[Survey]: ...
    def distributions(self, integration_id: str, survey_id: str) -> Sequence[Distribution]: ...
    def distribution_ids(self, integration_id: str) -> Mapping[str, Collection[str]]:
        """By survey."""
        ...

    def forget_distributions(self, integration_id: str, survey_ids: Collection[str]) -> None: ...

    def clear(self, integration_id: str) -> None: ...


class Leases(Protocol):
    """Who may do what only one process at a time may do. Time is the database's own: clocks of replicas differ."""

    def take(self, name: str, owner: str, ttl: timedelta, *, group: str = "", at_most: int | None = None) -> Lease:
        """Take a free lease, or one's own again; at most `at_most` of those whose name begins with `group` are taken at a time.

        Transactions that limit a group go one after the other from here on until they end.
        """
        ...

    def renew(self, name: str, owner: str, ttl: timedelta) -> bool:
        """Keep a lease; False when somebody else has had it since."""
        ...

    def release(self, name: str, owner: str) -> None: ...
    def held(self, prefix: str) -> Collection[str]:
        """The names that are taken now."""
        ...


class Pools(Protocol):
    """What was counted once (bot/small_groups.py). A survey has its pools in common for all integrations that see it."""

    def due(self, integration_id: str, now: datetime) -> Sequence[str]:
        """The surveys where there may be enough to make one of, in order."""
        ...

    def last(self, survey_id: str) -> int:
        """The highest number of one; 0 = there is none."""
        ...

    def people(self, integration_id: str, distribution_ids: Collection[str]) -> Mapping[str, Collection[int | str]]:
        """Who was invited, by distribution, as far as that was read: their person, or where that is not known the contact."""
        ...

    def add(self, survey_id: str, distribution_ids: Collection[str], pool: Pool) -> bool:
        """False: somebody else made a pool of this number; nothing is changed."""
        ...


class Refreshes(Protocol):
    """One row a survey, however many hints came."""

    def ask(self, integration_id: str, survey_id: str, now: datetime) -> None:
        """Of an integration that is gone nothing is asked."""
        ...

    def all(self, limit: int) -> Sequence[Refresh]:
        """The longest waiting first."""
        ...

    def done(self, refresh: Refresh) -> None:
        """Remove it, unless it was asked for again meanwhile."""
        ...


class Requests(Protocol):
    """The request log: 24 hours (FEATURES A5)."""

    def add(self, integration_id: str, lines: Sequence[RequestLine]) -> None:
        """Those of an integration that is gone are dropped."""
        ...

    def forget(self, before: datetime) -> None: ...

    def list(
        self, *, since: datetime, integration_id: str | None = None, failed_only: bool = False, limit: int = 1000
    ) -> Sequence[tuple[str, RequestLine]]:
        """The newest first, each with its integration's id."""
        ...

    def statuses(self, since: datetime) -> Mapping[tuple[str, int | None], int]:
        """How many requests ended with which HTTP status (None = no answer), by integration."""
        ...


class Figures(Protocol):
    """Numbers for whoever watches over the installation."""

    def clock(self) -> datetime:
        """The database's own time, to the second."""
        ...

    def surveys(self, integration_id: str) -> int: ...

    def throttles(self, gates: Collection[str], now: datetime) -> Mapping[str, Throttle]:
        """How far these shared limits are open; what was never used is missing."""
        ...

    def gaps(self, integration_id: str) -> Gaps:
        """Distributions that are not deleted and whose history lacked rows."""
        ...
