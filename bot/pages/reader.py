"""For whom a page is drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bot import language
from bot.messages import Member


@dataclass(frozen=True, slots=True)
class Reader:
    """For whom a page is drawn: language and time zone."""

    locale: str
    zone: str

    @classmethod
    def of(cls, member: Member) -> Reader:
        return cls(member.locale, member.zone)

    @property
    def say(self) -> Callable[[str], str]:
        return language.words(self.locale).gettext

    def count(self, one: str, many: str, number: int) -> str:
        return language.words(self.locale).ngettext(one, many, number).format(number=number)
