"""Integrations, the Qualtrics accounts they see, and the log of their synchronisation runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta

from sqlalchemy import Connection, RowMapping, case, delete, exists, select, tuple_, update

from bot.model import Integration, User
from bot.ports.records import Absorbed
from bot.schedule import Every, Schedule, Window
from store import tables
from store.encryption import Keyring
from store.grants import administered
from store.post_tables import day_counts
from store.statements import Row, add, upsert

_INTEGRATIONS = tables.integrations
_INVITED = (tables.invitations.c.distribution_key, tables.invitations.c.contact_id)
#: In the order in which rows may go: none before those that refer to it.
_EVERYTHING_ELSE = (
    tables.request_log,
    tables.refreshes,
    tables.pictures,
    tables.positions,
    tables.runs,
    day_counts,
    tables.grants,
    tables.distributions,
    tables.surveys,
    tables.users,
    _INTEGRATIONS,
)
#: How long runs are kept.
_MEMORY = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class SqlIntegrations:
    connection: Connection
    keyring: Keyring

    def save(self, integration: Integration) -> None:
        upsert(self.connection, _INTEGRATIONS, ("integration_id",), [_settings(integration)], fixed=("is_paused",))

    def change(self, before: Integration, after: Integration) -> None:
        old = _settings(before)
        changed = {column: value for column, value in _settings(after).items() if value != old[column] and column != "is_paused"}
        if changed:
            self._set(after.integration_id, **changed)

    def get(self, integration_id: str) -> Integration | None:
        return next((i for i in self.all() if i.integration_id == integration_id), None)

    def all(self) -> Sequence[Integration]:
        rows = self.connection.execute(select(_INTEGRATIONS).order_by(_INTEGRATIONS.c.integration_id))
        return [_integration(row) for row in rows.mappings()]

    def set_secret(self, integration_id: str, secret: str) -> None:
        self._set(integration_id, secret=self.keyring.encrypt(secret, secret_identity(integration_id, "secret")))

    def secret(self, integration_id: str) -> str | None:
        sealed = self._sealed(integration_id, "secret")
        return None if sealed is None else self.keyring.decrypt(sealed, secret_identity(integration_id, "secret"))

    def set_push_keys(self, integration_id: str, keys: Sequence[str]) -> None:
        sealed = self.keyring.encrypt("\n".join(keys), secret_identity(integration_id, "push_keys")) if keys else None
        self._set(integration_id, push_keys=sealed)

    def push_keys(self, integration_id: str) -> Sequence[str]:
        sealed = self._sealed(integration_id, "push_keys")
        return () if sealed is None else self.keyring.decrypt(sealed, secret_identity(integration_id, "push_keys")).split("\n")

    def set_brand(self, integration_id: str, brand_id: str | None) -> None:
        its = _INTEGRATIONS.c
        self._set(integration_id, brand_id=brand_id, brand_host=case((its.brand_id == brand_id, its.brand_host)))

    def set_brand_host(self, integration_id: str, host: str | None) -> None:
        self._set(integration_id, brand_host=host)

    def set_baseline(self, integration_id: str, at: datetime) -> None:
        self._set(integration_id, baseline_at=at)

    def set_paused(self, integration_id: str, *, is_paused: bool) -> None:
        self._set(integration_id, is_paused=is_paused)

    def set_unauthorized(self, integration_id: str, at: datetime | None) -> None:
        self._set(integration_id, unauthorized_at=at)

    def remove(self, integration_id: str, limit: int) -> int:
        its = select(tables.distributions.c.key).where(tables.distributions.c.integration_id == integration_id)
        some = select(*_INVITED).where(_INVITED[0].in_(its)).limit(limit)
        gone = self.connection.execute(delete(tables.invitations).where(tuple_(*_INVITED).in_(some))).rowcount
        if gone < limit:
            # Whoever writes rows of it now comes to an end first (store/presence.py).
            self.connection.execute(
                select(_INTEGRATIONS.c.integration_id).where(_INTEGRATIONS.c.integration_id == integration_id).with_for_update()
            )
            for table in _EVERYTHING_ELSE:
                self.connection.execute(delete(table).where(table.c.integration_id == integration_id))
        return gone

    def _set(self, integration_id: str, **values: object) -> None:
        self.connection.execute(update(_INTEGRATIONS).where(_INTEGRATIONS.c.integration_id == integration_id).values(**values))

    def _sealed(self, integration_id: str, column: str) -> bytes | None:
        one = select(_INTEGRATIONS.c[column]).where(_INTEGRATIONS.c.integration_id == integration_id)
        return self.connection.execute(one).scalar_one_or_none()


def secret_identity(integration_id: str, column: str) -> str:
    return f"{integration_id}|{column}"


def _settings(integration: Integration) -> Row:
    schedule = integration.schedule
    return {
        "integration_id": integration.integration_id,
        "name": integration.name,
        "base_url": integration.base_url,
        "client_id": integration.client_id,
        "requests_per_minute": integration.requests_per_minute,
        "timeout_seconds": integration.timeout_seconds,
        "connect_timeout_seconds": integration.connect_timeout_seconds,
        "keeps_request_log": integration.keeps_request_log,
        "full_sync": str(schedule.full),
        "incremental_sync": str(schedule.incremental),
        "sweep_sync": str(schedule.sweep),
        "sync_window": None if schedule.window is None else str(schedule.window),
        "mass_closure_share": integration.mass_closure_share,
        "group_size": integration.group_size,
        "shows_people": integration.shows_people,
        "is_paused": integration.is_paused,
    }


def _integration(row: RowMapping) -> Integration:
    window = row["sync_window"]
    schedule = Schedule(
        full=Every.parse(row["full_sync"]),
        incremental=Every.parse(row["incremental_sync"]),
        sweep=Every.parse(row["sweep_sync"]),
        window=None if window is None else Window.parse(window),
    )
    names = [field.name for field in fields(Integration) if field.name != "schedule"]
    return Integration(**{name: row[name] for name in names}, schedule=schedule)


@dataclass(frozen=True, slots=True)
class SqlUsers:
    """Which accounts were listed is part of the picture: what has no survey there is an account."""

    connection: Connection

    def save(self, integration_id: str, users: Sequence[User]) -> Absorbed:
        rows = [{"integration_id": integration_id, **asdict(user)} for user in users]
        listed = [{"integration_id": integration_id, "survey_id": "", "distribution_id": user.user_id, "body": ""} for user in users]
        add(self.connection, tables.pictures, listed)
        return Absorbed(seen=len(rows), changed=upsert(self.connection, tables.users, ("integration_id", "user_id"), rows))

    def remove_unlisted(self, integration_id: str) -> int:
        users, listed = tables.users, tables.pictures
        is_listed = exists().where(
            listed.c.integration_id == integration_id, listed.c.survey_id == "", listed.c.distribution_id == users.c.user_id
        )
        return self.connection.execute(delete(users).where(users.c.integration_id == integration_id, ~is_listed)).rowcount

    def forget_listed(self, integration_id: str) -> None:
        listed = tables.pictures
        self.connection.execute(delete(listed).where(listed.c.integration_id == integration_id, listed.c.survey_id == ""))

    def name(self, integration_id: str, user_id: str) -> str | None:
        users = tables.users
        one = select(users.c.first_name, users.c.last_name)
        row = self.connection.execute(one.where(users.c.integration_id == integration_id, users.c.user_id == user_id)).one_or_none()
        return " ".join(part for part in row or () if part) or None

    def known_as(self, email: str) -> str | None:
        users = tables.users
        known = select(users.c.first_name, users.c.last_name).where(users.c.email == email)
        active_first = known.order_by(users.c.is_active.desc(), users.c.integration_id, users.c.user_id)
        names = (" ".join(part for part in row if part) for row in self.connection.execute(active_first))
        return next(filter(None, names), None)

    def admin_of(self, email: str) -> Sequence[str]:
        return self.connection.execute(administered(email).order_by(_INTEGRATIONS.c.integration_id)).scalars().all()
