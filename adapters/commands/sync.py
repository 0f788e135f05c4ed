"""`surveybot sync`: read Qualtrics now, see how reading it stands, and decide about what was held back (FEATURES B5, B9, B10)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.console import Console

from adapters import logs
from adapters.backlog import told, waiting
from adapters.commands.progress import shown
from adapters.commands.table import table
from adapters.core import Core, open_core
from adapters.settings import Settings
from bot.errors import SurveybotError, UserError
from bot.model import Integration
from bot.ports.records import Closure, Outcome, Run
from bot.syncing.closures import closures, name_of
from bot.syncing.status import IntegrationStatus, JobStatus, status
from bot.syncing.sync import Kind

app = typer.Typer()

_Integration = Annotated[str | None, typer.Option(help="The id of one integration, as `surveybot integration list` tells it.")]

_out = Console(highlight=False)
_err = Console(stderr=True, highlight=False)


@app.callback(invoke_without_command=True)
def sync(context: typer.Context, *, integration: _Integration = None) -> None:
    """Read Qualtrics: now, and how it stands. Without a command: a full synchronisation of everything, or of one integration."""
    if context.invoked_subcommand is None:
        run(integration=integration)
    elif integration is not None:
        raise typer.BadParameter(f"--integration goes behind the command: sync {context.invoked_subcommand} --integration {integration}")


@app.command()
def run(
    *,
    integration: _Integration = None,
    full: Annotated[bool, typer.Option("--full", help="Everything; this is the default.")] = False,
    incremental: Annotated[bool, typer.Option("--incremental", help="Only what changed.")] = False,
    sweep: Annotated[bool, typer.Option("--sweep", help="Everything that is open, also where nothing seems to have changed.")] = False,
) -> None:
    """Synchronise all integrations, or one, now. Exit code 1 when one of them failed or was vetoed."""
    if full + incremental + sweep > 1:
        raise typer.BadParameter("choose one of --full, --incremental and --sweep")
    kind = Kind.INCREMENTAL if incremental else Kind.SWEEP if sweep else Kind.FULL
    settings = Settings.load()
    logs.configure(settings.log_level)

    async def work() -> list[str]:
        async with open_core(settings) as core:
            found = await _all(core) if integration is None else [await _one(core, integration)]
            return [text for it in found if (text := await _run(core, it, kind)) is not None]

    if refusals := asyncio.run(work()):
        _err.print("\n".join(refusals), style="red", markup=False, soft_wrap=True)
        raise typer.Exit(1)


@app.command("status")
def status_(*, integration: _Integration = None) -> None:
    """Show how each job of each integration stands. Times are UTC."""

    async def work(core: Core) -> str:
        only = None if integration is None else {(await _one(core, integration)).integration_id}
        found = await core.store.read(lambda uow: status(uow, core.clock(), only, retry=core.jobs.retry))
        if not found:
            raise UserError(_NONE)
        rows = [_row(it, job) for it in found for job in it.jobs]
        backlog = await waiting(core)
        notes = [note for it in found for note in _notes(it)]
        return "\n".join([table(_HEADING, *rows), *notes, *([told(backlog)] if backlog else [])])

    _print(work)


@app.command()
def picture(*, integration: _Integration = None) -> None:
    """Show what a synchronisation that was held back would close or delete."""

    async def work(core: Core) -> str:
        it = await _one(core, integration)
        found = await core.store.read(lambda uow: closures(uow, it.integration_id))
        name = f"--integration {it.integration_id}"
        decide = f"`surveybot sync approve {name} {name_of(found)}` applies it, `surveybot sync drop {name}` forgets it."
        return "\n".join([*map(_line, found), decide]) if found else f"Nothing of {it.integration_id} waits for a decision."

    _print(work)


@app.command()
def approve(
    picture: Annotated[str, typer.Argument(help="As `surveybot sync picture` names it.")], *, integration: _Integration = None
) -> None:
    """Apply what was held back, and synchronise on from there."""

    async def work(core: Core) -> str:
        it = await _one(core, integration)
        done = await core.jobs.approve(it.integration_id, picture)
        return f"{it.integration_id}: {done.outcome}, {done.changed} changed."

    _print(work)


@app.command()
def drop(*, integration: _Integration = None) -> None:
    """Forget what was held back; the next synchronisation looks anew."""

    async def work(core: Core) -> str:
        it = await _one(core, integration)
        dropped = await core.jobs.drop(it.integration_id)
        return f"{it.integration_id}: dropped." if dropped else f"Nothing of {it.integration_id} waits for a decision."

    _print(work)


_NONE = "There is no integration yet; `surveybot integration add` adds one."


def _print(work: Callable[[Core], Coroutine[Any, Any, str]]) -> None:
    settings = Settings.load()
    logs.configure("ERROR")

    async def opened() -> str:
        async with open_core(settings) as core:
            return await work(core)

    typer.echo(asyncio.run(opened()))


async def _run(core: Core, it: Integration, kind: Kind) -> str | None:
    """Run one, print what it brought, and return why it did not do its work, if so: the other integrations follow all the same."""
    try:
        with shown(_err, it.integration_id, core.settings.limits, it.requests_per_minute) as show:
            logs.configure(core.settings.log_level)  # in here, so that log lines go above the bar
            done = await core.jobs.start(it.integration_id, kind, on_progress=show)
    except SurveybotError as error:
        return f"{it.integration_id}: {error}\n`surveybot doctor` says what can be done about it."
    _out.print_json(data=asdict(done), default=str)
    if done.outcome is Outcome.VETOED:
        waits = await core.store.read(lambda uow: closures(uow, it.integration_id))
        hint = f" `surveybot sync picture --integration {it.integration_id}` shows it, and how to apply or forget it."
        return f"{it.integration_id}: not synchronised: {_sentence(done)}{hint if waits else ''}"
    return None


def _sentence(done: Run) -> str:
    reason = done.reason or ""
    return reason if reason.endswith(".") else f"{reason}."


async def _all(core: Core) -> Sequence[Integration]:
    found = await core.store.read(lambda uow: uow.integrations.all())
    if not found:
        raise UserError(_NONE)
    return found


async def _one(core: Core, integration_id: str | None) -> Integration:
    """The one with that id, else the only one there is."""
    found = await _all(core)
    names = ", ".join(it.integration_id for it in found)
    if integration_id is None and len(found) > 1:
        raise UserError(f"Say which one with --integration; there are {names}.")
    chosen = [it for it in found if integration_id in {None, it.integration_id}]
    if not chosen:
        raise UserError(f"There is no integration {integration_id!r}; there are {names}.")
    return chosen[0]


_HEADING = ("INTEGRATION", "JOB", "STATE", "LAST SUCCESS", "TOOK", "SEEN", "CHANGED", "SKIPPED", "CALLS", "NEXT RUN")


def _row(it: IntegrationStatus, job: JobStatus) -> Sequence[str]:
    done = job.success
    counts = ("-",) * 4 if done is None else tuple(map(str, (job.seen, done.changed, done.skipped, done.calls)))
    took = "-" if job.took is None else f"{round(job.took.total_seconds())} s"
    last = None if done is None else done.finished_at
    never = "after the first full" if job.awaits_baseline else "-" if it.integration.is_paused else "by hand"
    return (it.integration.integration_id, job.kind, str(job.state), _at(last), took, *counts, _at(job.next_run, never))


def _at(moment: datetime | None, never: str = "never") -> str:
    return never if moment is None else f"{moment:%Y-%m-%d %H:%M:%S}"


def _notes(it: IntegrationStatus) -> Iterator[str]:
    name, integration = it.integration.integration_id, it.integration
    if integration.is_paused:
        yield f"{name}: paused; `surveybot integration resume {name}` lets it be read again."
    if integration.unauthorized_at is not None:
        yield f"{name}: Qualtrics refuses its credentials since {_at(integration.unauthorized_at)}."
    for job in it.jobs:
        if job.last is not None and (told := job.last.error or (job.last.reason if job.last.outcome in _TELLING else None)):
            yield f"{name}: {job.kind}, {_at(job.last.started_at)}, {job.state}: {told}"
    if it.closures:
        yield f"{name}: held back, it would close or delete {len(it.closures)}; `surveybot sync picture --integration {name}` shows it."
    if it.gaps.rows:
        yield f"{name}: {it.gaps.distributions} histories lack {it.gaps.rows} rows of what was sent."
    if it.hints:
        yield f"{name}: {it.hints} surveys wait to be refreshed."


_TELLING = {Outcome.VETOED, Outcome.MISFIRED}


def _line(closure: Closure) -> str:
    what = "survey" if closure.distribution_id is None else f"distribution {closure.distribution_id} of"
    why = "is not listed any more" if closure.is_missing else "is not active any more"
    return f"{what} {closure.survey_id} {closure.survey_name!r} {why}"
