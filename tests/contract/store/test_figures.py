"""Numbers about what is stored, each of one integration alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bot.events import EventKind
from bot.messages import DeliveryState
from bot.model import DistributionStats, User
from bot.ports import UnitOfWork
from bot.ports.records import Gaps
from store.unit_of_work import SqlStore
from tests.contract.store.examples import DAY, NOW, distribution, event, furnish, survey
from tests.unit.core.examples import an_integration


async def test_surveys_are_counted(store: SqlStore) -> None:
    await store.write(furnish)
    await store.write(lambda u: u.surveys.save("main", [survey("SV_2")], NOW))
    assert await store.read(lambda u: (u.figures.surveys("main"), u.figures.surveys("other"))) == (2, 0)


async def test_gaps_are_the_missing_rows_of_what_is_not_deleted(store: SqlStore) -> None:
    def read(uow: UnitOfWork) -> None:
        furnish(uow)
        uow.distributions.save("main", [distribution("EMD_2"), distribution("EMD_3"), distribution("EMD_4")])
        for number, missing in ((1, 0), (2, 7), (3, 5)):
            uow.distributions.set_history_for("main", f"EMD_{number}", DistributionStats(), at=NOW, rows_missing=missing)

    assert await store.read(lambda u: u.figures.gaps("main")) == Gaps(distributions=0, rows=0)
    await store.write(read)
    assert await store.read(lambda u: u.figures.gaps("main")) == Gaps(distributions=2, rows=12)
    await store.write(lambda u: u.distributions.mark_deleted("main", ["SV_1"], ["EMD_1", "EMD_2"]))
    assert await store.read(lambda u: u.figures.gaps("main")) == Gaps(distributions=1, rows=7)


async def test_the_databases_clock_is_aware_and_runs(store: SqlStore) -> None:
    assert abs(await store.read(lambda u: u.figures.clock()) - datetime.now(UTC)) < timedelta(seconds=30)


async def test_the_longest_wait_is_that_of_what_is_not_settled(store: SqlStore) -> None:
    assert await store.read(lambda u: u.outbox.oldest_due()) is None
    person = await store.write(lambda u: u.people.ids(["ada@example.org"])["ada@example.org"])
    await store.write(lambda u: u.outbox.add([event(person)], NOW - DAY))
    await store.write(lambda u: u.outbox.add([event(person, kind=EventKind.SURVEY_CLOSING)], NOW))
    assert await store.read(lambda u: u.outbox.oldest_due()) == NOW - DAY
    (queue,) = await store.read(lambda u: u.outbox.queues(NOW - DAY))
    (first,) = await store.write(lambda u: u.outbox.claim(queue, NOW - DAY, owner="me", lease=DAY, limit=9))
    await store.write(lambda u: u.outbox.finish(first.delivery_id, DeliveryState.SENT, NOW, owner="me"))
    assert await store.read(lambda u: u.outbox.oldest_due()) == NOW


async def test_an_active_brand_administrator_is_known_by_address(store: SqlStore) -> None:
    admin = User(user_id="UR_1", email="ada@example.org", user_type="UT_BRANDADMIN")
    others = (
        replace(admin, user_id="UR_2", email="bob@example.org", is_active=False),
        replace(admin, user_id="UR_3", email="eve@example.org", user_type="UT_FULLUSER"),
        replace(admin, user_id="UR_4", email=None),
    )

    def save(uow: UnitOfWork) -> None:
        for name in ("b", "a", "c"):
            uow.integrations.save(an_integration(name))
        uow.users.save("a", [admin, *others])
        uow.users.save("b", [admin, replace(admin, user_id="UR_9")])
        uow.users.save("c", others)

    await store.write(save)
    assert await store.read(lambda u: u.users.admin_of("ada@example.org")) == ["a", "b"]
    for email in ("bob@example.org", "eve@example.org", "nobody@example.org", ""):
        assert await store.read(lambda u, email=email: u.users.admin_of(email)) == []
