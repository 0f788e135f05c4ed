"""How the simulated Slack applies an answer to a command or press, given in the acknowledgement or at the `response_url`.

https://docs.slack.dev/interactivity/handling-user-interaction
"""

from __future__ import annotations

from adapters.sandbox.slack.errors import MethodError
from adapters.sandbox.slack.platform import Platform
from adapters.sandbox.slack.records import Json, ResponseUrl
from adapters.sandbox.slack.web_api.content import content
from adapters.sandbox.slack.workspace import Workspace


def spend(platform: Platform, token: str) -> tuple[Workspace, ResponseUrl]:
    """Use a response URL once. Raises MethodError after five uses or 30 minutes."""
    workspace = next((one for one in platform.workspaces.values() if token in one.response_urls), None)
    if workspace is None or platform.clock() > workspace.response_urls[token].expires_at:
        raise MethodError("expired_url")
    right = workspace.response_urls[token]
    if right.uses_left == 0:
        raise MethodError("used_url")
    right.uses_left -= 1
    return workspace, right


def reply(workspace: Workspace, right: ResponseUrl, payload: Json) -> None:
    """Post, replace or delete as the payload says; only its reader sees a reply that does not say `in_channel`.

    Raises MethodError when the message is refused.
    """
    messages = workspace.conversations[right.conversation_id].messages
    original = right.ts if right.ts in messages else None
    if payload.get("delete_original"):
        if original is not None:
            workspace.delete(right.conversation_id, original)
        return
    text, blocks = content(workspace, "response_url", payload)
    if payload.get("replace_original") and original is not None:
        workspace.edit(right.conversation_id, original, text=text, blocks=blocks)
        return
    only_for = None if payload.get("response_type") == "in_channel" else right.user_id
    workspace.post(right.conversation_id, sender=workspace.bot_user_id, text=text, blocks=blocks, only_for=only_for)
