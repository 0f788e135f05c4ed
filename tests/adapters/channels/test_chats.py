"""Every workspace is written to by its own chat, and nobody by the other one's."""

from __future__ import annotations

import pytest

from adapters.chats import Chats
from bot.errors import Gone, Unauthorized
from bot.messages import Conversation, Member, MemberKind, Platform, Reach
from bot.page import Page
from tests.contract.core.conftest import RecordingChannel

TENANT = "0a000000-0000-0000-0000-000000000000"
PAGE = Page(title="News", elements=())


async def test_a_platform_that_was_taken_out_is_gone_and_its_conversations_wait() -> None:
    """A conversation is not taken for archived because the bot is not connected with its platform for a while."""
    slack = RecordingChannel()
    chats = Chats({Platform.SLACK: slack}, Reach())
    for workspace_id in ("T1", "E1"):
        await chats.post(Conversation(workspace_id=workspace_id, channel_id="C1"), PAGE, "key")
    with pytest.raises(Unauthorized):
        await chats.post(Conversation(workspace_id=TENANT, channel_id="19:general"), PAGE, "key")
    with pytest.raises(Gone):
        await chats.send(Member(workspace_id=TENANT, user_id="ana", kind=MemberKind.MEMBER, email="ana@acme.example"), PAGE)
    assert (len(slack.posted), slack.sent) == (2, [])
