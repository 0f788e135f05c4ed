"""The doctor says where buttons lead, and why there."""

from __future__ import annotations

import pytest

from adapters.doctor.buttons import seen
from adapters.doctor.check import Level
from adapters.settings import Links
from tests.unit.core.examples import an_integration


@pytest.mark.parametrize(
    ("settings", "brand_host", "level", "text"),
    [
        ({}, None, Level.OK, "buttons lead to acme.qualtrics.com, until a full synchronisation reads the address of the brand"),
        ({}, "acme.yul1.qualtrics.com", Level.OK, "buttons lead to acme.yul1.qualtrics.com, which Qualtrics names as the brand's"),
        ({}, "acme.qualtrics.com", Level.OK, "buttons lead to acme.qualtrics.com, which Qualtrics names"),
        (
            {"hosts": "b.example"},
            "surveys.acme.example",
            Level.WARN,
            (
                "buttons lead to acme.qualtrics.com: Qualtrics names surveys.acme.example instead, which is not below qualtrics.com; "
                "if that is yours, set SURVEYBOT_LINKS__HOSTS=b.example,surveys.acme.example"
            ),
        ),
        ({"hosts": "Surveys.Acme.example"}, "surveys.acme.example", Level.OK, "buttons lead to surveys.acme.example, which Qualtrics"),
        (
            dict.fromkeys(("results", "distributions", "builder"), "https://fixed.example/{survey}"),
            "surveys.acme.example",
            Level.OK,
            "buttons lead where SURVEYBOT_LINKS__... says",
        ),
    ],
)
def test_it_names_the_host_and_how_another_one_is_allowed(
    settings: dict[str, str], brand_host: str | None, level: Level, text: str
) -> None:
    check = seen(Links(**settings).templates(), an_integration(brand_id="acme", brand_host=brand_host))
    assert (check.name, check.level) == ("main, buttons", level)
    assert check.text.startswith(text)
