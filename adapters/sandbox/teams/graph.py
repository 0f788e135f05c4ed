"""As much of Microsoft Graph as installs an app for people: https://learn.microsoft.com/en-us/graph/api/userteamwork-post-installedapps."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import jwt
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from adapters.sandbox.teams.identity import IdentityProvider
from adapters.sandbox.teams.tenant import Fault, Json, Person, Tenant

_INSTALL = "TeamsAppInstallation.ReadWriteSelfForUser.All"
_CATALOG = "AppCatalog.Read.All"
_USERS = "User.ReadBasic.All"
#: In the catalogue the app has an id of its own.
CATALOG_ID = "ca7a1060-0000-4000-8000-000000000001"


async def _nothing(_person: Person) -> None: ...


@dataclass(slots=True, kw_only=True)
class Graph:
    tenant: Tenant
    identity: IdentityProvider
    #: What Teams does when somebody was given the app: it tells the bot.
    on_install: Callable[[Person], Awaitable[object]] = _nothing
    is_in_catalog: bool = True
    #: Entra object ids.
    installed: list[str] = field(default_factory=list[str])
    blocked_by_policy: set[str] = field(default_factory=set[str])
    #: Each is met by one call, in order.
    troubles: deque[Fault] = field(default_factory=deque[Fault])
    #: Method and path of every call.
    journal: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])

    def app(self) -> Starlette:
        routes = [
            Route("/v1.0/appCatalogs/teamsApps", self._served(_CATALOG, self._apps)),
            Route("/v1.0/users", self._served(_USERS, self._users)),
            Route("/v1.0/users/{user}/teamwork/installedApps", self._served(_INSTALL, self._install), methods=["POST"]),
            Route("/v1.0/users/{user}/teamwork/installedApps", self._served(_INSTALL, self._installed)),
            Route("/v1.0/users/{user}/teamwork/installedApps/{installation}/chat", self._served(_INSTALL, self._chat)),
        ]
        return Starlette(routes=routes)

    def _served(self, role: str, method: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            self.journal.append((request.method, request.url.path))
            token = request.headers.get("authorization", "").removeprefix("Bearer ")
            if token not in self.identity.tokens or token.startswith("token-"):
                return _error(401, "InvalidAuthenticationToken")
            if self.troubles:
                fault = self.troubles.popleft()
                headers = {} if fault.retry_after_s is None else {"Retry-After": str(fault.retry_after_s)}
                return JSONResponse(fault.body, fault.status, headers)
            if role not in jwt.decode(token, options={"verify_signature": False})["roles"]:
                return _error(403, "Forbidden")
            return await method(request)

        return answer

    async def _apps(self, request: Request) -> Response:
        asked = request.query_params["$filter"] == f"externalId eq '{self.identity.app_id}'"
        return JSONResponse({"value": [{"id": CATALOG_ID, "externalId": self.identity.app_id}] if asked and self.is_in_catalog else []})

    async def _users(self, request: Request) -> Response:
        (mail,) = re.findall(r"^mail eq '(.*)'$", request.query_params["$filter"])
        found = [person for person in self.tenant.people.values() if (person.email or "").lower() == mail.replace("''", "'").lower()]
        return JSONResponse({"value": [{"id": person.user_id} for person in found]})

    async def _install(self, request: Request) -> Response:
        person = self._person(request.path_params["user"])
        body: Json = await request.json()
        if person is None or not body["teamsApp@odata.bind"].endswith(f"/appCatalogs/teamsApps/{CATALOG_ID}"):
            return _error(404, "NotFound")
        if person.user_id in self.blocked_by_policy:
            return _error(403, "Forbidden")
        if person.user_id in self.installed:
            return _error(409, "Conflict")
        self.installed.append(person.user_id)
        await self.on_install(person)
        return Response(status_code=201)

    async def _installed(self, request: Request) -> Response:
        asked = request.query_params["$filter"] == f"teamsApp/id eq '{CATALOG_ID}'"
        person = self._person(request.path_params["user"])
        has_it = asked and person is not None and person.user_id in self.installed
        return JSONResponse({"value": [{"id": f"{person.user_id}##{CATALOG_ID}"}] if person and has_it else []})

    async def _chat(self, request: Request) -> Response:
        person = self._person(request.path_params["user"])
        if person is None or request.path_params["installation"] != f"{person.user_id}##{CATALOG_ID}":
            return _error(404, "NotFound")
        return JSONResponse({"id": self.tenant.personal(person.user_id).conversation_id, "chatType": "oneOnOne"})

    def _person(self, user: str) -> Person | None:
        """By object id, or by the name somebody signs in with."""
        people = self.tenant.people.values()
        return next((one for one in people if user.lower() in {one.user_id, (one.upn or one.email or "").lower()}), None)


def _error(status: int, code: str) -> Response:
    return JSONResponse({"error": {"code": code, "message": "..."}}, status)
