"""A page says what to show. It knows neither Slack nor Teams; `cards/` turns it into their JSON.

Strings in a page are plain text exactly as a person shall read them: nothing is escaped here (that is `cards/markup.py`'s).
"""

from __future__ import annotations

import math
import re
import string
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from urllib.parse import urlsplit

from bot.model import PersonalLink


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """A verb and small data: what a slash command parses to and a button carries.

    Data holds ids only, and is never trusted: whoever handles it looks the id up and checks that *this* person may see it.
    """

    verb: str
    data: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant (aware, UTC), shown in the reader's time zone."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Strong:
    """Emphasised text."""

    text: str


Inline = str | Moment | Strong
#: A sentence with instants and emphasis in it.
Phrase = tuple[Inline, ...]


def phrase(template: str, /, **values: Inline) -> Phrase:
    """Fill `{name}` fields of a (translated) template: `phrase("Closes {when}", when=Moment(t))`.

    Raises KeyError for a field without a value: a broken translation shows in its test, not to a reader.
    """
    parts: list[Inline] = []
    for literal, name, _, _ in string.Formatter().parse(template):
        if literal:
            parts.append(literal)
        if name is not None:
            parts.append(values[name])
    return tuple(parts)


class Tone(StrEnum):
    INFO = "info"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph."""

    phrase: Phrase


@dataclass(frozen=True, slots=True)
class Note:
    """Small print: what the reader should know but need not act on."""

    phrase: Phrase


@dataclass(frozen=True, slots=True)
class Notice:
    """A sentence that must not be overlooked. Its tone is also said in words, never by colour alone."""

    tone: Tone
    phrase: Phrase


@dataclass(frozen=True, slots=True)
class Facts:
    """Names and their values, in order."""

    facts: tuple[tuple[str, Phrase], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    label: str
    action: Action
    is_primary: bool = False
    #: What a screen reader says instead of the label, where the label alone does not name its object.
    spoken: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One row of a list: what it is, a line about it, and the way to it."""

    title: str
    detail: Phrase
    button: Button


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A button that opens a page elsewhere, which asks its visitors who they are. What opens by itself is a `Respond`."""

    label: str
    #: https, with a host that whoever made it vouches for (bot/deep_links.py).
    url: str
    #: As a `Button`'s.
    spoken: str | None = None

    def __post_init__(self) -> None:
        """Refuse what leads nowhere safe, or looks like somebody's personal link: raises ValueError, which does not repeat it."""
        parts = urlsplit(self.url)
        is_private = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
        is_personal = parts.path.startswith("/jfe") or "Q_DL" in self.url
        if not (is_private and parts.hostname) or "@" in parts.netloc or is_personal or not _PRINTABLE.fullmatch(self.url):
            raise ValueError("a link leads to an https:// address of a page that asks who its visitor is")


#: This machine, for the simulated Qualtrics.
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_PRINTABLE = re.compile("[!-~]+")


@dataclass(frozen=True, slots=True)
class Buttons:
    """A row of buttons. Never empty."""

    buttons: tuple[Button | Link, ...]


@dataclass(frozen=True, slots=True)
class Divider:
    """A line between two parts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Respond:
    """The button that opens a person's own link in Qualtrics. Only a `PrivatePage` can hold it."""

    label: str
    link: PersonalLink


class ChartKind(StrEnum):
    LINE = "line"
    BAR = "bar"
    AREA = "area"
    PIE = "pie"


@dataclass(frozen=True, slots=True)
class Series:
    """Numbers that belong together, one for each label of their chart."""

    name: str
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Numbers as a picture. Every renderer says them in words as well, and alone where it cannot draw them."""

    kind: ChartKind
    title: str
    #: What stands below the columns or points, or beside the slices.
    labels: tuple[str, ...]
    #: A pie has one.
    series: tuple[Series, ...]
    x_title: str | None = None
    y_title: str | None = None

    def __post_init__(self) -> None:
        """Refuse what is no chart: raises ValueError."""
        if any(len(each.values) != len(self.labels) or not all(map(math.isfinite, each.values)) for each in self.series):
            raise ValueError("a series has one number for each label")
        if self.kind is ChartKind.PIE and len(self.series) != 1:
            raise ValueError("a pie shows one series")


Element = Text | Note | Notice | Facts | Entry | Chart | Buttons | Divider
PrivateElement = Element | Respond


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """A line to type into."""

    #: The key of what was typed in the data of the form's action.
    name: str
    label: str
    hint: str | None = None
    #: In characters.
    longest: int = 100


@dataclass(frozen=True, slots=True)
class Option:
    #: An id, which comes back when it is chosen.
    value: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Select:
    """One choice of several."""

    name: str
    label: str
    options: tuple[Option, ...]
    #: The value that is chosen at first.
    chosen: str | None = None
    hint: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkboxes:
    """Any number of choices, none too. They come back joined by spaces."""

    name: str
    label: str
    options: tuple[Option, ...]
    chosen: tuple[str, ...] = ()
    hint: str | None = None


Field = Input | Select | Checkboxes


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What may be shown wherever its reader is: it cannot hold a personal link."""

    title: str
    elements: tuple[Element, ...]
    #: The reader's IANA time zone, for texts that cannot convert instants by themselves.
    zone: str = "UTC"
    #: Draws it as things are then, for a chat that asks for that whenever the reader looks.
    again: Action | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivatePage:
    """What only `owner` may see, in a direct message, a Home view or a personal chat: it may hold their personal link."""

    #: `people.person_id` of the one reader.
    owner: int
    title: str
    elements: tuple[PrivateElement, ...]
    zone: str = "UTC"
    #: As above.
    again: Action | None = None

    def __post_init__(self) -> None:
        """Refuse a link of somebody else: raises ValueError."""
        if any(isinstance(e, Respond) and e.link.owner != self.owner for e in self.elements):
            raise ValueError("a private page may hold the links of its owner alone")


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """Asks for something. Whoever submits it presses a button: its action, whose data hold what the fields say beside their own."""

    title: str
    elements: tuple[Element | Field, ...]
    #: What the button says.
    submit: str
    action: Action
    zone: str = "UTC"


#: All that a person may get to see.
AnyPage = Page | PrivatePage | Form
