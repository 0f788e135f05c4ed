"""Property: whatever is sent, however often and in whatever order it is looked at, a person is told of a survey once."""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.syncing.sync import Kind
from store.encryption import Keyring
from store.unit_of_work import SqlStore
from tests.contract.core.conftest import Life
from tests.contract.core.dying import die_after

PEOPLE = ("ana@acme.example", "ben@acme.example", None)
OPEN = ("Pending", "Success", "Opened", "SurveyStarted")

sendings = st.lists(
    st.tuples(
        st.sampled_from(["SV_1", "SV_2"]),
        st.dictionaries(st.sampled_from(["CID_1", "CID_2", "CID_3"]), st.sampled_from(PEOPLE), min_size=1),
        st.sampled_from(["Invite", "Reminder"]),
        st.sampled_from(OPEN),
    ),
    min_size=1,
    max_size=4,
)
looks = st.lists(st.sampled_from(list(Kind)), min_size=1, max_size=3)


@pytest.fixture(scope="session")
def template(migrated_sqlite: bytes, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database; hypothesis would print all of its bytes."""
    path = tmp_path_factory.mktemp("any-order") / "template.db"
    path.write_bytes(migrated_sqlite)
    return path


ANY_LIFE: dict[str, st.SearchStrategy[Any]] = {
    "sendings": sendings,
    "looks": looks,
    "order": st.permutations(range(4)),
    "moves": st.lists(st.sampled_from(OPEN[1:]), max_size=4),
    "deaths": st.lists(st.integers(1, 12), max_size=3),
    "gone": st.integers(0, 9),
}
#: It is mailed while it is not looked at.
PENDING: dict[str, Any] = {
    "sendings": [("SV_1", {"CID_1": "ana@acme.example"}, "Invite", "Pending")],
    "looks": [Kind.SWEEP],
    "order": [0, 1, 2, 3],
    "moves": ["Success"],
    "deaths": [],
    "gone": 0,
}


@example(**PENDING)
@settings(max_examples=12)
@given(**ANY_LIFE)
def test_any_order_of_syncs_announces_once(template: Path, keyring: Keyring, **values: Any) -> None:
    announces_once(template, keyring, **values)


@pytest.mark.deep
@settings(max_examples=300)
@given(**ANY_LIFE)
def test_any_of_many_orders_of_syncs_announces_once(template: Path, keyring: Keyring, **values: Any) -> None:
    announces_once(template, keyring, **values)


def announces_once(
    template: Path,
    keyring: Keyring,
    *,
    sendings: list[tuple[str, dict[str, str | None], str, str]],
    looks: list[Kind],
    order: list[int],
    moves: list[str],
    deaths: list[int],
    gone: int,
) -> None:
    """Distributions appear in any order, between any looks, are deleted and come back; statuses move on; processes die and are followed
    by others; the same data is absorbed again and again.
    """

    async def live(life: Life) -> None:
        await life.long_ago()
        numbered = [(n, sendings[n]) for n in order if n < len(sendings)]
        for step, (number, (survey_id, people, kind, status)) in enumerate(numbered):
            life.source.put(survey_id)
            parent = next((d.distribution_id for d in life.source.sent.values() if d.survey_id == survey_id), None)
            values = {"request_type": "Reminder", "parent_id": parent} if parent and kind == "Reminder" else {}
            life.source.send(f"EMD_{number}", people, survey_id, status, **values)
            for look in looks:
                if deaths:
                    await die_after(life, deaths.pop(), look)
                await life.sync(look)
                life.wait(seconds=1)
            if step < len(moves):
                life.source.move(f"EMD_{number}", next(iter(people)), moves[step])
        for look in looks:
            await life.sync(look)
        deleted = life.source.sent.pop(f"EMD_{gone}", None)
        await life.sync()
        life.source.sent |= {} if deleted is None else {deleted.distribution_id: deleted}
        await life.sync(Kind.SWEEP)
        told = Counter(await life.told())
        assert set(told.values()) <= {1}
        assert {(survey, email) for _, survey, email in told} == {
            (sending[0], email)
            for number, sending in numbered
            for contact, email in sending[1].items()
            if email is not None and life.source.rows[f"EMD_{number}"][contact].status != "Pending"
        }

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "life.db"
        path.write_bytes(template.read_bytes())

        async def run() -> None:
            store = SqlStore(f"sqlite:///{path}", keyring)
            try:
                await live(Life(store))
            finally:
                await store.close()

        asyncio.run(run())
