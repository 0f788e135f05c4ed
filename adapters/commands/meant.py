"""Which integrations a command is meant for."""

from __future__ import annotations

from collections.abc import Sequence

from adapters.core import Core
from bot.errors import UserError
from bot.model import Integration


async def meant(core: Core, integration_id: str | None) -> Sequence[Integration]:
    """All of them, or the one with this id. Raises UserError where there is none."""
    known = await core.store.read(lambda uow: uow.integrations.all())
    found = [it for it in known if integration_id in {None, it.integration_id}]
    if not found:
        names = ", ".join(it.integration_id for it in known) or "none; `surveybot integration add` adds one"
        raise UserError(f"There is no integration {integration_id or ''}: there is {names}.")
    return found
