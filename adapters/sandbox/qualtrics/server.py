"""The simulated Qualtrics over HTTP: credentials, envelope, faults and journal around what `qualtrics_routes` answers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from adapters.sandbox.qualtrics.routes import ROUTES, Answer, Call, Refusal, new_request_id, no_such_route, status_text
from adapters.sandbox.qualtrics.runtime import survey_page
from adapters.sandbox.qualtrics.tenant import Tenant

_ROOT = "/API/v3"


def qualtrics_app(tenant: Tenant, *, token: str, page_size: int = 100) -> Starlette:
    """A tenant's API under `/API/v3`, for holders of `token`, and its surveys under `/jfe/form`. `page_size` is the largest page."""

    def endpoint(template: str, answer: Answer) -> Callable[[Request], Awaitable[Response]]:
        async def respond(request: Request) -> Response:
            tenant.calls[template] += 1
            return await _guarded(Call(tenant=tenant, request=request, page_size=page_size), token, answer)

        return respond

    # The recordings ask with and without a slash at the end, and both are answered.
    routes = [Route(_ROOT + template + end, endpoint(template, answer)) for template, answer in ROUTES.items() for end in ("", "/")]
    anything = ["GET", "POST", "PUT", "PATCH", "DELETE"]
    unknown = Route(_ROOT + "{rest:path}", endpoint("unknown", no_such_route), methods=anything)
    return Starlette(routes=[*routes, unknown, Route("/jfe/form/{survey}", survey_page(tenant), methods=["GET", "POST"])])


async def _guarded(call: Call, token: str, answer: Answer) -> Response:
    """The answer, unless a fault or the credentials stand before it."""
    faults = call.tenant.faults
    is_touched = faults.touches(call.request.url.path.removeprefix(_ROOT))
    if is_touched and faults.slow_seconds:
        await asyncio.sleep(faults.slow_seconds)
    status = faults.refusal() if is_touched else None
    if status is not None:
        headers = {} if faults.retry_after is None else {"Retry-After": str(faults.retry_after)}
        # Only the 500 was recorded with a code (recorded-errors/errors.json).
        code = "SURVEYS_1.2" if status == 500 else None
        return _refused(Refusal(status, "A fault of the sandbox.", code, request_id=new_request_id()), headers)
    try:
        response = _answered(call, token, answer)
    except Refusal as refusal:
        response = _refused(refusal)
    return _cut_off(response) if is_touched and faults.breaks() else response


def _answered(call: Call, token: str, answer: Answer) -> Response:
    """Raises Refusal: without credentials 400 `ATP_2`, with wrong ones 401 `DCD_7` (recorded-errors/errors.json)."""
    headers = call.request.headers
    given = headers.get("X-API-TOKEN") or headers.get("Authorization", "").removeprefix("Bearer ")
    if not given:
        raise Refusal(400, "Expected authorization in headers, but none was given.", "ATP_2")
    if given != token:
        raise Refusal(401, "Unrecognized X-API-TOKEN.", "DCD_7", request_id="")
    call.tenant.settle()
    return JSONResponse({"result": answer(call), "meta": {"httpStatus": status_text(200), "requestId": new_request_id()}})


def _refused(refusal: Refusal, headers: dict[str, str] | None = None) -> Response:
    error = {"errorMessage": refusal.message} | ({"errorCode": refusal.code} if refusal.code else {})
    request_id = {} if refusal.request_id is None else {"requestId": refusal.request_id}
    meta = {"httpStatus": status_text(refusal.status), "error": error} | request_id
    return JSONResponse({"meta": meta}, refusal.status, headers)


def _cut_off(response: Response) -> Response:
    """The first half of an answer, as a whole one."""
    return Response(response.body[: len(response.body) // 2], response.status_code, media_type="application/json")
