"""What becomes of a delivery: the retry policy, and what is done about a lost answer that nobody can find out about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.errors import Ambiguous, Forbidden, SurveybotError, Throttled, Unauthorized, Unavailable
from bot.events import EventKind
from bot.messages import DeliveryState, MessageRef, Showing

#: Without a `Retry-After`, a throttled sender pauses this long.
PAUSE = timedelta(seconds=30)
#: With broken credentials nothing gets better quickly.
BROKEN_PAUSE = timedelta(minutes=5)
LONGEST_BACKOFF = timedelta(minutes=5)
#: How long a provider may still take a message whose answer was lost (reference performance.md 7.1).
SETTLING = timedelta(seconds=60)

#: What is done, by kind, where a lost answer stays lost, because the bot may not read the conversation: for every kind the delivery stays
#: UNKNOWN, and here is why it is better not to repeat it.
UNREPEATED: Mapping[EventKind, str] = {
    EventKind.SURVEY_INVITED: "the survey is in their list, Qualtrics has mailed it too, and the reminder follows",
    EventKind.SURVEY_CLOSING: "a second reminder within minutes annoys more people than a missing one loses, and the invitation is there",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """The delivery is over."""

    state: DeliveryState
    reason: str | None = None
    message: MessageRef | None = None
    showing: Showing | None = None
    #: Nothing else is sent in its workspace before.
    pause_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """Nothing was sent; try once more at `at`."""

    at: datetime
    reason: str
    #: As above.
    pause_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """The answer was lost: whether it was sent is found out after `until`."""

    until: datetime
    reason: str
    #: As above.
    pause_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """The person is in another workspace than it seemed."""

    workspace_id: str
    pause_until: datetime | None = None


Outcome = Ended | Again | Lost | Moved


def after_error(error: SurveybotError, attempt: int, now: datetime) -> Outcome:
    """The whole retry policy. `attempt` counts from 1; what is repeated was certainly not sent (reference performance.md 7.3).

    Trouble of a whole workspace pauses all of it, and whoever met it waits longer than the others: should it be their own trouble after
    all, it holds up nobody.
    """
    reason = f"{type(error).__name__}: {error}"
    match error:
        case Throttled():
            until = now + (PAUSE if error.retry_after is None else timedelta(seconds=error.retry_after))
            return Again(at=until, reason=reason, pause_until=until)
        case Unavailable():
            backoff = min(timedelta(seconds=5) * 2 ** min(attempt, 10), LONGEST_BACKOFF)
            until = now + max(backoff, timedelta(seconds=error.retry_after or 0))
            return Again(at=until + backoff, reason=reason, pause_until=until)
        case Ambiguous():
            return Lost(until=now + SETTLING, reason=reason, pause_until=now + PAUSE)
        case Unauthorized() if not isinstance(error, Forbidden):
            return Again(at=now + 2 * BROKEN_PAUSE, reason=reason, pause_until=now + BROKEN_PAUSE)
        case _:
            return Ended(state=DeliveryState.FAILED, reason=reason)
