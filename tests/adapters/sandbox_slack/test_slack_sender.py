"""What the simulated Slack sends is understood, and believed, by a real Bolt app with signature verification on."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from slack_bolt.adapter.starlette.async_handler import AsyncSlackRequestHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from adapters.sandbox.serving import serving
from adapters.sandbox.slack.sender import SlackSender
from adapters.sandbox.slack.workspace import SLACKBOT, Message, Workspace

TEXT = {"type": "plain_text", "text": "Go"}
BLOCKS = [
    {"type": "section", "block_id": "s", "text": TEXT, "accessory": {"type": "button", "action_id": "show", "text": TEXT, "value": "SV_1"}},
    {
        "type": "actions",
        "block_id": "a",
        "elements": [{"type": "button", "action_id": "respond", "text": TEXT, "url": "https://acme.example/s?a=1"}],
    },
]


@dataclass
class Bot:
    """A tiny real Bolt app that notes what reached its listeners."""

    url: str
    commands: list[dict[str, Any]] = field(default_factory=list)
    actions: list[tuple[dict[str, Any], dict[str, Any]]] = field(default_factory=list)
    homes: list[tuple[dict[str, Any], dict[str, Any]]] = field(default_factory=list)
    retries: list[list[str] | None] = field(default_factory=list)


def bolt(client: AsyncWebClient, secret: str, bot: Bot) -> Starlette:
    app = AsyncApp(client=client, signing_secret=secret)

    @app.command("/surveys")
    async def _command(ack: Any, command: dict[str, Any], respond: Any) -> None:
        bot.commands.append(command)
        await ack()
        await respond(text="Your surveys", blocks=BLOCKS)

    @app.action("show")
    async def _show(ack: Any, body: dict[str, Any], action: dict[str, Any]) -> None:
        bot.actions.append((body, action))
        await ack()

    @app.action("respond")
    async def _respond(ack: Any, body: dict[str, Any], action: dict[str, Any], respond: Any) -> None:
        bot.actions.append((body, action))
        await ack()
        await respond(text="Thank you", replace_original=True)

    @app.event("app_home_opened")
    async def _home(event: dict[str, Any], body: dict[str, Any], request: Any, client: AsyncWebClient) -> None:
        bot.homes.append((event, body))
        bot.retries.append(request.headers.get("x-slack-retry-num"))
        await client.views_publish(user_id=event["user"], view={"type": "home", "blocks": BLOCKS})

    handler = AsyncSlackRequestHandler(app)

    async def endpoint(request: Request) -> Response:
        return await handler.handle(request)

    return Starlette(routes=[Route("/slack/events", endpoint, methods=["POST"])])


@pytest.fixture
async def bot(client: AsyncWebClient, workspace: Workspace) -> AsyncIterator[Bot]:
    noted = Bot(url="")
    async with serving(bolt(client, workspace.signing_secret, noted)) as url:
        noted.url = f"{url}/slack/events"
        yield noted


@pytest.fixture
def sender(bot: Bot, workspace: Workspace) -> SlackSender:
    return SlackSender(workspace, bot.url)


@asynccontextmanager
async def answering(response: Response) -> AsyncGenerator[str]:
    """A bot that always answers the same."""

    async def endpoint(_: Request) -> Response:
        return response

    async with serving(Starlette(routes=[Route("/", endpoint, methods=["POST"])])) as url:
        yield url


async def until(workspace: Workspace, holds: Callable[[], bool]) -> None:
    """Wait for what Bolt does after its acknowledgement."""
    async with asyncio.timeout(30):
        while not holds():
            await workspace.wait_for_change(workspace.version)


def calls(workspace: Workspace, method: str) -> int:
    return sum(call.method == method for call in workspace.journal)


def general(workspace: Workspace) -> list[Message]:
    return list(workspace.conversations["C0GENERAL"].messages.values())


async def test_a_command_reaches_bolt_and_its_answer_is_seen_by_its_author_alone(
    bot: Bot, sender: SlackSender, workspace: Workspace
) -> None:
    answer = await sender.command("U0ANA", "C0GENERAL", "/surveys", "list <x> & y")
    await until(workspace, lambda: bool(general(workspace)))
    (message,) = general(workspace)
    assert (answer.status, answer.error) == (200, None)
    (command,) = bot.commands
    assert (command["text"], command["user_id"], command["channel_id"], command["channel_name"]) == (
        "list &lt;x&gt; &amp; y",
        "U0ANA",
        "C0GENERAL",
        "general",
    )
    assert (message.text, message.only_for) == ("Your surveys", "U0ANA")
    assert [(call.method, call.status) for call in workspace.journal if call.method == "response_url"] == [("response_url", 200)]


async def test_a_wrong_signature_is_refused_by_bolt_and_its_user_is_told(bot: Bot, workspace: Workspace) -> None:
    workspace.signing_secret = "another secret"
    sender = SlackSender(workspace, bot.url)
    assert (await sender.command("U0ANA", "C0GENERAL", "/surveys")).status == 401
    assert bot.commands == []
    (message,) = general(workspace)
    assert (message.sender, message.only_for, message.text) == (SLACKBOT, "U0ANA", '/surveys failed with the error "dispatch_failed"')


async def test_the_request_url_is_verified(sender: SlackSender, bot: Bot, workspace: Workspace) -> None:
    assert await sender.verify_url()
    async with answering(PlainTextResponse("what?")) as url:
        assert not await SlackSender(workspace, url).verify_url()


async def test_a_button_of_a_message_is_pressed_with_all_that_slack_sends(bot: Bot, sender: SlackSender, workspace: Workspace) -> None:
    posted = workspace.post("C0GENERAL", sender="U0SURVEYBOT", text="Hello", blocks=BLOCKS)
    assert (await sender.press("U0BEN", action_id="show", channel_id="C0GENERAL", ts=posted.ts)).status == 200
    ((body, action),) = bot.actions
    assert (action["action_id"], action["block_id"], action["value"], action["type"]) == ("show", "s", "SV_1", "button")
    assert body["container"] == {"type": "message", "message_ts": posted.ts, "channel_id": "C0GENERAL", "is_ephemeral": False}
    assert (body["user"]["id"], body["team"]["id"], body["channel"]["id"]) == ("U0BEN", "T0ACME", "C0GENERAL")
    assert (body["message"]["ts"], body["message"]["blocks"]) == (posted.ts, BLOCKS)
    assert body["trigger_id"]


async def test_a_url_button_is_reported_too_and_its_message_replaced_for_good(bot: Bot, sender: SlackSender, workspace: Workspace) -> None:
    ts = workspace.post("C0GENERAL", sender="U0SURVEYBOT", text="Hello", blocks=BLOCKS).ts
    await sender.press("U0BEN", action_id="respond", channel_id="C0GENERAL", ts=ts)
    await until(workspace, lambda: general(workspace)[0].edited)
    (message,) = general(workspace)
    assert (message.ts, message.text, message.blocks, message.edited) == (ts, "Thank you", (), True)


async def test_the_press_of_an_ephemeral_button_comes_without_the_message(bot: Bot, sender: SlackSender, workspace: Workspace) -> None:
    ts = workspace.post("C0GENERAL", sender="U0SURVEYBOT", text="Psst", blocks=BLOCKS, only_for="U0ANA").ts
    await sender.press("U0ANA", action_id="show", block_id="s", channel_id="C0GENERAL", ts=ts)
    ((body, _),) = bot.actions
    assert body["container"]["is_ephemeral"]
    assert "message" not in body


async def test_nobody_presses_what_they_do_not_see(sender: SlackSender, workspace: Workspace) -> None:
    ts = workspace.post("C0GENERAL", sender="U0SURVEYBOT", text="Psst", blocks=BLOCKS, only_for="U0ANA").ts
    for user_id, action_id, block_id in [("U0BEN", "show", None), ("U0ANA", "other", None), ("U0ANA", "show", "a")]:
        with pytest.raises(LookupError):
            await sender.press(user_id, action_id=action_id, block_id=block_id, channel_id="C0GENERAL", ts=ts)
    for elsewhere in ({}, {"channel_id": "C0GENERAL"}, {"channel_id": "C0SECRET", "ts": ts}):
        with pytest.raises(LookupError):
            await sender.press("U0ANA", action_id="show", **elsewhere)


async def test_home_is_opened_shown_opened_again_with_its_view_and_pressed(bot: Bot, sender: SlackSender, workspace: Workspace) -> None:
    assert (await sender.open_home("U0ANA")).status == 200
    await until(workspace, lambda: "U0ANA" in workspace.homes)
    assert (await sender.open_home("U0ANA")).status == 200
    await until(workspace, lambda: calls(workspace, "views.publish") == 2)
    await sender.press("U0ANA", action_id="show")
    (first, _), (second, body) = bot.homes
    assert (first["tab"], first["user"], first["channel"][0]) == ("home", "U0ANA", "D")
    assert "view" not in first
    assert second["view"]["blocks"] == BLOCKS
    assert body["authorizations"][0]["user_id"] == "U0SURVEYBOT"
    ((pressed, action),) = bot.actions
    assert pressed["container"]["type"] == "view"
    assert pressed["view"]["type"] == "home"
    assert (action["value"], "response_url" in pressed, "channel" in pressed) == ("SV_1", False, False)


async def test_a_retried_event_keeps_its_id_and_carries_the_retry_headers(bot: Bot, sender: SlackSender, workspace: Workspace) -> None:
    envelope = sender.envelope({"type": "app_home_opened", "user": "U0ANA", "tab": "home", "channel": "D1"})
    answers = await sender.deliver(envelope, attempts=(0, 1, 2, 3))
    assert [answer.status for answer in answers] == [200] * 4
    await until(workspace, lambda: calls(workspace, "views.publish") == 4)
    assert {body["event_id"] for _, body in bot.homes} == {envelope["event_id"]}
    assert sorted(bot.retries, key=str) == sorted([None, ["1"], ["2"], ["3"]], key=str)
    assert sender.envelope(envelope["event"])["event_id"] != envelope["event_id"]


@pytest.mark.parametrize(
    ("answer", "only_for", "text"),
    [
        (JSONResponse({"text": "Hello"}), "U0ANA", "Hello"),
        (JSONResponse({"text": "Hello", "response_type": "in_channel"}), None, "Hello"),
        (PlainTextResponse("Hello"), "U0ANA", "Hello"),
    ],
)
async def test_the_body_of_an_acknowledgement_is_a_reply(workspace: Workspace, answer: Response, only_for: str | None, text: str) -> None:
    async with answering(answer) as url:
        await SlackSender(workspace, url).command("U0ANA", "C0GENERAL", "/surveys")
    (message,) = general(workspace)
    assert (message.only_for, message.text) == (only_for, text)


async def test_a_refused_reply_in_an_acknowledgement_is_kept_and_not_shown(workspace: Workspace) -> None:
    async with answering(JSONResponse({"text": "Hello", "blocks": [{"type": "divder"}]})) as url:
        await SlackSender(workspace, url).command("U0ANA", "C0GENERAL", "/surveys")
    assert general(workspace) == []
    assert len(workspace.refused) == 1


async def test_a_bot_that_is_late_is_noted_and_its_user_told(workspace: Workspace) -> None:
    async def never(_: Request) -> Response:
        await asyncio.Event().wait()
        return Response()

    workspace.platform.patience_s = 0.05
    async with serving(Starlette(routes=[Route("/", never, methods=["POST"])]), grace_s=0) as url:
        answer = await SlackSender(workspace, url).command("U0ANA", "C0GENERAL", "/surveys")
    assert answer.error == "operation_timeout"
    assert [(timeout.what, timeout.user_id) for timeout in workspace.timeouts] == [("command", "U0ANA")]
    assert [message.sender for message in general(workspace)] == [SLACKBOT]


async def test_a_bot_that_is_not_there_is_a_failed_dispatch(workspace: Workspace) -> None:
    async with answering(Response()) as url:
        pass
    answer = await SlackSender(workspace, url).open_home("U0ANA")
    assert (answer.status, answer.error) == (None, "dispatch_failed")
    assert workspace.timeouts == []


async def test_a_response_url_works_five_times(slack_url: str, workspace: Workspace) -> None:
    webhook = AsyncWebhookClient(workspace.new_response_url("U0ANA", "C0GENERAL", None))
    answers = [await webhook.send(text=str(n)) for n in range(6)]
    assert [(answer.status_code, answer.body) for answer in answers[:5]] == [(200, "ok")] * 5
    assert (answers[5].status_code, json.loads(answers[5].body)["error"]) == (404, "used_url")
    assert [message.text for message in general(workspace)] == ["0", "1", "2", "3", "4"]


async def test_a_response_url_works_for_thirty_minutes(slack_url: str, workspace: Workspace, clock: Any) -> None:
    webhook = AsyncWebhookClient(workspace.new_response_url("U0ANA", "C0GENERAL", None))
    clock.advance(timedelta(minutes=30))
    assert (await webhook.send(text="In time")).status_code == 200
    clock.advance(timedelta(seconds=1))
    assert json.loads((await webhook.send(text="Late")).body)["error"] == "expired_url"
    assert [message.text for message in general(workspace)] == ["In time"]


async def test_a_response_url_refuses_what_slack_would_refuse(slack_url: str, workspace: Workspace) -> None:
    webhook = AsyncWebhookClient(workspace.new_response_url("U0ANA", "C0GENERAL", None))
    answer = await webhook.send(text="Hello", blocks=[{"type": "divder"}])
    assert (answer.status_code, answer.body) == (400, "invalid_blocks")
    assert [refused.method for refused in workspace.refused] == ["response_url"]
    assert workspace.journal[-1].result["error"] == "invalid_blocks"


async def test_a_response_url_replaces_then_deletes_the_message_of_its_button(slack_url: str, workspace: Workspace) -> None:
    ts = workspace.post("C0GENERAL", sender="U0SURVEYBOT", text="Psst", only_for="U0ANA").ts
    webhook = AsyncWebhookClient(workspace.new_response_url("U0ANA", "C0GENERAL", ts))
    await webhook.send(text="Replaced", replace_original=True)
    assert [(m.ts, m.text, m.only_for) for m in general(workspace)] == [(ts, "Replaced", "U0ANA")]
    await webhook.send(delete_original=True)
    assert general(workspace) == []
    await webhook.send(text="Anew", replace_original=True, response_type="in_channel")
    assert [(m.text, m.only_for) for m in general(workspace)] == [("Anew", None)]


async def test_a_trigger_opens_one_modal_within_three_seconds(client: AsyncWebClient, workspace: Workspace, clock: Any) -> None:
    modal = {"type": "modal", "title": TEXT, "blocks": [{"type": "section", "text": TEXT}]}
    used, late = workspace.new_trigger("U0ANA"), workspace.new_trigger("U0ANA")
    await client.views_open(trigger_id=used, view=modal)
    with pytest.raises(Exception, match="exchanged_trigger_id"):
        await client.views_open(trigger_id=used, view=modal)
    assert workspace.modals["U0ANA"]["title"] == TEXT
    clock.advance(timedelta(seconds=4))
    with pytest.raises(Exception, match="expired_trigger_id"):
        await client.views_open(trigger_id=late, view=modal)


@pytest.mark.parametrize(("channel_id", "name"), [("C0GENERAL", "general"), ("C0SECRET", "privategroup"), (None, "directmessage")])
async def test_a_command_names_its_channel_as_slack_does(
    bot: Bot, sender: SlackSender, workspace: Workspace, channel_id: str | None, name: str
) -> None:
    await sender.command("U0BEN", channel_id or workspace.direct_message("U0BEN").conversation_id, "/surveys")
    await until(workspace, lambda: calls(workspace, "response_url") == 1)
    assert [command["channel_name"] for command in bot.commands] == [name]


async def test_requests_carry_slacks_form_and_nothing_secret(workspace: Workspace) -> None:
    """The bot token and the signing secret never travel to the bot."""
    seen: list[bytes] = []

    async def note(request: Request) -> Response:
        seen.append(await request.body())
        return Response()

    async with serving(Starlette(routes=[Route("/", note, methods=["POST"])])) as url:
        await SlackSender(workspace, url).command("U0ANA", "C0GENERAL", "/surveys")
        await SlackSender(workspace, url).open_home("U0ANA")
    assert seen[0].startswith(b"token=unused&team_id=T0ACME&")
    assert json.loads(seen[1])["type"] == "event_callback"
    assert all(workspace.bot_token.encode() not in body and workspace.signing_secret.encode() not in body for body in seen)


async def test_an_unknown_response_url_is_refused(slack_url: str) -> None:
    async with aiohttp.ClientSession() as session, session.post(f"{slack_url}/response/R0", json={"text": "x"}) as response:
        assert response.status == 404
