"""Socket Mode, as the real SDK and a real Bolt app meet it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from adapters.sandbox.slack.sender import SlackSender
from adapters.sandbox.slack.workspace import Workspace

MODAL = {"type": "modal", "title": {"type": "plain_text", "text": "Go"}, "blocks": [{"type": "divider"}]}


class Listener:
    """A Bolt app on one WebSocket."""

    def __init__(self, client: AsyncWebClient, app_token: str, name: str, is_gone: asyncio.Event) -> None:
        self.heard: list[tuple[str, Any]] = []
        app = AsyncApp(client=client, signing_secret="none is needed")
        self.is_gone = is_gone
        self.handler = AsyncSocketModeHandler(app, app_token, web_client=client)

        @app.command("/surveys")
        async def _command(ack: Any, command: dict[str, Any]) -> None:
            self.heard.append(("command", command["text"]))
            await ack(text=f"Your surveys, from {name}")

        @app.event("app_home_opened")
        async def _home(event: dict[str, Any], request: Any) -> None:
            self.heard.append((event["type"], request.headers.get("x-slack-retry-num")))

        @app.action("go")
        async def _go(ack: Any, body: dict[str, Any]) -> None:
            self.heard.append(("go", body["user"]["id"]))
            await ack()

        @app.event("tokens_revoked")
        async def _revoked() -> None:
            self.heard.append(("tokens_revoked", None))

        @app.event("app_uninstalled")
        async def _uninstalled() -> None:
            self.is_gone.set()

        @app.view("")
        async def _view(ack: Any) -> None:
            await ack(response_action="clear")


@pytest.fixture
async def listeners(client: AsyncWebClient, workspace: Workspace) -> AsyncIterator[list[Listener]]:
    is_gone = asyncio.Event()
    two = [Listener(client, workspace.platform.app.app_token, name, is_gone) for name in ("one", "two")]
    for number, listener in enumerate(two, start=1):
        await listener.handler.connect_async()
        await workspace.platform.sockets.opened(number)
    yield two
    for listener in two:
        await listener.handler.close_async()


async def test_each_thing_is_heard_once_and_answered_on_its_connection(listeners: list[Listener], workspace: Workspace) -> None:
    """One scenario, for it opens two WebSockets: commands, retried events, presses, forms, and a replaced connection."""
    sender = SlackSender(workspace, None)
    for _ in range(2):
        assert (await sender.command("U0ANA", "C0GENERAL", "/surveys", "list")).error is None
    assert [m.text for m in workspace.sees("U0ANA", "C0GENERAL").values()] == ["Your surveys, from one", "Your surveys, from two"]

    envelope = sender.envelope({"type": "app_home_opened", "user": "U0ANA", "tab": "home", "channel": "D1"})
    assert [answer.status for answer in await sender.deliver(envelope, attempts=(0, 1))] == [200, 200]
    assert [heard for listener in listeners for heard in listener.heard if heard[0] == "app_home_opened"] == [
        ("app_home_opened", ["0"]),
        ("app_home_opened", ["1"]),
    ]

    go = {"type": "button", "action_id": "go", "text": {"type": "plain_text", "text": "Go"}}
    ts = workspace.post("C0GENERAL", sender="U0SURVEYBOT", text="x", blocks=[{"type": "actions", "elements": [go]}]).ts
    await sender.press("U0BEN", action_id="go", channel_id="C0GENERAL", ts=ts)
    assert ("go", "U0BEN") in [*listeners[0].heard, *listeners[1].heard]

    await listeners[0].handler.app.client.views_open(trigger_id=workspace.new_trigger("U0ANA"), view=MODAL)
    assert (await sender.submit("U0ANA")).status == 200
    assert workspace.modals == {}

    await workspace.platform.sockets.disconnect("refresh_requested")
    async with asyncio.timeout(30):
        await workspace.platform.sockets.opened(2)
    assert (await sender.command("U0ANA", "C0GENERAL", "/surveys", "again")).error is None

    await listeners[0].handler.app.client.auth_revoke()
    async with asyncio.timeout(30):
        await listeners[0].is_gone.wait()
    assert [heard for one in listeners for heard in one.heard].count(("tokens_revoked", None)) == 1


async def test_only_the_apps_own_token_opens_a_connection_and_a_ticket_is_good_once(client: AsyncWebClient, workspace: Workspace) -> None:
    with pytest.raises(SlackApiError) as refused:
        await client.apps_connections_open(app_token="xoxb-false")
    assert refused.value.response["error"] == "not_allowed_token_type"
    url = (await client.apps_connections_open(app_token=workspace.platform.app.app_token))["url"]
    assert isinstance(url, str)
    async with aiohttp.ClientSession() as session:
        async with session.ws_connect(url) as socket:
            hello = await socket.receive_json()
            assert (hello["type"], hello["connection_info"]["app_id"]) == ("hello", workspace.app_id)
            await workspace.platform.sockets.disconnect("warning")
            assert (await socket.receive_json())["reason"] == "warning"
            workspace.platform.patience_s = 0.05
            late = await SlackSender(workspace, None).open_home("U0ANA")
            assert late.error == "operation_timeout"
            assert (await socket.receive_json())["retry_attempt"] == 0
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await session.ws_connect(url)
    assert [timeout.what for timeout in workspace.timeouts] == ["app_home_opened"]


async def test_without_a_connection_nothing_is_delivered(workspace: Workspace) -> None:
    assert (await SlackSender(workspace, None).open_home("U0ANA")).error == "dispatch_failed"
