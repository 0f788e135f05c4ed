"""What is missing in a list was deleted only where the list was read whole and at one time; and an old list is not applied."""

from __future__ import annotations

from collections.abc import Mapping

from bot.errors import Gone
from bot.model import LinkType
from bot.syncing.sync import Kind
from tests.contract.core.conftest import Life
from tests.contract.core.dying import die_after
from tests.unit.core.examples import DAY, NOW

ANA, BEN = "ana@acme.example", "ben@acme.example"


async def deleted(life: Life, survey_id: str = "SV_1") -> Mapping[str, bool]:
    found = await life.store.read(lambda uow: uow.distributions.of_survey("main", survey_id))
    return {distribution.distribution_id: distribution.is_deleted for distribution in found}


async def closed(life: Life) -> list[str]:
    return [survey.survey_id for survey in await life.store.read(lambda uow: uow.surveys.all("main")) if not survey.is_active]


async def test_a_distribution_whose_record_cannot_be_read_was_not_deleted(life: Life) -> None:
    await life.long_ago()
    life.source.put()
    life.source.send("EMD_1", {"CID_1": ANA}, link_expires_at=NOW + 2 * DAY)
    life.source.send("EMD_2", {"CID_2": BEN})
    await life.sync()
    kept = life.source.sent.pop("EMD_1")
    life.source.skipped, life.source.skips = 1, ("distributions SV_1",)
    await life.sync()
    assert await deleted(life) == {"EMD_1": False, "EMD_2": False}
    await life.synchronisation().refresh(["SV_1"])
    assert await deleted(life) == {"EMD_1": False, "EMD_2": False}
    life.source.sent[kept.distribution_id] = kept
    life.wait(hours=25)
    assert await life.remind() == 1


async def test_unreadable_records_of_distributions_do_not_hold_back_a_look(life: Life) -> None:
    life.source.put()
    for number in range(4):
        life.source.send(f"EMD_{number}", {"CID_1": ANA})
    await life.baseline()
    life.source.sent.clear()
    life.source.skipped, life.source.skips = 1, ("distributions SV_1",)
    assert (await life.sync()).outcome == "ok"


async def test_of_a_list_of_surveys_that_two_processes_read_none_has_vanished_until_the_next(life: Life) -> None:
    life.parallel = 1
    for number in range(1, 8):
        life.source.put(f"SV_{number}")
    await life.baseline()
    life.wait(minutes=1)
    await die_after(life, 3)  # its begin, the accounts, a first page
    del life.source.survey_list["SV_1"]  # so SV_3 moves to the page that was read
    life.wait(minutes=1)
    run = await life.sync(Kind.FULL)
    assert (run.outcome, run.resumed, await closed(life)) == ("ok", 1, [])
    life.wait(minutes=1)
    await life.sync(Kind.FULL)
    assert await closed(life) == ["SV_1"]


async def test_of_a_list_of_distributions_that_two_processes_read_none_was_deleted_until_the_next(life: Life) -> None:
    life.parallel = 1
    life.source.put()
    for number in range(1, 8):
        life.source.send(f"EMD_{number}", {"CID_1": ANA})
    await life.baseline()
    life.wait(minutes=1)
    await die_after(life, 3, Kind.INCREMENTAL)  # its begin, the surveys, a first page
    del life.source.sent["EMD_1"]
    run = await life.sync()
    assert (run.resumed, sum((await deleted(life)).values())) == (1, 0)
    await life.sync()
    assert [name for name, is_deleted in (await deleted(life)).items() if is_deleted] == ["EMD_1"]


async def test_what_was_listed_before_a_long_outage_is_listed_anew(life: Life) -> None:
    await life.long_ago()
    life.source.put()
    await life.sync()
    life.source.send("EMD_1", {"CID_1": ANA})
    await die_after(life, 3, Kind.INCREMENTAL)
    life.source.put(is_active=False)
    life.wait(minutes=16)
    run = await life.sync()
    assert (run.resumed, await life.told(), await closed(life)) == (0, [], ["SV_1"])


async def test_a_reminder_mail_keeps_the_deadline_of_its_invite_when_that_leaves_the_list(life: Life) -> None:
    await life.long_ago()
    life.source.put()
    life.source.send("EMD_1", {"CID_1": ANA}, link_expires_at=NOW + 3 * DAY, send_date=NOW - 2 * DAY)
    life.source.send("EMD_2", {"CID_1": ANA}, request_type="Reminder", parent_id="EMD_1", link_type=LinkType.UNKNOWN, link_expires_at=None)
    await life.sync()
    del life.source.sent["EMD_1"]
    await life.sync()
    (_, reminder) = await life.store.read(lambda uow: uow.distributions.of_survey("main", "SV_1"))
    assert (reminder.link_type, reminder.link_expires_at) == (LinkType.INDIVIDUAL, NOW + 3 * DAY)
    life.wait(days=2, hours=1)
    assert await life.remind() == 1


async def test_a_deletion_that_a_hint_saw_is_not_undone_by_the_look_under_way(life: Life) -> None:
    await life.long_ago()
    life.source.put()
    life.source.send("EMD_1", {"CID_1": ANA})
    life.source.send("EMD_2", {"CID_2": BEN})
    await life.sync()
    await die_after(life, 3, Kind.INCREMENTAL)  # its begin, the surveys, the distributions: a whole picture
    del life.source.sent["EMD_1"]
    life.source.errors["history EMD_1"] = Gone("deleted")
    await life.synchronisation().refresh(["SV_1"])
    assert (await life.sync()).resumed == 1
    assert await deleted(life) == {"EMD_1": True, "EMD_2": False}
