"""Where the chat app is installed, with its tokens encrypted; and installations that were begun, by a hash of their state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from sqlalchemy import ColumnElement, Connection, RowMapping, delete, select, update

from bot.installations import Installation, Tokens
from store import tables
from store.encryption import Keyring
from store.post_tables import subscriptions
from store.statements import Row, add, upsert
from store.subscriptions import SqlSubscriptions

_INSTALLATIONS = tables.installations
_STATES = tables.oauth_states


@dataclass(frozen=True, slots=True)
class SqlInstallations:
    connection: Connection
    keyring: Keyring

    def save(self, installation: Installation, tokens: Tokens) -> None:
        row = {
            "workspace_id": installation.workspace_id,
            "name": installation.name,
            "scopes": ",".join(sorted(installation.scopes)),
            "installed_at": installation.installed_at,
            "broken_at": installation.broken_at,
            "revoked_at": installation.revoked_at,
            **self._sealed(installation.workspace_id, tokens),
        }
        upsert(self.connection, _INSTALLATIONS, ("workspace_id",), [row])

    def get(self, workspace_id: str) -> Installation | None:
        row = self.connection.execute(select(_INSTALLATIONS).where(_of(workspace_id))).mappings().one_or_none()
        return None if row is None else _installation(row)

    def all(self) -> Sequence[Installation]:
        rows = self.connection.execute(select(_INSTALLATIONS).order_by(_INSTALLATIONS.c.workspace_id)).mappings()
        return [_installation(row) for row in rows]

    def tokens(self, workspace_id: str) -> Tokens | None:
        row = self.connection.execute(select(_INSTALLATIONS).where(_of(workspace_id))).mappings().one_or_none()
        if row is None or (access := self._opened(row, "access_token")) is None:
            return None
        return Tokens(access=access, refresh=self._opened(row, "refresh_token"), expires_at=row["expires_at"])

    def renew(self, workspace_id: str, tokens: Tokens) -> None:
        known = update(_INSTALLATIONS).where(_of(workspace_id), _INSTALLATIONS.c.revoked_at.is_(None))
        self.connection.execute(known.values(**self._sealed(workspace_id, tokens), broken_at=None))

    def set_broken(self, workspace_id: str, at: datetime) -> None:
        self.connection.execute(update(_INSTALLATIONS).where(_of(workspace_id)).values(broken_at=at))

    def revoke(self, workspace_id: str, at: datetime) -> bool:
        known = update(_INSTALLATIONS).where(_of(workspace_id), _INSTALLATIONS.c.installed_at <= at)
        ended = known.values(access_token=None, refresh_token=None, expires_at=None, revoked_at=at)
        if not self.connection.execute(ended).rowcount:
            return False
        self._forget_people(workspace_id)
        return True

    def forget(self, workspace_id: str) -> bool:
        people = self._forget_people(workspace_id)
        its = select(subscriptions.c.subscription_id).where(subscriptions.c.workspace_id == workspace_id)
        SqlSubscriptions(self.connection).remove(self.connection.execute(its).scalars().all())
        return bool(people + self.connection.execute(delete(_INSTALLATIONS).where(_of(workspace_id))).rowcount)

    def _forget_people(self, workspace_id: str) -> int:
        theirs = (delete(table).where(table.c.workspace_id == workspace_id) for table in (tables.members, tables.directory_readings))
        return sum(self.connection.execute(statement).rowcount for statement in theirs)

    def _sealed(self, workspace_id: str, tokens: Tokens) -> Row:
        texts = {"access_token": tokens.access, "refresh_token": tokens.refresh}
        sealed = {
            name: None if text is None else self.keyring.encrypt(text, token_identity(workspace_id, name)) for name, text in texts.items()
        }
        return {**sealed, "expires_at": tokens.expires_at}

    def _opened(self, row: RowMapping, name: str) -> str | None:
        return None if row[name] is None else self.keyring.decrypt(row[name], token_identity(row["workspace_id"], name))


def token_identity(workspace_id: str, column: str) -> str:
    return f"{workspace_id}|{column}"


def _of(workspace_id: str) -> ColumnElement[bool]:
    return _INSTALLATIONS.c.workspace_id == workspace_id


def _installation(row: RowMapping) -> Installation:
    return Installation(
        workspace_id=row["workspace_id"],
        name=row["name"],
        scopes=frozenset(filter(None, row["scopes"].split(","))),
        installed_at=row["installed_at"],
        broken_at=row["broken_at"],
        revoked_at=row["revoked_at"],
    )


@dataclass(frozen=True, slots=True)
class SqlOAuthStates:
    """Who reads the table can finish nobody's installation."""

    connection: Connection

    def add(self, state: str, expires_at: datetime, now: datetime) -> None:
        self.connection.execute(delete(_STATES).where(_STATES.c.expires_at <= now))
        add(self.connection, _STATES, [{"hash": _hash(state), "expires_at": expires_at}])

    def take(self, state: str, now: datetime) -> bool:
        one = delete(_STATES).where(_STATES.c.hash == _hash(state)).returning(_STATES.c.expires_at)
        expires_at = self.connection.execute(one).scalar_one_or_none()
        return expires_at is not None and now < expires_at


def _hash(state: str) -> str:
    return sha256(state.encode()).hexdigest()
