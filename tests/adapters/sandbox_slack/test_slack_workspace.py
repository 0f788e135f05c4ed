"""The workspace shows each user their own view of things, and tells those who wait that something changed."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any

from adapters.sandbox.slack.workspace import UserKind, Workspace

SECTION = {"type": "section", "text": {"type": "plain_text", "text": "Hello"}}


def conversations(workspace: Workspace, user_id: str) -> dict[str, list[str]]:
    return {c["name"]: [m["text"] for m in c["messages"]] for c in workspace.snapshot(user_id)["conversations"]}


def test_a_user_sees_their_channels_and_direct_messages_and_nobody_elses(workspace: Workspace) -> None:
    workspace.post(workspace.direct_message("U0ANA").conversation_id, sender="U0SURVEYBOT", text="For Ana")
    workspace.post("C0GENERAL", sender="U0BEN", text="For all")
    workspace.post("C0GENERAL", sender="U0SURVEYBOT", text="For Ben", only_for="U0BEN")
    assert conversations(workspace, "U0ANA") == {"general": ["For all"], "unjoined": [], "old": [], "surveybot": ["For Ana"]}
    assert conversations(workspace, "U0BEN") == {"general": ["For all", "For Ben"], "secret": []}


def test_a_snapshot_is_the_json_the_page_expects(workspace: Workspace) -> None:
    direct = workspace.direct_message("U0ANA").conversation_id
    ts = workspace.post(direct, sender="U0SURVEYBOT", text="Hello").ts
    workspace.edit(direct, ts, text="Hello again", blocks=[SECTION | {"block_id": "b"}])
    snapshot = json.loads(json.dumps(workspace.snapshot("U0ANA")))
    assert snapshot["team"] == {"id": "T0ACME", "name": "Acme"}
    ana = {"id": "U0ANA", "name": "Ana", "email": "Ana.Diaz@Acme.Example", "kind": "member", "tz": "Europe/Madrid"}
    assert snapshot["me"] == ana
    assert ana in snapshot["users"]
    assert snapshot["home"] is None
    shown = {"ts": ts, "from": "bot", "text": "Hello again", "blocks": [SECTION | {"block_id": "b"}], "ephemeral": False, "edited": True}
    about = {"is_private": True, "is_archived": False, "is_restricted": False, "has_bot": True}
    assert snapshot["conversations"][-1] == {"id": direct, "kind": "dm", "name": "surveybot", "messages": [shown], **about}


async def test_waiting_ends_with_the_next_change_and_not_before(workspace: Workspace) -> None:
    seen = workspace.version
    waiting = asyncio.create_task(workspace.wait_for_change(seen))
    await asyncio.sleep(0)
    assert not waiting.done()
    workspace.post("C0GENERAL", sender="U0BEN", text="News")
    assert await waiting == workspace.version > seen
    assert await workspace.wait_for_change(seen) == workspace.version


def test_adding_a_known_user_changes_them(workspace: Workspace) -> None:
    workspace.add_user("U0BEN", "Ben", kind=UserKind.DEACTIVATED)
    assert [user["kind"] for user in workspace.snapshot("U0ANA")["users"] if user["id"] == "U0BEN"] == ["deactivated"]


def test_timestamps_follow_the_clock_and_never_repeat(workspace: Workspace, clock: Any) -> None:
    now = [workspace.new_ts(), workspace.new_ts()]
    clock.advance(timedelta(hours=1))
    assert [*now, workspace.new_ts()] == ["1795424400.000000", "1795424400.000001", "1795428000.000000"]
