"""Examples of pages about whom a survey reached, for the gallery."""

from __future__ import annotations

from collections.abc import Mapping

from bot import small_groups
from bot.coverage import Reach
from bot.page import Page
from bot.pages.coverage import coverage_page, file_elsewhere, file_offered, file_ready
from bot.pages.reader import Reader

_FILE = "https://surveybot.acme.example/coverage/AmsxZ2FsbGVyeQ.csv"


def coverage_pages(reader: Reader, hostile: str) -> Mapping[str, Page]:
    """Name -> page."""
    numbers = (312, 18, 41, 12, 7, 5, 6, 3)
    told = [reach for reach in Reach if reach is not Reach.OTHERS]
    covered = small_groups.divide(420, dict(zip(told, numbers, strict=True)), 5)
    too_few = small_groups.divide(4, {}, 5)
    return {
        "coverage": coverage_page("SV_1", "Employee engagement 2026", covered, reader, file_offered("SV_1", reader)),
        "coverage-with-its-file": coverage_page("SV_1", "Employee engagement 2026", covered, reader, file_ready(_FILE, reader)),
        "coverage-in-a-channel": coverage_page("SV_1", hostile, covered, reader, file_elsewhere(reader)),
        "coverage-of-too-few": coverage_page("SV_1", "Team pulse", too_few, reader, ()),
    }
