"""From how many people on a survey's numbers are shown is settled when it is first seen sent, whoever looks first."""

from __future__ import annotations

from dataclasses import replace

from bot.model import DistributionStats
from bot.ports import UnitOfWork
from bot.syncing.sync import Kind
from tests.contract.core.conftest import Life


async def test_every_kind_of_look_settles_a_group_size_and_no_later_setting_moves_it(life: Life) -> None:
    async def group_sizes() -> dict[str, int]:
        return dict(await life.store.read(lambda uow: uow.surveys.group_sizes("main", ["SV_1", "SV_2", "SV_3"])))

    async def set_to(group_size: int) -> None:
        known = await life.store.read(lambda uow: uow.integrations.get("main"))
        assert known is not None
        await life.store.write(lambda uow: uow.integrations.change(known, replace(known, group_size=group_size)))

    for survey_id in ("SV_1", "SV_2", "SV_3"):
        life.source.put(survey_id)
    life.source.send("EMD_1", {"CID_1": "ana@acme.example"})
    await life.baseline()
    await set_to(9)
    life.source.send("EMD_2", {"CID_1": "ana@acme.example"}, "SV_2")
    await life.synchronisation().refresh(["SV_2"])
    await set_to(7)
    assert await group_sizes() == {"SV_1": 5, "SV_2": 9, "SV_3": 7}


async def test_of_all_that_see_a_survey_the_largest_group_size_counts(life: Life) -> None:
    """In steps of 5 beside steps of 7 it would be 20 to 24 as well as 21 to 27, and the 21st would be seen answering."""
    life.source.put()
    life.source.send("EMD_1", {"CID_1": "ana@acme.example"})
    await life.baseline()
    life.settings = replace(life.settings, group_size=7)
    await life.sync(Kind.FULL, "twin")
    known = [await life.store.read(lambda uow, it=it: uow.surveys.group_sizes(it, ["SV_1"])) for it in ("main", "twin")]
    assert known == [{"SV_1": 7}] * 2


async def test_a_survey_known_from_before_gets_the_setting_at_the_first_look(life: Life) -> None:
    """It may be closed, so that its distributions are listed no more."""
    await life.baseline()
    life.source.put(is_active=False)
    life.source.send("EMD_1", {"CID_1": "ana@acme.example"})
    sent = replace(life.source.sent["EMD_1"], stats=DistributionStats(sent=1))

    def know(uow: UnitOfWork) -> None:
        uow.surveys.save("main", [*life.source.survey_list.values()], life.now)
        uow.distributions.save("main", [sent])

    await life.store.write(know)
    life.settings = replace(life.settings, group_size=8)
    await life.sync(Kind.FULL)
    life.settings = replace(life.settings, group_size=5)
    await life.sync(Kind.FULL)
    assert await life.store.read(lambda uow: uow.surveys.group_sizes("main", ["SV_1"])) == {"SV_1": 8}
