"""Installing the app in any workspace or organisation: Bolt's OAuth flow over our store (https://docs.slack.dev/authentication/installing-with-oauth)."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import aiohttp
from slack_bolt import BoltResponse
from slack_bolt.adapter.starlette.async_handler import to_async_bolt_request, to_starlette_response
from slack_bolt.error import BoltError
from slack_bolt.oauth.async_callback_options import AsyncCallbackOptions, AsyncFailureArgs, AsyncSuccessArgs
from slack_bolt.oauth.async_oauth_flow import AsyncOAuthFlow
from slack_bolt.oauth.async_oauth_settings import AsyncOAuthSettings
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.errors import SlackClientError
from slack_sdk.oauth.installation_store import Installation as Received
from slack_sdk.oauth.installation_store.async_installation_store import AsyncInstallationStore
from slack_sdk.oauth.state_store.async_state_store import AsyncOAuthStateStore
from slack_sdk.web.async_client import AsyncWebClient
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from adapters.slack import oauth_pages
from adapters.slack.clients import Clients
from adapters.slack.scopes import SCOPES
from bot.errors import SurveybotError, Unavailable, loggable
from bot.installations import Installation, Tokens
from bot.ports import Store

INSTALL_PATH, REDIRECT_PATH = "/slack/install", "/slack/oauth_redirect"
#: How long the person may take to decide on Slack's page.
_STATE_LIFE = timedelta(minutes=10)
#: What the SDK would log quotes codes and answers; `_Flow` says what happened.
_SILENT = logging.Logger("silent", logging.CRITICAL + 1)  # noqa: LOG001 - it must not be found by its name

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuthApp:
    """The app as Slack knows it."""

    client_id: str
    client_secret: str = field(repr=False)
    #: By the id of the workspace or organisation. The address is open to all, and whoever rules a workspace can give anybody's e-mail
    #: address to an account there: what is sent to that address would be theirs.
    may_install: Callable[[str], bool]
    #: Has no token.
    client: AsyncWebClient


def oauth_routes(app: OAuthApp, store: Store, clients: Clients, clock: Callable[[], datetime]) -> list[Route]:
    """Return the page that begins an installation, and the one Slack sends the browser back to."""
    settings = AsyncOAuthSettings(
        client_id=app.client_id,
        client_secret=app.client_secret,
        # Which of them are optional stands in the app's manifest (https://docs.slack.dev/changelog/2026/03/16/optional-scopes).
        scopes=[scope.name for scope in SCOPES],
        user_scopes=[],
        install_path=INSTALL_PATH,
        redirect_uri_path=REDIRECT_PATH,
        install_page_rendering_enabled=False,
        callback_options=AsyncCallbackOptions(success=_succeeded, failure=_failed),
        authorization_url=app.client.base_url.removesuffix("api/") + "oauth/v2/authorize",
        installation_store=_Installations(store, clients, clock, app.may_install),
        state_store=_States(store, clock),
        state_expiration_seconds=int(_STATE_LIFE.total_seconds()),
        logger=_SILENT,
    )
    flow = _Flow(settings=settings, client=app.client, logger=_SILENT)
    return [Route(INSTALL_PATH, _page(flow.handle_installation)), Route(REDIRECT_PATH, _page(flow.handle_callback))]


def _page(work: Callable[[AsyncBoltRequest], Awaitable[BoltResponse]]) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        try:
            answered = to_starlette_response(await work(to_async_bolt_request(request, b"")))
        except Unavailable as error:
            log.error("slack.install_broken", extra=loggable(error))  # noqa: TRY400 - a traceback quotes data
            answered = Response(oauth_pages.failed("storage_error", INSTALL_PATH), 503)
        answered.headers.update(oauth_pages.HEADERS)
        return answered

    return answer


class _Flow(AsyncOAuthFlow):
    async def run_installation(self, code: str) -> Received | None:
        try:
            return await super().run_installation(code)
        except (aiohttp.ClientError, SlackClientError, TimeoutError, OSError) as error:
            log.warning("slack.install_not_answered", extra=loggable(error))
            return None


class _Uninvited(BoltError):
    """Not one of those that may install the app."""


class _Installations(AsyncInstallationStore):
    def __init__(self, store: Store, clients: Clients, clock: Callable[[], datetime], may_install: Callable[[str], bool]) -> None:
        self._store = store
        self._clients = clients
        self._clock = clock
        self._may_install = may_install

    async def async_save(self, installation: Received) -> None:
        """Raises BoltError, which Bolt shows as a failure."""
        try:
            ours, tokens = _parsed(installation, self._clock())
            if not self._may_install(ours.workspace_id):
                log.warning("slack.install_uninvited", extra={"workspace": ours.workspace_id})
                raise _Uninvited
            await self._store.write(lambda uow: uow.installations.save(ours, tokens))
        except (SurveybotError, ValueError) as error:
            log.error("slack.install_not_kept", extra=loggable(error))  # noqa: TRY400 - a traceback quotes data
            raise BoltError("not kept") from None
        self._clients.changed(ours.workspace_id)
        log.info("slack.installed", extra={"workspace": ours.workspace_id})


class _States(AsyncOAuthStateStore):
    """Bolt puts the state into a cookie as well, so that only the browser that began can finish."""

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock

    async def async_issue(self, *_: object, **__: object) -> str:
        state, now = secrets.token_urlsafe(32), self._clock()
        await self._store.write(lambda uow: uow.oauth_states.add(state, now + _STATE_LIFE, now))
        return state

    async def async_consume(self, state: str) -> bool:
        return await self._store.write(lambda uow: uow.oauth_states.take(state, self._clock()))


def _parsed(received: Received, now: datetime) -> tuple[Installation, Tokens]:
    """Raises ValueError when there is no bot token, or no telling where it is good."""
    is_org = received.is_enterprise_install
    workspace_id, name = (received.enterprise_id, received.enterprise_name) if is_org else (received.team_id, received.team_name)
    if not workspace_id or not received.bot_token:
        raise ValueError("no workspace or no token")
    expires_at = received.bot_token_expires_at
    installation = Installation(
        workspace_id=workspace_id,
        name=name or workspace_id,
        scopes=frozenset(received.bot_scopes or ()),
        installed_at=now,
    )
    return installation, Tokens(
        access=received.bot_token,
        refresh=received.bot_refresh_token,
        expires_at=None if expires_at is None else datetime.fromtimestamp(expires_at, UTC),
    )


async def _succeeded(args: AsyncSuccessArgs) -> BoltResponse:
    installation, _ = _parsed(args.installation, datetime.now(UTC))
    return BoltResponse(status=200, body=oauth_pages.installed(installation, INSTALL_PATH))


async def _failed(args: AsyncFailureArgs) -> BoltResponse:
    if isinstance(args.error, _Uninvited):
        return BoltResponse(status=403, body=oauth_pages.failed("uninvited", INSTALL_PATH))
    log.warning("slack.install_failed", extra={"reason": args.reason if args.reason in oauth_pages.REASONS else "other"})
    return BoltResponse(status=max(args.suggested_status_code, 400), body=oauth_pages.failed(args.reason, INSTALL_PATH))
