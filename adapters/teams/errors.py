"""Teams' refusals, and answers that never came, become `bot.errors`.

https://learn.microsoft.com/en-us/microsoftteams/platform/bots/build-conversational-capability#status-codes-from-bot-conversational-apis,
reference teams.md 2.6.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

import msgspec
import requests
from msrest.exceptions import ClientRequestError, HttpOperationError
from urllib3.exceptions import NewConnectionError

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


@contextmanager
def translated(call: str, *, repeatable: bool = False) -> Generator[None]:
    """Translate what one call of the SDK may raise.

    Not sent: Throttled, Unavailable. Refused for good: Unauthorized, Forbidden, ShutOut, Gone, Rejected. No telling: Ambiguous, or
    Unavailable where the call is `repeatable`.
    """
    try:
        yield
    except HttpOperationError as error:
        raise _refusal(call, error.response, repeatable=repeatable) from error
    except ClientRequestError as error:
        raise _no_answer(call, error.inner_exception, repeatable=repeatable) from error
    except (ValueError, msgspec.MsgspecError, AttributeError, KeyError, TypeError) as error:  # an answer in no shape of theirs
        raise _lost(f"{call}: unreadable answer", repeatable=repeatable) from error


def check(call: str, answer: Any, *, repeatable: bool = False) -> None:  # noqa: ANN401 - the SDK's response is not typed
    """Raise what `translated` would for an answer that is a refusal."""
    if not HTTPStatus.OK <= answer.status_code < HTTPStatus.MULTIPLE_CHOICES:
        raise _refusal(call, answer, repeatable=repeatable)


def _refusal(call: str, answer: Any, *, repeatable: bool) -> SurveybotError:  # noqa: ANN401 - as above
    status, code = answer.status_code, _code(answer)
    message = f"{call} answered {status} {code}"
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return Throttled(message, retry_after=_retry_after(answer, DEFAULT_RETRY_AFTER_SECONDS))
    if status in _AGAIN:
        return Unavailable(message, retry_after=_retry_after(answer, None))
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return _lost(message, repeatable=repeatable)
    return _final(status, code)(message)


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


def _code(answer: Any) -> str:  # noqa: ANN401 - as above
    """Only what looks like a word of theirs is repeated."""
    try:
        refusal = msgspec.json.decode(answer.text, type=_Refusal)
        code = refusal.error.code if refusal.error else msgspec.json.decode(refusal.message, type=_Detail).subCode
    except (msgspec.MsgspecError, ValueError):
        return ""
    return code if code.isalnum() else ""


def _no_answer(call: str, cause: object, *, repeatable: bool) -> SurveybotError:
    reason = getattr(cause.args[0], "reason", None) if isinstance(cause, requests.ConnectionError) and cause.args else None
    not_connected = (requests.exceptions.ConnectTimeout, requests.exceptions.SSLError, requests.exceptions.ProxyError)
    if isinstance(cause, not_connected) or isinstance(reason, NewConnectionError):
        return Unavailable(f"{call}: no connection to Teams")
    return _lost(f"{call}: the connection broke before an answer came", repeatable=repeatable)


def _lost(message: str, *, repeatable: bool) -> SurveybotError:
    return Unavailable(message) if repeatable else Ambiguous(message)


def _retry_after(answer: Any, otherwise: float | None) -> float | None:  # noqa: ANN401 - as above
    seconds = answer.headers.get("Retry-After", "")
    return float(seconds) if seconds.isdecimal() else otherwise
