"""Microsoft Graph, as far as it gives people the app: https://learn.microsoft.com/en-us/microsoftteams/platform/graph-api/proactive-bots-and-messages/graph-proactive-bots-and-messages.

Blocking calls in a thread of their own, each with a time-out and repeatable: what is installed already stays installed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import jwt
import msgspec
import requests

from adapters.teams.registration import AppKind, Registration
from adapters.teams.token import BotToken
from bot.errors import Forbidden, Gone, Malformed, Rejected, Superseded, SurveybotError, Throttled, Unauthorized, Unavailable

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphPermission:
    """An application permission, granted by an administrator in Entra."""

    name: str
    #: What it is for: one sentence.
    reason: str
    is_required: bool = True


INSTALL = GraphPermission(
    name="TeamsAppInstallation.ReadWriteSelfForUser.All",
    reason="Installs this app, and no other, for people who wait for a message and never added it.",
)
CATALOG = GraphPermission(
    name="AppCatalog.Read.All",
    reason="Finds this app in the organisation's catalogue. Not needed where SURVEYBOT_TEAMS__CATALOG_ID names it.",
    is_required=False,
)
USERS = GraphPermission(
    name="User.ReadBasic.All",
    reason="Finds people whose e-mail address is not the name they sign in with. Without it they are not given the app.",
    is_required=False,
)
#: All that Graph is ever asked for. Nothing of it is needed while SURVEYBOT_TEAMS__INSTALL_FOR is not set.
GRAPH_PERMISSIONS = (INSTALL, CATALOG, USERS)

_TIMEOUTS_SECONDS = (5, 15)


class Graph:
    """Every method may raise Unauthorized (no token; Forbidden: not this), Throttled, Unavailable, Rejected or Malformed."""

    def __init__(self, registration: Registration) -> None:
        self._registration = registration
        self._url = registration.cloud.graph_url
        self._token = BotToken(_for_graph(registration))
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="teams-graph")
        self._session = requests.Session()

    async def permissions(self) -> frozenset[str]:
        """Return what was granted to the bot, as its token tells; what was granted lately may be missing for an hour."""
        token = await self._token.get()
        try:
            return frozenset(jwt.decode(token, options={"verify_signature": False})["roles"])
        except (jwt.PyJWTError, KeyError):
            return frozenset()

    async def app(self) -> str:
        """Return the id of this app in the organisation's catalogue. Raises Gone when it is not there."""
        asked = f"externalId eq '{self._registration.app_id}'"
        found = (await self._call("GET", "/appCatalogs/teamsApps", {"$filter": asked}))["value"]
        if not found:
            raise Gone("the app is not in the organisation's catalogue")
        return str(found[0]["id"])

    async def user(self, email: str) -> str | None:
        """Return the id of whoever has this e-mail address."""
        quoted = email.replace("'", "''")
        found = (await self._call("GET", "/users", {"$filter": f"mail eq '{quoted}'", "$select": "id"}))["value"]
        return str(found[0]["id"]) if found else None

    async def install(self, user: str, app: str) -> bool:
        """Give somebody the app, by the id or the name they sign in with; False = they have it. Raises Gone for nobody."""
        bound = {"teamsApp@odata.bind": f"{self._url}/v1.0/appCatalogs/teamsApps/{app}"}
        try:
            await self._call("POST", _apps_of(user), body=bound)
        except Superseded:
            return False
        return True

    async def chat(self, user: str, app: str) -> str:
        """Return the id of somebody's chat with the app. Raises Gone where they do not have it.

        https://learn.microsoft.com/en-us/graph/api/userscopeteamsappinstallation-get-chat
        """
        asked = {"$expand": "teamsApp", "$filter": f"teamsApp/id eq '{app}'"}
        found = (await self._call("GET", _apps_of(user), asked))["value"]
        if not found:
            raise Gone("the person does not have the app")
        return str((await self._call("GET", f"{_apps_of(user)}/{quote(found[0]['id'], safe='')}/chat"))["id"])

    async def aclose(self) -> None:
        await asyncio.to_thread(self._pool.shutdown)
        self._session.close()

    async def _call(self, method: str, path: str, query: Json | None = None, body: Json | None = None) -> Json:
        token = await self._token.get()
        headers = {"Authorization": f"Bearer {token}"}

        def call() -> Json:
            try:
                answer = self._session.request(
                    method,
                    f"{self._url}/v1.0{path}",
                    params=query,
                    json=body,
                    headers=headers,
                    timeout=_TIMEOUTS_SECONDS,
                    allow_redirects=False,
                )
            except requests.RequestException as error:
                raise Unavailable("Microsoft Graph does not answer") from error
            if answer.status_code == HTTPStatus.UNAUTHORIZED:
                self._token.drop(token)
            return _told(method, answer)

        return await self._in_thread(call)

    async def _in_thread(self, work: Any) -> Any:  # noqa: ANN401 - whatever it returns
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)


def _apps_of(user: str) -> str:
    return f"/users/{quote(user, safe='@')}/teamwork/installedApps"


def _for_graph(registration: Registration) -> Registration:
    """Its tokens come from the tenant whose people are to get the app, whatever the bot's own come from."""
    kind = AppKind.SINGLE_TENANT if registration.kind is AppKind.MULTI_TENANT else registration.kind
    return replace(registration, kind=kind, cloud=replace(registration.cloud, scope=registration.cloud.graph_url))


def _told(method: str, answer: requests.Response) -> Json:
    status = answer.status_code
    if status < HTTPStatus.MULTIPLE_CHOICES:
        try:
            return msgspec.json.decode(answer.content or b"{}", type=dict[str, Any])
        except msgspec.MsgspecError as error:
            raise Malformed("Microsoft Graph answered something else than JSON") from error
    message = f"{method} answered {status}"
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        seconds = answer.headers.get("Retry-After", "")
        raise Throttled(message, retry_after=float(seconds) if seconds.isdecimal() else None)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise Unavailable(message)
    raise _FINAL.get(status, Rejected)(message)


#: https://learn.microsoft.com/en-us/graph/errors
_FINAL: Mapping[int, type[SurveybotError]] = {
    HTTPStatus.UNAUTHORIZED: Unauthorized,
    HTTPStatus.FORBIDDEN: Forbidden,
    HTTPStatus.NOT_FOUND: Gone,
    HTTPStatus.CONFLICT: Superseded,
}
