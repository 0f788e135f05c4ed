"""What there is to tell 500 channels of 5,000 open surveys: the look that is taken every minute, whatever comes of it.

- first: everything is new, and written down once; most of it is not to be told.
- tick: `announcing.announce_due` again a minute later, as the scheduler calls it: nothing is new. Twenty-five of the subscriptions, five of
  them to all surveys and twenty to patterns, find some 36,000 times that nothing is.
"""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Iterator
from datetime import timedelta
from time import perf_counter

from bot.channels.announcing import announce_due
from bot.messages import Conversation, Member, MemberKind, Reach
from bot.model import Distribution, DistributionStats, LinkType, Survey, User
from bot.ports import UnitOfWork
from bot.subscriptions import ALL, Feature, Subscription
from store.unit_of_work import SqlStore
from tests.benchmarks.databases import KINDS, Databases, keyring
from tests.benchmarks.measure import Figures, Goal, Line, fresh, medians
from tests.benchmarks.million import NOW
from tests.unit.core.examples import an_integration

_ADMIN = Member(workspace_id="T1", user_id="U1", kind=MemberKind.MEMBER, email="admin@example.com")
_CHANNELS = 500
_MINUTE = timedelta(minutes=1)


def lines(databases: Databases, *, quick: bool) -> Iterator[Line]:
    surveys, runs = (500, 1) if quick else (5000, 3)
    for kind in KINDS:
        with databases.new(kind) as url:
            first = fresh(_filled, url, surveys)
            tick = medians(runs, {"tick": lambda url=url: fresh(_ticks, url)})["tick"]["tick"]
        yield Line(what="500 channels, first look", database=kind, figure=first, unit="s", goal=Goal(at_most=20))
        yield Line(what="500 channels, minute tick", database=kind, figure=tick, unit="s", goal=Goal(at_most=6))


def _filled(url: str, surveys: int) -> float:
    return asyncio.run(_fill(url, surveys))


async def _fill(url: str, surveys: int) -> float:
    """Return how long the first look took, in seconds."""

    def work(uow: UnitOfWork) -> None:
        uow.integrations.save(an_integration("main"))
        uow.integrations.set_baseline("main", NOW - timedelta(days=30))
        uow.users.save("main", [User(user_id="UR_1", email=_ADMIN.email, user_type="UT_BRANDADMIN")])
        uow.members.save([_ADMIN])
        known = [_survey(number) for number in range(surveys)]
        uow.surveys.save("main", known, NOW)
        uow.distributions.save("main", [_distribution(survey) for survey in known])
        for number in range(_CHANNELS):
            uow.subscriptions.add(_subscription(number))

    store = SqlStore(url, keyring())
    await store.write(work)
    start = perf_counter()
    await announce_due(store, Reach(), NOW + _MINUTE)
    taken = perf_counter() - start
    await store.close()
    return taken


def _ticks(url: str) -> Figures:
    return asyncio.run(_looked(url))


async def _looked(url: str) -> Figures:
    store, seconds = SqlStore(url, keyring()), list[float]()
    for number in range(2, 5):
        start = perf_counter()
        assert await announce_due(store, Reach(), NOW + number * _MINUTE) == 0
        seconds.append(perf_counter() - start)
    await store.close()
    return {"tick": statistics.median(seconds)}


def _subscription(number: int) -> Subscription:
    subject = ALL if number < 5 else f"Survey {number % 10}*" if number < 25 else _survey(number).survey_id
    return Subscription(
        subscription_id=0,
        conversation=Conversation(workspace_id=_ADMIN.workspace_id, channel_id=f"C{number}"),
        subject=subject,
        features=frozenset(Feature) - {Feature.WEEKLY},
        creator_id=_ADMIN.user_id,
        created_at=NOW,
    )


def _survey(number: int) -> Survey:
    return Survey(survey_id=f"SV_{number:015d}", name=f"Survey {number}", owner_id="UR_1", is_active=True, last_modified=NOW)


def _distribution(survey: Survey) -> Distribution:
    return Distribution(
        distribution_id=f"EMD_{survey.survey_id[3:]}",
        survey_id=survey.survey_id,
        parent_id=None,
        owner_id="UR_1",
        request_type="Invite",
        request_status="Done",
        send_date=NOW,
        sender_name="People team",
        link_type=LinkType.INDIVIDUAL,
        link_expires_at=NOW + timedelta(days=14),
        stats=DistributionStats(sent=50, finished=20),
    )
