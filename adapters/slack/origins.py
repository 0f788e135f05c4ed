"""Where a window was opened: Slack does not tell it again, so the window carries it, sealed for the person whom Slack had told of there."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.errors import Malformed
from bot.messages import Conversation
from store.encryption import Keyring

_NAME = "in"


@dataclass(frozen=True, slots=True)
class Origins:
    keyring: Keyring = field(repr=False)

    def seal(self, conversation: Conversation | None, user_id: str) -> Mapping[str, str]:
        """Return what a window's private data are to hold beside its own; nothing where no channel is to be carried."""
        if conversation is None:
            return {}
        sealed = self.keyring.encrypt(conversation.channel_id, _identity(conversation.workspace_id, user_id))
        return {_NAME: base64.b64encode(sealed).decode()}

    def open(self, data: Mapping[str, str], workspace_id: str, user_id: str) -> Conversation | None:
        """Return where somebody was when the window was opened for them. None: nowhere, or these data are not theirs."""
        try:
            sealed = base64.b64decode(data.get(_NAME, ""), validate=True)
            channel_id = self.keyring.decrypt(sealed, _identity(workspace_id, user_id))
        except (Malformed, binascii.Error):
            return None
        return Conversation(workspace_id=workspace_id, channel_id=channel_id)


def without(data: Mapping[str, str]) -> Mapping[str, str]:
    return {name: value for name, value in data.items() if name != _NAME}


def _identity(workspace_id: str, user_id: str) -> str:
    return f"slack window:{workspace_id}:{user_id}"
