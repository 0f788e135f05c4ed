"""Invitations: one row a contact and distribution, joined from Qualtrics' history and links, with the personal link encrypted."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    RowMapping,
    Update,
    bindparam,
    case,
    func,
    literal,
    or_,
    select,
    true,
    type_coerce,
    update,
)

from bot.errors import Gone
from bot.model import Invitation, LinkEntry, LinkType, PersonalLink
from bot.ports.records import Absorbed, MailedRow, StoredRow
from bot.rules import OPEN
from store import tables
from store.among import among, texts
from store.columns import Instant
from store.encryption import Keyring
from store.statements import chunks, upsert

_INVITATIONS = tables.invitations
_DISTRIBUTIONS = tables.distributions
_SURVEYS = tables.surveys
_KEYS = ("distribution_key", "contact_id")
#: A distribution stays with its survey.
_FIXED = ("survey_key",)

_NOBODY = (_INVITATIONS.c.person_id.is_(None), _INVITATIONS.c.mailed)

_EXPIRES_AT = func.coalesce(_INVITATIONS.c.link_expires_at, _DISTRIBUTIONS.c.link_expires_at, type_=Instant)

_WHOLE = (
    select(
        _DISTRIBUTIONS.c.integration_id,
        _SURVEYS.c.survey_id,
        _DISTRIBUTIONS.c.distribution_id,
        _INVITATIONS.c.contact_id,
        _INVITATIONS.c.person_id,
        _INVITATIONS.c.status,
        _INVITATIONS.c.mailed,
        _INVITATIONS.c.sent_at,
        _INVITATIONS.c.completed_at,
        _EXPIRES_AT.label("link_expires_at"),
        _DISTRIBUTIONS.c.sender_name,
        _DISTRIBUTIONS.c.link_type,
        _DISTRIBUTIONS.c.is_deleted.label("is_withdrawn"),
    )
    .join_from(_INVITATIONS, _DISTRIBUTIONS, _DISTRIBUTIONS.c.key == _INVITATIONS.c.distribution_key)
    .join(_SURVEYS, _SURVEYS.c.key == _INVITATIONS.c.survey_key)
)


@dataclass(frozen=True, slots=True)
class SqlInvitations:
    connection: Connection
    keyring: Keyring

    def save_links(self, integration_id: str, distribution_id: str, links: Sequence[LinkEntry], people: Mapping[str, int]) -> Absorbed:
        """A person once known stays where an entry has no e-mail address. Raises Gone when the distribution is not stored."""
        distribution = self._distribution(integration_id, distribution_id)
        rows = [
            {
                "distribution_key": distribution["key"],
                "contact_id": entry.contact_id,
                "survey_key": distribution["survey_key"],
                "person_id": None if entry.email is None else people.get(entry.email),
                "status": "",
                "mailed": False,
                "link": self._sealed(integration_id, distribution_id, entry.contact_id, entry.url),
                "link_expires_at": None if entry.expires_at == distribution["link_expires_at"] else entry.expires_at,
            }
            for entry in links
        ]
        return Absorbed(
            seen=len(rows), changed=upsert(self.connection, _INVITATIONS, _KEYS, rows, _from_links, fixed=(*_FIXED, "status", "mailed"))
        )

    def save_history(self, integration_id: str, distribution_id: str, rows: Sequence[MailedRow]) -> Absorbed:
        """Raises Gone when the distribution is not stored."""
        distribution = self._distribution(integration_id, distribution_id)
        values = [
            {
                "distribution_key": distribution["key"],
                "contact_id": row.entry.contact_id,
                "survey_key": distribution["survey_key"],
                "status": row.entry.status,
                "mailed": row.mailed,
                "sent_at": row.entry.sent_at,
                "completed_at": row.entry.completed_at,
                "link": self._sealed(integration_id, distribution_id, row.entry.contact_id, row.entry.url),
                "notice_at": row.notice_at,
            }
            for row in rows
        ]
        return Absorbed(seen=len(values), changed=upsert(self.connection, _INVITATIONS, _KEYS, values, _from_history, fixed=_FIXED))

    def set_person(self, integration_id: str, distribution_id: str, contact_id: str, person_id: int | None, at: datetime) -> None:
        """A person that became known during the look-up stays where it brought nobody."""
        one = update(_INVITATIONS).where(*_is(integration_id, distribution_id, contact_id))
        found = {} if person_id is None else {"person_id": person_id}
        self.connection.execute(one.values(**found, looked_up_at=at))

    def without_person(self, integration_id: str, now: datetime, tried_before: datetime, limit: int) -> Sequence[Invitation]:
        tried = _INVITATIONS.c.looked_up_at
        unknown = (
            _WHOLE.where(_DISTRIBUTIONS.c.integration_id == integration_id, *_NOBODY, ~_DISTRIBUTIONS.c.is_deleted)
            .where(_SURVEYS.c.is_active, _SURVEYS.c.is_deleted.is_not(true()))
            .where(*(or_(at.is_(None), at > now) for at in (_EXPIRES_AT, _SURVEYS.c.ends_at)))
            .where(or_(tried.is_(None), tried < tried_before))
            .order_by(tried.is_not(None), tried, _INVITATIONS.c.contact_id, _INVITATIONS.c.distribution_key)
            .limit(limit)
        )
        return [Invitation(**row) for row in self.connection.execute(unknown).mappings()]

    def lacking_people(self, integration_id: str) -> Collection[str]:
        keys = select(_INVITATIONS.c.distribution_key).where(*_NOBODY)
        theirs = select(_DISTRIBUTIONS.c.distribution_id).where(_DISTRIBUTIONS.c.integration_id == integration_id)
        return set(self.connection.execute(theirs.where(_DISTRIBUTIONS.c.key.in_(keys))).scalars())

    def own_expiries(self, integration_id: str, distribution_ids: Collection[str], since: datetime) -> Mapping[str, Sequence[datetime]]:
        own = _INVITATIONS.c.link_expires_at
        spans = (
            select(_DISTRIBUTIONS.c.distribution_id, func.min(own), func.max(own))
            .join(_INVITATIONS, _INVITATIONS.c.distribution_key == _DISTRIBUTIONS.c.key)
            .where(_DISTRIBUTIONS.c.integration_id == integration_id, own > since)
            .group_by(_DISTRIBUTIONS.c.distribution_id)
        )
        found = (self.connection.execute(spans.where(_DISTRIBUTIONS.c.distribution_id.in_(ids))) for ids in chunks(tuple(distribution_ids)))
        return {distribution_id: span for rows in found for distribution_id, *span in rows}

    def of_contacts(self, integration_id: str, distribution_id: str, contact_ids: Collection[str]) -> Mapping[str, StoredRow]:
        ids = {"integration": integration_id, "distribution": distribution_id}
        rows = self.connection.execute(_STORED, {**ids, "contacts": texts(contact_ids)}).all()
        return {row.contact_id: StoredRow._make(row[1:]) for row in rows}

    def of_people(self, survey_id: str, person_ids: Collection[int]) -> Mapping[int, Sequence[Invitation]]:
        survey_keys = select(_SURVEYS.c.key).where(_SURVEYS.c.survey_id == survey_id)
        theirs = _WHOLE.where(_INVITATIONS.c.survey_key.in_(survey_keys))
        by_person: dict[int, list[Invitation]] = {person_id: [] for person_id in person_ids}
        for chunk in chunks(tuple(by_person)):
            for row in self.connection.execute(theirs.where(_INVITATIONS.c.person_id.in_(chunk))).mappings():
                by_person[row["person_id"]].append(Invitation(**row))
        return by_person

    def of_person(self, person_id: int, answerable_at: datetime | None = None) -> Sequence[Invitation]:
        if answerable_at is None:
            found = self.connection.execute(_OF_PERSON, {"person": person_id})
        else:
            found = self.connection.execute(_ANSWERABLE_OF_PERSON, {"person": person_id, "now": answerable_at})
        names = found.keys()
        return [Invitation(**dict(zip(names, row, strict=True))) for row in found]

    def link(self, invitation: Invitation) -> PersonalLink | None:
        """None also while nobody is known whose link it is. Raises Malformed when it does not open (`Keyring.decrypt`)."""
        where = (invitation.integration_id, invitation.distribution_id, invitation.contact_id)
        row = self.connection.execute(select(_INVITATIONS.c.person_id, _INVITATIONS.c.link).where(*_is(*where))).one_or_none()
        if row is None or row.person_id is None or row.link is None:
            return None
        return PersonalLink(owner=row.person_id, url=self.keyring.decrypt(row.link, link_identity(*where)))

    def due(self, now: datetime, limit: int, held: Collection[str] = ()) -> Sequence[Invitation]:
        running = _WHOLE.where(_DISTRIBUTIONS.c.integration_id.not_in(held))
        due = running.where(_INVITATIONS.c.notice_at <= now).order_by(_INVITATIONS.c.notice_at).limit(limit)
        return [Invitation(**row) for row in self.connection.execute(due).mappings()]

    def clear_notice(self, invitations: Sequence[Invitation]) -> None:
        one = update(_INVITATIONS).where(*_is(bindparam("integration"), bindparam("distribution"), bindparam("contact")))
        rows = [{"integration": i.integration_id, "distribution": i.distribution_id, "contact": i.contact_id} for i in invitations]
        for chunk in chunks(rows):
            self.connection.execute(one.values(notice_at=None), chunk)

    def reschedule(self, integration_id: str, survey_id: str, ends_at: datetime | None, notice: timedelta, limit: int) -> int:
        """Invitations by anonymous links have no notice (`rules.notice_at`)."""
        tracked = (
            select(_DISTRIBUTIONS.c.key, _DISTRIBUTIONS.c.link_expires_at)
            .join(_SURVEYS, _SURVEYS.c.key == _DISTRIBUTIONS.c.survey_key)
            .where(_SURVEYS.c.survey_id == survey_id, _SURVEYS.c.integration_id == integration_id)
            .where(_DISTRIBUTIONS.c.link_type != LinkType.ANONYMOUS)
        )
        moved = 0
        for key, expires_at in self.connection.execute(tracked).all():
            if moved < limit:
                moved += self.connection.execute(_rescheduling(key, expires_at, ends_at, notice, limit - moved)).rowcount
        return moved

    def _distribution(self, integration_id: str, distribution_id: str) -> RowMapping:
        ids = {"integration": integration_id, "distribution": distribution_id}
        row = self.connection.execute(_ONE_DISTRIBUTION, ids).mappings().one_or_none()
        if row is None:
            raise Gone(f"distribution {distribution_id} is not stored")
        return row

    def _sealed(self, integration_id: str, distribution_id: str, contact_id: str, url: str | None) -> bytes | None:
        return None if url is None else self.keyring.encrypt(url, link_identity(integration_id, distribution_id, contact_id))


#: Asked for everybody who waits for an answer: built once.
_OF_PERSON = _WHOLE.where(_INVITATIONS.c.person_id == bindparam("person"))
_ANSWERABLE = (
    select(_SURVEYS.c.survey_id)
    .join_from(_INVITATIONS, _DISTRIBUTIONS, _DISTRIBUTIONS.c.key == _INVITATIONS.c.distribution_key)
    .join(_SURVEYS, _SURVEYS.c.key == _INVITATIONS.c.survey_key)
    .where(_INVITATIONS.c.person_id == bindparam("person"), _INVITATIONS.c.mailed, ~_DISTRIBUTIONS.c.is_deleted)
    .where(_INVITATIONS.c.status.in_(sorted(OPEN)), or_(_EXPIRES_AT.is_(None), bindparam("now", type_=Instant) < _EXPIRES_AT))
)
_ANSWERABLE_OF_PERSON = _OF_PERSON.where(_SURVEYS.c.survey_id.in_(_ANSWERABLE))

_Id = str | ColumnElement[str]


def _is_distribution(integration_id: _Id, distribution_id: _Id) -> tuple[ColumnElement[bool], ...]:
    return (_DISTRIBUTIONS.c.integration_id == integration_id, _DISTRIBUTIONS.c.distribution_id == distribution_id)


def _key(integration_id: _Id, distribution_id: _Id) -> ColumnElement[int]:
    return select(_DISTRIBUTIONS.c.key).where(*_is_distribution(integration_id, distribution_id)).scalar_subquery()


def _is(integration_id: _Id, distribution_id: _Id, contact_id: _Id) -> tuple[ColumnElement[bool], ...]:
    return (_INVITATIONS.c.distribution_key == _key(integration_id, distribution_id), _INVITATIONS.c.contact_id == contact_id)


def link_identity(integration_id: str, distribution_id: str, contact_id: str) -> str:
    return f"{integration_id}|{distribution_id}|{contact_id}"


#: Asked for every page of links and history: built once.
_ITS_IDS = _is_distribution(bindparam("integration"), bindparam("distribution"))
_ONE_DISTRIBUTION = select(_DISTRIBUTIONS.c.key, _DISTRIBUTIONS.c.survey_key, _DISTRIBUTIONS.c.link_expires_at).where(*_ITS_IDS)
_STORED = select(_INVITATIONS.c.contact_id, *(_INVITATIONS.c[name] for name in StoredRow._fields)).where(
    _INVITATIONS.c.distribution_key == select(_DISTRIBUTIONS.c.key).where(*_ITS_IDS).scalar_subquery(),
    among(_INVITATIONS.c.contact_id, "contacts"),
)


def _from_links(excluded: Any) -> Mapping[str, ColumnElement[Any]]:  # noqa: ANN401 - SQLAlchemy's `excluded` is dynamic
    """History is the authority for status, and for the link it has (`Q_CHL=email`; reference qualtrics.md 5)."""
    return {
        "person_id": func.coalesce(excluded.person_id, _INVITATIONS.c.person_id),
        "link": func.coalesce(_INVITATIONS.c.link, excluded.link),
    }


def _from_history(excluded: Any) -> Mapping[str, ColumnElement[Any]]:  # noqa: ANN401 - SQLAlchemy's `excluded` is dynamic
    return {"link": func.coalesce(excluded.link, _INVITATIONS.c.link)}


def _rescheduling(key: int, expires_at: datetime | None, ends_at: datetime | None, notice: timedelta, limit: int) -> Update:
    """Only rows with an expiry of their own need the database to compute."""
    own = _INVITATIONS.c.link_expires_at
    shared = min((at for at in (expires_at, ends_at) if at is not None), default=None)
    cases: list[tuple[ColumnElement[bool], ColumnElement[Any]]] = [(own.is_(None), _at(shared, notice))]
    if ends_at is not None:
        cases.append((own > ends_at, _at(ends_at, notice)))
    notice_at = case(*cases, else_=type_coerce(own, BigInteger) - notice // timedelta(milliseconds=1))
    wrong = (
        select(_INVITATIONS.c.contact_id)
        .where(_INVITATIONS.c.distribution_key == key, _INVITATIONS.c.mailed, _INVITATIONS.c.status.in_(sorted(OPEN)))
        .where(_INVITATIONS.c.notice_at.is_distinct_from(notice_at))
        .limit(limit)
    )
    moved = update(_INVITATIONS).where(_INVITATIONS.c.distribution_key == key, _INVITATIONS.c.contact_id.in_(wrong))
    return moved.values(notice_at=notice_at)


def _at(closes_at: datetime | None, notice: timedelta) -> ColumnElement[Any]:
    return literal(None if closes_at is None else closes_at - notice, Instant)
