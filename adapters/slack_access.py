"""The way to Slack that the settings say: one workspace by its token, or all that installed the app by OAuth."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from pydantic import SecretStr
from slack_sdk.oauth.token_rotation.async_rotator import AsyncTokenRotator
from starlette.routing import Route

from adapters import settings
from adapters.slack.clients import Clients, OneWorkspace, make_client, make_session
from adapters.slack.directory import workspace_of
from adapters.slack.installed import InstalledWorkspaces
from adapters.slack.oauth import OAuthApp, oauth_routes
from adapters.slack.renewal import Renewal
from bot.ports import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    clients: Clients
    #: Where the app is installed; none where a token stands for it.
    routes: Sequence[Route] = ()


@asynccontextmanager
async def open_access(slack: settings.Slack, store: Store, clock: Callable[[], datetime], owner: str) -> AsyncGenerator[Access]:
    """Raises Unauthorized or Unavailable when Slack does not know the one token, or does not answer."""
    async with make_session() as session:
        if slack.client_id is None:
            client = make_client(told(slack.bot_token), slack.api_url, session)
            yield Access(clients=OneWorkspace(await workspace_of(client), client))
            return
        client, client_secret = make_client(None, slack.api_url, session), told(slack.client_secret)
        rotator = AsyncTokenRotator(client_id=slack.client_id, client_secret=client_secret, client=client)
        clients = InstalledWorkspaces(store, Renewal(store=store, clock=clock, owner=owner, rotator=rotator), client, clock)
        app = OAuthApp(client_id=slack.client_id, client_secret=client_secret, may_install=slack.may_install, client=client)
        yield Access(clients=clients, routes=oauth_routes(app, store, clients, clock))


def told(secret: SecretStr | None) -> str:
    return "" if secret is None else secret.get_secret_value()
