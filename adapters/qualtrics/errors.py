"""Qualtrics' refusals become `bot.errors`: by error code and status together (reference qualtrics.md 1, table of errors)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from adapters.qualtrics.wire import Meta
from bot.errors import Forbidden, Gone, Malformed, Rejected, SurveybotError, Throttled, Unauthorized, Unavailable

#: A longer `Retry-After` is for the caller to plan with: limits are per minute (reference qualtrics.md 11).
PATIENCE_SECONDS = 60
#: Between attempts where a 429 does not say how long, for the same reason.
_THROTTLED_SECONDS = 15.0
#: No credential at all is a 400 (`ATP_2`), a wrong one a 401.
_CREDENTIAL_CODES = frozenset({"ATP_2", "DCD_7"})


class Closed(Throttled):
    """Nothing was sent: an earlier 429 asked for quiet, for longer than a call waits."""


class TooLong(Malformed):
    """An answer has more bytes than anything that is read; asking again would bring them again."""


class ClientRefused(Unauthorized):
    """An OAuth client gets no access token."""


class ScopesRefused(ClientRefused):
    """It asks for a scope that it may not have: scopes are granted all or none."""


def refusal(where: str, status: int, headers: Mapping[str, str], meta: Meta) -> SurveybotError:
    """Return the error for an answer that is not 200. `where` is its method and path; `headers` compare without regard to case."""
    code = meta.error.error_code if meta.error else None
    message = f"{where} answered {status} (errorCode {_code(code)}, requestId {request_id(meta) or 'none'})"
    match HTTPStatus.UNAUTHORIZED if code in _CREDENTIAL_CODES else status:
        case HTTPStatus.UNAUTHORIZED:
            return Unauthorized(message)
        case HTTPStatus.FORBIDDEN:
            return Forbidden(message)
        case HTTPStatus.NOT_FOUND:
            return Gone(message)
        case HTTPStatus.TOO_MANY_REQUESTS:
            return Throttled(message, retry_after=retry_after(headers))
        case _ if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return Unavailable(message, retry_after=retry_after(headers))
        case _:
            return Rejected(message)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds `Retry-After` asks for. Its date form counts from the answer's own `Date`, so no clock but theirs matters."""
    text = headers.get("Retry-After", "").strip()
    if re.fullmatch("[0-9]{1,9}", text):
        return float(text)
    try:
        wait = parsedate_to_datetime(text) - parsedate_to_datetime(headers.get("Date", ""))
    except (ValueError, TypeError):  # garbage; one with a zone and one without
        return None
    return max(0.0, wait.total_seconds())


def backoff(error: Exception) -> bool | float:
    """Say whether a read may be repeated (False, or True for stamina's own growing waits), or after how many seconds."""
    match error:
        case TooLong():
            return False
        case Unavailable(retry_after=float(seconds)) if seconds > 0:
            return seconds if seconds <= PATIENCE_SECONDS else False
        case Throttled():
            return _THROTTLED_SECONDS
        case Unavailable() | Malformed():
            return True
        case _:
            return False


def request_id(meta: Meta) -> str | None:
    """Return `meta.requestId` if it looks like one: anything else does not reach a log."""
    text = meta.request_id
    return text if text and re.fullmatch("[0-9a-fA-F-]{16,64}", text) else None


def _code(text: str | None) -> str:
    """Only what looks like one (`QMST_2.1`) may reach a log."""
    return text if text and re.fullmatch("[A-Z][A-Z0-9_.]{0,31}", text) else "none"
