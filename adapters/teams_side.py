"""The bot's side in Teams: what it hears there and how it answers, opened and closed in order."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from starlette.routing import Route

from adapters.core import Core
from adapters.settings import Teams
from adapters.teams.authentication import Doorkeeper
from adapters.teams.channel import TeamsChannel
from adapters.teams.connector import Connector
from adapters.teams.directory import TeamsDirectory
from adapters.teams.directory_reader import TeamsDirectoryReader
from adapters.teams.graph import Graph
from adapters.teams.inbound import Inbound
from adapters.teams.installer import Installer
from adapters.teams.pacing import TeamsPace
from adapters.teams.registration import Cloud, Registration
from adapters.teams.turns import Turns
from adapters.visits import Visits


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamsSide:
    registration: Registration
    connector: Connector
    directory: TeamsDirectory
    directory_reader: TeamsDirectoryReader
    channel: TeamsChannel
    #: None = nobody is given the app.
    installer: Installer | None
    #: What Teams calls.
    routes: Sequence[Route]


@asynccontextmanager
async def open_teams(core: Core, cloud: Cloud) -> AsyncGenerator[TeamsSide]:
    """Microsoft is asked for nothing before it is needed: a bot whose registration is wrong starts, and `surveybot doctor` says so."""
    teams, store, clock = core.settings.teams, core.store, core.clock
    async with AsyncExitStack() as stack:
        registration = registered(teams, cloud)
        connector, doorkeeper = Connector(registration), Doorkeeper(registration)
        stack.push_async_callback(connector.aclose)
        stack.push_async_callback(doorkeeper.aclose)
        directory = TeamsDirectory(connector, registration, store, clock)
        pace = TeamsPace(core.gates, clock, registration.tenant_id, per_minute=60 * teams.sends_per_second)
        channel = TeamsChannel(connector, registration, store, pace, allow_guests_in_channels=teams.allow_guests_in_channels)
        turns = Turns(
            store=store,
            directory=directory,
            channel=channel,
            clock=clock,
            handle=core.handle,
            is_targeting=teams.targeted_answers,
            visits=Visits(store, clock),
        )
        inbound = Inbound(doorkeeper, directory, turns, store, clock)
        yield TeamsSide(
            registration=registration,
            connector=connector,
            directory=directory,
            directory_reader=_directory_reader(core, directory, pace, registration),
            channel=channel,
            installer=await stack.enter_async_context(_installing(core, registration, directory)) if teams.install_domains else None,
            routes=inbound.routes(),
        )


def _directory_reader(core: Core, directory: TeamsDirectory, pace: TeamsPace, registration: Registration) -> TeamsDirectoryReader:
    return TeamsDirectoryReader(
        directory=directory,
        store=core.store,
        pace=pace,
        tenant_id=registration.tenant_id,
        readings=core.readings(),
        clock=core.clock,
    )


@asynccontextmanager
async def _installing(core: Core, registration: Registration, directory: TeamsDirectory) -> AsyncGenerator[Installer]:
    teams, graph = core.settings.teams, Graph(registration)
    try:
        yield Installer(
            graph=graph,
            store=core.store,
            clock=core.clock,
            tenant_id=registration.tenant_id,
            domains=teams.install_domains,
            meet=directory.meet_in_chat,
            catalog_id=teams.catalog_id,
        )
    finally:
        await graph.aclose()


def registered(teams: Teams, cloud: Cloud) -> Registration:
    """How the settings say that the bot is registered. Raises ValueError without an app id: whoever asks would be believed."""
    if not teams.app_id or not teams.tenant_id:
        raise ValueError("a bot without its app id would believe anybody")
    password = None if teams.client_secret is None else teams.client_secret.get_secret_value()
    return Registration(app_id=teams.app_id, tenant_id=teams.tenant_id, kind=teams.kind, password=password, cloud=cloud)
