"""People who never added the app are given it where the settings say so, and then get what waits for them."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from aiolimiter import AsyncLimiter

from adapters.sandbox.serving import serving
from adapters.sandbox.teams.graph import CATALOG_ID
from adapters.sandbox.teams.graph import Graph as SimulatedGraph
from adapters.sandbox.teams.identity import IdentityProvider
from adapters.sandbox.teams.tenant import Conversation, Fault, Person
from adapters.teams.channel import TeamsChannel
from adapters.teams.directory import TeamsDirectory
from adapters.teams.graph import GRAPH_PERMISSIONS, INSTALL, Graph
from adapters.teams.installer import Installer
from adapters.teams.registration import Registration
from bot.delivering.delivery import Sender, deliver_due
from bot.errors import Forbidden, Gone, SurveybotError, Throttled, Unauthorized, Unavailable
from bot.events import Event, EventKind
from bot.messages import DeliveryState, Unreachable
from bot.ports import Store, UnitOfWork
from tests.adapters.teams.conftest import NOW, REACH, TENANT_ID, People, title

EMAILS = ("ana@acme.example", "ben@acme.example", "nobody@acme.example", "pat@acme.example", "ana@partner.example")


class Clock:
    now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def simulated(identity: IdentityProvider, people: People) -> SimulatedGraph:
    """Ben's mail address is not the name he signs in with; Pat's app is blocked by a policy."""
    people.tenant.people["ben"].email, people.tenant.people["ben"].upn = "ben@acme.example", "b.smith@acme.example"
    people.tenant.add(Person(user_id="pat", name="Pat", email="pat@acme.example"))
    identity.roles = {permission.name for permission in GRAPH_PERMISSIONS}
    graph = SimulatedGraph(tenant=people.tenant, identity=identity, blocked_by_policy={"pat"})
    graph.on_install = lambda person: people.client.install(person.user_id)
    return graph


@pytest.fixture
async def installer(
    simulated: SimulatedGraph, registration: Registration, store: Store, directory: TeamsDirectory, clock: Clock
) -> AsyncIterator[Installer]:
    async with serving(simulated.app()) as url:
        graph = Graph(replace(registration, cloud=replace(registration.cloud, graph_url=url)))
        yield Installer(
            graph=graph,
            store=store,
            clock=clock,
            tenant_id=TENANT_ID,
            domains=frozenset({"acme.example"}),
            meet=directory.meet_in_chat,
            pace=AsyncLimiter(1000, 1),
        )
        await graph.aclose()


@pytest.fixture(autouse=True)
async def waiting(store: Store, surveys: None) -> None:
    """A message waits for each of them; none of them is in any chat."""

    def seed(uow: UnitOfWork) -> None:
        people = uow.people.ids(EMAILS).values()
        kind = EventKind.SURVEY_INVITED
        uow.outbox.add([Event(kind=kind, integration_id="main", survey_id="SV_1", person_id=one, mark="") for one in people], NOW)
        for queue in uow.outbox.queues(NOW):
            for delivery in uow.outbox.claim(queue, NOW, owner="x", lease=timedelta(minutes=1), limit=len(EMAILS)):
                state, reason = DeliveryState.UNREACHABLE, Unreachable.NO_ACCOUNT
                uow.outbox.finish(delivery.delivery_id, state, NOW, owner="x", reason=reason)

    await store.write(seed)


async def test_who_never_added_the_app_gets_it_and_then_their_message(
    simulated: SimulatedGraph, installer: Installer, store: Store, channel: TeamsChannel, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever is of another domain, unknown, or kept from it by a policy does not; the log names nobody by their address."""
    caplog.set_level(logging.INFO, "adapters")
    assert await installer.install_due() == 4
    assert simulated.installed == ["ana", "ben"]
    assert await store.read(lambda uow: uow.app_offers.counts()) == {"installed": 2, "no account with this address": 1, "refused": 1}

    await store.write(lambda uow: uow.outbox.reopen_reachable(REACH, NOW))
    await deliver_due(Sender(store=store, channel=channel, clock=lambda: NOW, owner="x", reach=REACH))
    seen = [[title(message["attachments"][0]["content"]) for message in chat.messages.values()] for chat in chats(simulated)]
    assert seen == [["Surveybot help", "New survey"]] * 2
    said = [record for record in caplog.records if record.name.startswith("adapters.teams")]
    assert len(said) == 4
    assert not any("acme" in str(record.__dict__) for record in said)


async def test_who_got_the_app_while_nobody_listened_gets_their_message_too(
    simulated: SimulatedGraph, installer: Installer, store: Store, channel: TeamsChannel
) -> None:
    """A policy gave it to everybody before the bot was started."""
    simulated.installed += ["ana", "ben"]
    await installer.install_due()
    await store.write(lambda uow: uow.outbox.reopen_reachable(REACH, NOW))
    await deliver_due(Sender(store=store, channel=channel, clock=lambda: NOW, owner="x", reach=REACH))
    seen = [[title(message["attachments"][0]["content"]) for message in chat.messages.values()] for chat in chats(simulated)]
    assert seen == [["New survey"]] * 2


def chats(simulated: SimulatedGraph) -> list[Conversation]:
    return [simulated.tenant.personal(user_id) for user_id in simulated.installed]


async def test_everybody_is_asked_for_once_and_whoever_could_not_get_it_again_after_days(
    simulated: SimulatedGraph, installer: Installer, clock: Clock
) -> None:
    """Who has it by now is not: they may have removed it."""
    await installer.install_due()
    simulated.journal.clear()
    assert await installer.install_due() == 0
    assert simulated.journal == []
    clock.now = NOW + timedelta(days=8)
    simulated.blocked_by_policy.clear()
    assert await installer.install_due() == 1
    assert simulated.installed == ["ana", "ben", "pat"]


async def test_without_permission_nobody_is_asked_for_and_without_a_directory_addresses_are_names(
    simulated: SimulatedGraph, identity: IdentityProvider, installer: Installer, clock: Clock
) -> None:
    identity.roles.clear()
    with pytest.raises(Forbidden, match=INSTALL.name):
        await installer.install_due()
    assert simulated.journal == []
    identity.roles.add(INSTALL.name)
    named = replace(installer, catalog_id=CATALOG_ID)
    named.graph._token.drop(identity.tokens[-1])
    clock.now = NOW + timedelta(hours=1)
    assert await named.install_due() == 4
    assert simulated.installed == ["ana"]
    assert {path for method, path in simulated.journal if method == "GET"} == set()


@pytest.mark.parametrize(
    ("fault", "expected"), [(Fault(429, None, 7), Throttled), (Fault(503), Unavailable), (Fault(401), Unauthorized), (None, Gone)], ids=str
)
async def test_trouble_of_graphs_ends_the_round_and_whoever_waits_has_their_turn_later(
    simulated: SimulatedGraph, installer: Installer, clock: Clock, fault: Fault | None, expected: type[SurveybotError]
) -> None:
    """No fault: the app is in no catalogue yet."""
    simulated.is_in_catalog = fault is not None
    simulated.troubles.extend([fault] if fault else [])
    with pytest.raises(expected) as raised:
        await installer.install_due()
    assert getattr(raised.value, "retry_after", None) in {7, None}
    assert await installer.install_due() == 0
    simulated.is_in_catalog = True
    clock.now = NOW + timedelta(minutes=16)
    await installer.install_due()
    assert simulated.installed == ["ana", "ben"]
