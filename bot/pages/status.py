"""The page on which a brand's administrators see how the synchronisation stands (FEATURES B10)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

from bot.model import SMALLEST_GROUP
from bot.pace import Backlog
from bot.page import (
    Action,
    Button,
    Buttons,
    Divider,
    Element,
    Facts,
    Inline,
    Moment,
    Note,
    Notice,
    Page,
    Phrase,
    Strong,
    Text,
    Tone,
    phrase,
)
from bot.pages.numbers import at_least, people
from bot.pages.paging import Where, on_page
from bot.pages.reader import Reader
from bot.syncing.look import Kind
from bot.syncing.status import Baseline, IntegrationStatus, JobState, JobStatus

#: Integrations on one page: with all notices, so many fit into one message (reference slack.md 2).
PAGE_SIZE = 5
#: Errors and reasons are sentences of ours, but of any length.
_REASON = 200
#: Beyond that, hours.
_MINUTES_TOLD = 120


def status_page(
    found: Sequence[IntegrationStatus], baselines: Mapping[str, Baseline], backlog: Sequence[Backlog], page: int, reader: Reader
) -> Page:
    """`found` is not empty. Pages count from 1; a number that is none shows a page that exists.

    What moves with every answer is rounded, or left out: whoever watched it would see people answer (bot/small_groups.py). Operators, who
    hold the database, find the exact numbers on the command line.
    """
    shown, where = on_page(found, page, PAGE_SIZE)
    elements: list[Element] = []
    for it in shown:
        elements += [*_integration(it, baselines.get(it.integration.integration_id), reader), Divider()]
    elements += [Note((backlog_words(backlog, reader, SMALLEST_GROUP),)), _buttons(where, reader)]
    return Page(title=reader.say("Synchronisation status"), elements=tuple(elements), zone=reader.zone)


def backlog_words(backlog: Sequence[Backlog], reader: Reader, k: int | None = None) -> str:
    """Say how many messages wait, and how long they take: workspaces are served side by side.

    With k their number is rounded, and of fewer it is not said that there are any.
    """
    number = sum(it.messages for it in backlog)
    if k is not None and number < k:
        return reader.say("Waiting to be sent: fewer than {number} messages.").format(number=k)
    if not number:
        return reader.say("No message waits to be sent.")
    messages = reader.count("{number} message", "{number} messages", number)
    if k is not None:
        messages = reader.say("{number} messages").format(number=at_least(number, k, reader))
    time = _about(max(it.takes for it in backlog), reader)
    return reader.say("Waiting to be sent: {messages}, {time}.").format(messages=messages, time=time)


def _about(span: timedelta, reader: Reader) -> str:
    minutes = round(span.total_seconds() / 60)
    if minutes < 1:
        return reader.say("less than a minute")
    if minutes < _MINUTES_TOLD:
        return reader.count("about {number} minute", "about {number} minutes", minutes)
    return reader.count("about {number} hour", "about {number} hours", round(minutes / 60))


def _integration(it: IntegrationStatus, baseline: Baseline | None, reader: Reader) -> Iterator[Element]:
    yield Text((Strong(it.integration.name), " · ", _baseline(baseline, reader)))
    yield from (Notice(Tone.WARNING, text) for text in _warnings(it, reader))
    yield Facts(tuple((_kind(job.kind, reader), _job(job, it.integration.group_size, reader)) for job in it.jobs))
    if notes := " ".join(_notes(it, reader)):
        yield Note((notes,))


def _baseline(baseline: Baseline | None, reader: Reader) -> str:
    if baseline is None:
        return reader.say("no baseline yet: nobody is told anything before the first full synchronisation has succeeded")
    surveys = reader.count("{number} survey", "{number} surveys", baseline.surveys)
    waiting = people(baseline.open_invitations, reader)
    return reader.say("baseline done: {surveys}, open invitations: {number}").format(surveys=surveys, number=waiting)


def _warnings(it: IntegrationStatus, reader: Reader) -> Iterator[Phrase]:
    say = reader.say
    if it.integration.is_paused:
        yield (say("Paused: nothing is read, and nobody is reminded, until it is resumed."),)
    if it.integration.unauthorized_at:
        yield phrase(say("Qualtrics has refused the credentials since {when}."), when=Moment(it.integration.unauthorized_at))
    if it.closures:
        surveys = sum(closure.distribution_id is None for closure in it.closures)
        yield phrase(
            say("What was read would close {surveys} and delete {distributions}. Nothing of it is applied until somebody decides."),
            surveys=reader.count("{number} survey", "{number} surveys", surveys),
            distributions=reader.count("{number} distribution", "{number} distributions", len(it.closures) - surveys),
        )


def _notes(it: IntegrationStatus, reader: Reader) -> Iterator[str]:
    """A row is a person, and a hint mostly an answer."""
    k = it.integration.group_size
    if it.gaps.rows >= k:
        distributions = reader.count("{number} distribution", "{number} distributions", it.gaps.distributions)
        words = reader.say("Missing: {number} rows in {distributions}.")
        yield words.format(number=at_least(it.gaps.rows, k, reader), distributions=distributions)
    if it.hints >= k:
        yield reader.say("{number} surveys wait for a refresh.").format(number=at_least(it.hints, k, reader))


def _job(job: JobStatus, k: int, reader: Reader) -> Phrase:
    parts: list[Inline] = [f"{_state(job.state, reader)}."]
    if job.state in {JobState.FAILED, JobState.PARTIAL, JobState.VETOED, JobState.MISFIRED} and job.last:
        parts.append(f" {_short(job.last.error or job.last.reason or '')}")
    parts += _success(job, k, reader)
    if job.next_run:
        parts += [" ", *phrase(reader.say("Due {when}."), when=Moment(job.next_run))]
    if job.awaits_baseline:
        parts.append(reader.say(" Due after the first full one."))
    return tuple(parts)


def _success(job: JobStatus, k: int, reader: Reader) -> Phrase:
    run = job.success
    if run is None:
        return ()
    template = reader.say(
        " Last success: {when}, took {time}; {listed} surveys and distributions seen, "
        "{changed} rows changed, {skipped} skipped; {calls} calls."
    )
    numbers = {"changed": run.changed, "skipped": run.skipped, "calls": run.calls}
    words = {name: at_least(number, k, reader) for name, number in numbers.items()} | {
        "listed": reader.number(run.surveys + run.distributions)
    }
    return phrase(template, when=Moment(run.started_at), time=_duration(job.took or timedelta()), **words)


def _kind(kind: Kind, reader: Reader) -> str:
    match kind:
        case Kind.FULL:
            return reader.say("Full")
        case Kind.INCREMENTAL:
            return reader.say("Incremental")
        case Kind.SWEEP:
            return reader.say("Nightly sweep")


def _state(state: JobState, reader: Reader) -> str:
    say = reader.say
    words: Mapping[JobState, str] = {
        JobState.NEVER: say("Never run"),
        JobState.RUNNING: say("Running"),
        JobState.CUT_OFF: say("Cut off, goes on at its next start"),
        JobState.OK: say("In order"),
        JobState.PARTIAL: say("Partly read"),
        JobState.FAILED: say("Failed"),
        JobState.VETOED: say("Held back"),
        JobState.MISFIRED: say("Could not start in time"),
    }
    return words[state]


def _short(text: str) -> str:
    return text if len(text) <= _REASON else f"{text[: _REASON - 1]}…"


def _duration(span: timedelta) -> str:
    minutes, seconds = divmod(round(span.total_seconds()), 60)
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"


def _buttons(where: Where, reader: Reader) -> Buttons:
    say, page, pages = reader.say, where.page, where.pages
    turns = [(page, say("Refresh")), *[(page - 1, say("Previous page"))] * (page > 1), *[(page + 1, say("Next page"))] * (page < pages)]
    return Buttons(tuple(Button(label=label, action=Action(verb="sync.status", data={"page": str(to)})) for to, label in turns))
