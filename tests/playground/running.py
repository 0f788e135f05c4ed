"""The Microsoft 365 Agents Playground as a process: people of a tenant who chat with the bot, driven over HTTP without a browser.

https://learn.microsoft.com/en-us/microsoft-365/agents-sdk/test-with-toolkit-project. It listens on all interfaces, has no way to be told
otherwise, and asks for nothing outside of this machine. What it sends carries no token: `signing` adds the one that Teams would send.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from adapters.sandbox.teams.identity import IdentityProvider

HERE = Path(__file__).parent
NPM, NODE = shutil.which("npm"), shutil.which("node")
PERSONAL, TEAM, CHANNEL = "a:personal", "19:general@thread.tacv2", "19:news@thread.tacv2"

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Playground:
    client: httpx.AsyncClient
    bot: Json
    person: Json
    recording: Path

    def calls(self) -> Sequence[Json]:
        """Everything between it and the bot so far, both ways, requests with their answers."""
        parts = self.recording.read_text().split("\n---") if self.recording.exists() else ()
        found: list[Json] = []
        for part in parts:
            with suppress(ValueError):  # its end is not written yet
                found.append(json.loads(part.strip().removeprefix("---")))
        return found

    def sent(self, conversation_id: str) -> Sequence[Json]:
        """The messages of the bot in a conversation that it accepted, oldest first, each with the id it gave."""
        made = [call for call in self.calls() if "-> Microsoft" in call["direction"] and call["request"].get("method") == "POST"]
        there = [call for call in made if f"/conversations/{conversation_id}" in httpx.URL(call["request"]["url"]).path]
        return [call["request"]["body"] | call["response"]["body"] for call in there if call["response"]["statusCode"] < 300]

    async def awaited(self, conversation_id: str, number: int) -> Json:
        """Return that message of the bot in a conversation once it has come. Raises TimeoutError after half a minute."""
        await _until(lambda: len(self.sent(conversation_id)) >= number)
        return self.sent(conversation_id)[number - 1]

    async def say(self, conversation_id: str, text: str) -> None:
        """Anywhere but in the personal chat it mentions the bot."""
        mention = {"mentioned": self.bot, "text": f"<at>{self.bot['name']}</at>"}
        is_personal = conversation_id == PERSONAL
        body = {
            "type": "text",
            "textFormat": "plain",
            "text": text if is_personal else f"{mention['text']} {text}",
            "from": {"id": self.person["id"]},
            "mentions": [] if is_personal else [mention],
        }
        (await self.client.post(f"/_conversation/v1/conversations/{conversation_id}/messages", json=body)).raise_for_status()

    async def press(self, button: Json, message_id: str) -> Json:
        """Press an `Action.Execute` in the personal chat; returns what the bot answered."""
        body = {
            "name": "adaptiveCard/action",
            "value": {"action": {name: button[name] for name in ("type", "verb", "data")}},
            "from": {"id": self.person["id"]},
            "conversation": {"id": PERSONAL},
            "replyToId": message_id,
        }
        answer = await self.client.post("/_conversation/v1/invoke", json=body)
        return answer.raise_for_status().json()

    async def happen(self, kind: str, conversation_id: str) -> None:
        """Return once the bot was told of `install`, `uninstall`, `botAdded`, ...: what its menu "Mock an Activity" offers."""
        path = "/_internal/v1/customActivities"
        template = await self.client.get(f"{path}/template", params={"conversationId": conversation_id, "type": kind})
        activity = template.raise_for_status().json()
        (await self.client.post(path, json=activity)).raise_for_status()
        await _until(
            lambda: any(call["request"]["body"].get("id") == activity["id"] for call in self.calls() if call["request"].get("body"))
        )


@asynccontextmanager
async def playing(
    bot_url: str, *, app_id: str, tenant_id: str, people: Sequence[tuple[str, str]], folder: Path
) -> AsyncGenerator[Playground]:
    """Run it while the block runs, for people (Entra object id, name): the first one chats, five others are there."""
    bot = {"id": f"28:{app_id}", "name": "Surveybot"}
    users = [_user(user_id, name) for user_id, name in people]
    team = {"id": TEAM, "name": "Acme", "aadGroupId": "99999999-0000-0000-0000-000000000001"}
    config = {
        "version": "0.1.1",
        "tenantId": tenant_id,
        "bot": bot,
        "currentUser": users[0],
        "users": users[1:],
        "personalChat": {"id": PERSONAL},
        "groupChat": {"id": "19:group@thread.v2", "name": "Lunch"},
        "team": {**team, "channels": [{"id": CHANNEL, "name": "News"}]},
    }
    (folder / "config.yml").write_text(json.dumps(config))  # JSON is YAML
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    environment = os.environ | {
        "TEAMSAPPTESTER_BROWSER": "none",
        "DEFAULT_CHANNEL_ID": "msteams",
        "M365_AGENTS_PLAYGROUND_CONFIG_PATH": str(folder / "config.yml"),
        "M365_AGENTS_PLAYGROUND_RECORDING_FILE": str(folder / "recording"),
        "M365_AGENTS_PLAYGROUND_LOGFILE": str(folder / "log"),
    }
    program = HERE / "node_modules" / "@microsoft" / "m365agentsplayground" / "cli.js"
    told = ["-e", bot_url, "-c", "msteams", "-p", str(port), "--su", f"{url}/_connector"]
    told += ["--disable-telemetry", "--enable-events-recording"]
    assert NODE is not None
    with (folder / "output").open("w") as output:
        process = await asyncio.create_subprocess_exec(NODE, program, *told, env=environment, stdout=output, stderr=output)
    try:
        async with httpx.AsyncClient(base_url=url, timeout=20) as client:
            await _up(client)
            yield Playground(client, bot, users[0], folder / "recording")
    finally:
        process.terminate()
        await process.wait()


def signing(identity: IdentityProvider, bot_url: str) -> Starlette:
    """Serve what passes activities on to the bot as Teams signs them: the bot checks them as ever."""

    async def sign(request: Request) -> Response:
        body = await request.body()
        headers = {"Authorization": f"Bearer {identity.sign(json.loads(body)['serviceUrl'])}", "Content-Type": "application/json"}
        async with httpx.AsyncClient(timeout=20) as client:
            answer = await client.post(bot_url, content=body, headers=headers)
        return Response(answer.content, answer.status_code, media_type=answer.headers.get("content-type"))

    return Starlette(routes=[Route("/", sign, methods=["POST"])])


def _user(user_id: str, name: str) -> Json:
    email = f"{name.lower()}@acme.example"
    names = {"givenName": name, "surname": "Acme", "userPrincipleName": email, "email": email}  # their spelling
    return {"id": f"29:{user_id}", "name": name, "aadObjectId": user_id, **names}


async def _until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not is_so():  # noqa: ASYNC110 - what it records is a file
            await asyncio.sleep(0.02)


async def _up(client: httpx.AsyncClient) -> None:
    async with asyncio.timeout(30):
        while True:
            with suppress(httpx.TransportError):
                await client.get("/_internal/v1/config")
                return
            await asyncio.sleep(0.05)
