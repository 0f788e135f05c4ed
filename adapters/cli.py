"""The command line: everything an operator does with Surveybot."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import sys
import webbrowser
from typing import Annotated, Literal

import typer
from rich.console import Console

from adapters import logs
from adapters.commands import integration, keys, manifest, push, slack, survey, sync
from adapters.commands.doctor import doctor
from adapters.commands.log import log
from adapters.logs import LogLevel
from bot.errors import SurveybotError, UserError

cli = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help="Qualtrics surveys in chat.")
db = typer.Typer(no_args_is_help=True, help="The database.")
cli.add_typer(db, name="db")
cli.add_typer(integration.app, name="integration")
cli.add_typer(keys.app, name="keys")
cli.add_typer(sync.app, name="sync")
cli.add_typer(push.app, name="push")
cli.add_typer(manifest.app, name="manifest")
cli.add_typer(slack.app, name="slack")
cli.add_typer(survey.app, name="survey")
cli.command()(doctor)
cli.command()(log)

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


def main() -> None:
    """Run a command; what goes wrong in a foreseen way is one sentence and exit code 1, never a traceback."""
    try:
        cli()
    except SurveybotError as error:
        more = "" if isinstance(error, UserError) else "\n`surveybot doctor` says what can be done about it."
        err.print(f"{error}{more}", style="red", markup=False, soft_wrap=True)
        sys.exit(1)


@cli.command()
def demo(
    port: Annotated[int, typer.Option(help="Where the page opens on localhost; 0 = any free port.", min=0, max=65535)] = 8400,
    log_level: Annotated[LogLevel, typer.Option(help="How much is told on standard error.")] = "ERROR",
) -> None:
    """Start the bot against a simulated Qualtrics, Slack and Teams; nothing leaves this machine."""
    from adapters.sandbox.demo import run_demo

    logs.configure(log_level)
    _listen("127.0.0.1", port, "--port").close()

    def announce(url: str) -> None:
        out.print(f"Surveybot demo: open {url}  (Ctrl+C stops it)", markup=False)
        if sys.stdout.isatty():  # somebody is there to look; without a desktop this does nothing
            webbrowser.open(url)

    asyncio.run(run_demo(port, announce))


@cli.command()
def serve() -> None:
    """Start the bot: HTTP for chats, synchronisation, reminders and delivery. Ctrl+C and SIGTERM end it in order, exit code 0."""
    from adapters.app import open_bot
    from adapters.promptness import answer_promptly
    from adapters.scheduler import scheduled
    from adapters.settings import Settings
    from adapters.web import serve_web

    settings = Settings.load()
    logs.configure(settings.log_level)

    async def run(listener: socket.socket) -> None:
        async with open_bot(settings) as bot, scheduled(bot):
            if not await bot.core.store.read(lambda uow: uow.integrations.all()):
                logging.getLogger(__name__).warning("integrations.none", extra={"advice": "`surveybot integration add` adds one"})
            answer_promptly()
            await serve_web(bot, listener)

    with _listen(settings.host, settings.port, "SURVEYBOT_HOST or SURVEYBOT_PORT") as listener:
        asyncio.run(run(listener))


@cli.command()
def preview(
    page: Annotated[str | None, typer.Argument(help="A page of the gallery; none = list them.")] = None,
    form: Annotated[
        Literal["slack", "home", "teams", "text"], typer.Option("--format", help="Slack message, Slack Home view, Teams message, or text.")
    ] = "text",
) -> None:
    """Show what people read, as text or as the JSON that a chat gets."""
    from bot.gallery import forms, gallery
    from bot.gallery.scene import READER, READER_IN_TEAMS
    from bot.page import Form
    from cards import plain, slack, teams

    reader = READER_IN_TEAMS if form == "teams" else READER
    pages = {**gallery(reader), **forms(reader)}
    if page is None:
        out.print("\n".join(pages), markup=False, soft_wrap=True)
        return
    if page not in pages:
        raise typer.BadParameter(f"there is no page {page!r}; `surveybot preview` lists them")
    shown = pages[page]
    if form == "text":
        out.print(plain.plain_text(shown), markup=False, soft_wrap=True)
    elif form == "teams":
        out.print_json(json.dumps(teams.message(shown)))
    elif isinstance(shown, Form):
        out.print_json(json.dumps(slack.modal(shown)))
    else:
        out.print_json(json.dumps(slack.home(shown) if form == "home" else slack.message(shown)))


@db.command("upgrade")
def db_upgrade() -> None:
    """Bring the database to this version's schema; safe to repeat."""
    from adapters.settings import Settings
    from store import migrations

    settings = Settings.load()
    migrations.upgrade(settings.database_url.get_secret_value())
    out.print("The database is at this version's schema.")


def _listen(host: str, port: int, options: str) -> socket.socket:
    try:
        listener = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except (OSError, UnicodeError) as error:
        raise UserError(f"Port {port} of {host} is in use or may not be opened here. Choose another one with {options}.") from error
    # asyncio does it for sockets that it opens itself; without it, a body waits 40 ms for the client to acknowledge its headers.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener
