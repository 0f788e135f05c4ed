"""The Bot Connector of a simulated tenant over HTTP: https://learn.microsoft.com/en-us/azure/bot-service/rest-api/bot-framework-rest-connector-api-reference."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import assert_never

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from adapters.sandbox.serving import cut_connection
from adapters.sandbox.teams.gate import problems
from adapters.sandbox.teams.identity import IdentityProvider
from adapters.sandbox.teams.tenant import BLOCKED, Asked, Conversation, Fault, Hang, Json, LostAnswer, Tenant, refusal

Method = Callable[[Tenant, Request], Awaitable[Response]]

#: People a page, whatever is asked for.
_PAGE = 2


def connector_app(tenant: Tenant, identity: IdentityProvider) -> Starlette:
    """Serve it with `adapters.sandbox.serving`: lost answers need its way to cut a connection."""

    def served(method: Method) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            token = request.headers.get("authorization", "").removeprefix("Bearer ")
            tenant.journal.append((request.method, request.url.path, token))
            answered = await _answered(tenant, request, method) if token in identity.tokens else _refused(refusal(401, "Unauthorized"))
            body = await request.json() if await request.body() else {}
            status = None if isinstance(answered, _CutConnection) else answered.status_code
            tenant.asked.append(Asked(at=tenant.clock(), method=request.method, path=request.url.path, body=body, status=status))
            return answered

        return answer

    conversation = "/v3/conversations/{conversation_id}"
    routes = [
        Route("/v3/conversations", served(_create), methods=["POST"]),
        Route(f"{conversation}/activities", served(_send), methods=["POST"]),
        Route(f"{conversation}/activities/{{activity_id}}", served(_replace), methods=["PUT"]),
        Route(f"{conversation}/members/{{member_id}}", served(_member)),
        Route(f"{conversation}/pagedmembers", served(_members)),
    ]
    return Starlette(routes=routes)


async def _answered(tenant: Tenant, request: Request, method: Method) -> Response:
    sending_to = request.path_params.get("conversation_id") if request.method == "POST" else None
    if tenant.throttle and (seconds := tenant.throttle.wait(sending_to, tenant.clock().timestamp())):
        return _refused(Fault(429, {"error": {"code": "Throttled", "message": "..."}}, retry_after_s=seconds))
    trouble = tenant.troubles.popleft() if tenant.troubles else tenant.trouble
    match trouble:
        case Fault():
            return _refused(trouble)
        case LostAnswer():
            await method(tenant, request)
            return _CutConnection()
        case Hang(seconds):
            await asyncio.sleep(seconds)
            return await method(tenant, request)
        case None:
            return await method(tenant, request)
        case _:
            assert_never(trouble)


async def _create(tenant: Tenant, request: Request) -> Response:
    asked = await request.json()
    person = tenant.person(asked["members"][0]["id"])
    if person is None or asked["channelData"]["tenant"]["id"] != tenant.tenant_id:
        return _refused(refusal(403, "ForbiddenOperationException"))
    chat = tenant.personal(person.user_id)
    if not chat.has_app:
        return _refused(refusal(403, "ForbiddenOperationException"))
    return JSONResponse({"id": chat.conversation_id}, 201)


async def _send(tenant: Tenant, request: Request) -> Response:
    conversation, activity = _conversation(tenant, request), await request.json()
    if conversation is None:
        return _refused(refusal(404, "ConversationNotFound"))
    if shut := _shut(conversation):
        return _refused(shut)
    if activity.get("type") == "typing":
        return JSONResponse({"id": tenant.next_id()}, 202)
    if wrong := _problems(activity):
        return _refused(Fault(400, {"error": {"code": "BadSyntax", "message": wrong[0]}}))
    if "isTargetedActivity" in request.query_params and (refused := _untargeted(tenant, conversation, activity)):
        return _refused(refused)
    activity_id = tenant.next_id()
    conversation.messages[activity_id] = activity
    tenant.changed()
    return JSONResponse({"id": activity_id}, 201)


async def _replace(tenant: Tenant, request: Request) -> Response:
    conversation, activity = _conversation(tenant, request), await request.json()
    activity_id = request.path_params["activity_id"]
    if conversation is None or activity_id not in conversation.messages:
        return _refused(refusal(404, "ActivityNotFoundInConversation"))
    if shut := _shut(conversation):
        return _refused(shut)
    conversation.messages[activity_id] = activity
    conversation.edited.add(activity_id)
    conversation.answers = {key: answer for key, answer in conversation.answers.items() if key[0] != activity_id}
    tenant.changed()
    return JSONResponse({"id": activity_id})


async def _member(tenant: Tenant, request: Request) -> Response:
    conversation, person = _conversation(tenant, request), tenant.person(request.path_params["member_id"])
    if conversation is None or person is None or person.user_id not in conversation.members:
        return _refused(refusal(404, "MemberNotFoundInConversation"))
    return JSONResponse(tenant.account(person))


async def _members(tenant: Tenant, request: Request) -> Response:
    conversation = _conversation(tenant, request)
    if conversation is None:
        return _refused(refusal(404, "ConversationNotFound"))
    start = int(request.query_params.get("continuationToken", 0))
    page, end = conversation.members[start : start + _PAGE], start + _PAGE
    more = {"continuationToken": str(end)} if end < len(conversation.members) else {}
    return JSONResponse({"members": [tenant.account(tenant.people[user_id]) for user_id in page], **more})


def _conversation(tenant: Tenant, request: Request) -> Conversation | None:
    return tenant.conversations.get(request.path_params["conversation_id"].partition(";messageid=")[0])


def _shut(conversation: Conversation) -> Fault | None:
    if not conversation.has_app:
        return refusal(403, "BotNotInConversationRoster")
    return BLOCKED if conversation.is_blocked else None


def _problems(activity: Json) -> list[str]:
    """What clients would not show, or phones would read out as nothing."""
    cards = [attachment["content"] for attachment in activity.get("attachments", ())]
    return [*([] if activity.get("summary") else ["no summary"]), *(wrong for card in cards for wrong in problems(card))]


def _untargeted(tenant: Tenant, conversation: Conversation, activity: Json) -> Fault | None:
    """Why a message is not shown to one person alone (https://learn.microsoft.com/en-us/microsoftteams/platform/agents-in-teams/targeted-messages)."""
    recipient = tenant.person(activity.get("recipient", {}).get("id", ""))
    if recipient is None or conversation.kind == "personal":
        return refusal(400, "Bad argument")
    return None if recipient.user_id in conversation.members else refusal(403, "Forbidden")


def _refused(fault: Fault) -> Response:
    headers = {} if fault.retry_after_s is None else {"Retry-After": str(fault.retry_after_s)}
    return JSONResponse(fault.body, fault.status, headers) if fault.body else Response(status_code=fault.status, headers=headers)


class _CutConnection(Response):
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - nothing is sent: that is the point
        await cut_connection(scope)
