"""Whose a survey's numbers are: its brand's administrators', its owner's, and theirs with whom it was shared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, and_, delete, exists, or_, select, union

from bot.model import BRAND_ADMIN
from store import tables
from store.statements import add

_GRANTS = tables.grants
_INTEGRATIONS = tables.integrations
_PEOPLE = tables.people
_SURVEYS = tables.surveys
_USERS = tables.users
_IS_OWNER = and_(_USERS.c.integration_id == _SURVEYS.c.integration_id, _USERS.c.user_id == _SURVEYS.c.owner_id, _USERS.c.is_active)
_IS_GRANT = and_(_GRANTS.c.integration_id == _SURVEYS.c.integration_id, _GRANTS.c.survey_id == _SURVEYS.c.survey_id)
_IS_READ = _SURVEYS.c.anonymity.is_not(None)


@dataclass(frozen=True, slots=True)
class SqlGrants:
    """Where several integrations see a survey, one that sees it active is read; of these one that read its details."""

    connection: Connection

    def integration_of(self, email: str, survey_id: str) -> str | None:
        owns = exists().where(_USERS.c.email == email, _IS_OWNER)
        was_granted = exists().where(_PEOPLE.c.email == email, _GRANTS.c.person_id == _PEOPLE.c.person_id, _IS_GRANT)
        rights = or_(_SURVEYS.c.integration_id.in_(administered(email)), owns, was_granted)
        theirs = select(_SURVEYS.c.integration_id).where(_SURVEYS.c.survey_id == survey_id, rights)
        best = theirs.order_by(_SURVEYS.c.is_active.desc(), _IS_READ.desc(), _SURVEYS.c.integration_id).limit(1)
        return self.connection.execute(best).scalar_one_or_none()

    def is_theirs(self, email: str, integration_id: str, survey_id: str) -> bool:
        owns = exists().where(_USERS.c.email == email, _IS_OWNER)
        one = (_SURVEYS.c.survey_id == survey_id, _SURVEYS.c.integration_id == integration_id)
        theirs = select(_SURVEYS.c.key).where(*one, or_(_SURVEYS.c.integration_id.in_(administered(email)), owns))
        return self.connection.execute(theirs).one_or_none() is not None

    def owners_of(self, survey_id: str) -> Sequence[str]:
        theirs = select(_USERS.c.email).join(_SURVEYS, _IS_OWNER).where(_SURVEYS.c.survey_id == survey_id, _USERS.c.email.is_not(None))
        return self.connection.execute(theirs.distinct().order_by(_USERS.c.email)).scalars().all()

    def surveys_of(self, email: str) -> Mapping[str, str]:
        """The last one of an id wins."""
        found = select(_SURVEYS.c.survey_id, _SURVEYS.c.integration_id, _SURVEYS.c.is_active, _IS_READ.label("is_read"))
        owned = found.join(_USERS, _IS_OWNER).where(_USERS.c.email == email)
        granted = found.join(_GRANTS, _IS_GRANT).join(_PEOPLE, _PEOPLE.c.person_id == _GRANTS.c.person_id).where(_PEOPLE.c.email == email)
        either = union(owned, granted).subquery()
        best_last = select(either).order_by(either.c.is_active, either.c.is_read, either.c.integration_id.desc())
        return {row.survey_id: row.integration_id for row in self.connection.execute(best_last)}

    def share(self, survey_id: str, person_id: int, now: datetime) -> Sequence[str]:
        seen = select(_SURVEYS.c.integration_id).where(_SURVEYS.c.survey_id == survey_id).order_by(_SURVEYS.c.integration_id)
        integrations = self.connection.execute(seen).scalars().all()
        grant = {"survey_id": survey_id, "person_id": person_id, "granted_at": now}
        add(self.connection, _GRANTS, [{"integration_id": integration_id, **grant} for integration_id in integrations])
        return integrations

    def unshare(self, survey_id: str, person_id: int) -> bool:
        theirs = delete(_GRANTS).where(_GRANTS.c.survey_id == survey_id, _GRANTS.c.person_id == person_id)
        return self.connection.execute(theirs).rowcount > 0

    def shared_with(self, survey_id: str) -> Sequence[str]:
        known = select(_PEOPLE.c.email).join(_GRANTS, _GRANTS.c.person_id == _PEOPLE.c.person_id).where(_GRANTS.c.survey_id == survey_id)
        return self.connection.execute(known.distinct().order_by(_PEOPLE.c.email)).scalars().all()


def administered(email: str) -> Select[Any]:
    """The integrations that know an active administrator with this address, and the others of the same brands."""
    known = select(_USERS.c.integration_id).where(_USERS.c.email == email, _USERS.c.user_type == BRAND_ADMIN, _USERS.c.is_active)
    brands = select(_INTEGRATIONS.c.brand_id).where(_INTEGRATIONS.c.integration_id.in_(known))
    theirs = or_(_INTEGRATIONS.c.integration_id.in_(known), _INTEGRATIONS.c.brand_id.in_(brands))
    return select(_INTEGRATIONS.c.integration_id).where(theirs)
