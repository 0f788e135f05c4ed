"""`surveybot slack`: the workspaces and organisations that installed the app."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, TypeVar

import typer

from adapters import logs
from adapters.commands.table import table
from adapters.core import open_core, utc_now
from adapters.settings import Settings
from adapters.slack.scopes import missing
from bot.errors import UserError
from bot.installations import Installation
from bot.ports import UnitOfWork

app = typer.Typer(no_args_is_help=True, help="The workspaces and organisations that installed the Slack app by OAuth.")

T = TypeVar("T")
_HEADING = ("WORKSPACE", "NAME", "SINCE", "TOKEN", "SCOPES MISSING")


@app.command("list")
def list_() -> None:
    """List them, with what their tokens lack. An id with E is that of a whole organisation."""
    now = utc_now()
    rows = _with_store(lambda uow: [_row(uow, it, now) for it in uow.installations.all()])
    typer.echo(table(_HEADING, *rows) if rows else "Nobody has installed the app by OAuth. /slack/install of this bot's address begins it.")


@app.command()
def forget(workspace: Annotated[str, typer.Argument(help="Its id, as `surveybot slack list` tells it.")]) -> None:
    """Delete its tokens and what is known of its people. In Slack the app stays until it is removed there."""
    if not _with_store(lambda uow: uow.installations.forget(workspace)):
        raise UserError(f"Nothing is known of {workspace}. `surveybot slack list` tells the ids.")
    typer.echo(f"{workspace} is forgotten. To end its access for good, remove the app in Slack: Manage apps, Surveybot, Remove.")


def _row(uow: UnitOfWork, it: Installation, now: datetime) -> tuple[str, ...]:
    return it.workspace_id, it.name, f"{it.installed_at:%Y-%m-%d}", _token(uow, it, now), ", ".join(missing(it.scopes)) or "none"


def _token(uow: UnitOfWork, it: Installation, now: datetime) -> str:
    if it.revoked_at is not None:
        return f"removed on {it.revoked_at:%Y-%m-%d}"
    if it.broken_at is not None:
        return f"not renewed since {it.broken_at:%Y-%m-%d %H:%M} UTC: install again"
    tokens = uow.installations.tokens(it.workspace_id)
    if tokens is None or tokens.expires_at is None:
        return "good"
    return f"good until {tokens.expires_at:%Y-%m-%d %H:%M} UTC" if tokens.expires_at > now else "ended; `surveybot serve` renews it"


def _with_store(work: Callable[[UnitOfWork], T]) -> T:
    settings = Settings.load()
    logs.configure("ERROR")

    async def run() -> T:
        async with open_core(settings) as core:
            return await core.store.write(work)

    return asyncio.run(run())
