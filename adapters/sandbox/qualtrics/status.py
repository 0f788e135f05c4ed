"""What a delivery status means: which times it sets on a recipient's row, and which of a distribution's nine counts the row adds to.

Statuses and counts are those of reference qualtrics.md 4 and 5. Qualtrics publishes no sum rules; those kept here are the cautious
reading of its words: a mail is sent, failed, skipped, blocked or still pending, and only a sent one bounces or is opened.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from adapters.sandbox.qualtrics.records import Distribution, Recipient

#: The order in which Qualtrics writes them.
COUNTS = ("sent", "failed", "started", "bounced", "opened", "skipped", "finished", "complaints", "blocked")

#: The counts of a row in a status that needs no time to be known; every status of the history is here.
_COUNTED: dict[str, tuple[str, ...]] = {
    "Pending": (),
    "Unknown": (),
    "Error": ("failed",),
    "Failure": ("failed",),
    "Skipped": ("skipped",),
    "Blocked": ("blocked",),
    "Success": ("sent",),
    "Opened": ("sent",),
    "Complaint": ("sent", "complaints"),
    "SoftBounce": ("sent", "bounced"),
    "HardBounce": ("sent", "bounced"),
    "SurveyStarted": ("sent",),
    "SurveyPartiallyFinished": ("sent",),
    "SurveyFinished": ("sent",),
    "SurveyScreenedOut": ("sent",),
    "SessionExpired": ("sent",),
}

STATUSES = frozenset(_COUNTED)
#: The person answered; the link takes no second answer.
FINISHED = frozenset({"SurveyPartiallyFinished", "SurveyFinished", "SurveyScreenedOut"})
#: Mailed and not answered: who gets a reminder.
WAITING = frozenset({"Success", "Opened", "SurveyStarted"})
_STARTED = FINISHED | {"SurveyStarted", "SessionExpired"}


def change(distribution: Distribution, row: Recipient, status: str, at: datetime) -> None:
    """Put a row into a status, with its times and the distribution's counts. Repeating it changes nothing.

    Raises ValueError for a status Qualtrics has not.
    """
    if status not in STATUSES:
        raise ValueError(f"not a delivery status: {status}")
    distribution.stats.subtract(counted(distribution.request_type, row))
    stamp(row, status, at)
    distribution.stats.update(counted(distribution.request_type, row))


def stamp(row: Recipient, status: str, at: datetime) -> None:
    """Set a status and the times it implies. Times once set stay: whoever finished had started, and perhaps opened, before."""
    row.status = status
    if "sent" in _COUNTED[status]:
        row.sent_at = row.sent_at or at
    if status == "Opened":
        row.opened_at = row.opened_at or at
    if status in _STARTED:
        row.started_at = row.started_at or at
    if status in FINISHED:
        row.completed_at = row.completed_at or at


def counted(request_type: str, row: Recipient) -> Counter[str]:
    """What one row adds to the counts of a distribution of that type; a generated link was never sent (quirk Q3)."""
    reached = Counter(_COUNTED[row.status])
    reached.update(
        name for name, at in (("opened", row.opened_at), ("started", row.started_at), ("finished", row.completed_at)) if at is not None
    )
    if request_type == "GeneratedInvite":
        del reached["sent"]
    return reached
