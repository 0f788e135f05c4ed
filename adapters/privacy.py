"""A private page is for its owner's eyes: the check before every way out to a chat."""

from __future__ import annotations

from bot.errors import Rejected
from bot.messages import Member
from bot.page import AnyPage, PrivatePage
from bot.ports import Store


async def check_reader(store: Store, reader: Member | None, page: AnyPage) -> None:
    """Raise Rejected when the page is private and not this reader's own; None = it is not known who reads."""
    if isinstance(page, PrivatePage):
        owner = await store.read(lambda uow: uow.people.email(page.owner))
        if owner is None or reader is None or owner != reader.email:
            raise Rejected("a private page goes to its owner alone")
