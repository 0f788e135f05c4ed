"""Examples of pages about the people of a survey, for the gallery."""

from __future__ import annotations

from collections.abc import Mapping

from bot import small_groups
from bot.coverage import Reached
from bot.model import Survey
from bot.page import Page
from bot.pages.coverage import coverage_page, file_elsewhere, file_offered, file_ready
from bot.pages.paging import Where
from bot.pages.reader import Reader
from bot.pages.standings import Named, no_people, people_page
from bot.standings import Standing

_FILE = "https://surveybot.acme.example/coverage/AmsxZ2FsbGVyeQ.csv"


def coverage_pages(reader: Reader, hostile: str) -> Mapping[str, Page]:
    """Name -> page."""
    numbers = (312, 18, 41, 12, 7, 5, 6, 3)
    told = [reach for reach in Reached if reach is not Reached.OTHERS]
    covered = small_groups.divide(420, dict(zip(told, numbers, strict=True)), 5)
    people = [f"person{number}@acme.example" for number in range(1, 21)]
    named = Named(standing=Standing.NOT_BEGUN, people=people, where=Where(2, 4), offered=(Standing.ANSWERED, Standing.NOT_BEGUN))
    too_few = small_groups.divide(4, {}, 5)
    return {
        "coverage": coverage_page(_survey("Employee engagement 2026"), covered, reader, file_offered("SV_1", reader)),
        "coverage-with-its-file": coverage_page(_survey("Employee engagement 2026"), covered, reader, file_ready(_FILE, reader)),
        "coverage-in-a-channel": coverage_page(_survey(hostile), covered, reader, file_elsewhere(reader)),
        "people-by-status": people_page(_survey("Employee engagement 2026"), named, reader),
        "people-by-status-in-a-channel": no_people(_survey(hostile), reader, is_shared=True),
        "people-by-status-not-allowed": no_people(_survey("Team pulse"), reader, is_shared=False),
        "coverage-of-too-few": coverage_page(_survey("Team pulse"), too_few, reader, ()),
    }


def _survey(name: str) -> Survey:
    return Survey(survey_id="SV_1", name=name, owner_id="UR_1", is_active=True, last_modified=None)
