"""An event subscription as Qualtrics lists it (reference qualtrics.md 9)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """Qualtrics calls `url` for each event of `topics`; its shared key is never told again."""

    subscription_id: str
    #: One topic, or a pattern such as `surveyengine.completedResponse.*`.
    topics: str
    url: str
    is_encrypted: bool
    successful_calls: int
