"""Everything that can go wrong outside, as one tree. Adapters translate vendor errors into it at the boundary."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from pathlib import PurePath


class SurveybotError(Exception):
    """The root of all errors this project raises on purpose."""


#: No pause is longer, whatever was told: then one call asks whether it still holds.
LONGEST_RETRY_AFTER_SECONDS = 3600.0


class Unavailable(SurveybotError):
    """The other side cannot answer now (429, 5xx, time-out); the same call may succeed later.

    `retry_after` is in seconds, as told by the other side, an hour at most; None when it told nothing.
    """

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after and min(retry_after, LONGEST_RETRY_AFTER_SECONDS)


class Throttled(Unavailable):
    """The other side refused the call because of its rate limit (HTTP 429); nothing was done."""


class Ambiguous(SurveybotError):
    """The call may or may not have taken effect: the answer was lost. Never repeat it blindly."""


class Unauthorized(SurveybotError):
    """Credentials are missing, wrong or revoked, or lack the permission for this call."""


class Forbidden(Unauthorized):
    """The credentials are good, but may not do this one thing; other calls go on."""


class Gone(SurveybotError):
    """What was asked for does not exist (any more)."""


class ShutOut(Gone):
    """The conversation may exist, but not for the bot: it was removed or blocked there, or never added."""


class Rejected(SurveybotError):
    """The other side understood the call and refuses it for good; repeating it changes nothing."""


class Superseded(Rejected):
    """What was to be changed is not there as it was: it is newer by now, or gone. Nothing is to be done."""


class Malformed(SurveybotError):
    """The other side answered with something that is not in its documented shape."""


class UserError(SurveybotError):
    """A sentence for a person: what happened, and what to do."""


def loggable(error: BaseException) -> Mapping[str, str]:
    """Say what went wrong without repeating data: foreign exceptions quote addresses, links and bodies in their messages."""
    if isinstance(error, SurveybotError):
        return {"error": type(error).__name__, "reason": str(error)}
    frames = traceback.extract_tb(error.__traceback__)
    return {"error": type(error).__name__, "trace": " > ".join(f"{PurePath(f.filename).name}:{f.lineno} {f.name}" for f in frames)}
