"""`surveybot manifest`: what a chat platform is told about the bot."""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path
from typing import Annotated

import typer

from adapters.slack.manifest import manifest
from adapters.teams.manifest import package

app = typer.Typer(no_args_is_help=True, help="What a chat platform is told about the bot.")

_HOST = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*(:\d{1,5})?")
_NO_HOST = "a host name without https:// and without a path, such as bot.example.org"
#: Characters (Teams' schema).
_LONGEST_DEVELOPER = 32
_GUID = re.compile(r"[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")


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
        raise typer.BadParameter(_NO_HOST, param_hint="--host")
    typer.echo(json.dumps(manifest(host, socket_mode=socket_mode, org=org, rotation=rotation), indent=2, ensure_ascii=False))


@app.command("teams")
def teams(
    host: Annotated[str, typer.Option(help="Where Teams reaches the bot over https, such as bot.example.org.")],
    app_id: Annotated[str, typer.Option(help="The application (client) id of the bot's registration in Entra.")],
    *,
    out: Annotated[Path, typer.Option(help="The package to be written.")] = Path("surveybot-teams.zip"),
    developer: Annotated[str, typer.Option(help="Whose app it is: shown to whoever adds it; 32 characters at most.")] = "Surveybot",
    website: Annotated[str, typer.Option(help="The page with support for the app (default: the host).")] = "",
    privacy: Annotated[str, typer.Option(help="The page with your privacy policy (default: the host).")] = "",
    terms: Annotated[str, typer.Option(help="The page with your terms of use (default: the host).")] = "",
    installs_itself: Annotated[bool, typer.Option("--installs-itself", help="For SURVEYBOT_TEAMS__INSTALL_FOR.")] = False,
) -> None:
    """Write the Teams app package, to be uploaded in the Teams admin center."""
    if not _HOST.fullmatch(host):
        raise typer.BadParameter(_NO_HOST, param_hint="--host")
    if not _GUID.fullmatch(app_id):
        raise typer.BadParameter("an id such as 01234567-89ab-cdef-0123-456789abcdef", param_hint="--app-id")
    if len(developer) > _LONGEST_DEVELOPER:
        raise typer.BadParameter("32 characters at most", param_hint="--developer")
    pages = {"websiteUrl": website, "privacyUrl": privacy, "termsOfUseUrl": terms}
    if wrong := [page for page in pages.values() if page and not page.startswith("https://")]:
        raise typer.BadParameter(f"{wrong[0]} does not begin with https://")
    named = {"name": developer, **{name: page for name, page in pages.items() if page}}
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name, content in package(host, app_id.lower(), developer=named, installs_itself=installs_itself).items():
            zipped.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    typer.echo(f"{out}: upload it at https://admin.teams.microsoft.com/policies/manage-apps")
