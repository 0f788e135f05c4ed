"""The real app, client and store against the simulated Slack over HTTP, with a few people, two channels and surveys."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient
from starlette.applications import Starlette

from adapters.core import utc_now
from adapters.sandbox.serving import serving
from adapters.sandbox.slack.sender import SlackSender
from adapters.sandbox.slack.server import slack_app as simulated_slack
from adapters.sandbox.slack.workspace import ConversationKind, Message, UserKind, Workspace, elements
from adapters.slack.channel import SlackChannel
from adapters.slack.clients import Clients, OneWorkspace, make_client
from adapters.slack.directory import SlackDirectory
from adapters.slack.inbound import PATH, routes, slack_app
from adapters.slack.pacing import SlackPace
from bot import actions
from bot.messages import Member, MemberKind
from bot.model import Distribution, HistoryEntry, LinkEntry, LinkType, Status, Survey
from bot.ports import Store, UnitOfWork
from bot.ports.records import MailedRow
from store.encryption import Keyring
from store.gates import SqlGates
from tests.conftest import KEY
from tests.unit.core.examples import an_integration

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
TEAM = "T0ACME"
TOKEN = "xoxb-not-a-token"
KEYRING = Keyring.parse(KEY)
SECRET = "a-signing-secret-of-tests"
LINK = "https://acme.qualtrics.com/jfe/form/SV_{number}?Q_DL={owner}"


@pytest.fixture
def database_url(tmp_path: Path, migrated_sqlite: bytes) -> str:
    """SQLite alone: what the store does on both databases is tested in `tests/contract/store`."""
    path = tmp_path / "surveybot.db"
    path.write_bytes(migrated_sqlite)
    return f"sqlite:///{path}"


@pytest.fixture
def workspace() -> Workspace:
    """Ana and Ben, whose direct message with each other is D0HUMANS, #team, and #general with everybody who is not a member."""
    slack = Workspace(clock=lambda: NOW, bot_token=TOKEN, signing_secret=SECRET)
    slack.platform.patience_s = 30  # a busy machine may take longer than three seconds
    slack.add_user("U0ANA", "ana", email="Ana@Acme.example", zone="Europe/Berlin", locale="en-US")
    slack.add_user("U0BEN", "ben", email="ben@acme.example")
    slack.add_user("U0GUEST", "gus", email="gus@acme.example", kind=UserKind.GUEST)
    slack.add_user("U0ONE", "una", email="una@acme.example", kind=UserKind.SINGLE_CHANNEL_GUEST)
    slack.add_user("U0FAR", "fay", kind=UserKind.STRANGER)
    slack.add_user("U0GONE", "gil", email="gil@acme.example", kind=UserKind.DEACTIVATED)
    slack.add_user("U0SHY", "sam", email=None)
    everybody = set(slack.users)
    slack.add_channel("C0GENERAL", "general", members=everybody)
    slack.add_channel("C0TEAM", "team", members={"U0ANA", "U0BEN", "U0SHY", slack.bot_user_id})
    slack.add_channel("D0HUMANS", "directmessage", kind=ConversationKind.DIRECT, members={"U0ANA", "U0BEN"})
    return slack


@pytest.fixture
async def client(workspace: Workspace) -> AsyncIterator[AsyncWebClient]:
    async with serving(simulated_slack(workspace)) as url:
        workspace.url = url
        made = make_client(TOKEN, f"{url}/api/")
        yield made
        assert made.session is not None
        await made.session.close()


@pytest.fixture
def clients(client: AsyncWebClient, workspace: Workspace) -> Clients:
    return OneWorkspace(workspace.team_id, client)


@pytest.fixture
def directory(clients: Clients, store: Store) -> SlackDirectory:
    return SlackDirectory(clients, store, lambda: NOW)


@pytest.fixture
async def gates(database_url: str) -> AsyncIterator[SqlGates]:
    opened = SqlGates(database_url)
    yield opened
    await opened.close()


@pytest.fixture
def channel(clients: Clients, store: Store, gates: SqlGates) -> SlackChannel:
    return SlackChannel(clients, store, SlackPace(gates, utc_now, sends_per_minute=60_000))


@pytest.fixture
async def ana(store: Store, directory: SlackDirectory) -> Member:
    member = await directory.member(TEAM, "U0ANA")
    assert member.kind is MemberKind.MEMBER
    return member


@dataclass(frozen=True)
class Bot:
    """The bot as people meet it. Every method returns when the work that was acknowledged is done."""

    workspace: Workspace
    sender: SlackSender
    url: str

    async def command(self, user_id: str, channel_id: str, text: str = "", command: str = "/surveys") -> Message:
        """Type a command and return the answer."""
        answer = await self.sender.command(user_id, channel_id, command, text)
        assert answer.status == 200
        await settled()
        return self.newest(user_id, channel_id)

    async def press(self, user_id: str, label: str, channel_id: str | None = None, ts: str | None = None) -> None:
        """Press the first button that says `label` (without a channel: in the modal, or on the Home tab)."""
        view = self.workspace.modals.get(user_id) or self.workspace.homes.get(user_id, {})
        blocks = view["blocks"] if channel_id is None else self.message(user_id, channel_id, ts).blocks
        button = next(button for block in blocks for button in elements(block) if button["text"]["text"] == label)
        answer = await self.sender.press(user_id, action_id=button["action_id"], channel_id=channel_id, ts=ts)
        assert answer.status == 200
        await settled()

    async def open_home(self, user_id: str) -> dict[str, Any]:
        assert (await self.sender.open_home(user_id)).status == 200
        await settled()
        return self.workspace.homes[user_id]

    def message(self, user_id: str, channel_id: str, ts: str | None) -> Message:
        assert ts is not None
        return self.workspace.sees(user_id, channel_id)[ts]

    def newest(self, user_id: str, channel_id: str) -> Message:
        return list(self.workspace.sees(user_id, channel_id).values())[-1]

    def dm(self, user_id: str) -> str:
        return self.workspace.direct_message(user_id).conversation_id


StartBot = Callable[..., Awaitable[Bot]]


@pytest.fixture
async def start(
    clients: Clients, workspace: Workspace, store: Store, directory: SlackDirectory, channel: SlackChannel
) -> AsyncIterator[StartBot]:
    """Serve the app on a port; each call makes a new app over the same store."""
    async with AsyncExitStack() as stack:

        async def start_one(handle: actions.Handle = actions.handle, memory: Store = store, dms: SlackChannel = channel) -> Bot:
            app = slack_app(
                clients=clients,
                signing_secret=SECRET,
                store=memory,
                directory=directory,
                channel=dms,
                keyring=KEYRING,
                clock=lambda: NOW,
                handle=handle,
            )
            url = await stack.enter_async_context(serving(Starlette(routes=routes(app)))) + PATH
            return Bot(workspace, SlackSender(workspace, url), url)

        yield start_one


@pytest.fixture
def app(clients: Clients, store: Store, directory: SlackDirectory, channel: SlackChannel) -> AsyncApp:
    """The app alone, served nowhere."""
    return slack_app(
        clients=clients, signing_secret=SECRET, store=store, directory=directory, channel=channel, keyring=KEYRING, clock=lambda: NOW
    )


@pytest.fixture
async def bot(start: StartBot, surveys: None) -> Bot:
    return await start()


@pytest.fixture
async def surveys(store: Store) -> None:
    """Ana was sent 21 surveys, the first one closing first; Ben was sent SV_100 alone."""

    def seed(uow: UnitOfWork) -> None:
        uow.integrations.save(an_integration("main"))
        people = uow.people.ids(["ana@acme.example", "ben@acme.example"])
        for number in range(1, 22):
            _invite(uow, number, "ana@acme.example", people)
        _invite(uow, 100, "ben@acme.example", people)

    await store.write(seed)


def _invite(uow: UnitOfWork, number: int, email: str, people: Mapping[str, int]) -> None:
    survey_id, distribution_id, contact_id = f"SV_{number}", f"EMD_{number}", f"CID_{email}"
    survey = Survey(survey_id=survey_id, name=f"Survey {number}", owner_id="UR_1", is_active=True, last_modified=NOW)
    uow.surveys.save("main", [survey], NOW)
    closes_at = NOW + timedelta(days=number)
    distribution = Distribution(
        distribution_id=distribution_id,
        survey_id=survey_id,
        parent_id=None,
        owner_id="UR_1",
        request_type="Invite",
        request_status="Done",
        send_date=NOW,
        sender_name="People team",
        link_type=LinkType.INDIVIDUAL,
        link_expires_at=closes_at,
    )
    uow.distributions.save("main", [distribution])
    url = LINK.format(number=number, owner=email.partition("@")[0])
    link = LinkEntry(contact_id=contact_id, email=email, url=url, expires_at=closes_at)
    uow.invitations.save_links("main", distribution_id, [link], people)
    entry = HistoryEntry(contact_id=contact_id, status=Status.SUCCESS, url=None, sent_at=NOW, completed_at=None)
    uow.invitations.save_history("main", distribution_id, [MailedRow(entry=entry, mailed=True, notice_at=None)])


async def settled() -> None:
    """Wait until Bolt has no listener at work: it starts them before it acknowledges."""
    while working := [task for task in asyncio.all_tasks() if "run_ack_function" in repr(task.get_coro())]:
        await asyncio.wait(working)
