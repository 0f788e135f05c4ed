"""One thing Slack would refuse in a payload, and where it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["message", "home", "modal"]


@dataclass(frozen=True, slots=True)
class Problem:
    #: JSON pointer (RFC 6901) into the payload, such as `/blocks/0/text`; "" is the payload itself.
    pointer: str
    #: A sentence that quotes nothing of the payload: there may be personal links in it.
    message: str
    #: The kind of constraint that is broken, such as `maxLength`, and what it expects; "" where there is no single one.
    constraint: str = ""
    expected: tuple[str, ...] = ()
