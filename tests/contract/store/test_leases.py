"""A lease has one holder, a group has its limit, and only the database's clock counts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta

import pytest

from bot.ports.records import Lease
from store.encryption import Keyring
from store.unit_of_work import SqlStore

LONG = timedelta(minutes=5)
#: So short that it has lapsed before the next statement looks.
LAPSED = timedelta(0)


@pytest.fixture
async def replicas(database_url: str, keyring: Keyring) -> AsyncIterator[list[SqlStore]]:
    """Eight processes' worth of connections: each has its own writer."""
    async with AsyncExitStack() as stack:
        opened = [SqlStore(database_url, keyring) for _ in range(8)]
        for store in opened:
            stack.push_async_callback(store.close)
        yield opened


async def test_a_lease_is_taken_once_and_again_after_it_was_released(store: SqlStore) -> None:
    assert await store.write(lambda u: u.leases.take("sync:a", "one", LONG)) is Lease.TAKEN
    assert await store.write(lambda u: u.leases.take("sync:a", "two", LONG)) is Lease.HELD
    assert await store.write(lambda u: u.leases.take("sync:a", "one", LONG)) is Lease.TAKEN
    await store.write(lambda u: u.leases.release("sync:a", "two"))
    assert list(await store.read(lambda u: u.leases.held("sync:"))) == ["sync:a"]
    await store.write(lambda u: u.leases.release("sync:a", "one"))
    assert list(await store.read(lambda u: u.leases.held("sync:"))) == []
    assert await store.write(lambda u: u.leases.take("sync:a", "two", LONG)) is Lease.TAKEN


async def test_a_lapsed_lease_goes_to_whoever_comes_first_and_its_former_holder_cannot_renew_it(store: SqlStore) -> None:
    await store.write(lambda u: u.leases.take("sync:a", "one", LAPSED))
    assert list(await store.read(lambda u: u.leases.held("sync:"))) == []
    assert await store.write(lambda u: u.leases.take("sync:a", "two", LONG)) is Lease.TAKEN
    assert not await store.write(lambda u: u.leases.renew("sync:a", "one", LONG))
    await store.write(lambda u: u.leases.release("sync:a", "two"))
    assert not await store.write(lambda u: u.leases.renew("sync:a", "one", LONG))


async def test_a_lapsed_lease_that_nobody_wanted_is_kept_by_renewing_it(store: SqlStore) -> None:
    await store.write(lambda u: u.leases.take("sync:a", "one", LAPSED))
    assert await store.write(lambda u: u.leases.renew("sync:a", "one", LONG))
    assert await store.write(lambda u: u.leases.take("sync:a", "two", LONG)) is Lease.HELD


async def test_a_full_group_has_no_room_but_for_who_is_in_it_and_others_do_not_count(store: SqlStore) -> None:
    async def take(name: str, owner: str = "one", group: str = "sync:") -> Lease:
        return await store.write(lambda u: u.leases.take(name, owner, LONG, group=group, at_most=2))

    assert [await take(name, group=name[:5]) for name in ("sync:a", "refresh:a", "sync_b")] == [Lease.TAKEN] * 3
    assert [await take("sync:b"), await take("sync:c")] == [Lease.TAKEN, Lease.FULL]
    assert [await take("sync:a", "two"), await take("sync:a")] == [Lease.HELD, Lease.TAKEN]
    await store.write(lambda u: u.leases.release("sync:b", "one"))
    assert await take("sync:c") is Lease.TAKEN


@pytest.mark.parametrize("round_", range(5))
async def test_of_racing_replicas_one_gets_the_lease(replicas: list[SqlStore], round_: int) -> None:
    answers = await asyncio.gather(
        *(store.write(lambda u, n=n: u.leases.take("sync:a", str(n), LONG, group="sync:", at_most=3)) for n, store in enumerate(replicas))
    )
    assert sorted(answers) == [Lease.HELD] * 7 + [Lease.TAKEN]


@pytest.mark.parametrize("round_", range(5))
async def test_replicas_that_race_for_different_leases_of_a_group_never_get_more_than_its_limit(
    replicas: list[SqlStore], round_: int
) -> None:
    answers = await asyncio.gather(
        *(store.write(lambda u, n=n: u.leases.take(f"sync:{n}", "me", LONG, group="sync:", at_most=3)) for n, store in enumerate(replicas))
    )
    assert sorted(answers) == [Lease.FULL] * 5 + [Lease.TAKEN] * 3
    assert len(await replicas[0].read(lambda u: u.leases.held("sync:"))) == 3
