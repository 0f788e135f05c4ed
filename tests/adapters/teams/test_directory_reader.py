"""Who is in the tenant is read again each day, so that nobody is written to who has left or is somebody else by now."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from adapters.readings import Readings
from adapters.sandbox.teams.tenant import Hang, Tenant, refusal
from adapters.teams.connector import Connector
from adapters.teams.directory import TeamsDirectory
from adapters.teams.directory_reader import TeamsDirectoryReader
from adapters.teams.pacing import TeamsPace
from adapters.teams.registration import Registration
from bot.errors import Unauthorized
from bot.messages import Address, MemberKind
from bot.ports import Store
from tests.adapters.teams.conftest import NOW, TENANT_ID, People

DAY = timedelta(days=1)
GENERAL = "19:general@thread.tacv2"


class Watch:
    """Time, in the test's hands."""

    now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def reader(
    connector: Connector, registration: Registration, store: Store, pace: TeamsPace, watch: Watch
) -> Callable[[], TeamsDirectoryReader]:
    """Each call is another process."""
    directory = TeamsDirectory(connector, registration, store, watch)

    def made() -> TeamsDirectoryReader:
        readings = Readings(store=store, owner="x", clock=watch, every=DAY, retry=timedelta(minutes=5))
        return TeamsDirectoryReader(directory=directory, store=store, pace=pace, tenant_id=TENANT_ID, readings=readings, clock=watch)

    return made


async def heard(store: Store, service: Tenant, *, closed: str) -> None:
    """The bot is in a channel with everybody, and in the chats of some; one of them has removed it."""
    where = {GENERAL: None, service.personal("ana").conversation_id: "ana", service.personal(closed).conversation_id: closed}
    for conversation_id, user_id in where.items():
        address = Address(
            workspace_id=TENANT_ID,
            conversation_id=conversation_id,
            user_id=user_id,
            service_url=service.service_url,
            is_closed=user_id == closed,
        )
        await store.write(lambda uow, address=address: uow.addresses.save(address))


async def kinds(store: Store) -> dict[str, str | None]:
    found = [await store.read(lambda uow, one=one: uow.members.get(TENANT_ID, one)) for one in ("ana", "ben", "gus", "sam")]
    return {member.user_id: member.kind for member in found if member is not None}


async def test_who_left_is_not_written_to_and_a_reading_goes_on_where_it_broke_off(
    reader: Callable[[], TeamsDirectoryReader], service: Tenant, store: Store, watch: Watch
) -> None:
    await heard(store, service, closed="sam")
    await reader().read_due()
    assert await kinds(store) == {"ana": "member", "ben": "member", "gus": "guest", "sam": "member"}

    watch.now += DAY
    service.conversations[GENERAL].members = ["ana", "gus"]
    service.people["ana"].email = "ana.smith@acme.example"
    asked = len(service.journal)
    service.troubles.extend([Hang(0), refusal(403, "BotDisabledByAdmin")])
    first = reader()
    for _ in range(2):  # the second time nothing is asked
        with pytest.raises(Unauthorized):
            await first.read_due()
    assert len(service.journal) == asked + 2
    await reader().read_due()
    assert [path for _, path, _ in service.journal[asked + 2 :]] == ["/v3/conversations/a:ana/pagedmembers"]
    assert await kinds(store) == {"ana": "member", "ben": "deactivated", "gus": "guest", "sam": "member"}
    (ana,) = await store.read(lambda uow: uow.members.by_email("ana.smith@acme.example"))
    assert ana.user_id == "ana"
    watch.now += timedelta(minutes=6)
    await first.read_due()
    assert len(service.journal) == asked + 3


async def test_whoever_was_taken_to_have_left_and_writes_is_asked_for_anew(people: People, store: Store) -> None:
    await people.ask("ana", "list")
    await store.write(lambda uow: uow.members.deactivate_unseen(TENANT_ID, NOW + 400 * DAY))
    assert await people.ask("ana", "list")
    ana = await store.read(lambda uow: uow.members.get(TENANT_ID, "ana"))
    assert ana is not None
    assert ana.kind is MemberKind.MEMBER


async def test_a_conversation_that_nothing_is_told_of_holds_up_no_other(
    reader: Callable[[], TeamsDirectoryReader], service: Tenant, store: Store, watch: Watch
) -> None:
    await heard(store, service, closed="sam")
    gone = Address(workspace_id=TENANT_ID, conversation_id="0:gone", user_id=None, service_url=service.service_url)
    await store.write(lambda uow: uow.addresses.save(gone))
    await reader().read_due()
    assert len(await kinds(store)) == 4
    assert await reader().read()


async def test_nobody_has_left_because_a_roster_is_refused(
    reader: Callable[[], TeamsDirectoryReader], service: Tenant, store: Store, watch: Watch
) -> None:
    await heard(store, service, closed="sam")
    await reader().read_due()
    watch.now += DAY
    service.troubles.append(refusal(403, "Unknown"))
    await reader().read_due()
    assert await kinds(store) == {"ana": "member", "ben": "member", "gus": "guest", "sam": "member"}


async def test_who_comes_back_has_the_address_they_have_by_now(
    people: People, reader: Callable[[], TeamsDirectoryReader], store: Store, watch: Watch
) -> None:
    """Nothing was told of them while they were away; somebody else has their old address."""
    await people.client.install("ana")
    await people.client.install("ana", "remove")
    people.tenant.people["ana"].email = "ana.old@acme.example"
    people.tenant.people["sam"].email = "ana@acme.example"
    await people.client.say("ben", "<at>Surveybot</at> help", people.tenant.conversations[GENERAL])
    people.tenant.conversations[GENERAL].members = ["ben", "sam"]
    watch.now += 4000 * DAY
    await reader().read_due()
    found = await store.read(lambda uow: uow.members.by_email("ana@acme.example"))
    assert [member.user_id for member in found] == ["sam"]
    await people.ask("ana", "list")
    ana = await store.read(lambda uow: uow.members.get(TENANT_ID, "ana"))
    assert ana is not None
    assert ana.email == "ana.old@acme.example"
