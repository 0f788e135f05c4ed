"""How the simulated Slack applies an answer to a command or press, given in the acknowledgement or at the `response_url`.

https://docs.slack.dev/interactivity/handling-user-interaction
"""

from __future__ import annotations

from adapters.sandbox.slack.methods import MethodError, content
from adapters.sandbox.slack.workspace import Json, ResponseUrl, Workspace


def spend(workspace: Workspace, token: str) -> ResponseUrl:
    """Use a response URL once. Raises MethodError after five uses or 30 minutes."""
    right = workspace.response_urls.get(token)
    if right is None or workspace.clock() > right.expires_at:
        raise MethodError("expired_url")
    if right.uses_left == 0:
        raise MethodError("used_url")
    right.uses_left -= 1
    return right


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
