"""The upsert path: what the store adds to the bare driver, and what it saves against an ORM.

An invitation passes two statements, as in a synchronisation: `save_links`, then `save_history`, each with the 1,000 rows of a distribution
in a transaction of its own.

- driver: the store's SQL text and its parameters as the driver takes them, given to its cursor; taken down from a run of the store itself,
  so they are the same to the byte;
- store: `SqlStore.write` of `save_links` and of `save_history` with values of `bot.model`: the way into the writer's thread and back,
  looking the distribution up, encrypting, building the rows, and the statement;
- ORM: `Session.add_all` of objects made from dicts, one plain INSERT a row, compared with the first `save_links`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from time import perf_counter
from typing import Any

from sqlalchemy import Connection, Engine, event, func, select
from sqlalchemy.orm import Session, registry

from bot.model import Distribution, HistoryEntry, LinkEntry, LinkType, Survey
from bot.ports import UnitOfWork
from bot.ports.records import MailedRow
from store import tables
from store.engine import connect
from store.invitations import link_identity
from store.unit_of_work import SqlStore
from tests.benchmarks.databases import Databases, keyring
from tests.benchmarks.measure import Figures, Goal, Line, fresh, medians, rounded
from tests.unit.core.examples import an_integration

ROWS = 1000
#: What a row meets, and the epoch of the values it comes with.
PHASES = (("cold", 0), ("changed", 1), ("unchanged", 1))
PASSES = ("links", "history")
#: Invitations a second: by way, then by phase or by phase and pass.
Rates = Mapping[str, Mapping[str, float]]
_STATUSES = ("Success", "Opened", "SurveyStarted", "SurveyFinished", "SurveyScreenedOut")
_NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


def lines(databases: Databases, *, quick: bool) -> Iterator[Line]:
    runs = 1 if quick else 3
    for kind, distributions in (("sqlite", 1 if quick else 100), ("postgresql", 1 if quick else 20)):
        ways = {"driver": _driver, "store": _store, "ORM": _orm}
        taken = medians(
            runs, {f"upsert {kind} {name}": partial(_on_new, databases, kind, way, distributions) for name, way in ways.items()}
        )
        rates = {name: _rates(taken[f"upsert {kind} {name}"], distributions * ROWS) for name in ways}
        for phase, at_least in (("cold", 0.55), ("changed", None), ("unchanged", None)):
            yield _against("driver", "store", phase, kind, rates, at_least=at_least)
        yield _against("ORM", "store", "cold links", kind, rates, at_least=4)
        yield _unchanged(kind, rates["store"], at_least=3 if kind == "sqlite" else 1.5)


def _rates(seconds: Mapping[str, float], invitations: int) -> Mapping[str, float]:
    """Invitations a second, by phase and pass, and by phase through both passes."""
    both = {phase: sum(seconds.get(f"{phase} {name}", 0) for name in PASSES) for phase, _ in PHASES}
    return {name: invitations / taken for name, taken in {**seconds, **both}.items() if taken}


def _against(base: str, way: str, what: str, kind: str, rates: Rates, *, at_least: float | None = None) -> Line:
    rate, other = rates[way][what], rates[base][what]
    return Line(
        what=f"upsert, {what}: {way}",
        database=kind,
        figure=rate,
        unit="invitations/s",
        baseline=f"{base} {rounded(other)}",
        ratio=rate / other,
        goal=None if at_least is None else Goal(at_least=at_least),
    )


def _unchanged(kind: str, store: Mapping[str, float], *, at_least: float) -> Line:
    rate, changed = store["unchanged"], store["changed"]
    return Line(
        what="upsert, unchanged: store, against changed",
        database=kind,
        figure=rate,
        unit="invitations/s",
        baseline=f"changed {rounded(changed)}",
        ratio=rate / changed,
        goal=Goal(at_least=at_least),
    )


def _on_new(databases: Databases, kind: str, way: Callable[[str, str, int], Figures], distributions: int) -> Figures:
    with databases.new(kind) as url, databases.new(kind) as scratch:
        return fresh(way, url, scratch, distributions)


# Each way runs in a process of its own, on an empty database.


def _store(url: str, _scratch: str, distributions: int) -> Figures:
    return asyncio.run(_stored(url, distributions, PHASES))


def _driver(url: str, scratch: str, distributions: int) -> Figures:
    recorded = _recorded(scratch, distributions, PHASES[:2])

    def execute(connection: Connection, number: int) -> int:
        assert connection.connection.driver_connection is not None
        with closing(connection.connection.driver_connection.cursor()) as cursor:
            text, parameters = recorded[number]
            (cursor.executemany if isinstance(parameters, list) else cursor.execute)(text, parameters)
            return cursor.rowcount

    return _replayed(url, distributions, execute)


def _orm(url: str, _scratch: str, distributions: int) -> Figures:
    watch = _Stopwatch()

    class Row:
        def __init__(self, **values: Any) -> None:
            for name, value in values.items():
                setattr(self, name, value)

    registry().map_imperatively(Row, tables.invitations)
    asyncio.run(_prepared(url, distributions))
    engine = connect(url, read_only=False, connections=1)
    for number in range(distributions):
        dicts = [_columns(number, contact) for contact in range(ROWS)]
        with watch.running("cold links"), Session(engine) as session:
            session.add_all([Row(**values) for values in dicts])
            session.commit()
    with engine.begin() as connection:
        assert connection.execute(select(func.count()).select_from(tables.invitations)).scalar_one() == distributions * ROWS
    return watch.seconds


def _replayed(url: str, distributions: int, execute: Callable[[Connection, int], int]) -> Figures:
    """Execute what was recorded, in the store's order and transactions: `execute` is given the number of the statement."""
    watch = _Stopwatch()
    asyncio.run(_prepared(url, distributions))
    engine = connect(url, read_only=False, connections=1)
    for phase, epoch in PHASES:
        for number in range(distributions * len(PASSES)):
            with watch.running(f"{phase} {PASSES[number % len(PASSES)]}"), engine.begin() as connection:
                changed = execute(connection, epoch * distributions * len(PASSES) + number)
            assert changed == _expected(phase), (phase, number, changed)
    return watch.seconds


async def _stored(url: str, distributions: int, phases: Sequence[tuple[str, int]]) -> Figures:
    watch = _Stopwatch()
    await _prepared(url, distributions)
    store = SqlStore(url, keyring())
    for phase, epoch in phases:
        for number in range(distributions):
            for name, save in zip(PASSES, _saves(number, epoch), strict=True):
                with watch.running(f"{phase} {name}"):
                    changed = await store.write(save)
                assert changed == _expected(phase), (phase, name, number, changed)
    await store.close()
    return watch.seconds


def _expected(phase: str) -> int:
    return 0 if phase == "unchanged" else ROWS


@dataclass(slots=True)
class _Stopwatch:
    seconds: dict[str, float] = field(default_factory=dict[str, float])

    @contextmanager
    def running(self, name: str) -> Generator[None]:
        start = perf_counter()
        yield
        self.seconds[name] = self.seconds.get(name, 0) + perf_counter() - start


def _recorded(url: str, distributions: int, phases: Sequence[tuple[str, int]]) -> Sequence[tuple[str, Any]]:
    """Take down what the store gives to the driver for invitations, epoch by epoch."""
    recorded: list[tuple[str, Any]] = []

    def before_cursor_execute(_connection: Any, _cursor: Any, text: str, parameters: Any, *_: Any) -> None:
        if text.startswith("INSERT INTO invitations"):
            recorded.append((text, parameters))

    event.listen(Engine, "before_cursor_execute", before_cursor_execute)
    asyncio.run(_stored(url, distributions, phases))
    event.remove(Engine, "before_cursor_execute", before_cursor_execute)
    assert len(recorded) == len(phases) * distributions * len(PASSES)
    return recorded


async def _prepared(url: str, distributions: int) -> None:
    """Store what invitations refer to: one survey, its distributions, and the 1,000 people they go to."""

    def prepare(uow: UnitOfWork) -> None:
        uow.integrations.save(an_integration("main"))
        survey = Survey(survey_id="SV_1", name="Engagement", owner_id="UR_1", is_active=True, last_modified=_NOW)
        uow.surveys.save("main", [survey], _NOW)
        uow.distributions.save("main", [_distribution(number) for number in range(distributions)])
        assert uow.people.ids([_email(number) for number in range(ROWS)]) == _PEOPLE

    store = SqlStore(url, keyring())
    await store.write(prepare)
    await store.close()


def _distribution(number: int) -> Distribution:
    return Distribution(
        distribution_id=f"EMD_{number:015d}",
        survey_id="SV_1",
        parent_id=None,
        owner_id="UR_1",
        request_type="Invite",
        request_status="Done",
        send_date=_NOW,
        sender_name="People team",
        link_type=LinkType.INDIVIDUAL,
        link_expires_at=_NOW + timedelta(days=1 + number % 30),
    )


def _saves(number: int, epoch: int) -> tuple[Callable[[UnitOfWork], int], Callable[[UnitOfWork], int]]:
    """Make both writes of a distribution. The next epoch has another status and another expiry in every row."""
    distribution = _distribution(number)
    assert distribution.link_expires_at is not None
    expires_at = distribution.link_expires_at + timedelta(hours=epoch)
    links = [_link(distribution, contact, expires_at) for contact in range(ROWS)]
    history = [_history(distribution, contact, expires_at, _STATUSES[(contact + epoch) % len(_STATUSES)]) for contact in range(ROWS)]
    return (
        lambda uow: uow.invitations.save_links("main", distribution.distribution_id, links, _PEOPLE).changed,
        lambda uow: uow.invitations.save_history("main", distribution.distribution_id, history).changed,
    )


def _columns(number: int, contact: int) -> Mapping[str, Any]:
    """What `save_links` writes of a contact at first."""
    link = _link(_distribution(number), contact, _NOW)
    return {
        "distribution_key": number + 1,
        "contact_id": link.contact_id,
        "survey_key": 1,
        "person_id": _PEOPLE[_email(contact)],
        "status": "",
        "mailed": False,
        "link": keyring().encrypt(str(link.url), link_identity("main", _distribution(number).distribution_id, link.contact_id)),
    }


def _link(distribution: Distribution, contact: int, expires_at: datetime) -> LinkEntry:
    return LinkEntry(contact_id=f"CID_{contact:015d}", email=_email(contact), url=_url("gl", distribution, contact), expires_at=expires_at)


def _history(distribution: Distribution, contact: int, expires_at: datetime, status: str) -> MailedRow:
    is_answered = status in {"SurveyFinished", "SurveyScreenedOut"}
    entry = HistoryEntry(
        contact_id=f"CID_{contact:015d}",
        status=status,
        url=_url("email", distribution, contact),
        sent_at=_NOW,
        completed_at=_NOW if is_answered else None,
    )
    return MailedRow(entry=entry, mailed=True, notice_at=None if is_answered else expires_at - timedelta(days=1))


def _url(channel: str, distribution: Distribution, contact: int) -> str:
    """As long as Qualtrics' own, about 110 characters."""
    key = f"EMD_{distribution.distribution_id[4:]}_000000000000001_CGC_{contact:015d}"
    return f"https://acme.eu.qualtrics.com/jfe/form/SV_000000000000001?Q_CHL={channel}&Q_DL={key}"


def _email(number: int) -> str:
    return f"person{number:04d}@example.com"


_PEOPLE = {_email(number): number + 1 for number in range(ROWS)}
