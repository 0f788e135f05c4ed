"""What became of the messages about a survey is counted person by person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from sqlalchemy import update

from bot.events import EventKind
from bot.messages import DeliveryState, Unreachable
from bot.ports import UnitOfWork
from bot.ports.records import Told
from store import tables
from store.unit_of_work import SqlStore, SqlUnitOfWork
from tests.contract.store.examples import NOW, distribution, event, furnish, link, row, survey


def invite(u: UnitOfWork, distribution_id: str, people: Sequence[str]) -> None:
    ids = u.people.ids([f"{name}@example.org" for name in people])
    u.invitations.save_links("main", distribution_id, [link(f"CID_{name}", email=f"{name}@example.org") for name in people], ids)
    u.invitations.save_history("main", distribution_id, [row(f"CID_{name}") for name in people])


@pytest.fixture(autouse=True)
async def known(store: SqlStore) -> None:
    await store.write(furnish)


async def test_everybody_mailed_counts_once_by_the_best_of_their_messages(store: SqlStore) -> None:
    def tell(u: UnitOfWork) -> None:
        assert isinstance(u, SqlUnitOfWork)
        u.surveys.save("main", [survey("SV_2")], NOW)
        u.distributions.save(
            "main", [distribution("EMD_2"), replace(distribution("EMD_R"), parent_id="EMD_1"), distribution("EMD_3", "SV_2")]
        )
        names = ["ann", "ben", "cem", "dan", "eve", "fay"]
        invite(u, "EMD_1", names)
        invite(u, "EMD_R", ["dan"])
        invite(u, "EMD_2", ["ann"])
        u.invitations.save_history("main", "EMD_1", [row("CID_nobody"), row("CID_bounced", status="HardBounce", mailed=False)])
        ids = u.people.ids([f"{name}@example.org" for name in names])
        ann, ben, cem, dan, eve, _ = (ids[f"{name}@example.org"] for name in names)
        u.outbox.add([event(person) for person in (ann, ben, cem, dan, eve)], NOW)
        u.outbox.add([event(ann, kind=EventKind.SURVEY_CLOSING), event(ben, survey_id="SV_2")], NOW)
        became = {
            (ann, "SV_1", EventKind.SURVEY_INVITED): (DeliveryState.SENT, None),
            (ben, "SV_2", EventKind.SURVEY_INVITED): (DeliveryState.SENT, None),
            (ben, "SV_1", EventKind.SURVEY_INVITED): (DeliveryState.UNREACHABLE, Unreachable.NO_ACCOUNT),
            (cem, "SV_1", EventKind.SURVEY_INVITED): (DeliveryState.UNREACHABLE, Unreachable.NO_ACCOUNT),
            (dan, "SV_1", EventKind.SURVEY_INVITED): (DeliveryState.FAILED, "Gone: user_disabled"),
        }
        for (person, about, kind), (state, reason) in became.items():
            one = (tables.outbox.c.person_id == person, tables.outbox.c.survey_id == about, tables.outbox.c.kind == kind)
            u.outbox.connection.execute(update(tables.outbox).where(*one).values(state=state, reason=reason))

    await store.write(tell)
    assert sorted(await store.read(lambda u: u.tellings.of_survey("main", "SV_1")), key=str) == sorted(
        [
            Told("EMD_1", True, DeliveryState.SENT, None, 1),
            Told("EMD_1", True, DeliveryState.UNREACHABLE, Unreachable.NO_ACCOUNT, 2),
            Told("EMD_1", True, DeliveryState.FAILED, None, 1),
            Told("EMD_1", True, DeliveryState.READY, None, 1),
            Told("EMD_1", True, None, None, 1),
            Told("EMD_1", False, None, None, 1),
            Told("EMD_2", True, DeliveryState.SENT, None, 1),
        ],
        key=str,
    )
    assert await store.read(lambda u: u.tellings.of_survey("other", "SV_1")) == []
