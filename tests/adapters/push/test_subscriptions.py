"""Subscriptions are made, replaced and removed at the simulated Qualtrics, and what it sends arrives: no interruption loses it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import pytest
import stamina
from starlette.applications import Starlette

from adapters.event_subscriptions import TOPICS, EventSubscriptions
from adapters.qualtrics.client import QualtricsClient
from adapters.qualtrics.credentials import ApiToken
from adapters.qualtrics_events import routes
from adapters.sandbox.qualtrics.deliveries import Courier
from adapters.sandbox.qualtrics.records import Subscription
from adapters.sandbox.qualtrics.server import qualtrics_app
from adapters.sandbox.qualtrics.tenant import Tenant
from adapters.sandbox.serving import serving
from bot.errors import Forbidden, Unavailable, UserError
from tests.adapters.push.conftest import Endpoint

TOKEN = "sandbox-token"
PATH = "/qualtrics/events/main"


class Stumbling(QualtricsClient):
    """A way to Qualtrics that breaks at one step."""

    steps_left = 100

    async def subscribe(self, topics: str, url: str, shared_key: str) -> str:
        self._step()
        return await super().subscribe(topics, url, shared_key)

    async def unsubscribe(self, subscription_id: str) -> None:
        self._step()
        await super().unsubscribe(subscription_id)

    def _step(self) -> None:
        self.steps_left -= 1
        if self.steps_left < 0:
            raise Unavailable("down")


@dataclass
class World:
    endpoint: Endpoint
    tenant: Tenant
    courier: Courier
    client: Stumbling
    subscriptions: EventSubscriptions
    #: Where the bot is.
    url: str

    def ours(self, url: str | None = None) -> list[str]:
        return sorted(one.topics for one in self.tenant.subscriptions if one.publication_url == (url or self.url) + PATH)

    async def keys(self) -> list[str]:
        return list(await self.endpoint.store.read(lambda u: u.integrations.push_keys("main")))

    async def arrives(self) -> bool:
        """Whether a response that is completed now becomes a hint, and every delivery of it is believed."""
        survey_id = self.tenant.create_survey("Pulse")
        self.tenant.answer_anonymously(survey_id)
        sent = await self.courier.send_all()
        return survey_id in await self.endpoint.hinted() and {one.status for one in sent} == {200}


@pytest.fixture
async def world(endpoint: Endpoint) -> AsyncIterator[World]:
    """An integration without keys, and a brand in which another program has a subscription."""
    await endpoint.add("main")
    tenant = Tenant(lambda: endpoint.now, public_url="http://qualtrics.test")
    tenant.subscriptions.add("SUB_other", Subscription(subscription_id="SUB_other", topics="*", publication_url="http://127.0.0.1:9/other"))
    async with AsyncExitStack() as stack:
        stack.enter_context(stamina.set_testing(True, attempts=1))
        api = await stack.enter_async_context(serving(qualtrics_app(tenant, token=TOKEN)))
        bot = await stack.enter_async_context(serving(Starlette(routes=routes(endpoint.store, lambda: endpoint.now))))
        client = await stack.enter_async_context(Stumbling(f"{api}/API/v3/", ApiToken(TOKEN)))
        subscriptions = EventSubscriptions(client=client, store=endpoint.store, integration_id="main")
        yield World(endpoint, tenant, Courier(tenant), client, subscriptions, bot)
        assert [one.subscription_id for one in tenant.subscriptions if "/other" in one.publication_url] == ["SUB_other"]


@pytest.fixture
async def alone(world: World) -> World:
    """Nobody else subscribes, so that all deliveries are ours."""
    next(iter(world.tenant.subscriptions)).topics = "nothing"
    return world


async def test_what_is_registered_arrives(alone: World) -> None:
    assert await alone.subscriptions.register(alone.url) == 3
    assert alone.ours() == sorted(TOPICS)
    assert await alone.arrives()
    survey_id = alone.tenant.create_survey("Switched")
    for switch in (alone.tenant.deactivate, alone.tenant.activate):
        switch(survey_id)
        await alone.courier.send_all()
    assert (await alone.endpoint.hinted())[survey_id] == 2


async def test_registering_again_makes_only_what_is_missing_with_the_same_key(alone: World) -> None:
    await alone.subscriptions.register(alone.url)
    keys = await alone.keys()
    assert await alone.subscriptions.register(alone.url + "/") == 0
    gone = next(one for one in alone.tenant.subscriptions if one.topics == TOPICS[0])
    alone.tenant.subscriptions.remove(gone.subscription_id)
    assert await alone.subscriptions.register(alone.url) == 1
    assert (alone.ours(), await alone.keys()) == (sorted(TOPICS), keys)
    assert await alone.arrives()


@pytest.mark.parametrize("steps", range(3))
async def test_a_registration_that_broke_off_is_finished_by_the_next(alone: World, steps: int) -> None:
    alone.client.steps_left = steps
    with pytest.raises(Unavailable):
        await alone.subscriptions.register(alone.url)
    alone.client.steps_left = 100
    assert await alone.subscriptions.register(alone.url) == 3 - steps
    assert alone.ours() == sorted(TOPICS)
    assert await alone.arrives()


async def test_a_key_that_was_lost_is_not_guessed_but_replaced(alone: World) -> None:
    await alone.subscriptions.register(alone.url)
    await alone.endpoint.add("main")
    with pytest.raises(UserError, match=r"push replace --url http://"):
        await alone.subscriptions.register(alone.url)
    assert await alone.subscriptions.replace(alone.url) == 3
    assert await alone.arrives()


async def test_replacing_leaves_one_new_key_and_new_subscriptions(alone: World) -> None:
    await alone.subscriptions.register(alone.url)
    before, old = {one.subscription_id for one in alone.tenant.subscriptions}, await alone.keys()
    assert await alone.subscriptions.replace(None) == 3
    after = {one.subscription_id for one in alone.tenant.subscriptions}
    assert before & after == {"SUB_other"}
    assert alone.ours() == sorted(TOPICS)
    assert len(await alone.keys()) == 1
    assert await alone.keys() != old
    assert await alone.arrives()


@pytest.mark.parametrize("steps", range(6))
async def test_a_replacement_that_broke_off_anywhere_loses_nothing_and_is_finished_by_the_next(alone: World, steps: int) -> None:
    await alone.subscriptions.register(alone.url)
    alone.client.steps_left = steps
    with pytest.raises(Unavailable):
        await alone.subscriptions.replace(None)
    assert await alone.arrives()
    alone.client.steps_left = 100
    await alone.subscriptions.replace(None)
    assert (alone.ours(), len(await alone.keys())) == (sorted(TOPICS), 1)
    assert await alone.arrives()


async def test_what_is_removed_is_gone_with_its_keys(world: World) -> None:
    await world.subscriptions.register(world.url)
    world.client.steps_left = 1
    with pytest.raises(Unavailable):
        await world.subscriptions.remove(None)
    assert len(await world.keys()) == 1
    world.client.steps_left = 100
    assert await world.subscriptions.remove(None) == 2
    assert (world.ours(), await world.keys()) == ([], [])


async def test_where_several_addresses_are_called_one_must_be_named(alone: World) -> None:
    elsewhere = "https://old.example.com"
    await alone.subscriptions.register(elsewhere)
    await alone.subscriptions.register(alone.url)
    for act in (alone.subscriptions.replace, alone.subscriptions.remove):
        with pytest.raises(UserError, match=r"name one with --url"):
            await act(None)
    here, there = await alone.keys()
    assert await alone.subscriptions.replace(alone.url) == 3
    assert (await alone.keys())[1:] == [there]
    assert here not in await alone.keys()
    assert await alone.subscriptions.remove(elsewhere) == 3
    assert (alone.ours(), alone.ours(elsewhere), len(await alone.keys())) == (sorted(TOPICS), [], 1)
    assert await alone.arrives()


async def test_nothing_is_removed_or_replaced_where_nothing_was_registered(world: World) -> None:
    for act in (world.subscriptions.remove, world.subscriptions.replace):
        with pytest.raises(UserError, match=r"Nothing of main was registered from here; .* name the address with --url"):
            await act(None)
    assert await world.keys() == []


async def test_another_installations_subscriptions_are_not_touched_unless_named(world: World) -> None:
    """Another bot that sees the same brand may have an integration of the same name; a key of one's own does not make its address ours."""
    theirs = "https://production.example.com"
    await world.subscriptions.register(theirs)
    await world.endpoint.add("main")
    before = {one.subscription_id for one in world.tenant.subscriptions}
    for act in (world.subscriptions.replace, world.subscriptions.remove):
        with pytest.raises(UserError, match="--url"):
            await act(None)
    await world.subscriptions.register(world.url)
    for one in [one for one in world.tenant.subscriptions if one.publication_url == world.url + PATH]:
        world.tenant.subscriptions.remove(one.subscription_id)
    assert await world.subscriptions.replace(None) == 0
    assert world.ours() == sorted(TOPICS)
    assert await world.subscriptions.remove(None) == 3
    assert {one.subscription_id for one in world.tenant.subscriptions} == before
    assert await world.subscriptions.replace(theirs) == 3


async def test_the_list_tells_ours_from_others(world: World) -> None:
    await world.subscriptions.register(world.url)
    found = await world.subscriptions.all()
    assert [(one.topics, world.subscriptions.is_ours(one)) for one in found] == [("*", False), *((topic, True) for topic in TOPICS)]


async def test_without_permission_nothing_is_made(world: World) -> None:
    for user in world.tenant.users:
        user.denied.add("subscriptions")
    for act in (world.subscriptions.register, world.subscriptions.replace):
        with pytest.raises(Forbidden):
            await act(world.url)
    assert (world.ours(), await world.keys()) == ([], [])
