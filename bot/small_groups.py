"""Small groups: the only place where numbers about people become numbers that are shown (FEATURES D7).

What somebody could do who sees every page, at any time, in any order, knows this file, and even how many were invited: subtract.
So nothing here looks at the clock, or back: what is shown of k people or more is a function of their true counts and of k alone.

* Every shown number is a multiple of k. Below k nothing is shown: 0 and k - 1 look the same.
* A whole of W people is shown as `floor(W)`, rounded down to a multiple of k; a part of it as `min(floor(part), floor(W) - k)`.
  So of every whole at least k people, the rest, are in no part that is shown: neither "nobody" nor "everybody" can be read.
* Parts that exclude each other (`divide`) share one such limit, in the order given. Sums are sums of what is shown, never rounded sums.

Why no difference tells of fewer than k people: what is shown is *word for word* true in a possible world, that in which people come
in blocks of k who all do the same and the true counts are the shown ones. There every group that can be named (a part, a rest, who
is in this and not in that, who answered between two looks) has 0 or at least k people; and as that world shows the very same
numbers, nobody can exclude it. Whoever knows W exactly puts the people beyond `floor(W)` into the rest, which has k already.
For this a division must leave room for people of whom nothing is said (a last, open group: "others"). The search for
counterexamples in `tests/unit/core/test_small_groups_attacked.py` finds none here, and many for naive rules.

People are counted in cohorts that share nobody (`cohorts`): a distribution with its reminders. Those are sent to who has not
answered, so a reminder's size tells how many had; it is shown as its whole less those, guarded (`of_distribution`).

Distributions under k people each are pooled, 2 k people or more together, and a pool is counted *once* (`next_pool`; `Pool` remembers
it): whoever is in it, and its numbers, stay as they were, whatever becomes of its distributions. With a second look at it, somebody
would be seen answering: links end, are prolonged, shortened, deleted, reminders bring new ones, so that between two looks perhaps but
one of its distributions could move, of fewer than k people; and who could answer between two looks is nothing that Qualtrics tells.
With one look there is nothing to subtract. Which moment that is depends on what everybody may know: a distribution waits until its
links end, and not longer than WAIT; with how people answer it has nothing to do. A part's limit (`floor(W) - k`) is less than the pool
without any one of its distributions, so that all who are in the part may be of the others; for the same reason nobody is in a pool
twice, and nothing is in one whose links never worked for a day.

k is 5 unless set higher: what Qualtrics (https://www.qualtrics.com/support/confidentiality-overview-ex/), Dayforce
(https://help.dayforce.com, *Configure Data Anonymity for Surveys*) and Quantum Workplace (https://help.quantumworkplace.com/minimum-response-threshold)
take for employees. Lower is refused (`LOWEST`). Names and comments are never shown of fewer than k, whatever the policy.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import groupby

from bot.model import SMALLEST_GROUP, Distribution, DistributionStats, Pool

#: The smallest group size that can be configured, and the default.
LOWEST = SMALLEST_GROUP

#: How long a distribution under k waits for answers at the most before it is counted in a pool, to the end of that (UTC) day: what was
#: sent on one day makes one pool. And how long its links must have worked.
WAIT, LIVED = timedelta(days=14), timedelta(days=1)

#: What a distribution's guarded numbers have as parts of those it was sent to. Its `sent` is the whole.
PROGRESS = ("opened", "started", "finished")
#: These exclude those, and each other.
TROUBLES = ("bounced", "complaints")
#: Not among those it was sent to.
UNSENT = ("failed", "skipped", "blocked")


@dataclass(frozen=True, slots=True)
class Shown:
    """A number of people that may be shown: a multiple of k. `bot.pages.numbers` has the words for it."""

    number: int
    #: True: "about", as it was taken from another shown number. False: "this many or more".
    is_about: bool = False

    @property
    def is_hidden(self) -> bool:
        """Nothing may be said of it; it need not be 0, and not even be under k."""
        return self.number == 0


HIDDEN = Shown(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Guarded:
    """A whole and its named parts, as they may be shown."""

    k: int
    whole: Shown
    parts: Mapping[str, Shown] = field(default_factory=dict[str, Shown])

    def part(self, name: str) -> Shown:
        """A part; one that was not given is hidden."""
        return self.parts.get(name, HIDDEN)

    def rest(self, *names: str) -> Shown:
        """Who is in the whole and in none of these parts, which exclude each other."""
        return Shown(self.whole.number - sum(self.part(name).number for name in names), is_about=True)


def protect(whole: int, parts: Mapping[str, int], k: int) -> Guarded:
    """Guard a whole and parts of it that may overlap or hold each other, such as the opened, the started and the finished."""
    limit = max(floor(whole, k) - k, 0)
    shown = {name: Shown(min(floor(part, k), limit)) for name, part in parts.items()}
    return Guarded(k=k, whole=Shown(floor(whole, k)), parts=shown)


def divide(whole: int, parts: Mapping[str, int], k: int, *, taken: int = 0) -> Guarded:
    """Guard a whole and parts of it that exclude each other, the more telling ones first; `rest(*parts)` makes up the sum.

    What is not given as a part must be a group of its own, such as "others", of which nothing else is shown: without one, parts that
    are hidden would be known to be somebody. `taken`: what is shown of other parts that exclude these.
    """
    left = max(floor(whole, k) - k - taken, 0)
    shown: dict[str, Shown] = {}
    for name, part in parts.items():
        shown[name] = Shown(min(floor(part, k), left))
        left -= shown[name].number
    return Guarded(k=k, whole=Shown(floor(whole, k)), parts=shown)


def combine(guarded: Iterable[Guarded]) -> Guarded:
    """Add up what is shown of cohorts that share nobody. Of none: nothing is shown."""
    all_of_them = tuple(guarded)
    names = dict.fromkeys(name for each in all_of_them for name in each.parts)
    return Guarded(
        k=max((each.k for each in all_of_them), default=LOWEST),
        whole=_sum(each.whole for each in all_of_them),
        parts={name: _sum(each.part(name) for each in all_of_them) for name in names},
    )


def rate(part: Shown, whole: Shown) -> float | None:
    """The share that a part is of its whole, 0 to 1, from what is shown of both: "about". None = nothing may be said."""
    return None if part.is_hidden or whole.is_hidden else part.number / whole.number


def floor(number: int, k: int) -> int:
    """Round down to a multiple of k. Raises ValueError for a k that protects nobody."""
    if k < LOWEST:
        raise ValueError(f"the smallest group is {LOWEST}")
    return max(number, 0) // k * k


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """An invitation and its reminders: the same people."""

    invite: Distribution
    reminders: tuple[Distribution, ...] = ()


def of_survey(distributions: Sequence[Distribution], k: int, now: datetime) -> Guarded:
    """The numbers of a survey, from all of its distributions, the deleted ones too, with the pools that were counted by `now`."""
    large, pools = cohorts(distributions, k, now)
    return combine([*(guard(total([family]), k) for family in large), *(guard(pool.stats, k) for pool in pools)])


def of_distribution(distribution: Distribution, distributions: Sequence[Distribution], k: int) -> Guarded:
    """The numbers of one among a survey's distributions: an invitation's with those of its reminders, of a reminder only the whole.

    Nothing is shown of one under k people, of thank-yous (their size is the number of those who answered), tests and mere links.
    """
    for family in families(distributions):
        if family.invite.pool is not None:
            continue
        if family.invite.distribution_id == distribution.distribution_id:
            return guard(total([family]), k)
        if distribution.distribution_id in {reminder.distribution_id for reminder in family.reminders}:
            sent = family.invite.stats.sent
            had_answered = protect(sent, {"": sent - distribution.stats.sent}, k)
            return Guarded(k=k, whole=had_answered.rest(""))
    return Guarded(k=k, whole=HIDDEN)


def guard(stats: DistributionStats, k: int) -> Guarded:
    """The numbers of a cohort, from its `total`."""
    progress = protect(stats.sent, {name: getattr(stats, name) for name in PROGRESS}, k)
    taken = max(shown.number for shown in progress.parts.values())
    troubles = divide(stats.sent, {name: getattr(stats, name) for name in TROUBLES}, k, taken=taken)
    return Guarded(k=k, whole=progress.whole, parts={**progress.parts, **troubles.parts, **_unsent(stats, k)})


def cohorts(distributions: Iterable[Distribution], k: int, now: datetime) -> tuple[Sequence[Family], Sequence[Pool]]:
    """Divide a survey's distributions into groups that may be counted: those of k people, and pools; who is in none is counted nowhere."""
    found = families(distributions)
    large = [family for family in found if family.invite.pool is None and family.invite.stats.sent >= k]
    pools = dict.fromkeys(pool for family in found if (pool := family.invite.pool) is not None and pool.counted_at <= now)
    return large, list(pools)


def next_pool(waiting: Iterable[Family], people: Mapping[str, Collection[object]], k: int) -> Sequence[Family]:
    """Choose whom to pool among those that waited long enough (`has_waited`), in order; empty = they are too few.

    `people`: who was mailed, by distribution. Where that is not known of all, and where somebody is in the pool already, it waits on.
    """
    pool: list[Family] = []
    within = set[object]()
    for family in waiting:
        sent, theirs = family.invite.stats.sent, frozenset(people.get(family.invite.distribution_id, ()))
        if 0 < sent < k and sent <= len(theirs) and within.isdisjoint(theirs):
            pool.append(family)
            within |= theirs
    return pool if total(pool).sent >= 2 * k else ()


def has_waited(invite: Distribution, deadline: datetime | None, now: datetime) -> bool:
    """Whether it may be pooled; its links end at `deadline`."""
    if invite.send_date is None or invite.is_deleted or invite.pool is not None:
        return False
    lived_until = now if deadline is None else min(deadline, now)
    is_old = (invite.send_date + WAIT).astimezone(UTC).date() < now.astimezone(UTC).date()
    return lived_until - invite.send_date >= LIVED and (is_old or lived_until == deadline)


def families(distributions: Iterable[Distribution]) -> Sequence[Family]:
    """A survey's invitations with their reminders, in the order in which they were sent."""
    in_order = sorted((each for each in distributions if each.send_date is not None), key=_order)
    by_parent = sorted((each for each in in_order if each.request_type == "Reminder"), key=_parent)
    reminders = {parent: tuple(group) for parent, group in groupby(by_parent, key=_parent)}
    return [
        Family(invite=each, reminders=reminders.get(each.distribution_id, ()))
        for each in in_order
        if each.request_type == "Invite" and each.parent_id is None
    ]


def total(cohort: Iterable[Family]) -> DistributionStats:
    """The true numbers of a cohort, for `guard`. Reminders have links of their own: what was done with those is added to the rest."""
    numbers = dict.fromkeys(DistributionStats.__slots__, 0)
    for family in cohort:
        for name in numbers:
            numbers[name] += getattr(family.invite.stats, name)
        for reminder in family.reminders:
            for name in PROGRESS:
                numbers[name] += getattr(reminder.stats, name)
    return DistributionStats(**numbers)


def _unsent(stats: DistributionStats, k: int) -> dict[str, Shown]:
    """Who was not sent to. Rounded as running totals: whoever knows the mailing list's size could not tell more by subtracting."""
    sent, shown = stats.sent, dict[str, Shown]()
    for name in UNSENT:
        before, sent = sent, sent + getattr(stats, name)
        number = floor(sent, k) - floor(before, k)
        shown[name] = Shown(number, is_about=number > 0)
    return shown


def _sum(numbers: Iterable[Shown]) -> Shown:
    shown = [each for each in numbers if not each.is_hidden]
    return Shown(sum(each.number for each in shown), is_about=any(each.is_about for each in shown))


def _order(distribution: Distribution) -> tuple[datetime | None, str]:
    return distribution.send_date, distribution.distribution_id


def _parent(distribution: Distribution) -> str:
    return distribution.parent_id or ""
