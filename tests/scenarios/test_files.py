"""An administrator takes a survey's coverage along, all the way from the command to the browser."""

from __future__ import annotations

import httpx
import pytest

from tests.scenarios.conftest import House, button

ADMIN = "brigitte.admin@example.com"

#: As in test_asking.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


async def test_the_coverage_of_a_survey_is_fetched_as_a_file(house: House) -> None:
    survey_id = house.send(*(f"person{number:03d}@example.com" for number in range(30)), name="=Town hall")
    await house.look()
    here = house.dm(ADMIN)
    before = len(house.seen(ADMIN))
    await house.inside.sender.command(house.user(ADMIN), here, "/survey-stats", f"results {survey_id}")
    await house.until(lambda: len(house.seen(ADMIN)) > before)
    await house.press(ADMIN, house.seen(ADMIN)[-1], "Coverage", here)
    await house.until(lambda: house.seen(ADMIN)[-1].text.startswith("Coverage"))
    await house.press(ADMIN, house.seen(ADMIN)[-1], "As a file (CSV)", here)
    await house.until(lambda: "ten minutes" in house.seen(ADMIN)[-1].text)
    async with httpx.AsyncClient() as browser:
        got = await browser.get(button(house.seen(ADMIN)[-1].blocks, "Open the file (CSV)")["url"])
    assert '"\'=Town hall","All","25","25 or more"' in got.text.splitlines()
