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
    #: What they type before a command's name: in Teams nothing, because a slash opens a menu there.
    slash: str = "/"

    @classmethod
    def of(cls, member: Member) -> Reader:
        return cls(member.locale, member.zone, slash_in(member.workspace_id))

    def typed(self, name: str, words: str = "") -> str:
        """How they type a command: its name, and words behind it."""
        return f"{self.slash}{name.removeprefix('/')} {words}".rstrip()

    def asked(self, words: str) -> str:
        """How people of a channel ask for what is the channel's."""
        return f"/survey-stats {words}" if self.slash else f"@Surveybot {words}"

    @property
    def say(self) -> Callable[[str], str]:
        return language.words(self.locale).gettext

    def count(self, one: str, many: str, number: int) -> str:
        return language.words(self.locale).ngettext(one, many, number).format(number=self.number(number))

    def number(self, number: int) -> str:
        """Write a number: "1,200"."""
        return f"{number:,}"


def slash_in(workspace_id: str) -> str:
    is_in_teams = "-" in workspace_id  # an Entra tenant's id; Slack's are letters and digits
    return "" if is_in_teams else "/"
