"""A person is one e-mail address; chat accounts are found by it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bot.messages import MemberKind
from bot.ports.records import Absorbed, DirectoryReading
from store.unit_of_work import SqlStore
from tests.contract.store.examples import NOW, member


async def test_a_person_keeps_the_same_id_whoever_asks(store: SqlStore) -> None:
    first = await store.write(lambda u: u.people.ids(["ada@example.org", "bob@example.org", "ada@example.org"]))
    again = await store.write(lambda u: u.people.ids({"bob@example.org", "eve@example.org"}))
    assert again["bob@example.org"] == first["bob@example.org"]
    assert len({*first.values(), *again.values()}) == 3
    assert await store.read(lambda u: u.people.find("ada@example.org")) == first["ada@example.org"]
    assert await store.read(lambda u: u.people.email(first["ada@example.org"])) == "ada@example.org"


async def test_unknown_people_are_none(store: SqlStore) -> None:
    assert await store.read(lambda u: u.people.find("nobody@example.org")) is None
    assert await store.read(lambda u: u.people.email(1)) is None
    assert await store.write(lambda u: u.people.ids([])) == {}


async def test_saving_nobody_is_no_error(store: SqlStore) -> None:
    assert await store.write(lambda u: u.members.save([])) == Absorbed(seen=0, changed=0)


async def test_thousands_of_people_get_their_ids_in_one_call(store: SqlStore) -> None:
    emails = [f"{number}@example.org" for number in range(2500)]
    assert len(set((await store.write(lambda u: u.people.ids(emails))).values())) == 2500


async def test_members_come_back_as_they_were_saved(store: SqlStore) -> None:
    members = [member("U1"), member("U2", kind=MemberKind.GUEST), member("U3", email=None)]
    assert await store.write(lambda u: u.members.save(members)) == Absorbed(seen=3, changed=3)
    assert await store.write(lambda u: u.members.save(members)) == Absorbed(seen=3, changed=0)
    assert await store.write(lambda u: u.members.save([replace(members[0], zone="UTC"), members[1]])) == Absorbed(seen=2, changed=1)
    assert await store.read(lambda u: u.members.get("T1", "U3")) == members[2]
    assert await store.read(lambda u: u.members.get("T2", "U3")) is None
    kinds = await store.read(lambda u: [u.members.kinds(workspace_id, ["U2", "U3", "U4"]) for workspace_id in ("T1", "T2")])
    assert kinds == [{"U2": MemberKind.GUEST, "U3": MemberKind.MEMBER}, {}]
    assert await store.read(lambda u: u.members.by_email("ada@example.org")) == [replace(members[0], zone="UTC"), members[1]]


async def test_a_known_direct_message_channel_is_kept_until_another_one_is_told(store: SqlStore) -> None:
    await store.write(lambda u: u.members.save([member()]))
    await store.write(lambda u: u.members.set_dm_channel("T1", "U1", "D1"))
    assert await store.write(lambda u: u.members.save([member()])) == Absorbed(seen=1, changed=0)
    assert await store.read(lambda u: u.members.get("T1", "U1")) == member(dm="D1")
    await store.write(lambda u: u.members.save([member(dm="D2")]))
    assert await store.read(lambda u: u.members.get("T1", "U1")) == member(dm="D2")


async def test_members_are_counted_by_kind_and_those_without_a_good_address_apart(store: SqlStore) -> None:
    kinds = [MemberKind.MEMBER, MemberKind.MEMBER, MemberKind.MEMBER, MemberKind.BOT, MemberKind.BOT]
    members = [member(f"U{number}", kind=kind, email=None if number else "ada@example.org") for number, kind in enumerate(kinds)]
    members[2] = replace(members[2], has_unconfirmed_email=True)
    await store.write(lambda u: u.members.save(members))
    assert await store.read(lambda u: u.members.counts()) == {"member": 3, "bot": 2, "no e-mail": 1, "unconfirmed e-mail": 1}
    assert await store.read(lambda u: u.members.get("T1", "U2")) == members[2]


async def test_who_was_not_seen_since_is_deactivated_in_that_workspace_alone(store: SqlStore) -> None:
    here = [member("U1"), member("U2"), member("U3", kind=MemberKind.DEACTIVATED), member("U4")]
    await store.write(lambda u: u.members.save([*here, replace(here[1], workspace_id="T2")]))
    await store.write(lambda u: u.members.seen("T1", ["U1"], NOW))
    await store.write(lambda u: u.members.seen("T1", ["U4"], NOW - timedelta(milliseconds=1)))
    assert await store.read(lambda u: u.members.seen_since("T1", ["U1", "U2", "U4"], NOW)) == [here[0]]
    assert await store.write(lambda u: u.members.deactivate_unseen("T1", NOW)) == 2
    kinds = [await store.read(lambda u, who=who: u.members.get("T1", who.user_id)) for who in here]
    assert [found and found.kind for found in kinds] == [MemberKind.MEMBER, *[MemberKind.DEACTIVATED] * 3]
    assert await store.read(lambda u: u.members.get("T2", "U2")) == replace(here[1], workspace_id="T2")


async def test_an_address_is_taken_from_whoever_had_it_in_the_same_workspace(store: SqlStore) -> None:
    ana = member("U1", email="ana@acme.example")
    others = [replace(ana, user_id="U2"), replace(ana, user_id="U3"), replace(ana, workspace_id="T2"), member("U4", email="b@x")]
    await store.write(lambda u: u.members.save([ana, *others]))
    await store.write(lambda u: u.members.seen("T1", ["U1", "U3"], NOW))

    async def owners() -> list[tuple[str, str]]:
        found = await store.read(lambda u: u.members.by_email("ana@acme.example"))
        return [(it.workspace_id, it.user_id) for it in found]

    await store.write(lambda u: u.members.disown_unseen("T1", NOW))
    assert await owners() == [("T1", "U1"), ("T1", "U3"), ("T2", "U1")]
    await store.write(lambda u: u.members.disown("T1", [ana]))
    assert await owners() == [("T1", "U1"), ("T2", "U1")]
    assert [it.user_id for it in await store.read(lambda u: u.members.by_email("b@x"))] == ["U4"]


async def test_how_far_a_workspace_was_read_is_remembered_until_it_is_forgotten(store: SqlStore) -> None:
    reading = DirectoryReading(workspace_id="E1", began_at=NOW, team_id="T1", cursor="next")
    await store.write(lambda u: u.directory_readings.save(reading))
    assert await store.read(lambda u: u.directory_readings.get("E1")) == reading
    ended = DirectoryReading(workspace_id="E1", began_at=None, ended_at=NOW)
    await store.write(lambda u: u.directory_readings.save(ended))
    assert await store.read(lambda u: u.directory_readings.get("E1")) == ended
    await store.write(lambda u: u.directory_readings.forget("E1"))
    assert await store.read(lambda u: u.directory_readings.get("E1")) is None
