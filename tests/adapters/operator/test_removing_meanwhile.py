"""An integration is not removed under the feet of whoever reads it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from adapters.sandbox.demo import Sandbox
from tests.adapters.operator.conftest import Shell, variables


@pytest.mark.parametrize("work", ["sync", "refresh"])
async def test_while_it_is_read_it_stays(shell: Shell, inside: Sandbox, work: str) -> None:
    shell.set(variables(inside.bot.core.settings))
    store, lease = inside.bot.core.store, f"{work}:acme"
    await store.write(lambda u: u.leases.take(lease, "another process", timedelta(minutes=1)))
    ended = await shell.run("integration", "remove", "acme", "--yes")
    assert ended.code == 1
    assert "acme is being read right now" in ended.err
    assert await store.read(lambda u: (u.integrations.secret("acme") is not None, u.leases.held(""))) == (True, [lease])
    await store.write(lambda u: u.leases.release(lease, "another process"))
    assert (await shell.run("integration", "remove", "acme", "--yes")).code == 0
    assert await store.read(lambda u: (u.integrations.get("acme"), u.leases.held(""))) == (None, [])
