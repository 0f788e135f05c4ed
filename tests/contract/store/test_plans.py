"""The questions asked most often are answered by an index, on both databases."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from sqlalchemy import Connection, insert, text, update

from bot.events import EventKind
from bot.listed import Rights, Seen
from bot.messages import DeliveryState, Queue, Shown
from bot.model import User
from bot.ports import UnitOfWork
from bot.standings import Standing
from store import tables
from store.encryption import Keyring
from store.engine import connect
from store.statements import Row
from store.unit_of_work import SqlUnitOfWork
from tests.contract.store.examples import DAY, NOW, distribution, event, furnish, member, survey
from tests.contract.store.plans import plans as _plans

_QUEUE = Queue(workspace_id="T1", survey_id="SV_1", kind=EventKind.SURVEY_INVITED, due=1, closes_at=None)
_SURVEY = "uq_surveys_survey_id_integration_id|sqlite_autoindex_surveys_1"
QUESTIONS: dict[str, tuple[Callable[[UnitOfWork], object], str]] = {
    "due": (lambda u: u.invitations.due(NOW, 100), "ix_invitations_notice"),
    "of_people": (lambda u: u.invitations.of_people("SV_1", range(1, 50)), "ix_invitations_person"),
    "of_person": (lambda u: u.invitations.of_person(7), "ix_invitations_person"),
    "answerable": (lambda u: u.invitations.of_person(7, NOW), "ix_invitations_person"),
    "lacking_people": (lambda u: u.invitations.lacking_people("main"), "ix_invitations_nobody"),
    "own_expiries": (lambda u: u.invitations.own_expiries("main", ["EMD_7"], NOW), "pk_invitations|sqlite_autoindex_invitations_1"),
    "without_person": (lambda u: u.invitations.without_person("main", NOW, NOW, 10), "ix_invitations_nobody"),
    "reschedule": (lambda u: u.invitations.reschedule("main", "SV_7", NOW, DAY, 10), "pk_invitations|sqlite_autoindex_invitations_1"),
    "surveys": (lambda u: u.surveys.get(["SV_7", "SV_8"]), _SURVEY),
    "admin_of": (lambda u: u.users.admin_of("7@example.org"), "ix_users_email"),
    "surveys_of": (lambda u: u.grants.surveys_of("7@example.org"), "ix_users_email"),
    "surveys_of owner": (lambda u: u.grants.surveys_of("7@example.org"), "ix_surveys_owner"),
    "integration_of": (lambda u: u.grants.integration_of("7@example.org", "SV_7"), "ix_users_email|pk_users|sqlite_autoindex_users_1"),
    "lists": (lambda u: u.lists.surveys(Rights(integrations=frozenset({"main"})), NOW), "ix_distributions_survey_key"),
    "lists of an owner": (lambda u: u.lists.surveys(Rights(surveys={"SV_7": "main"}), NOW), _SURVEY),
    "listed": (lambda u: u.lists.listed([Seen("main", "SV_7")], NOW), _SURVEY),
    "distributions": (lambda u: u.distributions.of_surveys("main", ["SV_7", "SV_8"]), _SURVEY),
    "their surveys": (lambda u: u.distributions.of_survey("main", "SV_7"), "ix_distributions_survey_key"),
    "by_email": (lambda u: u.members.by_email("7@example.org"), "ix_members_email"),
    "queues": (lambda u: u.outbox.queues(NOW), "ix_outbox_open"),
    "claim": (lambda u: u.outbox.claim(_QUEUE, NOW, owner="a", lease=DAY, limit=10), "ix_outbox_open"),
    "oldest_due": (lambda u: u.outbox.oldest_due(), "ix_outbox_(open|leased)"),
    "release": (lambda u: u.outbox.release("a"), "ix_outbox_leased"),
    "lapse": (lambda u: u.outbox.lapse(NOW), "ix_outbox_leased"),
    "claim_lost": (lambda u: u.outbox.claim_lost(NOW, lease=DAY, limit=10), "ix_outbox_leased"),
    "outdate": (lambda u: u.sent.outdate("SV_1", range(1, 50), [Shown.ANSWERED], NOW), "ix_outbox_person_id"),
    "followed": (lambda u: u.sent.followed(7, NOW), "ix_outbox_person_id"),
    "of_person outbox": (lambda u: u.sent.of_person(7, 30), "ix_outbox_person_id"),
    "is_followed": (lambda u: u.sent.is_followed(7), "ix_outbox_person_id"),
    "edits due": (lambda u: u.sent.workspaces(NOW), "ix_outbox_edits"),
    "claim edits": (lambda u: u.sent.claim("T1", NOW, lease=DAY, limit=10), "ix_outbox_edits"),
    "edits waiting": (lambda u: u.sent.waiting(), "ix_outbox_edits"),
    "add": (lambda u: u.outbox.add([event(7)], NOW), "uq_outbox_event_key|sqlite_autoindex_outbox_1"),
    "standings": (lambda u: u.standings.counts("main", "SV_7"), "pk_invitations|sqlite_autoindex_invitations_1"),
    "people by standing": (
        lambda u: u.standings.emails("main", "SV_7", Standing.ANSWERED, skip=0, limit=20),
        "pk_invitations|sqlite_autoindex_invitations_1",
    ),
    "tellings": (lambda u: u.tellings.of_survey("main", "SV_7"), "ix_outbox_person_id_survey_id"),
    "tellings of": (lambda u: u.tellings.of_survey("main", "SV_7"), "pk_invitations|sqlite_autoindex_invitations_1"),
    "last_told": (lambda u: u.outbox.last_told(EventKind.SURVEY_INVITED, "SV_1", range(1, 50)), "ix_outbox_person_id"),
}
_PEOPLE = 20_000
_SURVEYS = 2000
#: All rows of a partial index are few.
_WHOLE_TABLE = re.compile(
    r"(SCAN|Seq Scan on) (invitations|outbox|members|users)\b"
    r"(?! USING (COVERING )?INDEX ix_(invitations_nobody|outbox_(open|edits)))"
)


def _fill(connection: Connection, keyring: Keyring) -> None:
    """Each survey has one distribution; nearly everybody is known, and was told."""
    uow = SqlUnitOfWork.over(connection, keyring)
    furnish(uow)
    numbers = range(_SURVEYS)
    uow.surveys.save("main", [replace(survey(f"SV_{number}"), owner_id=f"UR_{number}@example.org") for number in numbers], NOW)
    uow.distributions.save("main", [distribution(f"EMD_{number}", f"SV_{number}") for number in numbers])
    people = uow.people.ids([f"{number}@example.org" for number in range(_PEOPLE)])
    keys = connection.execute(text("SELECT survey_key, key FROM distributions ORDER BY key")).all()
    connection.execute(insert(tables.invitations), [_invitation(keys[person_id % _SURVEYS], person_id) for person_id in people.values()])
    uow.users.save("main", [User(user_id=f"UR_{email}", email=email) for email in people])
    uow.members.save([member(email, email=email) for email in people])
    uow.outbox.add([event(person_id) for person_id in people.values()], NOW)
    connection.execute(update(tables.outbox).values(state=DeliveryState.SENT, finished_at=NOW, message_id="1.1"))
    outbox = update(tables.outbox)
    connection.execute(outbox.where(tables.outbox.c.delivery_id % 100 == 0).values(state=DeliveryState.READY, finished_at=None))
    connection.execute(outbox.where(tables.outbox.c.delivery_id % 100 == 1).values(edit_at=NOW))
    connection.execute(text("ANALYZE"))


def _invitation(keys: Sequence[int], person_id: int) -> Row:
    survey_key, key = keys
    return {
        "distribution_key": key,
        "contact_id": f"CID_{person_id}",
        "survey_key": survey_key,
        "person_id": person_id if person_id % 50 else None,
        "status": "Success",
        "mailed": True,
        "notice_at": NOW + DAY if person_id % 5 else None,
    }


def test_each_frequent_question_is_answered_by_its_index(database_url: str, keyring: Keyring) -> None:
    engine = connect(database_url, read_only=False, connections=1)
    with engine.begin() as connection:
        _fill(connection, keyring)
        uow = SqlUnitOfWork.over(connection, keyring)
        plans = {question: _plans(connection, partial(work, uow)) for question, (work, _) in QUESTIONS.items()}
    engine.dispose()
    assert {question: plan for question, plan in plans.items() if not re.search(QUESTIONS[question][1], plan)} == {}
    assert {question: plan for question, plan in plans.items() if _WHOLE_TABLE.search(plan)} == {}
