"""`surveybot keys`: exchange the encryption keys without losing what they encrypted (FEATURES A2)."""

from __future__ import annotations

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from adapters.commands.table import table
from adapters.settings import Settings
from bot.errors import UserError
from store import migrations, rotation

app = typer.Typer(no_args_is_help=True, help="The keys that encrypt secrets and personal links (SURVEYBOT_ENCRYPTION_KEYS).")


@app.command()
def status() -> None:
    """Count what each key encrypted. A key with no row here may be taken out of the settings."""
    settings = _settings()
    first, counts = settings.keyring.key_ids[0], rotation.count(settings.database_url.get_secret_value())
    rows = [(key_id, str(number), _standing(key_id, settings)) for key_id, number in sorted({first: 0, **counts}.items())]
    typer.echo(table(("KEY", "ROWS", ""), *rows))


@app.command()
def rotate() -> None:
    """Encrypt everything anew with the first key of the settings; then the others may go.

    First put the new key in front of the old one and start every process of Surveybot again, so that all of them know it. Interrupted, it
    goes on where it stopped when it is started again.
    """
    settings = _settings()
    url, first = settings.database_url.get_secret_value(), settings.keyring.key_ids[0]
    old = sum(number for key_id, number in rotation.count(url).items() if key_id != first)
    columns = (TextColumn("rows"), BarColumn(), MofNCompleteColumn(), TextColumn("about"), TimeRemainingColumn(), TextColumn("left"))
    with Progress(*columns, console=Console(stderr=True)) as bars:
        bar = bars.add_task("rotate", total=old)
        rotated = rotation.rotate(url, settings.keyring, lambda it: bars.update(bar, completed=it.done + it.unopened))
    typer.echo(f"Rows encrypted anew with the key {first}: {rotated.done}.")
    if rotated.unopened:
        raise UserError(
            f"Rows that did not open: {rotated.unopened}. Their key is not in SURVEYBOT_ENCRYPTION_KEYS, or they are damaged; "
            "`surveybot keys status` tells which keys they name."
        )


def _standing(key_id: str, settings: Settings) -> str:
    first, *others = settings.keyring.key_ids
    if key_id == first:
        return "encrypts"
    return "only decrypts" if key_id in others else "not in SURVEYBOT_ENCRYPTION_KEYS"


def _settings() -> Settings:
    settings = Settings.load()
    if not migrations.is_current(settings.database_url.get_secret_value()):
        raise UserError("The database is not at this version's schema. Run `surveybot db upgrade` first.")
    return settings
