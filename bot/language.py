"""The reader's language: message catalogues by chat locale. English is the source text, so an unknown locale reads English."""

from __future__ import annotations

import gettext
from functools import lru_cache
from pathlib import Path

_CATALOGUES = Path(__file__).parent / "locale"


@lru_cache(maxsize=64)
def words(locale: str) -> gettext.NullTranslations:
    """Return the catalogue for a chat locale such as `de-DE` or `pt_BR`: the exact one, else the language's, else English."""
    exact = locale.replace("-", "_")
    return gettext.translation("surveybot", _CATALOGUES, languages=[exact, exact.split("_")[0]], fallback=True)
