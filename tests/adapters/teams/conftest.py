"""The real adapter, SDK and store against the simulated Teams over HTTP: Ana and Ben, a guest, a stranger, and a channel."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from adapters.core import utc_now
from adapters.sandbox.serving import serving
from adapters.sandbox.teams.certificate import certificate
from adapters.sandbox.teams.client import TeamsClient
from adapters.sandbox.teams.connector import connector_app
from adapters.sandbox.teams.identity import IdentityProvider, Key
from adapters.sandbox.teams.tenant import Conversation, Json, Person, Tenant
from adapters.teams.authentication import Doorkeeper
from adapters.teams.channel import TeamsChannel
from adapters.teams.connector import Connector
from adapters.teams.directory import TeamsDirectory
from adapters.teams.inbound import PATH, Inbound
from adapters.teams.pacing import TeamsPace
from adapters.teams.registration import Cloud, Registration
from adapters.teams.turns import Turns
from adapters.visits import Visits
from bot.actions import handle
from bot.messages import Member, MemberKind, Platform, Reach
from bot.model import Distribution, HistoryEntry, LinkEntry, LinkType, Status, Survey
from bot.ports import Store, UnitOfWork
from bot.ports.records import MailedRow
from store.gates import SqlGates
from tests.unit.core.examples import an_integration

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
APP_ID = "11111111-2222-3333-4444-555555555555"
TENANT_ID = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
REACH = Reach(platforms=frozenset({Platform.TEAMS}), tenant_id=TENANT_ID)
LINK = "https://acme.qualtrics.com/jfe/form/SV_1?Q_DL="


@pytest.fixture
def database_url(tmp_path: Path, migrated_sqlite: bytes) -> str:
    """SQLite alone: what the store does on both databases is tested in `tests/contract/store`."""
    path = tmp_path / "surveybot.db"
    path.write_bytes(migrated_sqlite)
    return f"sqlite:///{path}"


@pytest.fixture(scope="session")
def signing_key() -> Key:
    return Key("k1")


@pytest.fixture(scope="session")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificate(tmp_path_factory.mktemp("tls") / "server.pem")


@pytest.fixture
def tenant() -> Tenant:
    teams = Tenant(tenant_id=TENANT_ID)
    teams.add(
        Person(user_id="ana", name="Ana", email="Ana@Acme.example"),
        Person(user_id="ben", name="Ben", email=None, upn="ben@acme.example", zone=None),
        Person(user_id="gus", name="Gus", email="gus@partner.example", role="guest"),
        Person(user_id="far", name="Fay", email="ana@acme.example", tenant_id="another"),
        Person(user_id="sam", name="Sam", email=None),
    )
    teams.channel("19:general@thread.tacv2", list(teams.people))
    return teams


@pytest.fixture
async def identity(signing_key: Key, pem: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[IdentityProvider]:
    provider = IdentityProvider(app_id=APP_ID, password="a-secret-of-tests", key=signing_key)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(pem))
    async with serving(provider.app(), certificate=pem) as url:
        provider.url = url
        yield provider


@pytest.fixture
async def service(tenant: Tenant, identity: IdentityProvider) -> AsyncIterator[Tenant]:
    """The tenant with its Bot Connector at work."""
    async with serving(connector_app(tenant, identity)) as url:
        tenant.service_url = f"{url}/"
        yield tenant


@pytest.fixture
def registration(service: Tenant, identity: IdentityProvider) -> Registration:
    cloud = Cloud(
        login_url=f"{identity.url}/",
        openid_url=f"{identity.url}/openid",
        service_hosts=frozenset({"127.0.0.1"}),
        service_url=service.service_url,
        allows_http=True,
    )
    return Registration(app_id=APP_ID, tenant_id=TENANT_ID, password=identity.password, cloud=cloud)


@pytest.fixture
async def connector(registration: Registration) -> AsyncIterator[Connector]:
    made = Connector(registration, at_once=4)
    yield made
    await made.aclose()


@pytest.fixture
def directory(connector: Connector, registration: Registration, store: Store) -> TeamsDirectory:
    return TeamsDirectory(connector, registration, store, utc_now)


@pytest.fixture
async def pace(database_url: str) -> AsyncIterator[TeamsPace]:
    gates = SqlGates(database_url)
    yield TeamsPace(gates, utc_now, TENANT_ID, per_minute=60_000)
    await gates.close()


@pytest.fixture
def channel(connector: Connector, registration: Registration, store: Store, pace: TeamsPace) -> TeamsChannel:
    return TeamsChannel(connector, registration, store, pace)


@pytest.fixture
async def doorkeeper(registration: Registration) -> AsyncIterator[Doorkeeper]:
    made = Doorkeeper(registration)
    yield made
    await made.aclose()


def member(user_id: str) -> Member:
    return Member(workspace_id=TENANT_ID, user_id=user_id, kind=MemberKind.MEMBER, email=f"{user_id}@acme.example")


@dataclass(frozen=True)
class People:
    """People with the bot. Every method returns when the work that was acknowledged is done."""

    client: TeamsClient
    tenant: Tenant

    def seen(self, user_id: str) -> list[Json]:
        """The cards of a personal chat, oldest first."""
        return [message["attachments"][0]["content"] for message in self.tenant.personal(user_id).messages.values()]

    def newest(self, user_id: str) -> Json:
        return self.seen(user_id)[-1]

    async def ask(self, user_id: str, text: str, conversation: Conversation | None = None) -> Json:
        assert (await self.client.say(user_id, text, conversation)).status_code == 202
        return self.newest(user_id)

    async def press(self, user_id: str, label: str, card: Json, conversation: Conversation | None = None) -> Json:
        """Press a button and return what Teams is answered."""
        answer = await self.client.press(user_id, button(card, label), conversation)
        assert answer.status_code == 200
        return answer.json()


@pytest.fixture
def is_targeting() -> bool:
    return False


@pytest.fixture
def turns(directory: TeamsDirectory, channel: TeamsChannel, store: Store, is_targeting: bool) -> Turns:
    return Turns(
        store=store,
        directory=directory,
        channel=channel,
        clock=lambda: NOW,
        handle=partial(handle, reach=REACH),
        is_targeting=is_targeting,
        visits=Visits(store, lambda: NOW),
    )


@pytest.fixture
def inbound(doorkeeper: Doorkeeper, directory: TeamsDirectory, turns: Turns, store: Store) -> Inbound:
    return Inbound(doorkeeper, directory, turns, store, lambda: NOW)


@pytest.fixture
def people(service: Tenant, identity: IdentityProvider, inbound: Inbound, surveys: None) -> People:
    """An ASGI transport waits for what is done after the answer as well."""
    transport = httpx.ASGITransport(Starlette(routes=inbound.routes()))
    return People(TeamsClient(service, identity, f"http://bot{PATH}", transport), service)


@pytest.fixture
async def surveys(store: Store) -> None:
    await store.write(sent_sv_1)


def sent_sv_1(uow: UnitOfWork) -> None:
    """Ana and Ben were sent SV_1."""
    uow.integrations.save(an_integration("main"))
    people = uow.people.ids(["ana@acme.example", "ben@acme.example"])
    survey = Survey(survey_id="SV_1", name="Pulse *1*", owner_id="UR_1", is_active=True, last_modified=NOW)
    uow.surveys.save("main", [survey], NOW)
    distribution = Distribution(
        distribution_id="EMD_1",
        survey_id="SV_1",
        parent_id=None,
        owner_id="UR_1",
        request_type="Invite",
        request_status="Done",
        send_date=NOW,
        sender_name="People team",
        link_type=LinkType.INDIVIDUAL,
        link_expires_at=None,
    )
    uow.distributions.save("main", [distribution])
    links = [LinkEntry(contact_id=email, email=email, url=LINK + email[:3], expires_at=None) for email in people]
    uow.invitations.save_links("main", "EMD_1", links, people)
    for email in people:
        entry = HistoryEntry(contact_id=email, status=Status.SUCCESS, url=None, sent_at=NOW, completed_at=None)
        uow.invitations.save_history("main", "EMD_1", [MailedRow(entry=entry, mailed=True, notice_at=None)])


def actions(drawn: Any) -> Iterator[Json]:
    """Every button of a card, however deep."""
    if isinstance(drawn, dict):
        yield from drawn.get("actions", ())
        drawn = list(drawn.values())
    if isinstance(drawn, list):
        for part in drawn:
            yield from actions(part)


def button(card: Json, label: str) -> Json:
    return next(action for action in actions(card["body"]) if action["title"] == label)


def title(card: Json) -> str:
    """As people read it."""
    return re.sub("\u200b", "", card["body"][0]["text"])
