"""What the bot's token must allow, and whether it does."""

from __future__ import annotations

from collections.abc import Sequence

from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack.errors import translated

#: The bot scopes of manifest/slack.json.
SCOPES = frozenset({"chat:write", "commands", "im:write", "users:read", "users:read.email"})


async def missing_scopes(client: AsyncWebClient) -> Sequence[str]:
    """Slack names what a token may do in a header of every answer (https://docs.slack.dev/authentication/installing-with-oauth)."""
    with translated("auth.test", repeatable=True):
        answer = await client.auth_test()
        return sorted(SCOPES.difference(answer.headers["x-oauth-scopes"].split(",")))
