"""What people chose for themselves."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from datetime import datetime

from sqlalchemy import Connection, select

from bot.messages import Preference
from store import tables
from store.statements import upsert

_PREFERENCES = tables.preferences
_CHOICES = tuple(_PREFERENCES.c[field.name] for field in fields(Preference))


@dataclass(frozen=True, slots=True)
class SqlPreferences:
    connection: Connection

    def get(self, person_id: int) -> Preference:
        chosen = select(*_CHOICES).where(_PREFERENCES.c.person_id == person_id)
        row = self.connection.execute(chosen).mappings().one_or_none()
        return Preference() if row is None else Preference(**row)

    def save(self, person_id: int, preference: Preference, now: datetime) -> None:
        upsert(self.connection, _PREFERENCES, ("person_id",), [{"person_id": person_id, "changed_at": now, **asdict(preference)}])
