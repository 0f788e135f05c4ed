"""New encryption keys for old: what older keys encrypted is encrypted again with the first one (FEATURES A2)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Engine, LargeBinary, RowMapping, Select, func, select, tuple_, update

from bot.errors import Malformed
from store import tables
from store.encryption import Keyring, key_id_of, mark_of
from store.engine import connect, translated
from store.installations import token_identity
from store.integrations import secret_identity
from store.invitations import link_identity

_INTEGRATIONS, _INVITATIONS, _DISTRIBUTIONS = tables.integrations, tables.invitations, tables.distributions
_INSTALLATIONS = tables.installations
_Key = tuple[Any, ...]
#: Rows a transaction, so that writers of other processes need not wait long.
_CHUNK = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sealed:
    """A column of encrypted texts, the key of its table, and what the identity of a row is made of."""

    column: Column[Any]
    key: tuple[Column[Any], ...]
    rows: Select[*tuple[Any, ...]]
    identity: Callable[[RowMapping], str]


_LINKS = select(
    _INVITATIONS.c.distribution_key, _INVITATIONS.c.contact_id, _DISTRIBUTIONS.c.integration_id, _DISTRIBUTIONS.c.distribution_id
)
_SEALED = (
    *(
        _Sealed(
            column=_INTEGRATIONS.c[name],
            key=(_INTEGRATIONS.c.integration_id,),
            rows=select(_INTEGRATIONS.c.integration_id),
            identity=lambda row, name=name: secret_identity(row["integration_id"], name),
        )
        for name in ("secret", "push_keys")
    ),
    *(
        _Sealed(
            column=_INSTALLATIONS.c[name],
            key=(_INSTALLATIONS.c.workspace_id,),
            rows=select(_INSTALLATIONS.c.workspace_id),
            identity=lambda row, name=name: token_identity(row["workspace_id"], name),
        )
        for name in ("access_token", "refresh_token")
    ),
    _Sealed(
        column=_INVITATIONS.c.link,
        key=(_INVITATIONS.c.distribution_key, _INVITATIONS.c.contact_id),
        rows=_LINKS.join_from(_INVITATIONS, _DISTRIBUTIONS, _DISTRIBUTIONS.c.key == _INVITATIONS.c.distribution_key),
        identity=lambda row: link_identity(row["integration_id"], row["distribution_id"], row["contact_id"]),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotated:
    done: int = 0
    #: Their key is not configured, or they are damaged: left as they are.
    unopened: int = 0


def count(url: str) -> Mapping[str, int]:
    """How many secrets, push keys, tokens and links each key encrypted, by the key's id. Blocks. Raises Unavailable, ValueError."""
    counts: Counter[str] = Counter()
    with _engine(url, read_only=True) as engine, engine.begin() as connection:
        for sealed in _SEALED:
            for mark, number in _counts(connection, sealed.column):
                counts[key_id_of(mark)] += number
    return counts


def rotate(url: str, keyring: Keyring, on_progress: Callable[[Rotated], None] = lambda _: None) -> Rotated:
    """Encrypt with the first key what others encrypted. May be interrupted and begun again. Blocks. Raises Unavailable, ValueError."""
    rotated = Rotated()
    with _engine(url, read_only=False) as engine:
        for sealed in _SEALED:
            after = None
            while chunk := _rotate_some(engine, keyring, sealed, after):
                after, done, unopened = chunk
                rotated = Rotated(done=rotated.done + done, unopened=rotated.unopened + unopened)
                on_progress(rotated)
    return rotated


def _rotate_some(engine: Engine, keyring: Keyring, sealed: _Sealed, after: _Key | None) -> tuple[_Key, int, int] | None:
    """The last row's key, how many rows were rotated, and how many do not open; None = there are no more."""
    with engine.begin() as connection:
        rows = connection.execute(_older(sealed, keyring.mark, after)).mappings().all()
        if not rows:
            return None
        done = sum(_rotated(connection, keyring, sealed, row) for row in rows)
        return tuple(rows[-1][column] for column in sealed.key), done, len(rows) - done


def _older(sealed: _Sealed, mark: bytes, after: _Key | None) -> Select[*tuple[Any, ...]]:
    rows = sealed.rows.add_columns(sealed.column.label("sealed")).where(sealed.column.is_not(None), ~_begins(sealed.column, mark))
    unseen = rows if after is None else rows.where(tuple_(*sealed.key) > tuple_(*after))
    return unseen.order_by(*sealed.key).limit(_CHUNK).with_for_update(of=sealed.column.table)


def _rotated(connection: Connection, keyring: Keyring, sealed: _Sealed, row: RowMapping) -> bool:
    identity = sealed.identity(row)
    try:
        anew = keyring.encrypt(keyring.decrypt(row["sealed"], identity), identity)
    except Malformed:
        return False
    one = update(sealed.column.table).where(*(column == row[column] for column in sealed.key))
    connection.execute(one.values({sealed.column: anew}))
    return True


def _counts(connection: Connection, column: Column[Any]) -> Iterator[tuple[bytes, int]]:
    """Find a row whose key was not counted, count that key's, and so on: there are few keys."""
    rest = select(column).where(column.is_not(None)).limit(1)
    while (data := connection.execute(rest).scalar_one_or_none()) is not None:
        mark = mark_of(data)
        yield mark, connection.execute(select(func.count()).select_from(column.table).where(_begins(column, mark))).scalar_one()
        rest = rest.where(~_begins(column, mark))


def _begins(column: Column[Any], mark: bytes) -> ColumnElement[bool]:
    return func.substr(column, 1, len(mark), type_=LargeBinary) == mark


@contextmanager
def _engine(url: str, *, read_only: bool) -> Generator[Engine]:
    engine = connect(url, read_only=read_only, connections=1)
    try:
        with translated():
            yield engine
    finally:
        engine.dispose()
