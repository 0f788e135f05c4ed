"""`surveybot doctor`: one line a check, each with its fix."""

from __future__ import annotations

import asyncio

import typer
from rich.console import Console

from adapters import logs
from adapters.doctor.check import Level
from adapters.doctor.report import report
from adapters.settings import Settings

_out = Console(highlight=False)


def doctor() -> None:
    """Check database, Qualtrics, permissions, synchronisation, Slack and messages; one line each, exit code 1 when one says FAIL."""
    settings = Settings.load()
    logs.configure("ERROR")
    checks = asyncio.run(report(settings))
    for check in checks:
        _out.print(str(check), markup=False, soft_wrap=True)
    if any(check.level is Level.FAIL for check in checks):
        raise typer.Exit(1)
