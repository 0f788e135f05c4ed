"""People by e-mail address, and the chat accounts that may be theirs."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Update, and_, bindparam, delete, func, select, true, update

from bot.messages import ChatAccount, Member, MemberKind
from bot.ports.records import Absorbed, DirectoryReading
from store import tables
from store.addresses import IS_OPEN
from store.among import among, texts
from store.statements import add, upsert

_PEOPLE = tables.people
_MEMBERS = tables.members
#: Asked for every page of links: built once.
_KNOWN = select(_PEOPLE.c.email, _PEOPLE.c.person_id).where(among(_PEOPLE.c.email, "emails"))
_MEMBER = [_MEMBERS.c[field.name] for field in fields(Member)]
_MEMBER_FIELDS = [field.name for field in fields(Member)]
#: Asked for every message: built once.
_ACCOUNTS = (
    select(*_MEMBER, _MEMBERS.c.used_at, IS_OPEN.label("is_open"))
    .where(_MEMBERS.c.email == bindparam("email"))
    .order_by(_MEMBERS.c.workspace_id, _MEMBERS.c.user_id)
)
#: Asked for everybody who waits for an answer: built once.
_ONE_MEMBER = select(*_MEMBER).where(_MEMBERS.c.workspace_id == bindparam("workspace"), _MEMBERS.c.user_id == bindparam("user"))
_READINGS = tables.directory_readings


@dataclass(frozen=True, slots=True)
class SqlPeople:
    connection: Connection

    def ids(self, emails: Collection[str]) -> Mapping[str, int]:
        known = self._known(emails)
        missing = sorted(set(emails) - known.keys())
        add(self.connection, _PEOPLE, [{"email": email} for email in missing])
        return {**known, **self._known(missing)}

    def find(self, email: str) -> int | None:
        return self._known([email]).get(email)

    def email(self, person_id: int) -> str | None:
        return self.connection.execute(select(_PEOPLE.c.email).where(_PEOPLE.c.person_id == person_id)).scalar_one_or_none()

    def _known(self, emails: Collection[str]) -> Mapping[str, int]:
        return {row.email: row.person_id for row in self.connection.execute(_KNOWN, {"emails": texts(emails)}).all()} if emails else {}


@dataclass(frozen=True, slots=True)
class SqlMembers:
    connection: Connection

    def save(self, members: Sequence[Member]) -> Absorbed:
        rows = [asdict(member) for member in members]
        changed = upsert(self.connection, _MEMBERS, ("workspace_id", "user_id"), rows, _known_dm_channel)
        return Absorbed(seen=len(rows), changed=changed)

    def get(self, workspace_id: str, user_id: str) -> Member | None:
        row = self.connection.execute(_ONE_MEMBER, {"workspace": workspace_id, "user": user_id}).mappings().one_or_none()
        return None if row is None else Member(**row)

    def kinds(self, workspace_id: str, user_ids: Sequence[str]) -> Mapping[str, MemberKind]:
        theirs = select(_MEMBERS.c.user_id, _MEMBERS.c.kind).where(_MEMBERS.c.workspace_id == workspace_id)
        found = self.connection.execute(theirs.where(among(_MEMBERS.c.user_id, "user_ids")), {"user_ids": texts(user_ids)})
        return {row.user_id: row.kind for row in found}

    def by_email(self, email: str) -> Sequence[Member]:
        theirs = select(*_MEMBER).where(_MEMBERS.c.email == email).order_by(_MEMBERS.c.workspace_id, _MEMBERS.c.user_id)
        return [Member(**row) for row in self.connection.execute(theirs).mappings()]

    def accounts(self, email: str) -> Sequence[ChatAccount]:
        rows = self.connection.execute(_ACCOUNTS, {"email": email}).mappings()
        return [
            ChatAccount(member=Member(**{name: row[name] for name in _MEMBER_FIELDS}), used_at=row["used_at"], is_open=row["is_open"])
            for row in rows
        ]

    def is_used_since(self, member: Member, since: datetime) -> bool:
        used = select(_MEMBERS.c.used_at).where(_MEMBERS.c.workspace_id == member.workspace_id, _MEMBERS.c.user_id == member.user_id)
        used_at = self.connection.execute(used).scalar_one_or_none()
        return used_at is not None and used_at >= since

    def set_used(self, member: Member, now: datetime) -> None:
        self.connection.execute(_update(member.workspace_id).where(_MEMBERS.c.user_id == member.user_id).values(used_at=now))

    def set_dm_channel(self, workspace_id: str, user_id: str, channel_id: str) -> None:
        one = _update(workspace_id).where(_MEMBERS.c.user_id == user_id)
        self.connection.execute(one.values(dm_channel_id=channel_id))

    def seen(self, workspace_id: str, user_ids: Sequence[str], now: datetime) -> None:
        theirs = _update(workspace_id).where(among(_MEMBERS.c.user_id, "user_ids"))
        self.connection.execute(theirs.values(seen_at=now), {"user_ids": texts(user_ids)})

    def seen_since(self, workspace_id: str, user_ids: Sequence[str], since: datetime) -> Sequence[Member]:
        lately = select(*_MEMBER).where(_MEMBERS.c.workspace_id == workspace_id, _MEMBERS.c.seen_at >= since)
        theirs = lately.where(among(_MEMBERS.c.user_id, "user_ids"))
        return [Member(**row) for row in self.connection.execute(theirs, {"user_ids": texts(user_ids)}).mappings()]

    def disown(self, workspace_id: str, members: Sequence[Member]) -> None:
        names = {"emails": texts([it.email for it in members if it.email]), "user_ids": texts([it.user_id for it in members])}
        others = among(_MEMBERS.c.email, "emails") & ~among(_MEMBERS.c.user_id, "user_ids")
        self.connection.execute(_update(workspace_id).where(others).values(email=None), names)

    def disown_unseen(self, workspace_id: str, since: datetime) -> None:
        told = _MEMBERS.alias("told")
        owners = (told.c.workspace_id == workspace_id, told.c.seen_at >= since, told.c.kind == MemberKind.MEMBER)
        others = _MEMBERS.c.email.in_(select(told.c.email).where(*owners, told.c.email.is_not(None)))
        self.connection.execute(_update(workspace_id).where(_unseen(since), others).values(email=None))

    def deactivate_unseen(self, workspace_id: str, since: datetime) -> int:
        vanished = _update(workspace_id).where(_unseen(since), _MEMBERS.c.kind != MemberKind.DEACTIVATED)
        return self.connection.execute(vanished.values(kind=MemberKind.DEACTIVATED)).rowcount

    def counts(self, *, within: str | None = None, outside: str | None = None) -> Mapping[str, int]:
        number, place = func.count(), _MEMBERS.c.workspace_id
        those = and_(true() if within is None else place == within, true() if outside is None else place != outside)
        by_kind = self.connection.execute(select(_MEMBERS.c.kind, number).where(those).group_by(_MEMBERS.c.kind)).all()
        nameless = those & (_MEMBERS.c.kind == MemberKind.MEMBER) & _MEMBERS.c.email.is_(None)
        unknown = select(_MEMBERS.c.has_unconfirmed_email, number).where(nameless).group_by(_MEMBERS.c.has_unconfirmed_email)
        without = dict(self.connection.execute(unknown).all())
        return {**dict(by_kind), "no e-mail": without.get(False, 0), "unconfirmed e-mail": without.get(True, 0)}


@dataclass(frozen=True, slots=True)
class SqlDirectoryReadings:
    connection: Connection

    def get(self, workspace_id: str) -> DirectoryReading | None:
        row = self.connection.execute(select(_READINGS).where(_READINGS.c.workspace_id == workspace_id)).mappings().one_or_none()
        return None if row is None else DirectoryReading(**row)

    def save(self, reading: DirectoryReading) -> None:
        upsert(self.connection, _READINGS, ("workspace_id",), [asdict(reading)])

    def forget(self, workspace_id: str) -> None:
        self.connection.execute(delete(_READINGS).where(_READINGS.c.workspace_id == workspace_id))


def _update(workspace_id: str) -> Update:
    return update(_MEMBERS).where(_MEMBERS.c.workspace_id == workspace_id)


def _unseen(since: datetime) -> ColumnElement[bool]:
    return (_MEMBERS.c.seen_at < since) | _MEMBERS.c.seen_at.is_(None)


def _known_dm_channel(excluded: Any) -> Mapping[str, ColumnElement[Any]]:  # noqa: ANN401 - SQLAlchemy's `excluded` is dynamic
    return {"dm_channel_id": func.coalesce(excluded.dm_channel_id, _MEMBERS.c.dm_channel_id)}
