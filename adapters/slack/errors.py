"""Slack's refusals, and answers that never came, become `bot.errors` (reference performance.md 7.3, slack.md 7)."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.errors import Ambiguous, Forbidden, Gone, Rejected, ShutOut, Superseded, SurveybotError, Throttled, Unauthorized, Unavailable

#: Waited for when a 429 does not say how long; Slack's own always do (https://docs.slack.dev/apis/web-api/rate-limits).
DEFAULT_RETRY_AFTER_SECONDS = 30.0

_LIMITED = frozenset({"ratelimited", "rate_limited", "message_limit_exceeded"})
#: Slack failed in the middle of the work: it may be done.
_INTERNAL = frozenset({"fatal_error", "fetch_members_failed", "internal_error", "request_timeout"})
#: Our own access is broken, whoever is written to: all sends wait until somebody repairs the token, the app's settings or the network.
_ACCESS = frozenset(
    {
        "accesslimited",
        "account_inactive",
        "invalid_auth",
        "messages_tab_disabled",  # that of our app
        "missing_scope",
        "not_allowed_token_type",
        "not_authed",
        "org_login_required",
        "team_access_not_granted",
        "token_expired",
        "token_revoked",
    }
)
#: Methods without whose scopes, which are optional or were asked for later, all other calls go on.
_OPTIONAL = frozenset({"conversations.history", "conversations.info", "conversations.members"})
#: About one conversation or resource: one recipient must not hold up all others
#: (https://docs.slack.dev/reference/methods/chat.postMessage).
_FORBIDDEN = (
    "access_denied",
    "ekm_access_denied",
    "no_permission",
    "restricted_action",
    "restricted_action_non_threadable_channel",
    "restricted_action_read_only_channel",
    "restricted_action_thread_locked",
    "restricted_action_thread_only_channel",
)
_GONE = ("is_archived", "user_disabled", "user_not_found", "user_not_visible", "users_not_found")
#: A private channel that the bot was removed from does not exist for it.
_SHUT_OUT = ("channel_not_found", "not_in_channel")
#: A view was drawn anew, or closed, before it could be updated.
_SUPERSEDED = ("hash_conflict", "not_found")
_REFUSALS: Mapping[str, type[Forbidden | Gone | Rejected]] = {
    **dict.fromkeys(_FORBIDDEN, Forbidden),
    **dict.fromkeys(_GONE, Gone),
    **dict.fromkeys(_SHUT_OUT, ShutOut),
    **dict.fromkeys(_SUPERSEDED, Superseded),
}


@contextmanager
def translated(method: str, *, repeatable: bool = False) -> Generator[None]:
    """Translate what one call of the SDK, and reading its answer, may raise.

    Not sent: Throttled, Unavailable. Refused for good: Unauthorized, Forbidden, Gone, ShutOut, Rejected. No telling: Ambiguous, or
    Unavailable where the call is `repeatable`, because doing it twice is the same as doing it once.

    HTTP 503 is "not sent": the server is "currently unable to handle the request" (RFC 9110 15.6.4), where 500, 502 and 504 tell that
    something failed while or after it was handled.
    """
    try:
        yield
    except SlackApiError as error:
        raise _refusal(method, error, repeatable=repeatable) from error
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
        raise Unavailable(f"{method}: no connection to Slack") from error
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise _lost(f"{method}: the connection broke before an answer came", repeatable=repeatable) from error
    except (AttributeError, LookupError, TypeError, ValueError) as error:  # an answer in no shape of Slack's
        raise _lost(f"{method}: unreadable answer", repeatable=repeatable) from error


def fields(answer: AsyncSlackResponse) -> dict[str, Any]:
    """Return the answer's JSON object. Unlike the SDK's own look-up, its result raises KeyError for what is missing."""
    if not isinstance(answer.data, dict):
        raise TypeError("not a JSON object")
    return answer.data


def next_cursor(told: Mapping[str, Any]) -> str:
    """Where a list goes on; "" = this was its last page."""
    return (told.get("response_metadata") or {}).get("next_cursor") or ""


def _refusal(method: str, error: SlackApiError, *, repeatable: bool) -> SurveybotError:
    answer: Any = error.response
    broken = isinstance(answer, aiohttp.ClientResponse)  # not the SDK's: its JSON could not be read
    status: int = answer.status if broken else answer.status_code
    data: dict[str, Any] = answer.data if not broken and isinstance(answer.data, dict) else {}
    name = data.get("error")
    message = f"{method} answered {status} {name}"
    if status == HTTPStatus.TOO_MANY_REQUESTS or name in _LIMITED:
        return Throttled(message, retry_after=_retry_after(answer.headers, DEFAULT_RETRY_AFTER_SECONDS))
    if name in _INTERNAL:
        return _lost(message, repeatable=repeatable)
    if status == HTTPStatus.SERVICE_UNAVAILABLE or name == "service_unavailable":
        return Unavailable(message, retry_after=_retry_after(answer.headers, None))
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or name is None:
        return _lost(message, repeatable=repeatable)
    if name in _ACCESS:
        needed = data.get("needed")
        kind = Forbidden if name == "missing_scope" and method in _OPTIONAL else Unauthorized
        return kind(f"{message}, needed: {needed}" if needed else message)
    return _REFUSALS.get(name, Rejected)(message)


def _lost(message: str, *, repeatable: bool) -> SurveybotError:
    return Unavailable(message) if repeatable else Ambiguous(message)


def _retry_after(headers: Mapping[str, str], otherwise: float | None) -> float | None:
    seconds = headers.get("Retry-After", "")
    return float(seconds) if seconds.isdecimal() else otherwise
