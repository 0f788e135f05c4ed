"""`surveybot integration`: the connections to Qualtrics, added, tried out, changed, paused and removed (FEATURES A1, A2, F8)."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from adapters import logs
from adapters.app import Core, open_core
from adapters.commands.table import table
from adapters.integrations import Entry, apply, checked_secret, entry_of, is_connected, parse, read, secret_in, written
from adapters.settings import Settings
from adapters.trial import Seen, tried
from bot.errors import Malformed, SurveybotError, UserError
from bot.model import Integration
from bot.ports import UnitOfWork
from bot.records import Lease

app = typer.Typer(no_args_is_help=True, help="The connections to Qualtrics: any number, each with its own credentials and schedule.")

Id = Annotated[str, typer.Argument(metavar="ID", help="As `surveybot integration list` tells it.")]
_BaseUrl = Annotated[str | None, typer.Option(help="https://fra1.qualtrics.com/API/v3/ with your data centre in place of fra1.")]
_ClientId = Annotated[str | None, typer.Option(help="Of an OAuth client; without it the secret is an API token.")]
_SecretFile = Annotated[
    Path | None, typer.Option(help="Holds the API token or client secret. Without it SURVEYBOT_SECRET is read, or you are asked.")
]
_PerSecond = Annotated[float | None, typer.Option(help="Its own limit, beside Qualtrics'; 0 = none.")]
_PerMinute = Annotated[float | None, typer.Option(help="The same for a minute.")]
_Timeout = Annotated[float | None, typer.Option(help="For an answer; 120 by default.")]
_Connect = Annotated[float | None, typer.Option(help="For a connection; 10 by default.")]
_RequestLog = Annotated[bool | None, typer.Option("--request-log/--no-request-log", help="Keep 24 hours of request lines.")]
_Full = Annotated[
    str | None, typer.Option(help="How often: `30 min`, hourly, `4 h`, daily, `weekly on monday`, manual; hourly by default.")
]
_Incremental = Annotated[str | None, typer.Option(help="The same; every 15 min by default.")]
_Sweep = Annotated[str | None, typer.Option(help="The same, for reading everything open anew; daily by default.")]
_Window = Annotated[str | None, typer.Option(help="When runs may start, `22:00-06:00 Europe/Berlin`; off = at any hour.")]
_Share = Annotated[float | None, typer.Option(help="A look that would close more than this share is vetoed; 0.2 by default.")]
_NoTest = Annotated[bool, typer.Option("--no-test", help="Do not ask Qualtrics first.")]


@app.command()
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Shown on pages; the id is made from it.")],
    *,
    base_url: Annotated[str, typer.Option(help="https://fra1.qualtrics.com/API/v3/ with your data centre in place of fra1.")],
    id: Annotated[str | None, typer.Option("--id", help="Another id than the one made from the name.")] = None,  # noqa: A002 - the file's key
    client_id: _ClientId = None,
    secret_file: _SecretFile = None,
    requests_per_second: _PerSecond = None,
    requests_per_minute: _PerMinute = None,
    timeout_seconds: _Timeout = None,
    connect_timeout_seconds: _Connect = None,
    request_log: _RequestLog = None,
    full_sync: _Full = None,
    incremental_sync: _Incremental = None,
    sweep: _Sweep = None,
    window: _Window = None,
    mass_closure_share: _Share = None,
    paused: Annotated[bool | None, typer.Option("--paused", help="Do not read it yet.")] = None,
    no_test: _NoTest = False,
) -> None:
    """Connect a Qualtrics account: its credentials are tried out, then stored encrypted."""
    integration = _made(_changed({}, _given(locals())))

    async def work(core: Core) -> str:
        known = await core.store.read(lambda uow: uow.integrations.get(integration.integration_id))
        if known is not None and is_connected(known):
            it = known.integration_id
            raise UserError(f"There is an integration {it} already: `surveybot integration set {it}` changes it, --id adds another one.")
        secret = _secret(secret_file)
        seen = None if no_test else await tried(core.connections.unstored(integration, secret))
        await core.store.write(lambda uow: _store(uow, integration, secret, seen))
        hint = None if seen is None else await _twin(core, integration, seen)
        return "\n".join(filter(None, [f"Integration {integration.integration_id} is stored.", str(seen or ""), hint]))

    _run(work)


@app.command("list")
def list_() -> None:
    """List the integrations; no secret is shown."""

    async def work(core: Core) -> str:
        rows = await core.store.read(lambda uow: [_row(uow, integration) for integration in uow.integrations.all()])
        return table(_HEADING, *rows) if rows else "There is no integration yet; `surveybot integration add` adds one."

    _run(work)


@app.command()
def show(integration_id: Id) -> None:
    """Show one integration as the settings file has it, and what the bot found out."""

    async def work(core: Core) -> str:
        integration = await _known(core, integration_id)
        has_secret = await core.store.read(lambda uow: uow.integrations.secret(integration_id)) is not None
        found = {
            "secret": "stored" if has_secret else None,
            "brand": integration.brand_id,
            "first full synchronisation": integration.baseline_at,
            "refused since": integration.unauthorized_at,
        }
        return written([integration]) + "".join(f"# {what}: {value or 'none'}\n" for what, value in found.items()).rstrip()

    _run(work)


@app.command("set")
def set_(
    integration_id: Id,
    *,
    name: Annotated[str | None, typer.Option(help="Shown on pages.")] = None,
    base_url: _BaseUrl = None,
    requests_per_second: _PerSecond = None,
    requests_per_minute: _PerMinute = None,
    timeout_seconds: _Timeout = None,
    connect_timeout_seconds: _Connect = None,
    request_log: _RequestLog = None,
    full_sync: _Full = None,
    incremental_sync: _Incremental = None,
    sweep: _Sweep = None,
    window: _Window = None,
    mass_closure_share: _Share = None,
    no_test: _NoTest = False,
) -> None:
    """Change settings; those that are not named stay. A new base URL is tried out first."""
    given = _given(locals())
    if not given:
        raise UserError("Name what is to change: `surveybot integration set --help` lists the switches.")

    async def work(core: Core) -> str:
        known = await _known(core, integration_id)
        wanted = _made(_changed(entry_of(known), given))
        seen = None
        if wanted.base_url != known.base_url and not no_test:
            secret = await core.store.read(lambda uow: uow.integrations.secret(integration_id))
            seen = await tried(core.connections.unstored(wanted, secret)) if secret else None
        await core.store.write(lambda uow: _store(uow, wanted, None, seen))
        return "\n".join(filter(None, [f"Integration {integration_id} is changed.", str(seen or ""), _overruled(core, integration_id)]))

    _run(work)


@app.command()
def secret(
    integration_id: Id,
    *,
    secret_file: _SecretFile = None,
    client_id: Annotated[str | None, typer.Option(help="Of an OAuth client; none = the secret is an API token now.")] = None,
    no_test: _NoTest = False,
) -> None:
    """Replace the API token or client secret; the new one is tried out first."""

    async def work(core: Core) -> str:
        known = await _known(core, integration_id)
        kind = {} if client_id is None else {"client_id": client_id}
        integration = _made(_changed(entry_of(known), kind))
        new = _secret(secret_file)
        seen = None if no_test else await tried(core.connections.unstored(integration, new))
        await core.store.write(lambda uow: _store(uow, integration, new, seen))
        return "\n".join(filter(None, [f"The secret of {integration_id} is replaced.", str(seen or "")]))

    _run(work)


@app.command()
def test(integration_id: Id) -> None:
    """Ask Qualtrics with the stored credentials."""

    async def work(core: Core) -> str:
        known = await _known(core, integration_id)
        stored = await core.store.read(lambda uow: uow.integrations.secret(integration_id))
        if stored is None:
            raise UserError(f"{integration_id} has no secret: `surveybot integration secret {integration_id}` stores one.")
        seen = await tried(core.connections.unstored(known, stored))
        await core.store.write(lambda uow: _learn(uow, integration_id, seen))
        return f"Integration {integration_id} works.\n{seen}"

    _run(work)


@app.command()
def pause(integration_id: Id) -> None:
    """Read it no more, and remind nobody of what is stored, until `resume`. A run under way comes to its end."""
    _run(lambda core: _pause(core, integration_id, is_paused=True))


@app.command()
def resume(integration_id: Id) -> None:
    """Read it again."""
    _run(lambda core: _pause(core, integration_id, is_paused=False))


@app.command()
def remove(
    integration_id: Id,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete an integration and everything stored of it. That its surveys were told of is remembered."""

    async def work(core: Core) -> str:
        integration = await _known(core, integration_id)
        surveys = await core.store.read(lambda uow: uow.figures.surveys(integration_id))
        if not yes:
            typer.echo(
                f"{integration.name} ({integration.base_url}) goes: settings, secret, {surveys} surveys with their distributions, "
                "invitations and personal links, the log of its runs and requests.\n"
                "Messages already in Slack stay, and nobody is told of the same survey again."
            )
            if typer.prompt("Type its id to remove it") != integration_id:
                raise UserError("That is not its id; nothing was removed.")
        await _pause(core, integration_id, is_paused=True)
        while await core.store.write(lambda uow: _remove_some(uow, core.owner, integration_id)):
            pass
        return f"Integration {integration_id} is removed."

    _run(work)


@app.command()
def export(integration_ids: Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="All, when none is named.")] = None) -> None:
    """Print integrations as a settings file, without secrets."""

    async def work(core: Core) -> str:
        if not integration_ids:
            return written(await core.store.read(lambda uow: uow.integrations.all())).rstrip()
        return written([await _known(core, it) for it in integration_ids]).rstrip()

    _run(work)


@app.command("import")
def import_(file: Annotated[Path, typer.Argument(metavar="FILE", help="A settings file, as `export` prints it.")]) -> None:
    """Add and change integrations as a settings file says. Those that are not in it stay, and so do stored secrets and pauses."""

    async def work(core: Core) -> str:
        applied = await apply(core.store, read(file))
        return "\n".join(str(it) for it in applied) or f"There are no [[integrations]] in {file}."

    _run(work)


def _run(work: Callable[[Core], Coroutine[Any, Any, str]]) -> None:
    """Open the tables, do it, and print what it returns as it is: names may look like markup, and no line is broken."""
    settings = Settings.load()
    logs.configure("ERROR")

    async def run() -> str:
        async with open_core(settings) as core:
            return await work(core)

    typer.echo(asyncio.run(run()))


def _given(arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    """Of a command's arguments those that were given and are keys of the settings file."""
    return {key: value for key, value in arguments.items() if key in _SWITCHES and value is not None}


def _changed(before: Mapping[str, Any], given: Mapping[str, Any]) -> Mapping[str, Any]:
    """Lay what was given over the keys that are there; 0, `off` and `none` take a key away."""
    replaced = _RATES if _RATES & given.keys() else set[str]()
    keys = {**{key: value for key, value in before.items() if key not in replaced}, **given}
    return {key: value for key, value in keys.items() if key not in _OFF or value != _OFF[key]}


_SWITCHES = Entry.model_fields.keys() - {"secret_env", "secret_file"}
_RATES = {"requests_per_second", "requests_per_minute"}
_OFF = {"requests_per_second": 0, "requests_per_minute": 0, "window": "off", "client_id": "none"}


def _made(keys: Mapping[str, Any]) -> Integration:
    entry, wrong = parse(keys)
    if entry is None:
        raise UserError("\n".join(f"--{key.replace('_', '-')} {text}." for key, text in wrong))
    return entry.integration()


def _secret(file: Path | None) -> str:
    try:
        if file is not None:
            return secret_in(str(file))
        if text := os.environ.get("SURVEYBOT_SECRET"):
            return checked_secret(text)
        if sys.stdin.isatty():
            return checked_secret(typer.prompt("API token, or secret of the OAuth client (not shown)", hide_input=True))
    except ValueError as error:
        raise UserError(f"{'--secret-file' if file else 'The secret'} {error}.") from None
    raise UserError("There is nobody to ask for the secret: give --secret-file, or set SURVEYBOT_SECRET.")


async def _known(core: Core, integration_id: str) -> Integration:
    integrations = await core.store.read(lambda uow: uow.integrations.all())
    names = {it.integration_id: it for it in integrations}
    if integration_id not in names:
        known = f"there are {', '.join(names)}" if names else "`surveybot integration add` adds one"
        raise UserError(f"There is no integration {integration_id!r}; {known}.")
    return names[integration_id]


def _store(uow: UnitOfWork, integration: Integration, secret: str | None, seen: Seen | None) -> None:
    uow.integrations.save(integration)
    if secret is not None:
        uow.integrations.set_secret(integration.integration_id, secret)
        uow.integrations.set_unauthorized(integration.integration_id, None)
    if seen is not None:
        _learn(uow, integration.integration_id, seen)


def _learn(uow: UnitOfWork, integration_id: str, seen: Seen) -> None:
    uow.integrations.set_brand(integration_id, seen.account.brand_id)
    uow.integrations.set_unauthorized(integration_id, None)


async def _twin(core: Core, integration: Integration, seen: Seen) -> str | None:
    """A hint where another integration sees the same with the same eyes; what cannot be asked now is no reason to fail."""
    for other in await core.store.read(lambda uow: uow.integrations.all()):
        if other.base_url == integration.base_url and other.integration_id != integration.integration_id:
            try:
                account = await (await core.connections.source(other)).account()
            except SurveybotError:
                continue
            if account == seen.account:
                return f"  {other.integration_id} is the same account at the same base URL: one of them is enough"
    return None


def _overruled(core: Core, integration_id: str) -> str | None:
    file = core.settings.integrations_file
    if file is None or integration_id not in {entry.integration().integration_id for entry in read(file)}:
        return None
    return f"  {file} (SURVEYBOT_INTEGRATIONS_FILE) has it too, and overrules this at the next start"


async def _pause(core: Core, integration_id: str, *, is_paused: bool) -> str:
    integration = await _known(core, integration_id)
    if not is_paused and not is_connected(integration):
        raise UserError(f"{integration_id} was never connected: `surveybot integration add {integration.name!r}` does it.")
    await core.store.write(lambda uow: uow.integrations.set_paused(integration_id, is_paused=is_paused))
    return f"Integration {integration_id} is {'paused' if is_paused else 'read again'}."


def _remove_some(uow: UnitOfWork, owner: str, integration_id: str) -> bool:
    """Whether something is left. Nobody reads it meanwhile: the lease is that of its synchronisation."""
    lease = f"sync:{integration_id}"
    if uow.leases.take(lease, owner, _LEASE) is not Lease.TAKEN:
        raise UserError(f"{integration_id} is being read right now. It is paused from now on: try again when that run has ended.")
    uow.integrations.remove(integration_id, _CHUNK)
    if uow.integrations.get(integration_id) is not None:
        return True
    uow.leases.release(lease, owner)
    return False


_LEASE = timedelta(seconds=60)
_CHUNK = 5000
_HEADING = ("ID", "NAME", "BASE URL", "SECRET", "STATE", "LAST SUCCESS (UTC)", "BRAND")


def _row(uow: UnitOfWork, it: Integration) -> Sequence[str]:
    successes = uow.runs.last_success(it.integration_id).values()
    newest = max((run.finished_at for run in successes if run.finished_at), default=None)
    last = f"{newest:%Y-%m-%d %H:%M}" if newest else "never"
    kind = "API token" if it.client_id is None else "OAuth client"
    return (it.integration_id, it.name, it.base_url or "-", kind, _state(uow, it), last, it.brand_id or "-")


def _state(uow: UnitOfWork, it: Integration) -> str:
    if it.is_paused:
        return "paused" if is_connected(it) else "not connected"
    if it.unauthorized_at:
        return f"refused since {it.unauthorized_at:%Y-%m-%d %H:%M}"
    try:
        return "no secret" if uow.integrations.secret(it.integration_id) is None else "active"
    except Malformed:
        return "secret does not open"
