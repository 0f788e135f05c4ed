"""The rules under attack, by which true numbers become shown ones: ours, with what it remembers, and some that only seem to protect."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache

from bot import small_groups
from bot.model import Distribution, Pool
from bot.small_groups import HIDDEN, Family, Guarded, Shown, has_waited, next_pool, total
from tests.unit.core.examples import NOW
from tests.unit.core.sendings import STEP

K = 5
#: More people than any number in here.
MANY = 100

Cohorts = Callable[[Sequence[Distribution], int, datetime], Sequence[Sequence[Family]]]


@dataclass(frozen=True)
class Rule:
    """How true numbers become shown ones: ours, or one that only seems to do."""

    protect: Callable[[int, Mapping[str, int], int], Guarded]
    cohorts: Cohorts
    #: Invitations and reminders have numbers of their own.
    tells_apart: bool = False

    def __hash__(self) -> int:
        return id(self)

    def guard(self, cohort: Sequence[Family]) -> Guarded:
        stats = total(cohort)
        if self is OURS:
            return small_groups.guard(stats, K)
        return self.protect(stats.sent, {"started": stats.started, "finished": stats.finished}, K)

    @lru_cache(maxsize=1000)  # noqa: B019 - there are six
    def behind(self, whole: int, part: int | None = None) -> tuple[float, float]:
        """What a whole, or a part of it, may truly be, for it to be shown as this."""
        wholes = [it for it in range(MANY) if self.protect(it, {}, K).whole.number == whole]
        if part is None:
            return wholes[0], wholes[-1]
        parts = [it for it in range(MANY) if any(self.protect(each, {"": it}, K).part("").number == part for each in wholes)]
        return parts[0], math.inf if parts[-1] == MANY - 1 else parts[-1]


def _whole(shown: Callable[[int], Shown]) -> Callable[[int, Mapping[str, int], int], Guarded]:
    return lambda whole, parts, k: Guarded(k=k, whole=shown(whole), parts={name: shown(part) for name, part in parts.items()})


def _alone_or_in(pools: Callable[[Sequence[Family], datetime], Sequence[Sequence[Family]]]) -> Cohorts:
    """Those under k go into pools, which are looked at every day."""

    def cohorts(distributions: Sequence[Distribution], k: int, now: datetime) -> Sequence[Sequence[Family]]:
        families = small_groups.families(distributions)
        return [*([it] for it in families if it.invite.stats.sent >= k), *pools([it for it in families if it.invite.stats.sent < k], now)]

    return cohorts


def _one(small: Sequence[Family], now: datetime) -> Sequence[Sequence[Family]]:
    return [small] if small else []


def _full_ones(small: Sequence[Family], now: datetime) -> Sequence[Sequence[Family]]:
    """A pool takes nobody any more once it has 2 k people."""
    pools: list[list[Family]] = [[]]
    for family in small:
        pools[-1].append(family)
        if total(pools[-1]).sent >= 2 * K:
            pools.append([])
    return pools[:-1]


def _expired_ones(small: Sequence[Family], now: datetime) -> Sequence[Sequence[Family]]:
    """They are looked at while nobody in them can answer."""
    return [
        pool
        for pool in _full_ones(small, now)
        if all((at := it.link_expires_at) is not None and at <= now for family in pool for it in (family.invite, *family.reminders))
    ]


OURS = Rule(small_groups.protect, _alone_or_in(lambda _small, _now: []))
#: True numbers; those below k are hidden.
SUPPRESSING = Rule(_whole(lambda number: Shown(number) if number >= K else HIDDEN), _alone_or_in(_one), tells_apart=True)
#: Everything in steps of k, each for itself.
STEPPING = Rule(_whole(lambda number: Shown(number // K * K)), _alone_or_in(_one), tells_apart=True)
#: Ours, but all small distributions are one pool, which grows.
POOLING = Rule(small_groups.protect, _alone_or_in(_one))
#: Ours, but full pools are looked at every day.
LIVING = Rule(small_groups.protect, _alone_or_in(_full_ones))
#: Ours, but full pools are looked at whenever all of their links have expired.
EXPIRING = Rule(small_groups.protect, _alone_or_in(_expired_ones))


@dataclass
class Memory:
    """What our rule remembers: who was pooled, and their numbers of then."""

    pools: dict[str, Pool] = field(default_factory=dict[str, Pool])
    counted: dict[Pool, tuple[tuple[int, ...], int]] = field(default_factory=dict[Pool, tuple[tuple[int, ...], int]])

    def pooled(self, distributions: Sequence[Distribution], day: int) -> list[Distribution]:
        """Pool those whose turn it is."""
        now = NOW + day * STEP
        families = small_groups.families(self._remembered(distributions))
        waiting = [family for family in families if has_waited(family.invite, family.invite.link_expires_at, now)]
        people = {it.distribution_id: [(it.distribution_id, each) for each in range(it.stats.sent)] for it in distributions}
        if members := next_pool(waiting, people, K):
            pool = Pool(number=len(self.counted) + 1, counted_at=now, stats=total(members))
            ids = [family.invite.distribution_id for family in members]
            self.pools.update(dict.fromkeys(ids, pool))
            self.counted[pool] = tuple(map(int, ids)), day
        return self._remembered(distributions)

    def shown(self, distributions: Sequence[Distribution], day: int) -> Iterator[tuple[tuple[int, ...], int, Guarded]]:
        """Who is in a pool that is shown, as of which day, and what is shown of it."""
        _, pools = small_groups.cohorts(distributions, K, NOW + day * STEP)
        return ((*self.counted[pool], small_groups.guard(pool.stats, K)) for pool in pools)

    def _remembered(self, distributions: Sequence[Distribution]) -> list[Distribution]:
        return [replace(each, pool=self.pools.get(each.distribution_id)) for each in distributions]
