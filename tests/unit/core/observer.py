"""Somebody who sees every number at every look, knows how it came about, and subtracts: interval reasoning over sums."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from itertools import combinations

from bot import small_groups
from bot.model import Distribution, DistributionStats
from bot.small_groups import HIDDEN, Family, Guarded, Shown
from tests.unit.core.examples import DAY, NOW, a_distribution

K = 5
#: More people than any number in here.
_MANY = 100
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


@dataclass(frozen=True)
class Rule:
    """How true numbers become shown ones: ours, or one that only seems to do."""

    protect: Callable[[int, Mapping[str, int], int], Guarded]
    cohorts: Callable[[Sequence[Distribution], int, datetime], Sequence[Sequence[Family]]]
    #: Invitations and reminders have numbers of their own.
    tells_apart: bool = False

    def __hash__(self) -> int:
        return id(self)

    @lru_cache(maxsize=1000)  # noqa: B019 - there are four
    def behind(self, whole: int, part: int | None = None) -> tuple[float, float]:
        """What a whole, or a part of it, may truly be, for it to be shown as this."""
        wholes = [it for it in range(_MANY) if self.protect(it, {}, K).whole.number == whole]
        if part is None:
            return wholes[0], wholes[-1]
        parts = [it for it in range(_MANY) if any(self.protect(each, {"": it}, K).part("").number == part for each in wholes)]
        return parts[0], math.inf if parts[-1] == _MANY - 1 else parts[-1]


def _whole(shown: Callable[[int], Shown]) -> Callable[[int, Mapping[str, int], int], Guarded]:
    return lambda whole, parts, k: Guarded(k=k, whole=shown(whole), parts={name: shown(part) for name, part in parts.items()})


def _one_pool(distributions: Sequence[Distribution], k: int, now: datetime) -> Sequence[Sequence[Family]]:
    families = small_groups.families(distributions)
    small = tuple(family for family in families if family.invite.stats.sent < k)
    return [*((family,) for family in families if family not in small), *([small] if small else [])]


OURS = Rule(small_groups.protect, small_groups.cohorts)
#: True numbers; those below k are hidden.
SUPPRESSING = Rule(_whole(lambda number: Shown(number) if number >= K else HIDDEN), _one_pool, tells_apart=True)
#: Everything in steps of k, each for itself.
STEPPING = Rule(_whole(lambda number: Shown(number // K * K)), _one_pool, tells_apart=True)
#: Ours, but all small distributions are one pool, which grows.
POOLING = Rule(small_groups.protect, _one_pool)


@dataclass(frozen=True)
class Sending:
    """An invitation: to how many, on which day, and how many do what on each of the following days."""

    size: int
    day: int = 0
    #: Through the invitation, and through its reminder.
    answers: tuple[int, ...] = ()
    late_answers: tuple[int, ...] = ()
    #: Have begun, and do not go on.
    stuck: int = 0
    #: Their mail came back.
    bounced: int = 0
    reminded_on: int | None = None
    #: When its links expire; everybody knows.
    closes_on: int | None = None

    def counts(self, day: int) -> tuple[int, int, int]:
        """Those who finished through the invitation and through its reminder, and the size of that, in the evening of a day."""
        first = late = reminded = 0
        for today in range(self.day, min(day, _MANY if self.closes_on is None else self.closes_on) + 1):
            able = max(self.size - self.stuck - self.bounced, 0) - first - late
            if today == self.reminded_on:
                reminded = self.size - first
            first += min(_at(self.answers, today - self.day), able)
            late += (
                min(_at(self.late_answers, today - self.day), max(self.size - self.stuck - self.bounced, 0) - first - late)
                if reminded
                else 0
            )
        return first, late, reminded


def _at(numbers: Sequence[int], index: int) -> int:
    return numbers[index] if index < len(numbers) else 0


def given_away(rule: Rule, sendings: Sequence[Sending], days: int, *, knows_sizes: bool) -> list[Name]:
    """Look at every page every evening; return the groups of which it is known that they are somebody, but fewer than k."""
    observer = Observer()
    pools: list[tuple[int, tuple[int, ...]]] = []
    for day in range(days):
        distributions = list(_distributions(sendings, day))
        for number, sending in enumerate(sendings):
            if sending.day <= day:
                _know(observer, number, sending, day)
                if knows_sizes:
                    observer.learn(("sent", number), sending.size, sending.size)
        for cohort in rule.cohorts(distributions, K, NOW + day * DAY):
            _see_cohort(observer, rule, cohort, day)
            if len(cohort) > 1:
                _compare_pools(observer, pools, tuple(int(family.invite.distribution_id) for family in cohort), day)
        for each in distributions:
            _see_distribution(observer, rule, each, distributions, day)
    return observer.found()


def _distributions(sendings: Sequence[Sending], day: int) -> Iterator[Distribution]:
    for number, sending in enumerate(sendings):
        if sending.day > day:
            continue
        first, late, reminded = sending.counts(day)
        invite = a_distribution(
            distribution_id=str(number),
            send_date=NOW + sending.day * DAY,
            link_expires_at=None if sending.closes_on is None else NOW + sending.closes_on * DAY,
            stats=DistributionStats(
                sent=sending.size,
                started=min(first + late + sending.stuck, sending.size) - late,
                finished=first,
                bounced=max(min(sending.bounced, sending.size - sending.stuck), 0),
            ),
        )
        yield invite
        if reminded:
            reminder = DistributionStats(sent=reminded, started=late, finished=late)
            yield replace(invite, distribution_id=f"{number}R", parent_id=str(number), request_type="Reminder", stats=reminder)


def _know(observer: Observer, number: int, sending: Sending, day: int) -> None:
    """What is true of any invitation and its reminder: that goes to whoever had not answered, and they answer once."""
    sent, finished, first, late = ("sent", number), ("finished", number, day), ("first", number, day), ("late", number, day)
    observer.add_up(finished, first, late)
    observer.add_up(sent, finished, ("not finished", number, day))
    observer.add_up(("started", number, day), finished, ("stuck", number, day))
    observer.add_up(sent, ("started", number, day), ("not started", number, day))
    observer.add_up(("not started", number, day), ("bounced", number), ("quiet", number, day))
    for earlier in range(sending.day, day):
        for what in ("finished", "first", "late", "started"):
            change = ("change", what, number, earlier, day)
            observer.add_up((what, number, day), (what, number, earlier), change)
            if sending.closes_on is not None and sending.closes_on <= earlier:
                observer.learn(change, 0, 0)
    if sending.reminded_on is None or day < sending.reminded_on:
        observer.learn(late, 0, 0)
        return
    before, reminded = ("finished", number, sending.reminded_on - 1), ("reminded", number)
    observer.add_up(sent, before, reminded)
    observer.add_up(reminded, late, ("reminded, did not answer that", number, day))
    observer.add_up(finished, before, ("answered since", number, day))


def _see_cohort(observer: Observer, rule: Rule, cohort: Sequence[Family], day: int) -> None:
    who = tuple(int(family.invite.distribution_id) for family in cohort)
    counts = {name: small_groups.count(cohort, name, with_reminders=True) for name in ("started", "finished")}
    guarded = small_groups.of_cohort(cohort, K) if rule is OURS else rule.protect(small_groups.count(cohort, "sent"), counts, K)
    one = who[0] if len(who) == 1 else ("pool", who)
    if len(who) > 1:
        observer.add_up(("sent", one), *(("sent", number) for number in who))
        for name in counts:
            observer.add_up((name, one, day), *((name, number, day) for number in who))
        observer.add_up(("sent", one), ("finished", one, day), ("not finished", one, day))
        observer.add_up(("bounced", one), *(("bounced", number) for number in who))
        observer.add_up(("sent", one), ("started", one, day), ("bounced", one), ("quiet", one, day))
    observer.learn(("sent", one), *rule.behind(guarded.whole.number))
    for name in counts:
        observer.learn((name, one, day), *rule.behind(guarded.whole.number, guarded.part(name).number))
    if rule is OURS:
        bounced = guarded.part("bounced").number
        limit = max(guarded.whole.number - K - max(guarded.part(name).number for name in counts), 0)
        observer.learn(("bounced", one), bounced, math.inf if bounced == limit else bounced + K - 1)


def _compare_pools(observer: Observer, pools: list[tuple[int, tuple[int, ...]]], now: tuple[int, ...], day: int) -> None:
    """A pool is what one of its people were earlier, what these did since, and all that the others did."""
    for earlier, before in pools:
        if set(before) <= set(now):
            others = [("finished", number, day) for number in now if number not in before]
            changes = [("change", "finished", number, earlier, day) for number in before]
            observer.add_up(("finished", ("pool", now), day), ("finished", ("pool", before), earlier), *changes, *others)
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
        (family,) = (family for family in small_groups.families(distributions) if family.invite is it)
        assert guarded == small_groups.of_cohort((family,), K)
        _see_cohort(observer, OURS, (family,), day)
    elif not guarded.whole.is_hidden:
        sent = small_groups.of_distribution(distributions[distributions.index(it) - 1], distributions, K).whole
        reminded_on = day - (NOW + day * DAY - (it.send_date or NOW)).days
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
    wholes = [it for it in range(_MANY) if divide(it, {}, K).whole == shown.whole]
    fits = [it for it in range(_MANY) if any(divide(each, {**before, name: it}, K).part(name) == shown.part(name) for each in wholes)]
    return fits[0], math.inf if fits[-1] == _MANY - 1 else fits[-1]


def unsent_away(stats: DistributionStats) -> list[Name]:
    """Look at those a distribution was not sent to, knowing how long its list was; return who is given away."""
    guarded = small_groups.of_cohort((Family(invite=a_distribution(stats=stats)),), K)
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
