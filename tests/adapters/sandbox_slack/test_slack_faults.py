"""What goes wrong in the simulated Slack reaches the real SDK as the real trouble would."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from adapters.sandbox.slack.faults import Faults, LostAnswer, RateLimited, Refused, Status
from adapters.sandbox.slack.workspace import Workspace


def texts(workspace: Workspace) -> list[str]:
    return [message.text for message in workspace.conversations["C0GENERAL"].messages.values()]


async def test_a_rate_limit_names_its_pause_and_ends_after_the_planned_calls(client: AsyncWebClient, workspace: Workspace) -> None:
    workspace.faults.add(RateLimited(30), method="chat.postMessage", times=2)
    for _ in range(2):
        with pytest.raises(SlackApiError) as refused:
            await client.chat_postMessage(channel="C0GENERAL", text="No")
        answer = refused.value.response
        assert (answer.status_code, answer.headers["Retry-After"], answer["error"]) == (429, "30", "ratelimited")
        assert (await client.auth_test())["ok"]
    await client.chat_postMessage(channel="C0GENERAL", text="Yes")
    assert texts(workspace) == ["Yes"]


@pytest.mark.parametrize("status", [500, 503])
async def test_a_broken_server_answers_no_json_and_does_nothing(client: AsyncWebClient, workspace: Workspace, status: int) -> None:
    workspace.faults.add(Status(status), times=None)
    with pytest.raises(SlackApiError) as refused:
        await client.chat_postMessage(channel="C0GENERAL", text="No")
    assert refused.value.response.status_code == status
    workspace.faults.clear()
    await client.chat_postMessage(channel="C0GENERAL", text="Yes")
    assert texts(workspace) == ["Yes"]


async def test_a_planned_error_is_slacks_own(client: AsyncWebClient, workspace: Workspace) -> None:
    workspace.faults.add(Refused("token_revoked"))
    with pytest.raises(SlackApiError) as refused:
        await client.auth_test()
    assert refused.value.response["error"] == "token_revoked"


async def test_down_means_everything(client: AsyncWebClient, workspace: Workspace, slack_url: str) -> None:
    workspace.faults.down = True
    with pytest.raises(SlackApiError) as refused:
        await client.auth_test()
    assert refused.value.response.status_code == 503
    async with aiohttp.ClientSession() as session, session.post(f"{slack_url}/response/any", json={"text": "x"}) as response:
        assert (response.status, response.content_type) == (503, "text/html")
    assert [(call.method, call.status) for call in workspace.journal] == [("auth.test", 503), ("response_url", 503)]


async def test_a_lost_answer_is_a_disconnect_after_the_message_was_stored(client: AsyncWebClient, workspace: Workspace) -> None:
    workspace.faults.add(LostAnswer())
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await client.chat_postMessage(channel="C0GENERAL", text="Hello")
    assert texts(workspace) == ["Hello"]
    assert [(call.answered, call.result["ok"]) for call in workspace.journal] == [(False, True)]


async def test_the_sdks_default_retry_after_a_lost_answer_sends_twice(slack_url: str, workspace: Workspace) -> None:
    """The trap of reference slack.md 0 is real here, so a bot that falls into it is seen."""
    workspace.faults.add(LostAnswer())
    careless = AsyncWebClient(token="xoxb-false", base_url=f"{slack_url}/api/")
    await careless.chat_postMessage(channel="C0GENERAL", text="Hello")
    assert texts(workspace) == ["Hello", "Hello"]


async def test_a_slow_answer_times_out_after_its_effect(slack_url: str, workspace: Workspace) -> None:
    workspace.faults.slow_s = 0.4
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(sock_read=0.1)) as session:
        client = AsyncWebClient(token="xoxb-false", base_url=f"{slack_url}/api/", session=session, retry_handlers=[])
        with pytest.raises(asyncio.TimeoutError):
            await client.chat_postMessage(channel="C0GENERAL", text="Hello")
    async with asyncio.timeout(30):  # a busy machine may begin with it after the client gave up
        while not texts(workspace):
            await workspace.wait_for_change(workspace.version)
    assert texts(workspace) == ["Hello"]


def test_faults_of_one_method_spare_the_others_and_come_in_the_planned_order() -> None:
    faults = Faults()
    faults.add(Status(500), method="chat.update", times=None)
    faults.add(RateLimited(1))
    faults.add(LostAnswer())
    taken = [faults.take("chat.postMessage") for _ in range(3)]
    assert taken == [RateLimited(1), LostAnswer(), None]
    assert [faults.take("chat.update") for _ in range(2)] == [Status(500), Status(500)]
