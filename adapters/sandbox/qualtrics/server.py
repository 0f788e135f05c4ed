"""The simulated Qualtrics over HTTP: faults, credentials, limits, permissions and envelope around what `routes` answers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from adapters.sandbox.qualtrics import oauth
from adapters.sandbox.qualtrics.calls import Call, Refusal, forbidden, missing, new_request_id, status_text
from adapters.sandbox.qualtrics.credentials import Access
from adapters.sandbox.qualtrics.faults import Faults
from adapters.sandbox.qualtrics.records import User
from adapters.sandbox.qualtrics.routes import ENDPOINTS, Endpoint
from adapters.sandbox.qualtrics.runtime import owners_page, survey_page
from adapters.sandbox.qualtrics.tenant import Tenant
from adapters.sandbox.serving import cut_connection

_ROOT = "/API/v3"
_ANYTHING = ["GET", "POST", "PUT", "PATCH", "DELETE"]

#: Answers a request that is struck by some faults, or by none (`Faults()`).
Work = Callable[[Request, Faults], Awaitable[Response]]


def qualtrics_app(tenant: Tenant, *, token: str | None = None, page_size: int = 100, datacenter: str | None = None) -> Starlette:
    """A tenant's API under `/API/v3`, its token endpoint, its surveys under `/jfe/form`, and their owners' pages under `/responses`.

    `page_size` is the largest page.
    `token` becomes an API token of the brand admin; `tenant.credentials` holds all others. `datacenter` None, or the tenant's own,
    is its home; any other proxies API tokens and knows no OAuth client or token (quirks Q6, Q15).
    """
    if token is not None:
        tenant.credentials.add_token(token, next(user for user in tenant.users if user.is_admin).user_id)
    site = _Site(tenant=tenant, page_size=page_size, is_home=datacenter in {None, tenant.datacenter})
    # The recordings ask with and without a slash at the end, and both are answered.
    known = [site.route(endpoint.template + end, endpoint, [endpoint.method]) for endpoint in ENDPOINTS for end in ("", "/")]
    unknown = site.route("{rest:path}", Endpoint("unknown", _no_such_route), _ANYTHING)
    tokens = Route(oauth.PATH, _faulty(tenant, oauth.PATH, site.issue), methods=["POST"])
    people = (Route("/jfe/form/{survey}", survey_page(tenant), methods=["GET", "POST"]), Route("/responses/{survey}", owners_page(tenant)))
    return Starlette(routes=[*known, unknown, tokens, *people])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Site:
    """The tenant at one data centre."""

    tenant: Tenant
    page_size: int
    is_home: bool

    def route(self, path: str, endpoint: Endpoint, methods: list[str]) -> Route:
        async def work(request: Request, faults: Faults) -> Response:
            body = b"" if request.method == "GET" else await request.body()
            return self._enveloped(endpoint, request, body, faults)

        return Route(_ROOT + path, _faulty(self.tenant, endpoint.template, work), methods=methods)

    async def issue(self, request: Request, _faults: Faults) -> Response:
        return await oauth.token_answer(self.tenant.credentials, request, is_home=self.is_home)

    def _enveloped(self, endpoint: Endpoint, request: Request, body: bytes, faults: Faults) -> Response:
        """What the endpoint answers, or a refusal; a proxied call is told so once its credential is known."""
        meta: dict[str, str] = {}
        try:
            access, user = self._admitted(request)
            if not self.is_home:
                host = urlsplit(self.tenant.home_url).netloc
                meta["notice"] = f"Request proxied. For faster response times, use this host instead: {host}"
            self._let_through(endpoint.template)
            if endpoint.permission in user.denied or not access.covers(endpoint.scope) or (endpoint.for_admins and not user.is_admin):
                raise forbidden()
            self.tenant.settle()
            call = Call(
                tenant=self.tenant,
                request=request,
                body=body,
                page_size=self.page_size,
                user=user,
                faults=faults,
                is_proxied=not self.is_home,
            )
            result = endpoint.answer(call)
        except Refusal as refusal:
            return _refused(refusal, meta)
        whole = {"meta": {"httpStatus": status_text(200), "requestId": new_request_id(), **meta}}
        return JSONResponse(whole if result is None else {"result": result, **whole})

    def _admitted(self, request: Request) -> tuple[Access, User]:
        """Raises Refusal: without credentials 400 `ATP_2`, with wrong ones 401 `DCD_7` (recorded-errors/errors.json)."""
        token, bearer = request.headers.get("X-API-TOKEN"), request.headers.get("Authorization", "").removeprefix("Bearer ")
        if not (token or bearer):
            raise Refusal(400, "Expected authorization in headers, but none was given.", "ATP_2")
        access = self.tenant.credentials.access(token or bearer)
        is_oauth = access is not None and access.scopes is not None
        user = self.tenant.users.get(access.user_id) if access else None
        if access is None or user is None or user.is_disabled or (is_oauth and (token or not self.is_home)):
            raise Refusal(401, "Unrecognized X-API-TOKEN.", "DCD_7", requestId="")
        return access, user

    def _let_through(self, template: str) -> None:
        """Raises Refusal when the brand has used up its calls; the body of a 429 was never recorded."""
        wait_seconds = self.tenant.limits and self.tenant.limits.take(template, self.tenant.clock().timestamp())
        if wait_seconds:
            raise Refusal(429, "Too many requests.", headers={"Retry-After": str(wait_seconds)}, requestId=new_request_id())


def _no_such_route(_call: Call) -> None:
    raise missing()


def _faulty(tenant: Tenant, template: str, work: Work) -> Callable[[Request], Awaitable[Response]]:
    """Count each request, and let the tenant's faults stand before and behind the work."""

    async def respond(request: Request) -> Response:
        tenant.calls[template] += 1
        faults = tenant.faults if tenant.faults.strikes(request.url.path.removeprefix(_ROOT), template) else Faults()
        if faults.slow_seconds:
            await asyncio.sleep(faults.slow_seconds)
        if faults.hangs_up:
            return _HangUp()
        if faults.status is not None:
            return _refused(_struck(faults.status, faults.retry_after), {})
        response = await work(request, faults)
        return _cut_off(response) if faults.breaks() else response

    return respond


def _struck(status: int, retry_after: int | str | None) -> Refusal:
    # Only the 500 was recorded with a code (recorded-errors/errors.json).
    code = "SURVEYS_1.2" if status == 500 else None
    headers = None if retry_after is None else {"Retry-After": str(retry_after)}
    return Refusal(status, "A fault of the sandbox.", code, headers=headers, requestId=new_request_id())


def _refused(refusal: Refusal, meta: dict[str, str]) -> Response:
    error = {"errorMessage": refusal.message} | ({"errorCode": refusal.code} if refusal.code else {})
    whole = {"httpStatus": status_text(refusal.status), "error": error, **refusal.meta, **meta}
    return JSONResponse({"meta": whole}, refusal.status, refusal.headers)


def _cut_off(response: Response) -> Response:
    """The first half of an answer, as a whole one."""
    return Response(response.body[: len(response.body) // 2], response.status_code, media_type="application/json")


class _HangUp(Response):
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - nothing is sent: that is the point
        await cut_connection(scope)
