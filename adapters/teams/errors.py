"""Teams' refusals, and answers that never came, become `bot.errors`.

https://learn.microsoft.com/en-us/microsoftteams/platform/bots/build-conversational-capability#status-codes-from-bot-conversational-apis,
reference teams.md 2.6.
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Mapping
from contextlib import contextmanager
from http import HTTPStatus

import aiohttp
import msgspec

from bot.errors import Ambiguous, Forbidden, Gone, Rejected, ShutOut, SurveybotError, Throttled, Unauthorized, Unavailable

#: Waited for when a 429 does not say how long.
DEFAULT_RETRY_AFTER_SECONDS = 5.0

#: The bot was removed, blocked, or never added: no message arrives until it is added.
_SHUT_OUT = frozenset({"BotNotInConversationRoster", "ConversationBlockedByUser", "MessageWritesBlocked", "ForbiddenOperationException"})
#: An administrator, or the wrong cloud: no message reaches anybody.
_ACCESS = frozenset({"BotDisabledByAdmin", "InvalidBotApiHost"})
_REFUSALS: Mapping[int, type[Forbidden | Gone | Rejected]] = {HTTPStatus.FORBIDDEN: Forbidden, HTTPStatus.NOT_FOUND: Gone}
#: Teams asks for these to be tried again.
_AGAIN = frozenset({HTTPStatus.PRECONDITION_FAILED, HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT})

#: Errors whose text names the proxy, with the password in its address: never chained, for a traceback would show it.
_QUOTES = (aiohttp.ClientResponseError, aiohttp.InvalidURL)
#: In no shape of theirs, no UTF-8, or nested absurdly.
_UNREADABLE = (ValueError, RecursionError)


@contextmanager
def translated(call: str, *, repeatable: bool = False, begun: Collection[bool] = (True,)) -> Generator[None]:
    """Translate what one call, and reading its answer, may raise. While `begun` is empty nothing of it has left.

    Not sent: Throttled, Unavailable. Refused for good: Unauthorized, Forbidden, ShutOut, Gone, Rejected. No telling: Ambiguous, or
    Unavailable where the call is `repeatable`.
    """
    try:
        yield
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        told = "the connection broke before an answer came" if begun else "no connection to Teams"
        cause = None if isinstance(error, _QUOTES) else error
        raise _lost(f"{call}: {told}", repeatable=repeatable or not begun) from cause
    except _UNREADABLE as error:
        raise _lost(f"{call}: unreadable answer", repeatable=repeatable) from error


def check(call: str, status: int, headers: Mapping[str, str], body: bytes, *, repeatable: bool) -> None:
    """Raise what an answer that is a refusal means, as above."""
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return
    code = _code(body)
    message = f"{call} answered {status} {code}"
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        raise Throttled(message, retry_after=_retry_after(headers, DEFAULT_RETRY_AFTER_SECONDS))
    if status in _AGAIN:
        raise Unavailable(message, retry_after=_retry_after(headers, None))
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise _lost(message, repeatable=repeatable)
    raise _final(status, code)(message)


def _final(status: int, code: str) -> type[SurveybotError]:
    if status == HTTPStatus.UNAUTHORIZED or code in _ACCESS:
        return Unauthorized
    if code in _SHUT_OUT:
        return ShutOut
    return _REFUSALS.get(status, Rejected)


class _Error(msgspec.Struct):
    code: str = ""


class _Refusal(msgspec.Struct):
    """`{"error": {"code": ...}}`; where somebody has blocked the bot, the message is JSON with a `subCode` once more."""

    error: _Error | None = None
    message: str = ""


class _Detail(msgspec.Struct):
    subCode: str = ""  # noqa: N815 - theirs


def _code(body: bytes) -> str:
    """Only what looks like a word of theirs is repeated."""
    try:
        refusal = msgspec.json.decode(body, type=_Refusal)
        code = refusal.error.code if refusal.error else msgspec.json.decode(refusal.message, type=_Detail).subCode
    except _UNREADABLE:
        return ""
    return code if code.isalnum() else ""


def _lost(message: str, *, repeatable: bool) -> SurveybotError:
    return Unavailable(message) if repeatable else Ambiguous(message)


def _retry_after(headers: Mapping[str, str], otherwise: float | None) -> float | None:
    seconds = headers.get("Retry-After", "")
    return float(seconds) if seconds.isdecimal() else otherwise
