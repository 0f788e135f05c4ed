"""Numbers that may be taken along as a file: who asked for them, of what, and until when the way to them is open."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot import authority
from bot.coverage import of_survey, rows
from bot.pages.coverage import reach_words
from bot.pages.numbers import people
from bot.pages.reader import Reader
from bot.ports import UnitOfWork

#: How long a link to a file works. Whoever has the link may open it, so it is short.
OPEN_FOR = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """A file that somebody may fetch."""

    #: The proven address of whoever asked (bot/authority.py): what they may see is looked up again when they fetch it.
    email: str = field(repr=False)
    survey_id: str
    #: In whose language it is written.
    locale: str
    until: datetime


#: Makes the address at which an export can be fetched.
Links = Callable[[Export], str]
Cells = Sequence[Sequence[str]]


def table(uow: UnitOfWork, export: Export, now: datetime) -> Cells | None:
    """The coverage of a survey as rows of cells, the same numbers as on its page. None: it is not theirs (any more), or too late."""
    integration_id = authority.may_see(uow, export.email, export.survey_id)
    if now >= export.until or integration_id is None or not _is_still_here(uow, export.email):
        return None
    survey = uow.surveys.get([export.survey_id])[export.survey_id]
    covered = of_survey(uow, integration_id, export.survey_id, now)
    reader = Reader(export.locale, "UTC")
    say, words = reader.say, reach_words(reader)
    everybody = ((say("All"), covered.whole), *((words[reach], shown) for reach, shown in rows(covered)))
    return [
        (say("Survey"), say("Recipients"), say("People"), say("In words")),
        *((survey.name, who, "" if shown.is_hidden else str(shown.number), people(shown, reader)) for who, shown in everybody),
    ]


def _is_still_here(uow: UnitOfWork, email: str) -> bool:
    """Whether an account that may be shown numbers has this address now."""
    return any(authority.proven_address(member) == email for member in uow.members.by_email(email))
