"""An administrator takes a survey's coverage along, all the way from the words to the browser."""

from __future__ import annotations

import httpx

from tests.scenarios.house import ADMIN, House


async def test_the_coverage_of_a_survey_is_fetched_as_a_file(house: House) -> None:
    survey_id = house.send(*(f"person{number:03d}@example.com" for number in range(30)), name="=Town hall")
    await house.look()
    results = await house.ask(ADMIN, f"results {survey_id}")
    coverage = await house.press(ADMIN, results, "Coverage")
    assert coverage.title.startswith("Coverage")
    offered = await house.press(ADMIN, coverage, "As a file (CSV)")
    assert "ten minutes" in offered.text
    async with httpx.AsyncClient() as browser:
        got = await browser.get(offered.button("Open the file (CSV)")["url"])
    assert '"\'=Town hall","All","25","25 or more"' in got.text.splitlines()
