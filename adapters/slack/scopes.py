"""What the bot's token must allow, why, and whether it does."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack.errors import translated


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    name: str
    #: How the bot uses it, for the administrator who is asked to grant it: one sentence.
    reason: str
    #: What Slack gives for it that the bot uses (https://docs.slack.dev/reference/scopes).
    methods: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    #: Where it is not, the administrator may leave it out (`bot_optional`), and only what `reason` says is lost.
    is_required: bool = True


#: The bot scopes. A test holds that the code uses each of them and needs no other.
SCOPES: tuple[Scope, ...] = (
    Scope(
        name="channels:read",
        reason=(
            "Looks who is in a public channel before it posts survey numbers there: none are posted where people of other organisations "
            "or guests read along."
        ),
        methods=("conversations.info", "conversations.members"),
    ),
    Scope(
        name="chat:write",
        reason=(
            "Sends each person the surveys that were sent to them, as direct messages, and keeps those messages up to date. "
            "Posts survey numbers to channels that it was invited to and that were subscribed to them."
        ),
        methods=("chat.postMessage", "chat.update"),
    ),
    Scope(name="commands", reason="Answers /surveys and /survey-stats, to the person who typed it alone."),
    Scope(
        name="groups:read",
        reason="Looks who is in a private channel that it was invited to, for the same reason.",
        methods=("conversations.info", "conversations.members"),
    ),
    Scope(
        name="im:history",
        reason=(
            "Looks in its own direct message with a person whether a message arrived, when Slack's answer to it was lost. "
            "Without it such a message counts as unknown and is not repeated."
        ),
        methods=("conversations.history",),
        is_required=False,
    ),
    Scope(
        name="im:write",
        reason="Opens the direct message with a person who was never written to before.",
        methods=("conversations.open",),
    ),
    Scope(
        name="users:read",
        reason="Knows who is in the workspace: time zone and language of each person, and who is a guest, a bot, or has left.",
        methods=("users.info", "users.list"),
        events=("team_join", "user_change"),
    ),
    Scope(
        name="users:read.email",
        reason="Finds the person a survey was sent to by their e-mail address. No e-mail is ever sent to it.",
        methods=("users.info", "users.list"),
    ),
)
#: What the bot cannot work without.
REQUIRED = frozenset(scope.name for scope in SCOPES if scope.is_required)
#: Methods that ask for no scope (https://docs.slack.dev/reference/methods).
FREE_METHODS = frozenset({"apps.connections.open", "auth.teams.list", "auth.test", "views.open", "views.publish", "views.update"})


OPTIONAL = frozenset(scope.name for scope in SCOPES if not scope.is_required)


def missing(granted: Collection[str]) -> Sequence[str]:
    """What the bot cannot work without and was not granted."""
    return sorted(REQUIRED.difference(granted))


def optional_missing(granted: Collection[str]) -> Sequence[str]:
    return sorted(OPTIONAL.difference(granted))


async def missing_scopes(client: AsyncWebClient) -> Sequence[str]:
    """Slack names what a token may do in a header of every answer (https://docs.slack.dev/authentication/installing-with-oauth)."""
    with translated("auth.test", repeatable=True):
        answer = await client.auth_test()
        return missing(answer.headers["x-oauth-scopes"].split(","))
