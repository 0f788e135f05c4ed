"""Conversations by where they are written to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, case, func, select, update

from bot.messages import Address
from store import tables
from store.statements import add, upsert

_ADDRESSES = tables.addresses
_MEMBERS = tables.members
_CLOSED = (
    select(func.min(case((_ADDRESSES.c.is_closed, 1), else_=0)))
    .where(_ADDRESSES.c.workspace_id == _MEMBERS.c.workspace_id, _ADDRESSES.c.user_id == _MEMBERS.c.user_id)
    .scalar_subquery()
)
#: Of a member: whether one of their own chats with the bot takes messages; null = there is none yet.
IS_OPEN = _CLOSED == 0


@dataclass(frozen=True, slots=True)
class SqlAddresses:
    connection: Connection

    def save(self, address: Address) -> bool:
        row = asdict(address)
        closed = update(_ADDRESSES).where(*_of(address.workspace_id, address.conversation_id), _ADDRESSES.c.is_closed)
        is_new = add(self.connection, _ADDRESSES, [row]) or self.connection.execute(closed.values(is_closed=False)).rowcount
        upsert(self.connection, _ADDRESSES, ("workspace_id", "conversation_id"), [row], _known_user)
        return bool(is_new)

    def close(self, workspace_id: str, conversation_id: str) -> None:
        self.connection.execute(update(_ADDRESSES).where(*_of(workspace_id, conversation_id)).values(is_closed=True))

    def personal(self, workspace_id: str, user_id: str) -> Address | None:
        theirs = select(_ADDRESSES).where(_ADDRESSES.c.workspace_id == workspace_id, _ADDRESSES.c.user_id == user_id)
        best = theirs.order_by(_ADDRESSES.c.is_closed, _ADDRESSES.c.conversation_id).limit(1)
        row = self.connection.execute(best).mappings().one_or_none()
        return None if row is None else Address(**row)

    def get(self, workspace_id: str, conversation_id: str) -> Address | None:
        row = self.connection.execute(select(_ADDRESSES).where(*_of(workspace_id, conversation_id))).mappings().one_or_none()
        return None if row is None else Address(**row)

    def open_after(self, workspace_id: str, conversation_id: str) -> Address | None:
        later = (_ADDRESSES.c.workspace_id == workspace_id, _ADDRESSES.c.conversation_id > conversation_id, ~_ADDRESSES.c.is_closed)
        first = select(_ADDRESSES).where(*later).order_by(_ADDRESSES.c.conversation_id).limit(1)
        row = self.connection.execute(first).mappings().one_or_none()
        return None if row is None else Address(**row)

    def shut_out(self, workspace_id: str) -> Sequence[str]:
        chats = select(_ADDRESSES.c.user_id).where(_ADDRESSES.c.workspace_id == workspace_id, _ADDRESSES.c.user_id.is_not(None))
        closed = chats.group_by(_ADDRESSES.c.user_id).having(func.min(case((_ADDRESSES.c.is_closed, 1), else_=0)) == 1)
        return self.connection.execute(closed).scalars().all()

    def service_url(self, workspace_id: str) -> str | None:
        known = select(_ADDRESSES.c.service_url).where(_ADDRESSES.c.workspace_id == workspace_id).limit(1)
        return self.connection.execute(known).scalar_one_or_none()

    def counts(self) -> Mapping[str, int]:
        is_none = _ADDRESSES.c.conversation_id == _ADDRESSES.c.user_id
        state = case((is_none, "never added"), (_ADDRESSES.c.is_closed, "closed"), else_="open").label("state")
        chats = select(state, func.count()).where(_ADDRESSES.c.user_id.is_not(None)).group_by(state)
        return {"open": 0, "closed": 0, "never added": 0, **dict(self.connection.execute(chats).all())}


def _of(workspace_id: str, conversation_id: str) -> tuple[ColumnElement[bool], ...]:
    return (_ADDRESSES.c.workspace_id == workspace_id, _ADDRESSES.c.conversation_id == conversation_id)


def _known_user(excluded: Any) -> Mapping[str, ColumnElement[Any]]:  # noqa: ANN401 - SQLAlchemy's `excluded` is dynamic
    return {"user_id": func.coalesce(excluded.user_id, _ADDRESSES.c.user_id)}
