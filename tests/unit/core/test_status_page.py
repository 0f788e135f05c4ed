"""What a brand's administrators read about the synchronisation."""

from __future__ import annotations

import pytest

from bot.gallery import gallery
from bot.page import Button, Buttons, Page
from bot.pages.reader import Reader
from bot.pages.status import PAGE_SIZE, status_page
from bot.ports.records import Gaps, Outcome, Run
from bot.syncing.look import Kind
from bot.syncing.status import IntegrationStatus, JobState, JobStatus
from cards import limits, slack
from cards.plain import plain_text
from tests.unit.core.examples import NOW, an_integration
from tests.unit.core.test_pages import words

READER = Reader(locale="en", zone="Europe/Berlin")


def integration(number: int, jobs: tuple[JobStatus, ...] = ()) -> IntegrationStatus:
    return IntegrationStatus(
        integration=an_integration(f"group-{number}"), jobs=jobs, closures=(), gaps=Gaps(distributions=0, rows=0), hints=0
    )


def labels(page: Page) -> list[tuple[str, str]]:
    found: list[Button] = [
        button for element in page.elements if isinstance(element, Buttons) for button in element.buttons if isinstance(button, Button)
    ]
    return [(button.label, button.action.data["page"]) for button in found]


def test_a_healthy_integration_tells_its_numbers_and_warns_of_nothing() -> None:
    said = words(gallery()["synchronisation-status"])
    assert "Acme HR · baseline done: 42 surveys, fewer than 5 open invitations" in said
    assert "took 1 min 12 s; 12,172 rows seen, 115 or more changed, 1 skipped; 131 calls." in said
    assert "Waiting to be sent: 10,000 or more messages, about 44 minutes." in said
    assert "Next: " in said
    assert "Missing" not in said


def test_everything_that_is_wrong_is_said_in_words() -> None:
    said = words(gallery()["synchronisation-status-in-trouble"])
    for sentence in (
        "Paused: nothing is read",
        "Qualtrics has refused the credentials since",
        "would close 1 survey and delete 1 distribution.",
        "Held back. Unavailable: GET",
        "Missing: 17 rows in 2 distributions.",
        "3 surveys wait for a refresh.",
    ):
        assert sentence in said


def test_the_worst_page_fits_into_one_message() -> None:
    page = gallery()["synchronisation-status-in-trouble"]
    assert len(slack.message(page)["blocks"]) < limits.MESSAGE_BLOCKS
    assert slack.message(page)["blocks"][-1]["type"] == "actions"


@pytest.mark.parametrize(("asked", "shown"), [(-1, 1), (1, 1), (2, 2), (99, 3)])
def test_pages_can_be_turned_and_drawn_again(asked: int, shown: int) -> None:
    page = status_page([integration(number) for number in range(2 * PAGE_SIZE + 1)], {}, (), asked, READER)
    turns = [("Refresh", shown), *[("Previous page", shown - 1)] * (shown > 1), *[("Next page", shown + 1)] * (shown < 3)]
    assert labels(page) == [(label, str(to)) for label, to in turns]


def test_what_waits_for_the_first_full_one_says_so() -> None:
    job = JobStatus(kind=Kind.SWEEP, state=JobState.NEVER, last=None, success=None, next_run=None, awaits_baseline=True)
    assert "Nightly sweep: Never run. Next: after the first full one." in plain_text(
        status_page([integration(1, (job,))], {}, (), 1, READER)
    )


@pytest.mark.parametrize("state", list(JobState))
def test_every_state_has_words(state: JobState) -> None:
    run = Run(integration_id="main", kind="full", started_at=NOW, outcome=Outcome.FAILED, error="It broke.")
    page = status_page(
        [integration(1, (JobStatus(kind=Kind.FULL, state=state, last=run, success=None, next_run=None),))], {}, (), 1, READER
    )
    (line,) = [line for line in plain_text(page).splitlines() if line.startswith("Full: ")]
    assert line.split(".")[0] not in {"Full: ", f"Full: {state}"}
    assert ("It broke." in line) is (state in {JobState.FAILED, JobState.PARTIAL, JobState.VETOED, JobState.MISFIRED})
