"""What people do in Slack, and what becomes of it: commands, pressed buttons, the Home tab, people's changes."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltContext

from adapters.slack.answers import Answers, Ask
from adapters.slack.directory import SlackDirectory
from adapters.slack.origins import without
from adapters.slack.places import Home, Modal, Reply
from bot.page import Action
from bot.slash_commands import parse
from cards.slack import LINK_VERBS, carried_by, parse_action, parse_form

Body = dict[str, Any]

#: Where `authorize` leaves the id of the installation that a request is about.
WORKSPACE = "workspace_id"
_ANYTHING = re.compile(r"")


def answer_people(app: AsyncApp, answers: Answers) -> None:
    @app.command(_ANYTHING)
    async def typed(ack: AsyncAck, body: Body, context: AsyncBoltContext) -> None:
        ask = _typed(context[WORKSPACE], body)
        await ack()
        await answers.answer(ask)

    @app.block_action(_ANYTHING)
    async def pressed(ack: AsyncAck, body: Body, context: AsyncBoltContext) -> None:
        ask = None if body["actions"][0]["action_id"].startswith(LINK_VERBS) else _pressed(context[WORKSPACE], body)
        await ack()
        if ask is not None:  # else the browser has opened the link already
            await answers.answer(ask)

    @app.view(_ANYTHING)
    async def submitted(ack: AsyncAck, body: Body, context: AsyncBoltContext) -> None:
        await answers.submitted(_submitted(context[WORKSPACE], body), ack)

    @app.event("app_home_opened")
    async def opened(event: Body, context: AsyncBoltContext) -> None:
        if event.get("tab") == "home":
            home = Home(user_id=event["user"], hash=(event.get("view") or {}).get("hash"))
            await answers.answer(Ask(workspace_id=context[WORKSPACE], user_id=home.user_id, action=Action(verb="home.show"), place=home))


def follow_people(app: AsyncApp, directory: SlackDirectory) -> None:
    @app.event("team_join")
    @app.event("user_change")
    async def changed(event: Body, context: AsyncBoltContext) -> None:
        await directory.absorb(context[WORKSPACE], event["user"])


def _typed(workspace_id: str, body: Body) -> Ask:
    action = parse(body["command"], html.unescape(body.get("text") or ""))  # `should_escape` in the manifest
    place = Reply(channel_id=body["channel_id"], response_url=body["response_url"], replaces=False)
    return Ask(workspace_id=workspace_id, user_id=body["user_id"], action=action, place=place, trigger_id=body.get("trigger_id"))


def _pressed(workspace_id: str, body: Body) -> Ask:
    user_id, action = body["user"]["id"], _action(body["actions"][0])
    place = _pressed_at(user_id, body)
    trigger_id, carried = body.get("trigger_id"), _carried(body.get("view") or {})
    return Ask(workspace_id=workspace_id, user_id=user_id, action=action, place=place, trigger_id=trigger_id, carried=carried)


def _submitted(workspace_id: str, body: Body) -> Ask:
    """Return what was asked for; a form that is not ours becomes a verb nobody knows, which is answered as out of date."""
    try:
        action = parse_form(body["view"])
    except ValueError:
        action = Action(verb="")
    return Ask(
        workspace_id=workspace_id,
        user_id=body["user"]["id"],
        action=replace(action, data=without(action.data)),
        place=Modal(view_id=body["view"]["id"]),
        carried=_carried(body["view"]),
    )


def _pressed_at(user_id: str, body: Body) -> Home | Modal | Reply:
    container = body["container"]
    if container["type"] == "view":
        view = body["view"]
        return Home(user_id=user_id, hash=view["hash"]) if view["type"] == "home" else Modal(view_id=view["id"], hash=view["hash"])
    # What was sent as a notification stays; what was an answer makes room for the next.
    replaces = bool(container.get("is_ephemeral"))
    return Reply(channel_id=container["channel_id"], response_url=body["response_url"], replaces=replaces)


def _carried(view: Body) -> Mapping[str, str]:
    try:
        return carried_by(view)
    except ValueError:
        return {}


def _action(pressed: Body) -> Action:
    """Return the button's action; one that is not ours becomes a verb nobody knows, which is answered as out of date."""
    try:
        return parse_action(pressed["action_id"], pressed.get("value"))
    except ValueError:
        return Action(verb="")
