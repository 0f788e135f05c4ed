"""Both chats over HTTP, each with Ana and Ben, as far as the port to them is concerned."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from adapters.core import utc_now
from adapters.sandbox.serving import serving
from adapters.sandbox.slack import faults
from adapters.sandbox.slack.server import slack_app
from adapters.sandbox.slack.workspace import UserKind, Workspace
from adapters.sandbox.teams.certificate import certificate
from adapters.sandbox.teams.connector import connector_app
from adapters.sandbox.teams.identity import IdentityProvider, Key
from adapters.sandbox.teams.tenant import Fault, LostAnswer, Person, Tenant
from adapters.slack.channel import SlackChannel
from adapters.slack.clients import OneWorkspace, make_client, make_session
from adapters.slack.pacing import SlackPace
from adapters.teams.channel import TeamsChannel
from adapters.teams.connector import Connector
from adapters.teams.pacing import TeamsPace
from adapters.teams.registration import Cloud, Registration
from bot.messages import Conversation, Member, MemberKind
from bot.ports import Channel, Store
from store.gates import SqlGates

_TOKEN, _PASSWORD = "xoxb-not-a-token", "a-secret-of-tests"
_APP, _TENANT = "11111111-2222-3333-4444-555555555555", "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"


@dataclass(frozen=True)
class Chat:
    """One chat platform with the bot's way to it."""

    channel: Channel
    ana: Member
    ben: Member
    #: Nobody there.
    nobody: Member
    #: What a person sees in their chat with the bot, oldest first, as the text that is read out.
    seen: Callable[[Member], list[str]]
    #: A channel that Ana, Ben and the bot are in.
    place: Conversation
    #: Somebody else joins it: a `guest`, or somebody of `another` organisation.
    join: Callable[[str], Any]
    #: How many the bot made.
    calls: Callable[[], int]
    #: What the next call meets: `limit` (wait a minute), `lost` (done, and not answered), `down`.
    meet: Callable[[str], Any]


@asynccontextmanager
async def _slack(store: Store, gates: SqlGates) -> AsyncGenerator[Chat]:
    workspace = Workspace(clock=utc_now, bot_token=_TOKEN, signing_secret="a-signing-secret-of-tests")
    workspace.add_user("U0ANA", "ana", email="ana@acme.example")
    workspace.add_user("U0BEN", "ben", email="ben@acme.example")
    place = workspace.add_channel("C0STATS", "stats", members={"U0ANA", "U0BEN", workspace.bot_user_id})

    def join(who: str) -> None:
        workspace.add_user(f"U0{who.upper()}", who, kind=UserKind.GUEST if who == "guest" else UserKind.STRANGER)
        place.members.add(f"U0{who.upper()}")
        place.is_shared = place.is_shared or who == "another"

    troubles = {"limit": faults.RateLimited(60), "lost": faults.LostAnswer(), "down": faults.Status(503)}
    async with serving(slack_app(workspace)) as url, make_session() as session:
        clients = OneWorkspace(workspace.team_id, make_client(_TOKEN, f"{url}/api/", session))
        yield Chat(
            channel=SlackChannel(clients, store, SlackPace(gates, utc_now, sends_per_minute=60_000)),
            ana=_member(workspace.team_id, "U0ANA", "ana"),
            ben=_member(workspace.team_id, "U0BEN", "ben"),
            nobody=_member(workspace.team_id, "U0NOBODY", "nobody"),
            seen=lambda member: [it.text for it in workspace.direct_message(member.user_id).messages.values()],
            place=Conversation(workspace_id=workspace.team_id, channel_id=place.conversation_id),
            join=join,
            calls=lambda: len(workspace.journal),
            meet=lambda trouble: workspace.faults.add(troubles[trouble]),
        )


@asynccontextmanager
async def _teams(store: Store, gates: SqlGates, pem: Path) -> AsyncGenerator[Chat]:
    tenant, identity = Tenant(tenant_id=_TENANT), IdentityProvider(app_id=_APP, password=_PASSWORD, key=Key("k1"))
    tenant.add(Person(user_id="ana", name="Ana", email="ana@acme.example"), Person(user_id="ben", name="Ben", email="ben@acme.example"))
    place = tenant.channel("19:stats@thread.tacv2", ["ana", "ben"])

    def join(who: str) -> None:
        tenant.add(Person(user_id=who, name=who, email=None, **({"role": "guest"} if who == "guest" else {"tenant_id": "another"})))
        place.members.append(who)

    troubles = {"limit": Fault(429, retry_after_s=60), "lost": LostAnswer(), "down": Fault(503)}
    async with serving(identity.app(), certificate=pem) as login_url, serving(connector_app(tenant, identity)) as url:
        identity.url, tenant.service_url = login_url, f"{url}/"
        hosts = frozenset({"127.0.0.1"})
        cloud = Cloud(login_url=f"{login_url}/", service_hosts=hosts, service_url=tenant.service_url, allows_http=True)
        registration = Registration(app_id=_APP, tenant_id=_TENANT, password=_PASSWORD, cloud=cloud)
        connector = Connector(registration, at_once=2)
        pace = TeamsPace(gates, utc_now, _TENANT, per_minute=60_000)
        yield Chat(
            channel=TeamsChannel(connector, registration, store, pace),
            ana=_member(_TENANT, "ana", "ana"),
            ben=_member(_TENANT, "ben", "ben"),
            nobody=_member(_TENANT, "nobody", "nobody"),
            seen=lambda member: [it["summary"] for it in tenant.personal(member.user_id).messages.values()],
            place=Conversation(workspace_id=_TENANT, channel_id=place.conversation_id),
            join=join,
            calls=lambda: len(tenant.journal),
            meet=lambda trouble: tenant.troubles.append(troubles[trouble]),
        )
        await connector.aclose()


def _member(workspace_id: str, user_id: str, name: str) -> Member:
    return Member(workspace_id=workspace_id, user_id=user_id, kind=MemberKind.MEMBER, email=f"{name}@acme.example")


@pytest.fixture(params=["slack", "teams"])
async def chat(
    request: pytest.FixtureRequest, store: Store, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Chat]:
    gates = SqlGates(database_url)
    if request.param == "slack":
        opened = _slack(store, gates)
    else:
        pem = certificate(tmp_path / "server.pem")
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(pem))
        opened = _teams(store, gates, pem)
    async with opened as made:
        yield made
    await gates.close()


@pytest.fixture
async def in_store(chat: Chat, store: Store) -> None:
    """The directory knows them."""
    await store.write(lambda uow: uow.members.save([chat.ana, chat.ben]))
