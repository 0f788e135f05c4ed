"""Everybody in a workspace is read, in few calls, once at a time, and on from where it broke off."""

from __future__ import annotations

import asyncio
import tracemalloc
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from adapters.readings import Readings
from adapters.sandbox.serving import serving
from adapters.sandbox.slack.faults import LostAnswer, RateLimited, Refused
from adapters.sandbox.slack.grid import Organisation
from adapters.sandbox.slack.objects import user_object
from adapters.sandbox.slack.server import slack_app as simulated_slack
from adapters.sandbox.slack.workspace import UserKind, Workspace
from adapters.slack.clients import Clients, OneWorkspace, make_client
from adapters.slack.directory import SlackDirectory
from adapters.slack.directory_reader import DirectoryReader
from bot.errors import Gone, Rejected, Unauthorized, Unavailable
from bot.messages import Member, MemberKind
from bot.ports import Store
from bot.ports.records import DirectoryReading
from tests.adapters.slack.conftest import NOW, TEAM

EVERY = timedelta(days=1)


@dataclass
class Clock:
    at: datetime = NOW

    def __call__(self) -> datetime:
        return self.at


@dataclass
class Pace:
    """Gives every turn at once, and writes down who took it."""

    turns: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    refusals: list[tuple[str, str, float | None]] = field(default_factory=list[tuple[str, str, float | None]])

    async def turn(self, method: str, workspace_id: str) -> None:
        self.turns.append((method, workspace_id))

    async def refused(self, method: str, workspace_id: str, retry_after: float | None) -> None:
        self.refusals.append((method, workspace_id, retry_after))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pace() -> Pace:
    return Pace()


@pytest.fixture
def reader(clients: Clients, store: Store, clock: Clock, pace: Pace) -> DirectoryReader:
    readings = Readings(store=store, owner="here", clock=clock, every=EVERY, retry=timedelta(minutes=1))
    return DirectoryReader(clients=clients, store=store, pace=pace, readings=readings, clock=clock)


def crowd(workspace: Workspace, number: int) -> None:
    for user in range(number):
        workspace.add_user(f"U{user:05}", f"user{user}", email=f"user{user}@acme.example")


def pages(workspace: Workspace) -> list[Mapping[str, Any]]:
    return [call.arguments for call in workspace.journal if call.method == "users.list"]


async def member(store: Store, user_id: str, workspace_id: str = TEAM) -> Member | None:
    return await store.read(lambda uow: uow.members.get(workspace_id, user_id))


async def test_a_reading_stores_everybody_with_what_they_are(
    reader: DirectoryReader, workspace: Workspace, store: Store, pace: Pace
) -> None:
    crowd(workspace, 450)
    assert await reader.read(TEAM)
    assert [str(page["limit"]) for page in pages(workspace)] == ["200"] * 3
    assert pace.turns == [("users.list", TEAM)] * 3
    counts = await store.read(lambda uow: uow.members.counts())
    expected = Counter(str(user.kind) if "guest" not in user.kind else "guest" for user in workspace.users.values())
    assert counts == {**expected, "no e-mail": 1, "unconfirmed e-mail": 0}
    found = await store.read(lambda uow: uow.members.by_email("ana@acme.example"))
    assert [(m.user_id, m.zone, m.locale) for m in found] == [("U0ANA", "Europe/Berlin", "en-US")]


async def test_a_429_is_waited_for_and_told_to_all_processes(reader: DirectoryReader, workspace: Workspace, pace: Pace) -> None:
    workspace.faults.add(RateLimited(0), method="users.list", times=3)
    assert await reader.read(TEAM)
    assert pace.refusals == [("users.list", TEAM, 0.0)] * 3


async def test_endless_429s_are_given_up_on(reader: DirectoryReader, workspace: Workspace) -> None:
    workspace.faults.add(RateLimited(0), method="users.list", times=None)
    with pytest.raises(Unavailable):
        await reader.read(TEAM)
    assert len(workspace.journal) == 11


async def test_a_reading_that_broke_off_is_gone_on_with_by_any_process(
    reader: DirectoryReader, workspace: Workspace, store: Store, ana: Member
) -> None:
    """The whole list costs as many calls as it has pages, and the broken part of it deactivates nobody."""
    crowd(workspace, 450)
    await store.write(lambda uow: uow.members.save([replace(ana, user_id="U0LEFT")]))
    workspace.journal.clear()
    await _break_after_pages(reader, workspace, 2)
    assert (await member(store, "U0LEFT")) == replace(ana, user_id="U0LEFT")

    assert await replace(reader, readings=replace(reader.readings, owner="elsewhere")).read(TEAM)
    read = [page.get("cursor") or "" for page in pages(workspace)]
    assert len(set(read)) == 3
    assert len(read) == 3 + 2, "the page that broke was asked for again: by aiohttp at once, and by the next reading"
    left = await member(store, "U0LEFT")
    assert left is not None
    assert left.kind is MemberKind.DEACTIVATED


async def _break_after_pages(reader: DirectoryReader, workspace: Workspace, number: int) -> None:
    """Slack's connections break after so many pages."""

    async def breaking(method: str, workspace_id: str) -> None:
        if len(pages(workspace)) == number:
            workspace.faults.add(LostAnswer(), method="users.list", times=2)  # aiohttp repeats a GET once by itself

    with pytest.raises(Unavailable):
        await replace(reader, pace=cast("Pace", SimpleNamespace(turn=breaking))).read(TEAM)


async def test_a_cursor_that_slack_has_dropped_costs_a_new_beginning(reader: DirectoryReader, workspace: Workspace, store: Store) -> None:
    await store.write(lambda uow: uow.directory_readings.save(DirectoryReading(workspace_id=TEAM, began_at=NOW, cursor="gone")))
    assert await reader.read(TEAM)
    assert [page.get("cursor") for page in pages(workspace)] == ["gone", None]
    assert await member(store, "U0ANA") is not None


async def test_a_reading_left_long_ago_is_begun_anew(reader: DirectoryReader, workspace: Workspace, store: Store, clock: Clock) -> None:
    await store.write(lambda uow: uow.directory_readings.save(DirectoryReading(workspace_id=TEAM, began_at=NOW, cursor="old")))
    clock.at += timedelta(hours=7)
    assert await reader.read(TEAM)
    assert [page.get("cursor") for page in pages(workspace)] == [None]


async def test_one_process_at_a_time_reads_a_workspace(reader: DirectoryReader, workspace: Workspace, store: Store) -> None:
    await store.write(lambda uow: uow.leases.take(f"directory:{TEAM}", "elsewhere", timedelta(minutes=1)))
    assert not await reader.read(TEAM)
    assert workspace.journal == []


async def test_who_has_vanished_is_deactivated_and_keeps_their_conversation(
    reader: DirectoryReader, workspace: Workspace, store: Store, clock: Clock, directory: SlackDirectory
) -> None:
    opened = await directory.dm_channel(await directory.member(TEAM, "U0ANA"))
    await reader.read(TEAM)
    clock.at += EVERY
    del workspace.users["U0ANA"]
    await reader.read(TEAM)
    gone = await member(store, "U0ANA")
    assert gone is not None
    assert (gone.kind, gone.dm_channel_id) == (MemberKind.DEACTIVATED, opened)

    clock.at += EVERY
    workspace.add_user("U0ANA", "ana", email="ana@acme.example")
    await reader.read(TEAM)
    back = await member(store, "U0ANA")
    assert back is not None
    assert (back.kind, back.dm_channel_id) == (MemberKind.MEMBER, opened)


async def test_who_joins_while_the_list_is_read_is_not_taken_for_vanished(
    reader: DirectoryReader, workspace: Workspace, store: Store, clients: Clients, clock: Clock
) -> None:
    """Their event comes, by a process whose clock is behind, after the page they would have been on."""
    clock.at += timedelta(seconds=30)
    await reader.store.write(lambda uow: uow.directory_readings.save(DirectoryReading(workspace_id=TEAM, began_at=clock.at)))
    newcomer = workspace.add_user("U0NEW", "neo", email="neo@acme.example")
    await SlackDirectory(clients, store, lambda: NOW).absorb(TEAM, user_object(workspace, newcomer))
    del workspace.users["U0NEW"]
    await reader.read(TEAM)
    found = await member(store, "U0NEW")
    assert found is not None
    assert found.kind is MemberKind.MEMBER


async def test_a_page_that_comes_after_the_reading_was_forgotten_is_not_kept(
    reader: DirectoryReader, workspace: Workspace, store: Store, pace: Pace
) -> None:
    """The app was removed meanwhile, with all that was known of its people; or other workspaces are to be read, too."""

    class Removed(Pace):
        async def turn(self, method: str, workspace_id: str) -> None:
            await super().turn(method, workspace_id)
            await store.write(lambda uow: uow.installations.forget(TEAM))

    with pytest.raises(Rejected, match="forgotten"):
        await replace(reader, pace=Removed()).read(TEAM)
    assert await member(store, "U0ANA") is None
    assert await store.read(lambda uow: uow.directory_readings.get(TEAM)) is None
    assert await reader.read(TEAM)
    assert await member(store, "U0ANA") is not None


async def test_a_profile_in_no_shape_of_slacks_is_its_workspaces_trouble_alone(reader: DirectoryReader, workspace: Workspace) -> None:
    class Strange(Endless):
        async def users_list(self, **_: object) -> AsyncSlackResponse:
            return cast("AsyncSlackResponse", SimpleNamespace(data={"members": [{"name": "nobody"}]}))

    strange = replace(reader, clients=OneWorkspace(TEAM, cast("AsyncWebClient", Strange(1))))
    with pytest.raises(Unavailable, match="unreadable"):
        await strange.read(TEAM)


async def test_a_workspace_is_due_at_first_and_then_once_in_a_while(reader: DirectoryReader, workspace: Workspace, clock: Clock) -> None:
    for _ in range(3):
        await reader.read_due()
    assert len(pages(workspace)) == 1
    clock.at += EVERY
    await replace(reader, readings=replace(reader.readings, owner="elsewhere")).read_due()
    assert len(pages(workspace)) == 2


async def test_a_workspace_that_takes_long_keeps_no_second_look_waiting_and_is_read_once(
    reader: DirectoryReader, workspace: Workspace, clock: Clock
) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    class Slow(Pace):
        async def turn(self, method: str, workspace_id: str) -> None:
            begun.set()
            await go_on.wait()
            await super().turn(method, workspace_id)

    slow = replace(reader, pace=Slow())
    first = asyncio.create_task(slow.read_due())
    await begun.wait()
    await slow.read_due()
    go_on.set()
    await first
    await slow.read_due()
    assert len(pages(workspace)) == 1


@dataclass
class TwoWorkspaces:
    """The app was just removed from the first one."""

    good: Clients

    async def workspaces(self) -> Sequence[str]:
        return ["T0AWAY", TEAM]

    async def of(self, workspace_id: str) -> AsyncWebClient:
        if workspace_id == "T0AWAY":
            raise Gone("the app is not installed in this workspace")
        return await self.good.of(workspace_id)


async def test_a_workspace_that_cannot_be_read_keeps_no_other_waiting(
    reader: DirectoryReader, clients: Clients, workspace: Workspace, caplog: pytest.LogCaptureFixture
) -> None:
    """It is said once, and tried again in its own time."""
    both = replace(reader, clients=TwoWorkspaces(clients))
    for _ in range(3):
        with pytest.raises(Gone):
            await both.read_due()
    assert len(pages(workspace)) == 1
    assert [record.getMessage() for record in caplog.records].count("directory.not_read") == 1


async def test_what_failed_is_tried_again_soon_and_no_sooner(reader: DirectoryReader, workspace: Workspace, clock: Clock) -> None:
    workspace.faults.add(Refused("token_revoked"), method="users.list")
    for _ in range(2):
        with pytest.raises(Unauthorized):
            await reader.read_due()
    assert len(pages(workspace)) == 1
    clock.at += timedelta(minutes=1)
    await reader.read_due()
    assert len(pages(workspace)) == 2


async def test_an_organisation_is_read_workspace_by_workspace_and_each_person_is_one(
    workspace: Workspace, store: Store, reader: DirectoryReader, pace: Pace
) -> None:
    """Bo has left Berlin and is a guest in Rome only there; what counts is the most that somebody is anywhere."""
    grid = Organisation(workspace.platform, "E0ACME", "Acme Group")
    for team_id in ("T0BERLIN", "T0ROME"):
        grid.add_workspace(team_id, team_id.casefold())
    grid.add_workspace("T0CLOSED", "closed", is_open=False)
    grid.add_user("W0ANA", "ana", email="ana@acme.example", teams=["T0BERLIN", "T0ROME"])
    grid.add_user("W0BO", "bo", email="bo@acme.example", teams=["T0ROME"])
    grid.add_user("W0BO", "bo", email="bo@acme.example", teams=["T0BERLIN"], kind=UserKind.DEACTIVATED)
    grid.add_user("W0CY", "cy", email="cy@acme.example", teams=["T0BERLIN"])
    grid.add_user("W0CY", "cy", email="cy@acme.example", teams=["T0ROME"], kind=UserKind.GUEST)
    grid.add_user("W0DAN", "dan", email="dan@acme.example", teams=["T0CLOSED"])
    token = workspace.platform.install("E0ACME", {"users:read", "users:read.email"}).value
    async with serving(simulated_slack(workspace)) as url:
        client = make_client(token, f"{url}/api/")
        assert await replace(reader, clients=OneWorkspace("E0ACME", client)).read("E0ACME")
        assert client.session is not None
        await client.session.close()
    assert pace.turns == [("auth.teams.list", "E0ACME"), ("users.list", "E0ACME"), ("users.list", "E0ACME")]
    kinds = {user_id: await member(store, user_id, "E0ACME") for user_id in ("W0ANA", "W0BO", "W0CY", "W0DAN")}
    assert {user_id: found and found.kind for user_id, found in kinds.items()} == {
        "W0ANA": MemberKind.MEMBER,
        "W0BO": MemberKind.MEMBER,
        "W0CY": MemberKind.MEMBER,
        "W0DAN": None,
    }


class Endless:
    """A workspace of as many people as one likes, made as they are asked for."""

    def __init__(self, people: int) -> None:
        self.people, self.calls = people, 0

    async def users_list(self, *, limit: int, cursor: str | None, **_: object) -> AsyncSlackResponse:
        self.calls += 1
        start = int(cursor or 0)
        end = min(start + limit, self.people)
        listed = [{"id": f"U{number:07}", "profile": {"email": f"p{number}@acme.example"}} for number in range(start, end)]
        data = {"members": listed, "response_metadata": {"next_cursor": str(end) if end < self.people else ""}}
        return cast("AsyncSlackResponse", SimpleNamespace(data=data))


@pytest.mark.parametrize("people", [3000, pytest.param(100_000, marks=pytest.mark.deep)])
async def test_any_number_of_people_costs_a_call_for_200_of_them_and_no_memory(reader: DirectoryReader, store: Store, people: int) -> None:
    endless = Endless(people)
    big = replace(reader, clients=OneWorkspace(TEAM, cast("AsyncWebClient", endless)))
    tracemalloc.start()
    await big.read(TEAM)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert endless.calls == people // 200
    assert (await store.read(lambda uow: uow.members.counts()))["member"] == people
    assert peak_bytes < 5_000_000
