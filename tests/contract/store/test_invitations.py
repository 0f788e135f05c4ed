"""Invitations: history and links meet in one row, in whichever order they come."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bot.errors import Gone
from bot.model import Invitation, LinkType, PersonalLink, Status
from bot.ports import UnitOfWork
from bot.ports.records import Absorbed
from store.unit_of_work import SqlStore
from tests.contract.store.examples import DAY, EXPIRY, NOW, distribution, furnish, link, row, survey

ADA, BOB = "ada@example.org", "bob@example.org"


@pytest.fixture
async def people(store: SqlStore) -> dict[str, int]:
    await store.write(furnish)
    return dict(await store.write(lambda u: u.people.ids([ADA, BOB])))


def invitation(person_id: int | None, contact_id: str = "CID_1", integration_id: str = "main") -> Invitation:
    return Invitation(
        integration_id=integration_id,
        survey_id="SV_1",
        distribution_id="EMD_1",
        contact_id=contact_id,
        person_id=person_id,
        status=Status.SUCCESS,
        mailed=True,
        sent_at=NOW - DAY,
        completed_at=None,
        link_expires_at=EXPIRY,
        sender_name="Ada",
        link_type=LinkType.INDIVIDUAL,
    )


@pytest.mark.parametrize("links_first", [True, False])
async def test_history_and_links_make_the_same_invitation_in_either_order(
    store: SqlStore, people: dict[str, int], *, links_first: bool
) -> None:
    def links(u: UnitOfWork) -> Absorbed:
        return u.invitations.save_links("main", "EMD_1", [link()], people)

    def history(u: UnitOfWork) -> Absorbed:
        return u.invitations.save_history("main", "EMD_1", [row()])

    for save in (links, history) if links_first else (history, links):
        assert await store.write(save) == Absorbed(seen=1, changed=1)
    for save in (links, history):
        assert await store.write(save) == Absorbed(seen=1, changed=0)
    found = await store.read(lambda u: u.invitations.of_person(people[ADA]))
    assert found == [invitation(people[ADA])]
    opened = await store.read(lambda u: u.invitations.link(found[0]))
    assert opened == PersonalLink(owner=people[ADA], url="https://q/history")


async def test_a_stored_link_yields_to_another_one_of_the_history_alone(store: SqlStore, people: dict[str, int]) -> None:
    async def opened() -> PersonalLink | None:
        return await store.read(lambda u: u.invitations.link(invitation(people[ADA])))

    assert await opened() is None
    await store.write(lambda u: u.invitations.save_links("main", "EMD_1", [link(url="https://q/1")], people))
    await store.write(lambda u: u.invitations.save_links("main", "EMD_1", [link(url="https://q/2")], people))
    assert await opened() == PersonalLink(owner=people[ADA], url="https://q/1")
    await store.write(lambda u: u.invitations.save_history("main", "EMD_1", [row(url=None)]))
    assert await opened() == PersonalLink(owner=people[ADA], url="https://q/1")
    await store.write(lambda u: u.invitations.save_history("main", "EMD_1", [row(url="https://q/3")]))
    assert await opened() == PersonalLink(owner=people[ADA], url="https://q/3")


async def test_a_link_has_no_owner_and_stays_closed_until_its_person_is_known(store: SqlStore, people: dict[str, int]) -> None:
    await store.write(lambda u: u.invitations.save_history("main", "EMD_1", [row()]))
    assert await store.read(lambda u: u.invitations.link(invitation(people[ADA]))) is None
    await store.write(lambda u: u.invitations.set_person("main", "EMD_1", "CID_1", people[BOB], NOW))
    bobs = PersonalLink(owner=people[BOB], url="https://q/history")
    assert await store.read(lambda u: u.invitations.link(invitation(people[ADA]))) == bobs  # the stored owner counts, not the asker's word


async def looked_up_next(store: SqlStore, tried_before: datetime = NOW, limit: int = 9) -> list[str]:
    found = await store.read(lambda u: u.invitations.without_person("main", NOW, tried_before, limit))
    return [i.contact_id for i in found]


async def test_contacts_without_person_are_looked_up_never_tried_ones_first_and_not_twice_since(
    store: SqlStore, people: dict[str, int]
) -> None:
    def save(u: UnitOfWork) -> None:
        furnish(u, "other")
        u.distributions.save("main", [distribution("EMD_2")])
        u.invitations.save_history("other", "EMD_1", [row("CID_theirs")])
        u.invitations.save_history("main", "EMD_2", [row("CID_2"), row("CID_5", mailed=False)])
        u.invitations.save_history("main", "EMD_1", [row("CID_1"), row("CID_3"), row("CID_4")])
        u.invitations.save_links("main", "EMD_1", [link("CID_4")], people)

    await store.write(save)
    assert await looked_up_next(store) == ["CID_1", "CID_2", "CID_3"]
    assert (await store.read(lambda u: u.invitations.without_person("main", NOW, NOW, 1))) == [invitation(None)]
    for distribution_id, contact_id, at in (("EMD_1", "CID_1", NOW), ("EMD_2", "CID_2", NOW - DAY)):
        await store.write(lambda u, d=distribution_id, c=contact_id, at=at: u.invitations.set_person("main", d, c, None, at))
    assert await looked_up_next(store, NOW + DAY) == ["CID_3", "CID_2", "CID_1"]
    assert await looked_up_next(store, NOW + DAY, limit=2) == ["CID_3", "CID_2"]
    assert await looked_up_next(store, NOW) == ["CID_3", "CID_2"]
    assert await looked_up_next(store, NOW - DAY) == ["CID_3"]
    await store.write(lambda u: u.invitations.set_person("main", "EMD_1", "CID_3", people[BOB], NOW))
    assert await looked_up_next(store, NOW - DAY) == []


async def test_a_person_that_became_known_during_a_look_up_without_result_stays(store: SqlStore, people: dict[str, int]) -> None:
    await store.write(lambda u: u.invitations.save_history("main", "EMD_1", [row()]))
    await store.write(lambda u: u.invitations.save_links("main", "EMD_1", [link()], people))
    await store.write(lambda u: u.invitations.set_person("main", "EMD_1", "CID_1", None, NOW))
    found = await store.read(lambda u: u.invitations.of_contacts("main", "EMD_1", ["CID_1"]))
    assert found["CID_1"].person_id == people[ADA]


async def test_a_distribution_lacks_people_until_every_mailed_contact_has_a_person(store: SqlStore, people: dict[str, int]) -> None:
    async def lacks_people(integration_id: str = "main") -> bool:
        return await store.read(lambda u: u.invitations.lacking_people(integration_id)) == {"EMD_1"}

    await store.write(lambda u: furnish(u, "other"))
    await store.write(lambda u: u.invitations.save_history("main", "EMD_1", [row("CID_2", mailed=False)]))
    assert not await lacks_people()
    await store.write(lambda u: u.invitations.save_history("main", "EMD_1", [row()]))
    assert await lacks_people()
    assert not await lacks_people("other")
    await store.write(lambda u: u.invitations.set_person("main", "EMD_1", "CID_1", None, NOW))
    assert await lacks_people()
    await store.write(lambda u: u.invitations.set_person("main", "EMD_1", "CID_1", people[ADA], NOW))
    assert not await lacks_people()


async def test_the_first_and_the_last_of_the_links_own_expiries_are_found_by_distribution(store: SqlStore, people: dict[str, int]) -> None:
    days = (-2, 1, 3, 5)
    links = [link(f"CID_{day}", expires_at=NOW + day * DAY) for day in days]

    def save(u: UnitOfWork) -> None:
        u.distributions.save("main", [distribution("EMD_2"), distribution("EMD_3")])
        for distribution_id in ("EMD_1", "EMD_3"):
            u.invitations.save_links("main", distribution_id, links, people)
        u.invitations.save_links("main", "EMD_2", [link()], people)

    async def found(since: datetime, *distribution_ids: str) -> dict[str, list[datetime]]:
        spans = await store.read(lambda u: u.invitations.own_expiries("main", distribution_ids, since))
        return {distribution_id: list(span) for distribution_id, span in spans.items()}

    await store.write(save)
    assert await found(NOW, "EMD_1", "EMD_2") == {"EMD_1": [NOW + DAY, NOW + 5 * DAY]}
    assert await found(NOW - 3 * DAY, "EMD_1") == {"EMD_1": [NOW - 2 * DAY, NOW + 5 * DAY]}
    assert await found(NOW + 5 * DAY, "EMD_1") == {}


async def test_a_known_person_survives_an_entry_without_address_and_yields_to_another_address(
    store: SqlStore, people: dict[str, int]
) -> None:
    for email, expected in ((ADA, ADA), (None, ADA), (BOB, BOB)):
        await store.write(lambda u, email=email: u.invitations.save_links("main", "EMD_1", [link(email=email)], people))
        found = await store.read(lambda u: u.invitations.of_contacts("main", "EMD_1", ["CID_1"]))
        assert found["CID_1"].person_id == people[expected]


async def test_an_invitation_expires_with_its_own_link_or_else_with_its_distribution(store: SqlStore, people: dict[str, int]) -> None:
    links = [link("CID_1", expires_at=EXPIRY - DAY), link("CID_2"), link("CID_3", expires_at=None)]
    await store.write(lambda u: u.invitations.save_links("main", "EMD_1", links, people))
    await store.write(lambda u: u.distributions.save("main", [distribution(link_expires_at=EXPIRY + DAY)]))
    ada = await store.read(lambda u: u.invitations.of_person(people[ADA]))
    assert {i.contact_id: i.link_expires_at for i in ada} == {
        "CID_1": EXPIRY - DAY,
        "CID_2": EXPIRY + DAY,
        "CID_3": EXPIRY + DAY,
    }
    rows = await store.read(lambda u: u.invitations.of_contacts("main", "EMD_1", ["CID_1", "CID_2", "CID_unknown"]))
    assert {contact_id: stored.link_expires_at for contact_id, stored in rows.items()} == {"CID_1": EXPIRY - DAY, "CID_2": None}


async def test_invitations_are_found_by_person_over_all_integrations(store: SqlStore, people: dict[str, int]) -> None:
    def save(u: UnitOfWork) -> None:
        furnish(u, "other")
        u.surveys.save("main", [survey("SV_2")], NOW)
        u.distributions.save("main", [distribution("EMD_2", "SV_2")])
        u.invitations.save_history("main", "EMD_2", [row()])
        u.invitations.set_person("main", "EMD_2", "CID_1", people[ADA], NOW)
        for integration_id in ("main", "other"):
            u.invitations.save_history(integration_id, "EMD_1", [row(), row("CID_2")])
            u.invitations.save_links(integration_id, "EMD_1", [link(), link("CID_2", email=BOB)], people)

    await store.write(save)
    both = {integration_id: invitation(people[ADA], integration_id=integration_id) for integration_id in ("main", "other")}
    found = await store.read(lambda u: u.invitations.of_people("SV_1", people.values()))
    assert {i.integration_id: i for i in found[people[ADA]]} == both
    assert len(found[people[ADA]]) == len(found[people[BOB]]) == 2
    everything = await store.read(lambda u: u.invitations.of_person(people[ADA]))
    second = replace(both["main"], survey_id="SV_2", distribution_id="EMD_2")
    assert sorted(everything, key=repr) == sorted([*both.values(), second], key=repr)
    assert await store.read(lambda u: u.invitations.of_people("SV_1", [0])) == {0: []}


async def test_due_notices_come_earliest_first_until_they_are_cleared(store: SqlStore, people: dict[str, int]) -> None:
    rows = [row("CID_1", notice_at=NOW), row("CID_2", notice_at=NOW - DAY), row("CID_3", notice_at=NOW + DAY), row("CID_4")]
    await store.write(lambda u: u.invitations.save_history("main", "EMD_1", rows))
    due = await store.read(lambda u: u.invitations.due(NOW, 9))
    assert due == [invitation(None, "CID_2"), invitation(None, "CID_1")]
    assert await store.read(lambda u: u.invitations.due(NOW, 1)) == due[:1]
    await store.write(lambda u: u.invitations.clear_notice(due))
    assert await store.read(lambda u: u.invitations.due(NOW + 9 * DAY, 9)) == [invitation(None, "CID_3")]


async def test_clearing_no_notice_is_no_error(store: SqlStore) -> None:
    await store.write(lambda u: u.invitations.clear_notice([]))


@pytest.fixture
async def scheduled(store: SqlStore, people: dict[str, int]) -> None:
    """Three distributions (the second has anonymous links, the third no expiry) of five contacts each; three of five can still answer."""
    rows = [row("CID_1"), row("CID_2"), row("CID_3", status=Status.SURVEY_FINISHED), row("CID_4", mailed=False), row("CID_5")]

    def save(u: UnitOfWork) -> None:
        u.distributions.save("main", [distribution("EMD_2", link_type=LinkType.ANONYMOUS), distribution("EMD_3", link_expires_at=None)])
        for distribution_id in ("EMD_1", "EMD_2", "EMD_3"):
            u.invitations.save_history("main", distribution_id, rows)
        u.invitations.save_links("main", "EMD_1", [link("CID_1", expires_at=EXPIRY - 3 * DAY)], people)

    await store.write(save)


async def rescheduled(store: SqlStore, ends_at: timedelta | None, limit: int = 99) -> int:
    ends = None if ends_at is None else EXPIRY + ends_at
    return await store.write(lambda u: u.invitations.reschedule("main", "SV_1", ends, DAY, limit))


async def notices(store: SqlStore) -> dict[str, int]:
    """On which day, counted from EXPIRY, each notice is due."""
    days: dict[str, int] = {}
    for day in range(-9, 3):
        for i in await store.read(lambda u, day=day: u.invitations.due(EXPIRY + day * DAY, 99)):
            days.setdefault(f"{i.distribution_id} {i.contact_id}", day)
    return days


@pytest.mark.usefixtures("scheduled")
async def test_a_moved_survey_end_moves_the_notices_of_those_who_can_still_answer(store: SqlStore) -> None:
    assert await rescheduled(store, None) == 3
    linked = {"EMD_1 CID_1": -4, "EMD_1 CID_2": -1, "EMD_1 CID_5": -1}
    assert await notices(store) == linked
    assert await rescheduled(store, 2 * DAY) == 3
    assert await notices(store) == {**linked, "EMD_3 CID_1": 1, "EMD_3 CID_2": 1, "EMD_3 CID_5": 1}
    assert await rescheduled(store, -5 * DAY) == 6
    early = {f"{distribution_id} {contact_id}": -6 for distribution_id in ("EMD_1", "EMD_3") for contact_id in ("CID_1", "CID_2", "CID_5")}
    assert await notices(store) == early
    assert await rescheduled(store, -5 * DAY) == 0
    assert await notices(store) == early


@pytest.mark.parametrize(("limit", "steps"), [(1, [1] * 6), (2, [2, 2, 2]), (4, [4, 2]), (6, [6])])
@pytest.mark.parametrize("ends_at", [2 * DAY, -5 * DAY + timedelta(microseconds=1)])
@pytest.mark.usefixtures("scheduled")
async def test_notices_moved_in_steps_end_where_they_would_at_once(
    store: SqlStore, ends_at: timedelta, limit: int, steps: list[int]
) -> None:
    assert [await rescheduled(store, ends_at, limit) for _ in steps] == steps
    assert await rescheduled(store, ends_at, limit) == 0
    in_steps = await notices(store)
    await rescheduled(store, None)
    await rescheduled(store, ends_at)
    assert await notices(store) == in_steps
    assert len(in_steps) == 6


@pytest.mark.parametrize("save", ["save_links", "save_history"])
async def test_invitations_of_an_unknown_distribution_are_refused(store: SqlStore, people: dict[str, int], save: str) -> None:
    def work(u: UnitOfWork) -> Absorbed:
        if save == "save_links":
            return u.invitations.save_links("other", "EMD_1", [link()], people)
        return u.invitations.save_history("other", "EMD_1", [row()])

    with pytest.raises(Gone, match="EMD_1"):
        await store.write(work)


async def test_a_contact_named_twice_in_one_page_is_one_invitation(store: SqlStore, people: dict[str, int]) -> None:
    rows = [row(status=Status.SUCCESS), row(status=Status.OPENED)]
    await store.write(lambda u: u.invitations.save_history("main", "EMD_1", rows))
    found = await store.read(lambda u: u.invitations.of_contacts("main", "EMD_1", ["CID_1"]))
    assert {contact_id: stored.status for contact_id, stored in found.items()} == {"CID_1": Status.OPENED}


async def test_thousands_of_invitations_are_saved_and_found_in_one_call(store: SqlStore, people: dict[str, int]) -> None:
    rows = [row(f"CID_{number}") for number in range(2500)]
    assert await store.write(lambda u: u.invitations.save_history("main", "EMD_1", rows)) == Absorbed(seen=2500, changed=2500)
    found = await store.read(lambda u: u.invitations.of_contacts("main", "EMD_1", [r.entry.contact_id for r in rows]))
    assert len(found) == 2500


async def test_what_is_due_waits_while_its_integration_is_held(store: SqlStore, people: dict[str, int]) -> None:
    await store.write(lambda u: u.invitations.save_history("main", "EMD_1", [row(notice_at=NOW)]))
    assert await store.read(lambda u: u.invitations.due(NOW, 9, ["main"])) == []
    assert len(await store.read(lambda u: u.invitations.due(NOW, 9, ["other"]))) == 1
    assert len(await store.read(lambda u: u.invitations.due(NOW, 9))) == 1


async def test_an_invitation_of_a_deleted_distribution_is_withdrawn(store: SqlStore, people: dict[str, int]) -> None:
    await store.write(lambda u: u.invitations.save_links("main", "EMD_1", [link()], people))
    assert await store.write(lambda u: u.distributions.mark_deleted("main", ["SV_1"], [])) == 1
    (found,) = await store.read(lambda u: u.invitations.of_person(people[ADA]))
    assert found.is_withdrawn
