"""One line of the doctor's report."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    OK = "ok"
    #: The work is done, but not as well as it could be, or not of everything.
    WARN = "warn"
    #: Somebody has to do something.
    FAIL = "FAIL"


#: What an examination brings: how bad it is, and a sentence with its fix.
Finding = tuple[Level, str]


@dataclass(frozen=True, slots=True)
class Check:
    name: str
    level: Level
    text: str

    def __str__(self) -> str:
        return f"{self.level:<4}  {self.name}: {self.text}"
