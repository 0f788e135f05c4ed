"""An event is thin: a kind, a subject, and a mark taken from Qualtrics' own data, never from our clock.

Its key is unique in the database, so a thing is said once, whoever notices it first and however often.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class EventKind(StrEnum):
    #: A survey reached somebody (FEATURES C1).
    SURVEY_INVITED = "survey.invited"
    #: Somebody's survey closes in 24 hours (FEATURES C2).
    SURVEY_CLOSING = "survey.closing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    kind: EventKind
    integration_id: str
    survey_id: str
    person_id: int
    #: What makes this event different from an earlier one of its kind for the same person and survey.
    mark: str
    #: When the person's time is over, as far as it is known now: what is more urgent is sent first.
    closes_at: datetime | None = None

    @property
    def key(self) -> str:
        """Without the integration: two integrations that see the same survey tell its people once."""
        return f"{self.kind}:{self.survey_id}:{self.person_id}:{self.mark}"
