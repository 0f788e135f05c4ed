"""`surveybot log`: what was asked of Qualtrics lately, for whoever talks to Qualtrics' support (FEATURES A5)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Annotated

import typer
from rich.console import Console

from adapters import logs
from adapters.commands.meant import meant
from adapters.commands.table import table
from adapters.core import open_core
from adapters.request_log import KEPT
from adapters.settings import Settings
from bot.ports.records import RequestLine
from bot.schedule import Every

Line = tuple[str, RequestLine]
_HEADING = ("TIME (UTC)", "INTEGRATION", "REQUEST", "STATUS", "MS", "REQUEST ID")

_out = Console(highlight=False)


def _span(text: str) -> timedelta:
    try:
        every = Every.parse(text)
    except ValueError:
        every = Every()
    if every.span is None or every.weekday is not None:
        raise typer.BadParameter("must be like `90s`, `30min` or `2h`")
    return every.span


def log(
    *,
    integration: Annotated[str | None, typer.Option(help="Only of the integration with this id.")] = None,
    since: Annotated[timedelta, typer.Option(help="How far back: `90s`, `30min`, `2h`; 24 hours are kept.", parser=_span)] = "24h",  # pyright: ignore[reportArgumentType] - Typer parses it
    failed: Annotated[bool, typer.Option("--failed", help="Only requests that were refused or not answered.")] = False,
    limit: Annotated[int, typer.Option(help="At most so many, the newest ones.", min=1)] = 1000,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Show the requests to Qualtrics of the last 24 hours, the newest last: no tokens, no links, no bodies are kept."""
    settings = Settings.load()
    logs.configure("ERROR")

    async def read() -> Sequence[Line]:
        async with open_core(settings) as core:
            if integration is not None:
                await meant(core, integration)
            start = core.clock() - min(since, KEPT)
            return await core.store.read(
                lambda uow: uow.requests.list(since=start, integration_id=integration, failed_only=failed, limit=limit)
            )

    lines = list(reversed(asyncio.run(read())))
    if as_json:
        _out.print_json(data=[{"integration": name, **asdict(line)} for name, line in lines], default=str)
        return
    _out.print(table(_HEADING, *(_row(*line) for line in lines)), markup=False, soft_wrap=True)


def _row(integration: str, line: RequestLine) -> tuple[str, ...]:
    status = "none" if line.status is None else str(line.status)
    request = f"{line.method} {line.path}"
    return (f"{line.at:%Y-%m-%d %H:%M:%S}", integration, request, status, str(line.duration_ms), line.request_id or "-")
