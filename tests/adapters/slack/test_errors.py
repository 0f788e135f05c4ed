"""What Slack answers, or does not, becomes exactly one of our errors."""

from __future__ import annotations

import asyncio

import pytest
from slack_sdk.web.async_client import AsyncWebClient
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from adapters.sandbox.serving import serving
from adapters.sandbox.slack.faults import Failure, LostAnswer, RateLimited, Refused, Status
from adapters.sandbox.slack.workspace import Workspace
from adapters.slack.clients import make_client
from adapters.slack.errors import fields, translated
from bot.errors import Ambiguous, Forbidden, Gone, Rejected, ShutOut, SurveybotError, Throttled, Unauthorized, Unavailable, loggable

OUTCOMES: list[tuple[Failure, type[SurveybotError]]] = [
    (RateLimited(7), Throttled),
    (Refused("ratelimited"), Throttled),
    (Refused("message_limit_exceeded"), Throttled),
    (LostAnswer(), Ambiguous),
    (Status(500), Ambiguous),
    (Status(502), Ambiguous),
    (Status(504), Ambiguous),
    (Status(503), Unavailable),
    (Refused("service_unavailable"), Unavailable),
    (Status(200), Ambiguous),
    (Refused("fatal_error"), Ambiguous),
    (Refused("internal_error"), Ambiguous),
    (Refused("request_timeout"), Ambiguous),
    (Refused("invalid_auth"), Unauthorized),
    (Refused("account_inactive"), Unauthorized),
    (Refused("token_revoked"), Unauthorized),
    (Refused("missing_scope"), Unauthorized),
    (Refused("not_authed"), Unauthorized),
    (Refused("token_expired"), Unauthorized),
    (Refused("not_allowed_token_type"), Unauthorized),
    (Refused("messages_tab_disabled"), Unauthorized),
    (Refused("access_denied"), Forbidden),
    (Refused("no_permission"), Forbidden),
    (Refused("restricted_action"), Forbidden),
    (Refused("restricted_action_read_only_channel"), Forbidden),
    (Refused("ekm_access_denied"), Forbidden),
    (Refused("user_not_found"), Gone),
    (Refused("users_not_found"), Gone),
    (Refused("channel_not_found"), ShutOut),
    (Refused("not_in_channel"), ShutOut),
    (Refused("is_archived"), Gone),
    (Refused("cannot_dm_bot"), Rejected),
    (Refused("invalid_blocks"), Rejected),
    (Refused("an_error_of_next_year"), Rejected),
]


@pytest.mark.parametrize(("failure", "expected"), OUTCOMES, ids=[str(failure) for failure, _ in OUTCOMES])
async def test_a_send_that_fails_raises_the_error_of_its_outcome(
    client: AsyncWebClient, workspace: Workspace, failure: Failure, expected: type[SurveybotError]
) -> None:
    workspace.faults.add(failure, method="chat.postMessage")
    with pytest.raises(SurveybotError) as caught, translated("chat.postMessage"):
        await client.chat_postMessage(channel="U0ANA", text="hello")
    assert type(caught.value) is expected
    assert [call.method for call in workspace.journal] == ["chat.postMessage"], "nothing is repeated behind our back"


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Response("ok", media_type="text/plain"), Ambiguous),
        (Response("{", media_type="application/json"), Ambiguous),
        (Response("[1]", media_type="application/json"), Ambiguous),
        (Response('{"ok": true}', media_type="application/json"), Ambiguous),
        (Response("later", 429, {"Retry-After": "soon"}, "text/plain"), Throttled),
        (Response('{"ok": false, "error": "service_unavailable"}', 503, media_type="application/json"), Unavailable),
        (Response("{", 503, media_type="application/json"), Unavailable),
        (Response('{"ok": false, "error": "fatal_error"}', 503, media_type="application/json"), Ambiguous),
    ],
)
async def test_an_answer_in_no_shape_of_slacks_is_no_success(answer: Response, expected: type[SurveybotError]) -> None:
    async def proxy(_request: Request) -> Response:
        return answer

    async with serving(Starlette(routes=[Route("/api/{method}", proxy, methods=["POST"])])) as url:
        client = make_client("xoxb-1", f"{url}/api/")
        with pytest.raises(SurveybotError) as caught, translated("chat.postMessage"):
            fields(await client.chat_postMessage(channel="U0ANA", text="hello"))["ts"]
        assert type(caught.value) is expected
        assert client.session is not None
        await client.session.close()


async def test_an_answer_that_came_too_late_is_ambiguous(client: AsyncWebClient, workspace: Workspace) -> None:
    workspace.faults.slow_s = 0.5
    assert client.session is not None
    client.session._timeout = client.session.timeout.__class__(sock_read=0.1)
    with pytest.raises(Ambiguous), translated("chat.postMessage"):
        await client.chat_postMessage(channel="U0ANA", text="hello")
    async with asyncio.timeout(30):  # a busy machine may begin with it after the client gave up
        while not workspace.direct_message("U0ANA").messages:
            await workspace.wait_for_change(workspace.version)
    assert len(workspace.journal) == 1


@pytest.mark.parametrize("failure", [LostAnswer(), Status(503), Refused("internal_error")], ids=str)
async def test_a_lost_answer_to_a_repeatable_call_is_unavailable(client: AsyncWebClient, workspace: Workspace, failure: Failure) -> None:
    workspace.faults.add(failure, times=None)  # aiohttp repeats a GET once by itself
    with pytest.raises(Unavailable), translated("users.info", repeatable=True):
        await client.users_info(user="U0ANA")


async def test_a_refused_connection_means_not_sent() -> None:
    client = make_client("xoxb-1", "http://127.0.0.1:9/api/")
    with pytest.raises(Unavailable), translated("chat.postMessage"):
        await client.chat_postMessage(channel="U0ANA", text="hello")
    assert client.session is not None
    await client.session.close()


async def test_a_429_tells_how_long_to_wait(client: AsyncWebClient, workspace: Workspace) -> None:
    workspace.faults.add(RateLimited(7))
    with pytest.raises(Throttled) as caught, translated("chat.postMessage"):
        await client.chat_postMessage(channel="U0ANA", text="hello")
    assert caught.value.retry_after == 7


@pytest.mark.parametrize(
    ("header", "seconds"), [({"Retry-After": "7"}, 7), ({"Retry-After": "9" * 30}, 3600), ({"Retry-After": "soon"}, None), ({}, None)]
)
async def test_a_503_tells_how_long_to_wait_or_nothing(header: dict[str, str], seconds: float | None) -> None:
    async def busy(_request: Request) -> Response:
        return Response("busy", 503, header)

    async with serving(Starlette(routes=[Route("/api/{method}", busy, methods=["POST"])])) as url:
        client = make_client("xoxb-1", f"{url}/api/")
        with pytest.raises(Unavailable) as caught, translated("chat.postMessage"):
            await client.chat_postMessage(channel="U0ANA", text="hello")
        assert caught.value.retry_after == seconds
        assert client.session is not None
        await client.session.close()


async def test_a_missing_scope_is_named(client: AsyncWebClient, workspace: Workspace) -> None:
    workspace.scopes.discard("chat:write")
    with pytest.raises(Unauthorized, match=r"missing_scope, needed: chat:write"), translated("chat.postMessage"):
        await client.chat_postMessage(channel="U0ANA", text="hello")


def test_what_is_logged_of_a_foreign_error_holds_its_place_and_not_its_words() -> None:
    with pytest.raises(KeyError) as caught:
        _fail("ana@acme.example")
    logged = loggable(caught.value)
    assert logged["error"] == "KeyError"
    assert "test_errors.py" in logged["trace"]
    assert "acme" not in str(logged)


def _fail(address: str) -> None:
    raise KeyError(address)
