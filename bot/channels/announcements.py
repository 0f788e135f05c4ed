"""What is true of a survey now that a channel or an owner is to be told. It depends on the state alone, so whoever looks, however often,
finds the same; time is an argument, and nothing is read or written.

What became true before a subscription was made is found as well, but not to be told: written down once, it never will be.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta

from bot import rules, small_groups
from bot.local_time import in_working_hours
from bot.model import Distribution
from bot.numbers import SurveyNumbers
from bot.posts import MEMORY, OWNER, News, PostKind
from bot.small_groups import UNSENT, Guarded
from bot.subscriptions import Feature

#: Shares of those it was sent to who have answered, in percent (FEATURES E1).
MILESTONES = (25, 50, 75)
#: A deadline that moved by no more than this is still the same.
SAME_DEADLINE = timedelta(days=1)
#: Problems are told again each time they have doubled, up to these multiples of the share from which on they are problems.
_WORSE = (1, 2, 4, 8)
#: How long the numbers after a survey's end are waited for where a look since then could not read them, and where there was none.
_PATIENCE, _LONGEST_PATIENCE = timedelta(hours=1), timedelta(days=3)
_TROUBLES = ("bounced", "blocked", "skipped", "failed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """When somebody works, Monday to Friday."""

    zone: str = "UTC"
    begin: time = time(9)
    end: time = time(17)


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """Who is told, and of what."""

    subscription_id: int
    #: What happened before is not told.
    since: datetime
    features: frozenset[Feature]
    hours: Hours = field(default_factory=Hours)
    #: Of what was to be sent: from here on bounces, blocks, skips and failures are a problem.
    problem_share: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Looks:
    """How lately Qualtrics was read."""

    #: When the newest look that has ended, however it ended, began.
    tried_at: datetime
    #: Since when looks at single surveys are waited for.
    asked_at: Mapping[str, datetime] = field(default_factory=dict[str, datetime])


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    news: News
    #: False: it is old, or overtaken by what was found with it, or nobody asked for it.
    is_told: bool


def findings(found: SurveyNumbers, audience: Audience, known: Collection[News], now: datetime, looks: Looks) -> list[Finding]:
    """Everything that is new beside what is `known` for this survey and audience."""
    sent = invitations(found, now)
    if not sent:
        return []
    launches, ends = ({news.mark for news in known if news.kind is kind} for kind in (PostKind.LAUNCH, PostKind.CLOSED))
    newest, is_new = sent[-1].distribution_id, _sent_at(sent[0]) >= max(audience.since, now - MEMORY)
    if not (launches or found.is_open):
        return []
    told = [_Told(PostKind.LAUNCH, "", is_new and found.is_open)]
    is_followed = is_new or bool(launches)
    if found.is_open:
        if ends and newest not in ends:  # it was sent once more, and is followed to its next end
            told.append(_Told(PostKind.LAUNCH, newest, is_told=False))
        told += [*_milestones(found, is_followed=is_followed), *_problems(found, sent, audience.problem_share, is_followed=is_followed)]
        told += _closing(found, sent, audience, known, now)
    elif not lacks_last_numbers(found, now, looks):
        says_both = Feature.RESULTS in audience.features  # final numbers say that it is closed
        told += [_Told(PostKind.CLOSED, newest, is_followed and not says_both), _Told(PostKind.RESULTS, newest, is_followed)]
    return _new(told, found, audience, known)


def owner_findings(found: SurveyNumbers, since: datetime, zone: str, known: Collection[News], now: datetime) -> list[Finding]:
    """The same for its owner, who is told of its end alone (FEATURES D5)."""
    audience = Audience(subscription_id=OWNER, since=since, features=frozenset({Feature.CLOSING}), hours=Hours(zone=zone))
    sent = invitations(found, now)
    return _new(_closing(found, sent, audience, known, now), found, audience, known) if sent else []


def invitations(found: SurveyNumbers, now: datetime) -> list[Distribution]:
    """Those that were sent, in order; their reminders are counted with them."""
    every = (family.invite for family in small_groups.families(found.distributions))
    return [each for each in every if _sent_at(each) <= now]


def closes_soon(found: SurveyNumbers, mark: str, now: datetime) -> bool:
    """Whether the deadline that `mark` names is still the survey's, and ahead."""
    return found.closes_at is not None and found.closes_at > now and is_same_deadline(mark, found.closes_at)


def lacks_last_numbers(found: SurveyNumbers, now: datetime, looks: Looks) -> bool:
    """Whether a survey is over and its numbers of before its end are worth waiting for better ones.

    Whoever finds a survey closed by hand asks for a look at it, and that is waited for.
    """
    if found.is_open:  # as most are
        return False
    ended_at = end_of(found, now)
    if ended_at is None:
        asked_at = looks.asked_at.get(found.survey.survey_id)
        return asked_at is not None and now - asked_at < _PATIENCE
    patience = _PATIENCE if looks.tried_at >= ended_at else _LONGEST_PATIENCE
    return is_cut_off(found, now) and now - ended_at < patience


def is_cut_off(found: SurveyNumbers, now: datetime) -> bool:
    """Whether its numbers are of before its end, as far as that is known."""
    ended_at, counted_at = end_of(found, now), found.survey.counted_at
    return ended_at is not None and (counted_at is None or counted_at < ended_at)


def end_of(found: SurveyNumbers, now: datetime) -> datetime | None:
    """When the time of what was sent runs, or ran, out; None = never, or it was closed by hand."""
    survey = found.survey
    if not survey.is_active or (survey.details is not None and survey.details.is_deleted):
        return None
    ends = [rules.deadline(each.link_expires_at, survey) for each in invitations(found, now) if not each.is_deleted]
    return max((end for end in ends if end is not None), default=None)


def milestones(numbers: Guarded) -> Sequence[int]:
    """Those that shown numbers have reached, in order: below a group's size there are none."""
    rate = small_groups.rate(numbers.part("finished"), numbers.whole) or 0.0
    return [percent for percent in MILESTONES if rate * 100 >= percent]


def is_same_deadline(mark: str, closes_at: datetime) -> bool:
    return abs(datetime.fromtimestamp(int(mark), UTC) - closes_at) <= SAME_DEADLINE


def problem_share(numbers: Guarded) -> float:
    """The share of what was to be sent that did not arrive, as far as it is shown."""
    unsent = sum(numbers.part(name).number for name in UNSENT)
    lost = sum(numbers.part(name).number for name in _TROUBLES)
    return lost / (numbers.whole.number + unsent) if lost else 0.0


@dataclass(frozen=True, slots=True)
class _Told:
    kind: PostKind
    mark: str
    is_told: bool


def _new(told: Iterable[_Told], found: SurveyNumbers, audience: Audience, known: Collection[News]) -> list[Finding]:
    news = {_news(each, found, audience): each.is_told and Feature(each.kind) in audience.features for each in told}
    return [Finding(news=each, is_told=is_told) for each, is_told in news.items() if each not in known]


def _news(told: _Told, found: SurveyNumbers, audience: Audience) -> News:
    return News(kind=told.kind, subscription_id=audience.subscription_id, survey_id=found.survey.survey_id, mark=told.mark)


def _milestones(found: SurveyNumbers, *, is_followed: bool) -> Iterator[_Told]:
    reached = milestones(found.numbers)
    for percent in reached:
        yield _Told(PostKind.MILESTONES, str(percent), is_followed and percent == reached[-1])


def _closing(
    found: SurveyNumbers, sent: Sequence[Distribution], audience: Audience, known: Collection[News], now: datetime
) -> Iterator[_Told]:
    """Not told where its launch was later, or the subscription: when it closes could be seen then."""
    if found.closes_at is None:
        return
    hours = audience.hours
    due_at = in_working_hours(found.closes_at - rules.NOTICE, hours.zone, hours.begin, hours.end)
    marks = [news.mark for news in known if news.kind is PostKind.CLOSING]
    if due_at <= now and not any(is_same_deadline(mark, found.closes_at) for mark in marks):
        yield _Told(PostKind.CLOSING, str(int(found.closes_at.timestamp())), due_at >= max(audience.since, _sent_at(sent[0])))


def _problems(found: SurveyNumbers, sent: Sequence[Distribution], share: float, *, is_followed: bool) -> Iterator[_Told]:
    for distribution in (each for each in sent if any(getattr(each.stats, name) for name in _TROUBLES)):
        lost = problem_share(found.of(distribution))
        reached = [times for times in _WORSE if 0 < share * times <= lost]
        for times in reached:
            yield _Told(PostKind.DELIVERY_PROBLEMS, f"{distribution.distribution_id}:{times}", is_followed and times == reached[-1])


def _sent_at(distribution: Distribution) -> datetime:
    assert distribution.send_date is not None, "families are of what has a date"
    return distribution.send_date
