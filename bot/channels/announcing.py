"""Looks what channels and owners are to be told, and writes it down. What is found depends on what is stored alone, so that a crash, a late
look or two processes at once lose nothing, and say nothing twice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from bot import authority, numbers, rules, subjects
from bot.channels.announcements import Audience, Finding, Hours, Looks, findings, lacks_last_numbers, owner_findings
from bot.listed import Listed, Rights, Seen
from bot.local_time import weeks_due
from bot.messages import Member, Preference, Reach
from bot.model import Integration
from bot.numbers import SurveyNumbers
from bot.ports import Store, UnitOfWork
from bot.ports.records import Outcome
from bot.posts import OWNER, News, PostKind
from bot.subscriptions import PROBLEM_SHARE, Feature, Subscription, covers, is_of_many
from bot.syncing.status import is_held

#: How long before its end a survey may have to be announced: a day, and a weekend before that.
_HORIZON = rules.NOTICE + timedelta(days=4)
#: Runs that read, or tried to, are looked for among so many; hints among so many.
_LOOK_BACK, _MANY = 20, 10_000
_ENDED = frozenset({Outcome.OK, Outcome.PARTIAL, Outcome.FAILED})


async def announce_due(store: Store, reach: Reach, now: datetime, *, problem_share: float = PROBLEM_SHARE) -> int:
    """Write down what is new; returns how much of it is to be told. `problem_share` is that of subscriptions which named none.

    Nothing is found of an integration that is not read now, or was never read as a whole (FEATURES B6).
    """
    found, uncounted = await store.read(lambda uow: _look(uow, reach, problem_share, now))
    return await store.write(lambda uow: _write(uow, found, uncounted, now)) if found or uncounted else 0


def _write(uow: UnitOfWork, found: Collection[Finding], uncounted: Collection[Seen], now: datetime) -> int:
    """Not for those that were removed meanwhile. A look is asked for at what is `uncounted`."""
    for integration_id, survey_id in uncounted:
        uow.refreshes.ask(integration_id, survey_id, now)
    there = {OWNER, *(each.subscription_id for each in uow.subscriptions.all())}
    told, silent = ([it.news for it in found if it.is_told is said and it.news.subscription_id in there] for said in (True, False))
    uow.posts.add(silent, now, is_told=False)
    return uow.posts.add(told, now, is_told=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """An integration that is read, since when it is, and when it last was."""

    integration: Integration
    baseline_at: datetime
    looks: Looks
    #: The surveys that are over, and whose last numbers nobody was asked for.
    uncounted: set[str] = field(default_factory=set[str])
    #: What this look knows of its surveys already: several subscriptions may be about one.
    seen: dict[str, SurveyNumbers] = field(default_factory=dict[str, SurveyNumbers])

    def surveys(self, uow: UnitOfWork, survey_ids: Collection[str], now: datetime) -> Iterator[SurveyNumbers]:
        unseen = [survey_id for survey_id in survey_ids if survey_id not in self.seen]
        if unseen:
            self.seen.update((found.survey.survey_id, found) for found in numbers.of_surveys(uow, self.integration, unseen, now))
        return (self.seen[survey_id] for survey_id in survey_ids if survey_id in self.seen)


def _look(uow: UnitOfWork, reach: Reach, problem_share: float, now: datetime) -> tuple[Collection[Finding], Collection[Seen]]:
    """Also returns which surveys are to be looked at because they are over."""
    read, found = _read(uow), list[Finding]()
    if read:
        lists = _Lists(uow, now)
        for subscription in uow.subscriptions.all():
            found += _for_channel(uow, subscription, problem_share, read, lists)
        found += _for_owners(uow, read, reach, now)
    return found, [Seen(integration_id, survey_id) for integration_id, here in read.items() for survey_id in here.uncounted]


def _read(uow: UnitOfWork) -> Mapping[str, _Read]:
    asked_at: defaultdict[str, dict[str, datetime]] = defaultdict(dict)
    for refresh in uow.refreshes.all(_MANY):
        asked_at[refresh.integration_id][refresh.survey_id] = refresh.first_at
    found: dict[str, _Read] = {}
    for it in uow.integrations.all():
        if it.baseline_at is not None and not is_held(uow, it):
            ended = (run for run in uow.runs.list(it.integration_id, _LOOK_BACK) if run.outcome in _ENDED)
            tried_at = max((run.started_at for run in ended), default=it.baseline_at)
            looks = Looks(tried_at=tried_at, asked_at=asked_at[it.integration_id])
            found[it.integration_id] = _Read(integration=it, baseline_at=it.baseline_at, looks=looks)
    return found


def _for_channel(
    uow: UnitOfWork, subscription: Subscription, problem_share: float, read: Mapping[str, _Read], lists: _Lists
) -> Iterator[Finding]:
    """A paused one is followed too: what happens meanwhile is not told when it goes on."""
    now, features = lists.now, frozenset[Feature]() if subscription.paused else subscription.features
    audience = Audience(
        subscription_id=subscription.subscription_id,
        since=subscription.created_at.replace(microsecond=0),  # Qualtrics tells whole seconds: what was sent in this one is news
        features=features,
        hours=Hours(zone=subscription.zone, begin=subscription.works_from, end=subscription.works_until),
        problem_share=subscription.problem_share or problem_share,
    )
    known = _by_survey(uow.posts.known(subscription.subscription_id))
    for integration_id, survey_ids in _subjects(uow, subscription, known, lists).items():
        if (here := read.get(integration_id)) is not None:
            theirs = replace(audience, since=max(audience.since, here.baseline_at))
            for found in here.surveys(uow, survey_ids, now):
                if not covers(subscription.subject, found.survey.survey_id, found.survey.name):
                    continue  # it was called something else
                survey_id = found.survey.survey_id
                if survey_id not in here.looks.asked_at and _is_followed(known[survey_id]) and lacks_last_numbers(found, now, here.looks):
                    here.uncounted.add(survey_id)
                yield from findings(found, theirs, known[survey_id], now, here.looks)
    if Feature.WEEKLY in features:
        yield from _weekly(subscription, known[""], now)


@dataclass(frozen=True, slots=True)
class _Lists:
    """The open surveys that creators may see. They may be thousands, and most creators of many subscriptions see the same."""

    uow: UnitOfWork
    now: datetime
    known: dict[object, Sequence[Listed]] = field(default_factory=dict[object, Sequence[Listed]])

    def of(self, rights: Rights) -> Sequence[Listed]:
        what = (rights.integrations, frozenset(rights.surveys.items()))
        if what not in self.known:
            lists = self.uow.lists
            self.known[what] = lists.listed(lists.surveys(rights, self.now, only_open=True), self.now)
        return self.known[what]


def _subjects(
    uow: UnitOfWork, subscription: Subscription, known: Mapping[str, Collection[News]], lists: _Lists
) -> Mapping[str, Collection[str]]:
    """The open surveys it is about, and those whose end was not found yet, by the integration to read them from."""
    subject, creator = subscription.subject, authority.proven_address(subjects.creator_of(uow, subscription))
    found: defaultdict[str, set[str]] = defaultdict(set)
    many = lists.of(authority.visible(uow, creator)) if is_of_many(subject) else ()
    for it in (it for it in many if covers(subject, it.survey_id, it.name)):
        found[it.integration_id].add(it.survey_id)
    followed = {survey_id for survey_id, news in known.items() if _is_followed(news)} if is_of_many(subject) else {subject}
    for survey_id in followed - {survey_id for survey_ids in found.values() for survey_id in survey_ids}:
        if (integration_id := authority.may_see(uow, creator, survey_id)) is not None:
            found[integration_id].add(survey_id)
    return found


def _is_followed(news: Collection[News]) -> bool:
    """Whether it began more often than it ended."""
    begins, ends = (sum(each.kind is kind for each in news) for kind in (PostKind.LAUNCH, PostKind.CLOSED))
    return begins > ends


def _weekly(subscription: Subscription, known: Collection[News], now: datetime) -> Iterator[Finding]:
    due = weeks_due(now, subscription.zone, subscription.weekday, subscription.weekly_at)
    for week, due_at in due.items():
        news = News(kind=PostKind.WEEKLY, subscription_id=subscription.subscription_id, mark=week)
        if news not in known:
            yield Finding(news=news, is_told=due_at >= subscription.created_at)


def _for_owners(uow: UnitOfWork, read: Mapping[str, _Read], reach: Reach, now: datetime) -> Iterator[Finding]:
    soon: defaultdict[str, list[str]] = defaultdict(list)
    for it in uow.lists.listed(uow.lists.surveys(Rights(integrations=frozenset(read)), now, only_open=True), now):
        if it.closes_at is not None and it.closes_at - _HORIZON <= now:
            soon[it.integration_id].append(it.survey_id)
    known = _by_survey(uow.posts.known(OWNER) if soon else ())
    for integration_id, survey_ids in soon.items():
        here = read[integration_id]
        for found in here.surveys(uow, survey_ids, now):
            survey_id = found.survey.survey_id
            if (member := owner_of(uow, survey_id, reach)) is not None:
                yield from owner_findings(found, here.baseline_at, member.zone, known[survey_id], now)


def owner_of(uow: UnitOfWork, survey_id: str, reach: Reach) -> Member | None:
    """The chat account to tell a survey's owner by, if they have one that has rights."""
    for email in uow.grants.owners_of(survey_id):
        proven = [it for it in uow.members.accounts(email) if authority.proven_address(it.member) is not None]
        member = rules.addressee(proven, preference_of(uow, email).place, reach)
        if isinstance(member, Member):
            return member
    return None


def preference_of(uow: UnitOfWork, email: str) -> Preference:
    person_id = uow.people.find(email)
    return Preference() if person_id is None else uow.preferences.get(person_id)


def _by_survey(known: Collection[News]) -> Mapping[str, Collection[News]]:
    found: defaultdict[str, set[News]] = defaultdict(set)
    for news in known:
        found[news.survey_id].add(news)
    return found
