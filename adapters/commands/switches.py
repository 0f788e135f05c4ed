"""The switches of `surveybot integration`, which are the keys of the settings file too, and where the secret comes from."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from adapters.integrations import Entry, checked_secret, parse, secret_in
from bot.errors import UserError
from bot.model import Integration

Id = Annotated[str, typer.Argument(metavar="ID", help="As `surveybot integration list` tells it.")]
BaseUrl = Annotated[str | None, typer.Option(help="https://fra1.qualtrics.com/API/v3/ with your data centre in place of fra1.")]
ClientId = Annotated[str | None, typer.Option(help="Of an OAuth client; without it the secret is an API token.")]
SecretFile = Annotated[
    Path | None,
    typer.Option(help="Holds the API token or client secret. Without it SURVEYBOT_SECRET is read (not .env), or you are asked."),
]
PerSecond = Annotated[float | None, typer.Option(help="Its own limit, beside Qualtrics'; 0 = none.")]
PerMinute = Annotated[float | None, typer.Option(help="The same for a minute, 1 at least.")]
Timeout = Annotated[float | None, typer.Option(help="For an answer; 120 by default.")]
Connect = Annotated[float | None, typer.Option(help="For a connection; 10 by default.")]
RequestLog = Annotated[bool | None, typer.Option("--request-log/--no-request-log", help="Keep 24 hours of request lines.")]
Full = Annotated[str | None, typer.Option(help="How often: `30 min`, hourly, `4 h`, daily, `weekly on monday`, manual; hourly by default.")]
Incremental = Annotated[str | None, typer.Option(help="The same; every 15 min by default.")]
Sweep = Annotated[str | None, typer.Option(help="The same, for reading everything open anew; daily by default.")]
Window = Annotated[str | None, typer.Option(help="When runs may start, `22:00-06:00 Europe/Berlin`; off = at any hour.")]
Share = Annotated[float | None, typer.Option(help="A look that would close more than this share is vetoed; 0.2 by default.")]
GroupSize = Annotated[int | None, typer.Option(help="From how many people on numbers are shown; 5, the default, at least.")]
People = Annotated[
    bool | None,
    typer.Option("--people-by-status/--no-people-by-status", help="Let owners see who answered, where surveys keep names; off by default."),
]
NoTest = Annotated[bool, typer.Option("--no-test", help="Do not ask Qualtrics first.")]

_SWITCHES = Entry.model_fields.keys() - {"secret_env", "secret_file"}
_RATES = {"requests_per_second", "requests_per_minute"}
_OFF = {"requests_per_second": 0, "requests_per_minute": 0, "window": "off", "client_id": "none"}


def given(arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    """Of a command's arguments those that were given and are keys of the settings file."""
    return {key: value for key, value in arguments.items() if key in _SWITCHES and value is not None}


def made(before: Mapping[str, Any], given: Mapping[str, Any]) -> Integration:
    """Lay what was given over the keys that are there; 0, `off` and `none` take a key away. Raises UserError for what is wrong."""
    replaced = _RATES if _RATES & given.keys() else set[str]()
    keys = {**{key: value for key, value in before.items() if key not in replaced}, **given}
    entry, wrong = parse({key: value for key, value in keys.items() if key not in _OFF or value != _OFF[key]})
    if entry is None:
        raise UserError("\n".join(f"--{key.replace('_', '-')} {text}." for key, text in wrong))
    return entry.integration()


def new_secret(file: Path | None) -> str:
    try:
        if file is not None:
            return secret_in(str(file))
        if text := os.environ.get("SURVEYBOT_SECRET"):
            return checked_secret(text)
        if sys.stdin.isatty():
            return checked_secret(typer.prompt("API token, or secret of the OAuth client (not shown)", hide_input=True))
    except ValueError as error:
        raise UserError(f"{'--secret-file' if file else 'The secret'} {error}.") from None
    raise UserError("There is nobody to ask for the secret: give --secret-file, or set SURVEYBOT_SECRET in the environment, not in .env.")
