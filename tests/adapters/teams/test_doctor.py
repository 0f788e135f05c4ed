"""`surveybot doctor` tells whoever runs the bot in Teams what is wrong there, and nothing of Slack."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
from pydantic import SecretStr

from adapters.core import utc_now
from adapters.doctor.check import Check, Level
from adapters.doctor.report import report
from adapters.sandbox.serving import serving
from adapters.sandbox.teams.graph import Graph as SimulatedGraph
from adapters.sandbox.teams.identity import IdentityProvider
from adapters.sandbox.teams.tenant import Tenant
from adapters.settings import Settings, Teams
from adapters.teams.graph import CATALOG, GRAPH_PERMISSIONS, INSTALL, USERS
from adapters.teams.registration import AppKind, Cloud, Registration
from bot.installations import Offered
from bot.messages import Address, DeliveryState, MemberKind, Unreachable
from bot.ports import Store, UnitOfWork
from tests.adapters.teams.conftest import APP_ID, NOW, TENANT_ID, member
from tests.conftest import KEY
from tests.contract.store.examples import event
from tests.unit.core.examples import an_integration

PASSWORD = SecretStr("a-secret-of-tests")


@pytest.fixture
def teams() -> Teams:
    return Teams(app_id=APP_ID, tenant_id=TENANT_ID, client_secret=PASSWORD)


@pytest.fixture
async def graph(service: Tenant, identity: IdentityProvider, registration: Registration) -> AsyncIterator[tuple[SimulatedGraph, Cloud]]:
    simulated = SimulatedGraph(tenant=service, identity=identity)
    async with serving(simulated.app()) as url:
        yield simulated, replace(registration.cloud, graph_url=url)


async def told(database_url: str, teams: Teams, cloud: Cloud, ahead: timedelta = timedelta()) -> dict[str, Check]:
    settings = Settings(teams=teams, encryption_keys=SecretStr(KEY), database_url=SecretStr(database_url))
    return {check.name: check for check in await report(settings, lambda: utc_now() + ahead, cloud=cloud)}


async def test_a_good_registration_that_nobody_uses_yet_says_what_to_do_next(
    database_url: str, teams: Teams, registration: Registration
) -> None:
    found = await told(database_url, teams, registration.cloud)
    assert {name: check.level for name, check in found.items() if "Teams" in name} == {
        "Teams": Level.OK,
        "Teams, keys and clock": Level.OK,
        "Teams, endpoint": Level.WARN,
        "people in Teams": Level.WARN,
    }
    assert "Messaging endpoint: https://YOUR-HOST/teams/messages" in found["Teams, endpoint"].text
    assert "an app setup policy" in found["people in Teams"].text
    assert not any("slack" in str(check).lower() for check in found.values())


async def test_people_are_counted_by_how_they_are_reached(
    database_url: str, store: Store, teams: Teams, registration: Registration
) -> None:
    def seed(uow: UnitOfWork) -> None:
        people = [member("ana"), member("ben"), replace(member("gus"), kind=MemberKind.GUEST), replace(member("sam"), email=None)]
        uow.members.save([*people, replace(member("slack"), workspace_id="T0")])
        for user_id in ("ana", "ben"):
            chat = Address(workspace_id=TENANT_ID, conversation_id="", user_id=user_id, service_url="https://smba.example/")
            uow.addresses.save(replace(chat, conversation_id=f"a:{user_id}", is_closed=user_id == "ben"))
        uow.addresses.save(replace(chat, conversation_id="gus", user_id="gus", is_closed=True))

    await store.write(seed)
    found = await told(database_url, teams, registration.cloud)
    assert found["Teams, endpoint"].level is Level.OK
    assert found["people in Teams"].text == (
        "2 are known, 1 have the app, 1 have removed or blocked it, 1 could not be told because they never added it, "
        "1 guests (SURVEYBOT_TEAMS__ALLOW_GUESTS lets them in), 1 whose account shows no e-mail address"
    )


async def test_refused_credentials_unreachable_addresses_and_a_wrong_clock_each_have_their_fix(
    database_url: str, teams: Teams, registration: Registration, identity: IdentityProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = teams.model_copy(update={"client_secret": SecretStr("another-secret-of-tests")})
    found = await told(database_url, wrong, registration.cloud, timedelta(minutes=7))
    assert "invalid_client AADSTS7000215; the secret is wrong" in found["Teams"].text
    assert "another-secret" not in str(found.values())
    assert "s ahead of Microsoft" in found["Teams, keys and clock"].text
    identity.is_down = True
    found = await told(database_url, teams, registration.cloud)
    assert "does this machine reach" in found["Teams"].text
    assert "does this machine reach" in found["Teams, keys and clock"].text
    monkeypatch.setenv("IDENTITY_ENDPOINT", "http://127.0.0.1:1/token")
    monkeypatch.setenv("IDENTITY_HEADER", "h")
    managed = teams.model_copy(update={"kind": AppKind.MANAGED_IDENTITY, "client_secret": None})
    assert "managed identity" in (await told(database_url, managed, registration.cloud))["Teams"].text


async def test_the_switch_that_gives_people_the_app_lacks_a_permission_or_the_app(
    database_url: str, store: Store, teams: Teams, graph: tuple[SimulatedGraph, Cloud], identity: IdentityProvider
) -> None:
    simulated, cloud = graph
    switched = teams.model_copy(update={"install_for": "acme.example"})

    async def found() -> Check:
        return (await told(database_url, switched, cloud))["Teams, giving the app"]

    assert INSTALL.name in (await found()).text
    identity.roles = {INSTALL.name}
    assert CATALOG.name in (await found()).text
    identity.roles = {permission.name for permission in GRAPH_PERMISSIONS}
    simulated.is_in_catalog = False
    assert "surveybot manifest teams --installs-itself" in (await found()).text
    simulated.is_in_catalog = True
    identity.roles.remove(USERS.name)
    said = await found()
    assert (said.level, USERS.name in said.text) == (Level.OK, True)
    await store.write(refused)
    assert "Graph refuses everybody" in (await found()).text


def refused(uow: UnitOfWork) -> None:
    """One person waited for a message and was refused the app."""
    uow.integrations.save(an_integration("main"))
    (person_id,) = uow.people.ids(["ana@acme.example"]).values()
    uow.outbox.add([event(person_id)], NOW)
    (queue,) = uow.outbox.queues(NOW)
    (delivery,) = uow.outbox.claim(queue, NOW, owner="x", lease=timedelta(minutes=1), limit=1)
    uow.outbox.finish(delivery.delivery_id, DeliveryState.UNREACHABLE, NOW, owner="x", reason=Unreachable.NO_ACCOUNT)
    uow.app_offers.claim(TENANT_ID, ["acme.example"], NOW, NOW, 1)
    uow.app_offers.record(person_id, Offered.REFUSED, NOW)
