"""Lists of the surveys whose numbers somebody may see. They may be long, and a page shows twenty: what it shows is read of those alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

from sqlalchemy import BigInteger, ColumnElement, Connection, Select, and_, case, false, func, literal, or_, select, tuple_, type_coerce

from bot.listed import Listed, Rights, Seen
from bot.rules import INVITE, REMINDER
from bot.search import finder, folded
from store import tables
from store.columns import Instant
from store.statements import chunks

_SURVEYS = tables.surveys
_DISTRIBUTIONS = tables.distributions
_USERS = tables.users
_NEVER = datetime(9999, 1, 1, tzinfo=UTC)
_SEEN = (_SURVEYS.c.integration_id, _SURVEYS.c.survey_id)
_SAID = (_SURVEYS.c.name, _USERS.c.first_name, _USERS.c.last_name)
_ENDS = func.coalesce(_SURVEYS.c.ends_at, literal(_NEVER, Instant))
_IS_OWNER = and_(_USERS.c.integration_id == _SURVEYS.c.integration_id, _USERS.c.user_id == _SURVEYS.c.owner_id)


@dataclass(frozen=True, slots=True)
class SqlLists:
    connection: Connection

    def surveys(self, rights: Rights, now: datetime, *, only_open: bool = False, words: str = "") -> Sequence[Seen]:
        """Ordered, and compared with words, here: no database folds letters as `bot.search` does."""
        ends = (type_coerce(_ENDS, BigInteger), type_coerce(_last_end(now), BigInteger))
        asked: Any = select(*_SEEN, *ends, *_SAID).outerjoin(_USERS, _IS_OWNER) if words else select(*_SEEN, *ends, _SURVEYS.c.name)
        has_words = finder(words)
        found: list[tuple[bool, int, str, Seen]] = []
        for seen, end, said in self._best(asked.where(_SURVEYS.c.is_active) if only_open else asked, rights):
            read = folded(" ".join(part for part in (*said, seen.survey_id) if part))
            if not (only_open and end is None) and has_words(read):
                found.append((end is None, end or 0, read, seen))
        return [seen for *_, seen in sorted(found)]

    def listed(self, seen: Sequence[Seen], now: datetime) -> Sequence[Listed]:
        columns = (*_SEEN, *_SAID, _ENDS.label("ends"), _last_end(now).label("last_end"))
        asked = select(*columns).outerjoin(_USERS, _IS_OWNER)
        pieces = (self.connection.execute(asked.where(tuple_(*_SEEN).in_([tuple(each) for each in piece]))) for piece in chunks(seen))
        rows = cast("Iterable[Any]", (row for piece in pieces for row in piece))
        found = {Seen(row.integration_id, row.survey_id): _listed(row) for row in rows}
        return [found[each] for each in seen if each in found]

    def _best(self, asked: Select[Any], rights: Rights) -> Iterator[tuple[Seen, int | None, Sequence[str | None]]]:
        """Where several integrations see a survey, the first row that `rights` reach is the one `Grants.integration_of` chooses.

        A survey with its end in milliseconds (None = it is not open) and its words.
        """
        reached = [column.in_(ids) for column, ids in ((_SEEN[0], rights.integrations), (_SEEN[1], rights.surveys)) if ids]
        better_first = (_SURVEYS.c.is_active.desc(), _SURVEYS.c.anonymity.is_not(None).desc(), _SURVEYS.c.integration_id)
        known: set[str] = set()
        rows = cast("Iterable[Any]", self.connection.execute(asked.where(or_(false(), *reached)).order_by(*better_first)))
        for integration_id, survey_id, survey_end, last_end, *said in rows:
            is_reached = integration_id in rights.integrations or rights.surveys.get(survey_id) == integration_id
            if is_reached and survey_id not in known:
                known.add(survey_id)
                yield Seen(integration_id, survey_id), None if last_end is None else min(survey_end, last_end), said


def _last_end(now: datetime) -> ColumnElement[Any]:
    """When the last living invitation to a survey ends; null where nobody can answer it."""
    sent = _DISTRIBUTIONS.c
    asks = or_(sent.request_type == INVITE, and_(sent.request_type == REMINDER, sent.parent_id.is_not(None)))
    expires = func.coalesce(sent.link_expires_at, literal(_NEVER, Instant))
    lives: Select[Any] = select(func.max(expires)).where(
        sent.survey_key == _SURVEYS.c.key, asks, sent.send_date <= now, ~sent.is_deleted, expires > now
    )
    return case((and_(_SURVEYS.c.is_active, _SURVEYS.c.is_deleted.is_not(True), now < _ENDS), lives.scalar_subquery()))


def _listed(row: Any) -> Listed:  # noqa: ANN401 - SQLAlchemy's rows are dynamic
    end = None if row.last_end is None else min(row.ends, row.last_end)
    return Listed(
        integration_id=row.integration_id,
        survey_id=row.survey_id,
        name=row.name,
        owner=" ".join(part for part in (row.first_name, row.last_name) if part) or None,
        is_open=end is not None,
        closes_at=None if end is None or end == _NEVER else end,
    )
