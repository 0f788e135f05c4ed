"""Between the simulated Qualtrics and the real bot: an answer given there is known here after one refresh, whatever else was sent."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
import stamina

from adapters.event_subscriptions import EventSubscriptions
from adapters.sandbox.demo import Sandbox, sandbox
from adapters.sandbox.qualtrics.deliveries import Courier, Sent
from bot.model import Integration, Status
from bot.syncing.refreshing import Refresher
from bot.syncing.sync import Kind, Synchronisation

EMAIL = "person006@example.com"


@dataclass
class World:
    inside: Sandbox
    courier: Courier
    refresher: Refresher
    #: Of a survey that was sent to one person alone.
    survey_id: str

    async def status(self) -> str:
        """What the bot knows of the person's invitation."""
        store = self.inside.bot.core.store
        person_id = await store.read(lambda u: u.people.find(EMAIL))
        assert person_id is not None
        (mine,) = [one for one in await store.read(lambda u: u.invitations.of_person(person_id)) if one.survey_id == self.survey_id]
        return mine.status

    async def refresh(self) -> int:
        """How many calls of Qualtrics it took."""
        before = self.inside.tenant.calls.total()
        await self.refresher.refresh_due()
        return self.inside.tenant.calls.total() - before


@pytest.fixture
async def world(database_url: str) -> AsyncIterator[World]:
    """A bot that knows the whole tenant, and is called by it."""
    async with sandbox(database_url) as inside:
        core, tenant = inside.bot.core, inside.tenant
        survey_id = tenant.create_survey("Alone")
        tenant.send_survey(survey_id, emails=[EMAIL])

        async def synchronise(integration: Integration) -> Synchronisation:
            source = await core.connections.source(integration)
            return Synchronisation(source=source, store=core.store, integration_id=integration.integration_id, clock=core.clock)

        acme = await core.store.read(lambda u: u.integrations.get("acme"))
        assert acme is not None
        with stamina.set_testing(True, attempts=1):
            await (await synchronise(acme)).run(Kind.FULL)
            client = await core.connections.source(acme)
            await EventSubscriptions(client=client, store=core.store, integration_id="acme").register(inside.bot_url)
            refresher = Refresher(store=core.store, synchronise=synchronise, owner="test", clock=core.clock)
            yield World(inside, Courier(tenant), refresher, survey_id)


async def test_an_answer_is_known_after_one_refresh_although_it_was_told_a_thousand_ways(world: World) -> None:
    assert await world.status() == Status.SUCCESS
    world.inside.tenant.move(EMAIL, world.survey_id, "SurveyFinished")
    (told,) = await world.courier.send_all()
    assert told.status == 200
    replayed = [await world.courier.send(told.delivery) for _ in range(20)]
    forged = [await world.courier.send(told.delivery.signed_with(f"guess {number}")) for number in range(20)]
    assert (_statuses(replayed), _statuses(forged)) == ({200}, {401})
    world.inside.clock.advance(timedelta(seconds=2))
    assert await world.refresh() > 0
    assert await world.status() == Status.SURVEY_FINISHED
    assert await world.refresh() == 0


def _statuses(sent: list[Sent]) -> set[int | None]:
    return {one.status for one in sent}
