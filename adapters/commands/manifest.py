"""`surveybot manifest`: what a chat platform is told about the bot."""

from __future__ import annotations

import json
import re
from typing import Annotated

import typer

from adapters.slack.manifest import manifest

app = typer.Typer(no_args_is_help=True, help="What a chat platform is told about the bot.")

_HOST = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*(:\d{1,5})?")


@app.callback()
def group() -> None:
    """Keeps `slack` a word of its own, also while it is the only one."""


@app.command("slack")
def slack(
    host: Annotated[str, typer.Option(help="Where Slack reaches the bot over https, such as bot.example.org.")] = "",
    *,
    socket_mode: Annotated[bool, typer.Option("--socket-mode", help="Slack reaches it over a connection of the bot's own.")] = False,
    org: Annotated[bool, typer.Option("--org", help="It may be installed for a whole Enterprise organisation.")] = False,
    rotation: Annotated[bool, typer.Option("--rotation", help="Its tokens expire; Slack cannot switch this off again.")] = False,
) -> None:
    """Print the manifest of the Slack app, to be pasted at "Create an app from a manifest"."""
    if not socket_mode and not _HOST.fullmatch(host):
        raise typer.BadParameter("a host name without https:// and without a path, such as bot.example.org", param_hint="--host")
    typer.echo(json.dumps(manifest(host, socket_mode=socket_mode, org=org, rotation=rotation), indent=2, ensure_ascii=False))
