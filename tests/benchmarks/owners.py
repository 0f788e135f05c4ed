"""What a waiting administrator feels: the pages about a brand's surveys among a million invitations, each by its click.

- pages: `actions.handle` of *Open surveys*, a search, *Results of a survey*, *Distribution data* and the *Coverage* of 5,000 people, by
  turns for a brand administrator and for the owner of every tenth survey. The brand has 2,000 more open surveys, whose invitations are
  not here.
- baseline: the one statement that a page would need which counts invitations by survey and status instead of using the nine counts.

The plans of all their statements are printed, so that a look at a whole table shows.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from time import perf_counter
from typing import Any, TypeVar, cast

from sqlalchemy import Connection, text

from bot import actions
from bot.messages import Request, Surface
from bot.model import Distribution, DistributionStats, LinkType, Survey, User
from bot.page import Action, Entry, Page
from bot.pages import PAGE_SIZE
from bot.ports import Store, UnitOfWork
from store.engine import connect
from store.unit_of_work import SqlStore, SqlUnitOfWork
from tests.benchmarks import million
from tests.benchmarks.databases import KINDS, Databases, keyring
from tests.benchmarks.measure import Figures, Goal, Line, fresh, medians
from tests.contract.store.plans import plans

T = TypeVar("T")
_ADMIN, _OWNER = (replace(million.member(0), user_id=name, email=f"{name}@example.com") for name in ("admin", "owner"))
_OTHERS = 2000
_SURVEY, _DISTRIBUTION = f"SV_{0:015d}", f"EMD_{0:015d}"
_PAGES = {
    "Open surveys": Action(verb="stats.list", data={"page": "2"}),
    "Found surveys": Action(verb="stats.find", data={"words": "survey 1"}),
    "Results": Action(verb="stats.survey", data={"survey": _SURVEY}),
    "Distribution data": Action(verb="stats.distribution", data={"survey": _SURVEY, "distribution": _DISTRIBUTION}),
    "Coverage": Action(verb="stats.coverage", data={"survey": _SURVEY}),
}
#: Everybody was told of everything that they were sent.
_TOLD = text(
    """
    INSERT INTO outbox (event_key, kind, integration_id, survey_id, person_id, state, reason, due_at, attempt, created_at, finished_at)
    SELECT 'survey.invited:' || survey_id || ':' || person_id || ':' || distribution_key, 'survey.invited', 'main', survey_id, person_id,
           CASE person_id % 10 WHEN 0 THEN 'unreachable' ELSE 'sent' END, CASE person_id % 10 WHEN 0 THEN 'opted out' END, 1, 1, 1, 1
    FROM invitations i JOIN surveys s ON s.key = i.survey_key
    """
)
_COUNTED = text("SELECT survey_key, status, count(*) FROM invitations GROUP BY survey_key, status")


def lines(databases: Databases, *, quick: bool) -> Iterator[Line]:
    distributions, runs, rounds = (10, 1, 3) if quick else (1000, 3, 30)
    for kind in KINDS:
        with databases.new(kind) as url:
            fresh(million.fill, url, distributions)
            fresh(_fill, url)
            taken = _taken(kind, url, runs, rounds)
            print(f"\n{kind}:\n{fresh(_plans, url)}", file=sys.stderr)
        counted = taken["counting"]
        for name in _PAGES:
            ours, baseline, ratio = taken[name], f"counting {counted:.0f} ms", counted / taken[name]
            yield Line(what=f"page {name}, median", database=kind, figure=ours, unit="ms", goal=Goal(at_most=50))
            yield Line(what=f"page {name}", database=kind, figure=ours, unit="ms", baseline=baseline, ratio=ratio, goal=Goal(at_least=5))


def _taken(kind: str, url: str, runs: int, rounds: int) -> Figures:
    return medians(runs, {f"owners {kind}": lambda: fresh(_shown, url, rounds)})[f"owners {kind}"]


def _fill(url: str) -> None:
    asyncio.run(_add_owners(url))


async def _add_owners(url: str) -> None:
    def work(uow: UnitOfWork) -> None:
        admin = User(user_id="UR_admin", email=_ADMIN.email, user_type="UT_BRANDADMIN")
        uow.users.save("main", [admin, User(user_id="UR_owner", email=_OWNER.email, first_name="Nia", last_name="Okafor")])
        others = [_other(number) for number in range(_OTHERS)]
        uow.surveys.save("main", others, million.NOW)
        uow.distributions.save("main", [_sent(survey.survey_id) for survey in others])
        known = uow.distributions.of_active("main")
        stats = DistributionStats(sent=million.CONTACTS, finished=400, started=450, opened=700)
        uow.distributions.save("main", [replace(each, stats=stats) for each in known if not each.distribution_id.startswith("EMD_other")])
        _connection(uow).execute(_TOLD)
        owned = [replace(survey, owner_id="UR_owner") for survey in uow.surveys.all("main")[::10]]
        uow.surveys.save("main", owned, million.NOW)

    store = SqlStore(url, keyring())
    await store.write(work)
    await store.write(lambda uow: _connection(uow).execute(text("ANALYZE")) if url.startswith("postgresql") else None)
    await store.close()


def _other(number: int) -> Survey:
    survey_id = f"SV_other{number:010d}"
    return Survey(survey_id=survey_id, name=f"Other {number}", owner_id="UR_1", is_active=True, last_modified=million.NOW)


def _sent(survey_id: str) -> Distribution:
    return Distribution(
        distribution_id=f"EMD_other{survey_id[8:]}",
        survey_id=survey_id,
        parent_id=None,
        owner_id="UR_1",
        request_type="Invite",
        request_status="Done",
        send_date=million.NOW,
        sender_name="People team",
        link_type=LinkType.INDIVIDUAL,
        link_expires_at=None,
        stats=DistributionStats(sent=50, finished=20),
    )


def _shown(url: str, rounds: int) -> Figures:
    return asyncio.run(_by_turns(url, rounds))


async def _by_turns(url: str, rounds: int) -> Figures:
    store, seconds = SqlStore(url, keyring()), {name: list[float]() for name in (*_PAGES, "counting")}
    for number in range(rounds):
        member = (_ADMIN, _OWNER)[number % 2]
        for name, action in _PAGES.items():
            start = perf_counter()
            page = await actions.handle(store, Request(member=member, action=action, surface=Surface.PRIVATE), million.NOW)
            seconds[name].append(perf_counter() - start)
            assert isinstance(page, Page)
            assert page.title != "Nothing to show"
            assert name != "Open surveys" or sum(isinstance(each, Entry) for each in page.elements) == PAGE_SIZE
        if number % 10 == 0:
            start = perf_counter()
            await store.read(lambda uow: _connection(uow).execute(_COUNTED).all())
            seconds["counting"].append(perf_counter() - start)
    await store.close()
    return {name: statistics.median(taken) * 1000 for name, taken in seconds.items()}


def _plans(url: str) -> str:
    engine = connect(url, read_only=True, connections=1)
    with engine.begin() as connection:
        store = _OneSnapshot(connection)
        found = [f"{name}\n{plans(connection, partial(store.draw, action))}" for name, action in _PAGES.items()]
    engine.dispose()
    return "\n".join(found)


@dataclass(frozen=True, slots=True)
class _OneSnapshot:
    """A store whose connection is ours to listen to."""

    connection: Connection

    def draw(self, action: Action) -> object:
        request = Request(member=_ADMIN, action=action, surface=Surface.PRIVATE)
        return asyncio.run(actions.handle(cast("Store", self), request, million.NOW))

    async def read(self, work: Callable[[UnitOfWork], T]) -> T:
        return work(SqlUnitOfWork.over(self.connection, keyring()))


def _connection(uow: Any) -> Connection:
    return uow.lists.connection
