"""Somebody who sees every number at every look, knows how it came about, and subtracts: interval reasoning over sums."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from bot import small_groups
from bot.model import Distribution, DistributionStats
from bot.small_groups import Guarded
from tests.unit.core.examples import NOW
from tests.unit.core.guards import MANY, OURS, K, Memory, Rule
from tests.unit.core.sendings import STEP, Sending, distributions_on

#: Its first word says what kind of group it is.
Name = tuple[Hashable, ...]


@dataclass
class Observer:
    """What is known: bounds of numbers of people by name, and which number is the sum of which disjoint others."""

    bounds: dict[Name, tuple[float, float]] = field(default_factory=dict[Name, tuple[float, float]])
    sums: list[tuple[Name, tuple[Name, ...]]] = field(default_factory=list[tuple[Name, tuple[Name, ...]]])

    def learn(self, name: Name, low: float, high: float) -> None:
        before = self.bounds.get(name, (0, math.inf))
        self.bounds[name] = max(before[0], low), min(before[1], high)

    def add_up(self, whole: Name, *parts: Name) -> None:
        self.sums.append((whole, parts))
        for name in (whole, *parts):
            self.bounds.setdefault(name, (0, math.inf))

    def think(self) -> None:
        """Narrow all bounds until none moves."""
        before: dict[Name, tuple[float, float]] = {}
        while before != self.bounds:
            before = dict(self.bounds)
            for whole, parts in self.sums:
                lows, highs = [self.bounds[part][0] for part in parts], [self.bounds[part][1] for part in parts]
                self.learn(whole, sum(lows), sum(highs))
                low, high = self.bounds[whole]
                for place, part in enumerate(parts):
                    self.learn(part, low - sum(highs[:place] + highs[place + 1 :]), high - sum(lows[:place] + lows[place + 1 :]))
        assert all(low <= high for low, high in self.bounds.values()), "this reasoning contradicts what is true"

    def found(self) -> list[Name]:
        """The groups that are known to be somebody, but fewer than k. Whom a sender chose to write to is their own doing."""
        self.think()
        return [name for name, (low, high) in self.bounds.items() if low >= 1 and high < K and name[0] != "sent"]


def given_away(rule: Rule, sendings: Sequence[Sending], days: int, *, knows_sizes: bool, inactive: Collection[int] = ()) -> Sequence[Name]:
    """Look at every page every evening; return the groups of which it is known that they are somebody, but fewer than k.

    `inactive`: the days on which the survey is. Not what is known without looking: nobody answers through links that never worked.
    """
    observer = _know_all(sendings, days, inactive, knows_sizes=knows_sizes)
    _look(observer, rule, sendings, days, inactive)
    if not (found := observer.found()):
        return []
    known = set(_know_all(sendings, days, inactive, knows_sizes=knows_sizes).found())
    return [name for name in found if name not in known]


def _know_all(sendings: Sequence[Sending], days: int, inactive: Collection[int], *, knows_sizes: bool) -> Observer:
    observer = Observer()
    for number, sending in enumerate(sendings):
        for day in range(sending.day, days):
            _know(observer, number, sending, day, inactive)
        if knows_sizes:
            observer.learn(("sent", number), sending.size, sending.size)
    return observer


def _look(observer: Observer, rule: Rule, sendings: Sequence[Sending], days: int, inactive: Collection[int]) -> None:
    pools: list[tuple[int, tuple[int, ...]]] = []
    memory = Memory()
    for day in range(days):
        distributions = list(distributions_on(sendings, day, inactive))
        if rule is OURS:
            distributions = memory.pooled(distributions, day)
            for who, counted_on, guarded in memory.shown(distributions, day):
                _see_cohort(observer, rule, who, guarded, counted_on)
        for cohort in rule.cohorts(distributions, K, NOW + day * STEP):
            who = tuple(int(family.invite.distribution_id) for family in cohort)
            _see_cohort(observer, rule, who, rule.guard(cohort), day)
            if len(cohort) > 1:
                _compare_pools(observer, pools, who, day)
        for each in distributions:
            _see_distribution(observer, rule, each, distributions, day)


def _know(observer: Observer, number: int, sending: Sending, day: int, inactive: Collection[int]) -> None:
    """What is true of any invitation and its reminder: that goes to whoever had not answered, they answer once, and while links work."""
    sent, finished, first, late = ("sent", number), ("finished", number, day), ("first", number, day), ("late", number, day)
    observer.add_up(finished, first, late)
    observer.add_up(sent, finished, ("not finished", number, day))
    observer.add_up(("started", number, day), finished, ("stuck", number, day))
    observer.add_up(sent, ("started", number, day), ("not started", number, day))
    observer.add_up(("not started", number, day), ("bounced", number), ("quiet", number, day))
    for name, lives in ((first, sending.lives), (late, sending.lives_late)):
        if not any(lives(each, inactive) for each in range(sending.day, day + 1)):
            observer.learn(name, 0, 0)
    for earlier in range(sending.day, day):
        for what in ("finished", "first", "late", "started"):
            observer.add_up((what, number, day), (what, number, earlier), ("change", what, number, earlier, day))
        observer.add_up(*(("change", what, number, earlier, day) for what in ("finished", "first", "late")))
        for what, lives in (("first", sending.lives), ("late", sending.lives_late)):
            if not any(lives(each, inactive) for each in range(earlier + 1, day + 1)):
                observer.learn(("change", what, number, earlier, day), 0, 0)
    if sending.reminds_on is None or day < sending.reminds_on:
        return
    before, reminded = ("finished", number, sending.reminds_on - 1), ("reminded", number)
    observer.add_up(sent, before, reminded)
    observer.add_up(reminded, late, ("reminded, did not answer that", number, day))
    observer.add_up(finished, before, ("answered since", number, day))


def _see_cohort(observer: Observer, rule: Rule, who: tuple[int, ...], guarded: Guarded, day: int) -> None:
    """`day`: as whose evening its numbers are shown."""
    names = ("started", "finished")
    one = who[0] if len(who) == 1 else ("pool", who)
    if len(who) > 1:
        observer.add_up(("sent", one), *(("sent", number) for number in who))
        for name in names:
            observer.add_up((name, one, day), *((name, number, day) for number in who))
        observer.add_up(("sent", one), ("finished", one, day), ("not finished", one, day))
        observer.add_up(("bounced", one), *(("bounced", number) for number in who))
        observer.add_up(("sent", one), ("started", one, day), ("bounced", one), ("quiet", one, day))
    observer.learn(("sent", one), *rule.behind(guarded.whole.number))
    for name in names:
        observer.learn((name, one, day), *rule.behind(guarded.whole.number, guarded.part(name).number))
    if rule is OURS:
        bounced = guarded.part("bounced").number
        limit = max(guarded.whole.number - K - max(guarded.part(name).number for name in names), 0)
        observer.learn(("bounced", one), bounced, math.inf if bounced == limit else bounced + K - 1)


def _compare_pools(observer: Observer, pools: list[tuple[int, tuple[int, ...]]], now: tuple[int, ...], day: int) -> None:
    """Two pools are those who are in both, each with its others; and these are what they were earlier, and what they did since."""
    for earlier, before in pools:
        both = tuple(number for number in now if number in before)
        if both:
            for pool, when in ((before, earlier), (now, day)):
                others = (("finished", number, when) for number in pool if number not in both)
                observer.add_up(("finished", ("pool", pool), when), ("finished", ("both", both), when), *others)
            changes = (("change", "finished", number, earlier, day) for number in both)
            observer.add_up(("finished", ("both", both), day), ("finished", ("both", both), earlier), *changes)
    pools.append((day, now))


def _see_distribution(observer: Observer, rule: Rule, it: Distribution, distributions: Sequence[Distribution], day: int) -> None:
    number = int(it.distribution_id.removesuffix("R"))
    if rule.tells_apart:
        guarded = rule.protect(it.stats.sent, {"finished": it.stats.finished}, K)
        finished = ("first", number, day) if it.parent_id is None else ("late", number, day)
        observer.learn(("sent", number) if it.parent_id is None else ("reminded", number), *rule.behind(guarded.whole.number))
        observer.learn(finished, *rule.behind(guarded.whole.number, guarded.part("finished").number))
        return
    guarded = small_groups.of_distribution(it, distributions, K)
    if it.parent_id is None:
        _see_cohort(observer, OURS, (number,), guarded, day)
    elif not guarded.whole.is_hidden:
        sent = small_groups.of_distribution(distributions[distributions.index(it) - 1], distributions, K).whole
        reminded_on = ((it.send_date or NOW) - NOW) // STEP
        observer.learn(("finished", number, reminded_on - 1), *rule.behind(sent.number, sent.number - guarded.whole.number))


Divide = Callable[[int, Mapping[str, int], int], Guarded]


def divided_away(divide: Divide, parts: Mapping[str, int], others: int, members: Sequence[int], *, is_all: bool) -> list[Name]:
    """Look at a division of people who come in small groups of known sizes, as in a pool; `is_all`: that there are no others is known.

    Return the parts, and parts of these groups, of which it is known that they are somebody, but fewer than k.
    """
    whole = sum(parts.values()) + others
    shown = divide(whole, parts, K)
    observer = Observer()
    observer.learn(("sent",), whole, whole)
    observer.add_up(("sent",), *(("part", name) for name in parts), ("others",))
    observer.learn(("others",), 0, 0 if is_all else math.inf)
    for name in parts:
        observer.learn(("part", name), *_behind_part(divide, shown, name))
    for size in range(1, len(parts) + 1):
        for some in combinations(parts, size):
            observer.add_up(("some", some), *(("part", name) for name in some))
            observer.add_up(("sent",), ("some", some), ("all but", some))
            for number, members_size in enumerate(members):
                _know_member(observer, some, number, members_size)
    return observer.found()


def _know_member(observer: Observer, some: tuple[str, ...], number: int, size: int) -> None:
    """Of a small group in a pool some are in these parts; the rest of these parts is in the rest of the pool."""
    observer.learn(("sent", number), size, size)
    observer.add_up(("sent",), ("sent", number), ("sent", "others", number))
    observer.add_up(("some", some), ("of it", number, some), ("of the others", number, some))
    observer.add_up(("sent", number), ("of it", number, some), ("of it not", number, some))
    observer.add_up(("sent", "others", number), ("of the others", number, some), ("of the others not", number, some))


def _behind_part(divide: Divide, shown: Guarded, name: str) -> tuple[float, float]:
    """What is shown of the parts before it is what the limit of this one depends on."""
    names = list(shown.parts)
    before = {each: shown.part(each).number for each in names[: names.index(name)]}
    wholes = [it for it in range(MANY) if divide(it, {}, K).whole == shown.whole]
    fits = [it for it in range(MANY) if any(divide(each, {**before, name: it}, K).part(name) == shown.part(name) for each in wholes)]
    return fits[0], math.inf if fits[-1] == MANY - 1 else fits[-1]


def unsent_away(stats: DistributionStats) -> list[Name]:
    """Look at those a distribution was not sent to, knowing how long its list was; return who is given away."""
    guarded = small_groups.guard(stats, K)
    observer = Observer()
    total = stats.sent + stats.failed + stats.skipped + stats.blocked
    observer.learn(("sent", "all"), total, total)
    before: Name = ("sent",)
    shown = guarded.whole.number
    observer.learn(before, shown, shown + K - 1)
    for name in small_groups.UNSENT:
        now: Name = ("sent", "all") if name == small_groups.UNSENT[-1] else ("sent", "and", name)
        observer.add_up(now, before, (name,))
        shown += guarded.part(name).number
        observer.learn(now, shown, shown + K - 1)
        before = now
    observer.add_up(("unsent",), *((name,) for name in small_groups.UNSENT))
    observer.add_up(("sent", "all"), ("sent",), ("unsent",))
    return observer.found()
