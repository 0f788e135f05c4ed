"""Who a page is drawn for, and what drawing takes: the types of everything in the tables of bot/actions.py."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.deep_links import DeepLinks
from bot.exports import Links
from bot.messages import Conversation, Reach, Readership, Surface
from bot.pace import Rate
from bot.page import Action, Form, Page, PrivatePage
from bot.pages import Reader
from bot.ports import UnitOfWork


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """The person a view is drawn for. Views look at what is theirs, whatever the action's data says."""

    person_id: int | None
    #: None: they may see only what is there for anybody.
    email: str | None = field(repr=False)
    #: The address by which they may see surveys' numbers (bot/authority.py); None = never, as for guests whom the settings let in.
    proven: str | None = field(repr=False)
    #: Their chat account's id, in the workspace they ask from.
    user_id: str
    reader: Reader
    surface: Surface
    #: Where they asked, of a place that others share; None in a direct message and on the Home tab.
    conversation: Conversation | None = None
    #: Who reads along there; None = it makes no difference, or is found out later.
    readership: Readership | None = None
    #: As `handle` has them.
    reach: Reach
    retry: timedelta
    sends_per_minute: Rate
    links: DeepLinks
    problem_share: float
    files: Links | None = None


View = Callable[[UnitOfWork, Viewer, Mapping[str, str], datetime], Page | PrivatePage]
#: Whom it asks nothing is shown a page.
FormView = Callable[[UnitOfWork, Viewer, Mapping[str, str], datetime], Form | Page]
Command = Callable[[UnitOfWork, Viewer, Mapping[str, str], datetime], Action]


def page_number(data: Mapping[str, str]) -> int:
    """Pages count from 1."""
    number = data.get("page", "1")
    return int(number[:9]) if number.isdecimal() else 1
