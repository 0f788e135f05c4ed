"""The sandbox's page over HTTP: what it shows, and to whom."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from adapters.sandbox.page.routes import news, page_routes
from adapters.sandbox.slack.sender import SlackSender
from adapters.sandbox.slack.workspace import Call

if TYPE_CHECKING:
    from tests.adapters.sandbox_page.conftest import World

PATHS = ("/", "/static/page.js", "/static/none.js", "/sandbox/state", "/sandbox/state?user=U9", "/sandbox/calls")


@pytest.mark.parametrize("path", PATHS)
async def test_every_answer_forbids_what_is_not_the_sandboxs_own(world: World, path: str) -> None:
    answer = await world.browser.get(path)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert (answer.headers["x-content-type-options"], answer.headers["referrer-policy"]) == ("nosniff", "no-referrer")


async def test_everything_the_page_loads_is_served_here(world: World) -> None:
    seen = {"/"}
    waiting = ["/"]
    while waiting:
        answer = await world.browser.get(waiting.pop())
        assert answer.status_code == 200
        found = re.findall(r'(?:src|href)="(static/[^"]+)"|from "\./([^"]+)"', answer.text)
        new = {f"/{page}" if page else f"/static/{module}" for page, module in found} - seen
        seen |= new
        waiting += new
    assert {name.rpartition(".")[2] for name in seen} == {"/", "css", "js"}
    assert "http" not in re.sub(r"https?://docs\.slack\.dev\S+", "", (await world.browser.get("/")).text)


@pytest.mark.parametrize("name", ["none.js", "../page.py", "..%2fpage.py", "%2e%2e%2fpage.py", ".", "static"])
async def test_only_the_pages_files_are_served(world: World, name: str) -> None:
    assert (await world.browser.get(f"/static/{name}")).status_code == 404


async def test_the_state_is_what_one_person_sees(world: World) -> None:
    for user, text in (("U1", "for Ada"), ("U2", "for Björn")):
        dm = world.workspace.direct_message(user).conversation_id
        world.workspace.post(dm, sender=world.workspace.bot_user_id, text=text)
    state = await world.state("U2")
    assert [message["text"] for one in state["workspace"]["conversations"] for message in one["messages"]] == ["for Björn"]
    assert state["tenant"]["people"] == [
        {"email": "ada@example.com", "name": "Ada Lovelace"},
        {"email": "björn@example.com", "name": "Björn <b>Tables</b>"},
    ]
    assert datetime.fromisoformat(state["now"]) <= world.clock.now()


async def test_without_a_person_the_page_begins_with_a_member(world: World) -> None:
    assert (await world.browser.get("/sandbox/state")).json()["workspace"]["me"]["id"] == "U1"


async def test_an_unknown_person_is_named_in_the_refusal(world: World) -> None:
    answer = await world.browser.get("/sandbox/state?user=U9")
    assert (answer.status_code, answer.json()["error"]) == (404, "There is nobody with the id U9 here.")


async def test_the_calls_of_the_bot_are_listed_newest_first_with_their_outcome(world: World) -> None:
    call = Call(at=world.clock.now(), method="chat.postMessage", arguments={"channel": "C1"}, status=200, result={"ok": True})
    world.workspace.journal += [
        call,
        replace(call, result={"ok": False, "error": "channel_not_found"}),
        replace(call, status=503, result={}),
        replace(call, answered=False),
    ]
    calls = (await world.browser.get("/sandbox/calls")).json()["calls"]
    assert [(one["number"], one["answer"]) for one in calls] == [
        (3, "connection cut"),
        (2, "HTTP 503"),
        (1, "channel_not_found"),
        (0, "ok"),
    ]
    assert calls[0]["arguments"] == {"channel": "C1"}


async def test_news_come_at_once_at_every_change_and_after_silence(world: World) -> None:
    stream = news(world.workspace, heartbeat_s=0.01)
    before = world.workspace.version
    first = await anext(stream)
    heartbeat = await anext(stream)
    world.workspace.changed()
    changed = await anext(stream)
    await stream.aclose()
    assert [first, heartbeat, changed] == [f"event: version\ndata: {version}\n\n" for version in (before, before, before + 1)]


@pytest.mark.parametrize(
    ("client", "host"),
    [("192.0.2.7", "127.0.0.1:1"), ("127.0.0.1", "attacker.example"), ("127.0.0.1", "127.0.0.1.attacker.example"), ("", "localhost")],
)
async def test_nobody_but_this_computer_is_answered(world: World, client: str, host: str) -> None:
    """Also not through a name that somebody else lets resolve to this computer."""
    for method, path in (("GET", "/"), ("GET", "/sandbox/state"), ("GET", "/sandbox/events"), ("POST", "/sandbox/do")):
        answer = await _from(world, client).request(method, path, headers={"host": host}, json={"what": "advance", "hours": 1})
        assert answer.status_code == 403
        assert "error" in answer.json()


@pytest.mark.parametrize("host", ["localhost:8000", "127.0.0.1", "[::1]:9"])
async def test_this_computer_is_answered_by_all_its_names(world: World, host: str) -> None:
    assert (await _from(world, "::1").get("/sandbox/state", headers={"host": host})).status_code == 200


async def test_another_origin_can_make_nothing_happen(world: World) -> None:
    """No form of another page can send JSON, and a script of it sends its origin."""
    deed: dict[str, Any] = {"what": "deactivate", "survey": world.tenant.create_survey("Pulse")}
    foreign = await world.browser.post("/sandbox/do", json=deed, headers={"origin": "http://attacker.example"})
    neighbour = await world.browser.post("/sandbox/do", json=deed, headers={"origin": "http://127.0.0.1:2"})
    form = await world.browser.post("/sandbox/do", data=deed)
    text = await world.browser.post(
        "/sandbox/do", content=httpx.Request("POST", "/", json=deed).content, headers={"content-type": "text/plain"}
    )
    assert [answer.status_code for answer in (foreign, neighbour, form, text)] == [403, 403, 415, 415]
    assert [survey.is_active for survey in world.tenant.surveys] == [True]
    assert (await world.browser.post("/sandbox/do", json=deed, headers={"origin": "http://127.0.0.1:1"})).status_code == 200


def _from(world: World, client: str) -> httpx.AsyncClient:
    routes = page_routes(world.tenant, world.workspace, SlackSender(world.workspace, "http://127.0.0.1:1"), world.clock)
    routes = [Route(route.path, route.endpoint, methods=["GET", "POST"]) for route in routes]
    return httpx.AsyncClient(transport=httpx.ASGITransport(Starlette(routes=routes), client=(client, 1)), base_url="http://127.0.0.1:1")
