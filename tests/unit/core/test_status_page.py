"""What a brand's administrators read about the synchronisation."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.gallery import gallery
from bot.pace import Backlog
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
    assert "Acme HR · baseline done: 42 surveys, open invitations: about 120" in said
    assert "took 1 min 12 s; 138 surveys and distributions seen, 115 or more rows changed, fewer than 5 skipped; 130 or more calls." in said
    assert "Waiting to be sent: 10,000 or more messages, about 44 minutes." in said
    assert "Due " in said
    assert "Missing" not in said


def test_everything_that_is_wrong_is_said_in_words() -> None:
    said = words(gallery()["synchronisation-status-in-trouble"])
    for sentence in (
        "Paused: nothing is read",
        "Qualtrics has refused the credentials since",
        "would close 1 survey and delete 1 distribution.",
        "Held back. Unavailable: GET",
        "Missing: 15 or more rows in 2 distributions.",
        "10 or more surveys wait for a refresh.",
    ):
        assert sentence in said


def test_what_a_few_people_do_moves_nothing_on_the_page() -> None:
    """Each answer is a hint, a changed row, a call, and a person's rows are read."""

    def drawn(people: int) -> Page:
        run = Run(integration_id="main", kind="full", started_at=NOW, finished_at=NOW, invitations=people, changed=people, calls=people)
        job = JobStatus(kind=Kind.FULL, state=JobState.OK, last=run, success=run, next_run=None)
        it = replace(integration(1, (job,)), gaps=Gaps(distributions=1, rows=people), hints=people)
        return status_page([it], {}, [Backlog(workspace_id="T1", messages=people, takes=timedelta())] * (people > 0), 1, READER)

    assert drawn(0) == drawn(4) != drawn(5)


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
    assert "Nightly sweep: Never run. Due after the first full one." in plain_text(status_page([integration(1, (job,))], {}, (), 1, READER))


@pytest.mark.parametrize("state", list(JobState))
def test_every_state_has_words(state: JobState) -> None:
    run = Run(integration_id="main", kind="full", started_at=NOW, outcome=Outcome.FAILED, error="It broke.")
    page = status_page(
        [integration(1, (JobStatus(kind=Kind.FULL, state=state, last=run, success=None, next_run=None),))], {}, (), 1, READER
    )
    (line,) = [line for line in plain_text(page).splitlines() if line.startswith("Full: ")]
    assert line.split(".")[0] not in {"Full: ", f"Full: {state}"}
    assert ("It broke." in line) is (state in {JobState.FAILED, JobState.PARTIAL, JobState.VETOED, JobState.MISFIRED})
