"""`surveybot integration`: the connections to Qualtrics, added, tried out, changed, paused and removed (FEATURES A1, A2, F8)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from adapters import logs
from adapters.commands import switches
from adapters.commands.switches import Id
from adapters.commands.table import table
from adapters.connections import credentials, learn_brand
from adapters.core import Core, open_core
from adapters.integrations import apply, entry_of, is_connected, read, written
from adapters.qualtrics.datacentres import roots
from adapters.settings import Settings
from adapters.trial import Seen, tried
from bot.errors import Malformed, SurveybotError, UserError
from bot.model import Integration
from bot.ports import UnitOfWork
from bot.ports.records import Lease

app = typer.Typer(no_args_is_help=True, help="The connections to Qualtrics: any number, each with its own credentials and schedule.")


@app.command()
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Shown on pages; the id is made from it.")],
    *,
    base_url: Annotated[str, typer.Option(help="https://fra1.qualtrics.com/API/v3/ with your data centre in place of fra1.")],
    id: Annotated[str | None, typer.Option("--id", help="Another id than the one made from the name.")] = None,  # noqa: A002 - the file's key
    client_id: switches.ClientId = None,
    secret_file: switches.SecretFile = None,
    requests_per_second: switches.PerSecond = None,
    requests_per_minute: switches.PerMinute = None,
    timeout_seconds: switches.Timeout = None,
    connect_timeout_seconds: switches.Connect = None,
    request_log: switches.RequestLog = None,
    full_sync: switches.Full = None,
    incremental_sync: switches.Incremental = None,
    sweep: switches.Sweep = None,
    window: switches.Window = None,
    mass_closure_share: switches.Share = None,
    group_size: switches.GroupSize = None,
    people_by_status: switches.People = None,
    paused: Annotated[bool | None, typer.Option("--paused", help="Do not read it yet.")] = None,
    no_test: switches.NoTest = False,
) -> None:
    """Connect a Qualtrics account: its credentials are tried out, then stored encrypted."""
    integration = switches.made({}, switches.given(locals()))

    async def work(core: Core) -> str:
        await core.store.read(lambda uow: _refuse_known(uow, integration.integration_id))
        secret = switches.new_secret(secret_file)
        seen = None if no_test else await _tried(core, integration, secret)
        await core.store.write(lambda uow: _add(uow, integration, secret, seen))
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
    base_url: switches.BaseUrl = None,
    requests_per_second: switches.PerSecond = None,
    requests_per_minute: switches.PerMinute = None,
    timeout_seconds: switches.Timeout = None,
    connect_timeout_seconds: switches.Connect = None,
    request_log: switches.RequestLog = None,
    full_sync: switches.Full = None,
    incremental_sync: switches.Incremental = None,
    sweep: switches.Sweep = None,
    window: switches.Window = None,
    mass_closure_share: switches.Share = None,
    group_size: switches.GroupSize = None,
    people_by_status: switches.People = None,
    no_test: switches.NoTest = False,
) -> None:
    """Change settings; those that are not named stay. A new base URL is tried out first."""
    given = switches.given(locals())
    if not given:
        raise UserError("Name what is to change: `surveybot integration set --help` lists the switches.")

    async def work(core: Core) -> str:
        known = await _known(core, integration_id)
        wanted = switches.made(entry_of(known), given)
        seen = None
        if wanted.base_url != known.base_url and not no_test:
            secret = await core.store.read(lambda uow: uow.integrations.secret(integration_id))
            seen = await _tried(core, wanted, secret) if secret else None
        await core.store.write(lambda uow: _change(uow, known, wanted, None, seen))
        hint = _in_file(core, integration_id, "overrules this")
        return "\n".join(filter(None, [f"Integration {integration_id} is changed.", str(seen or ""), hint]))

    _run(work)


@app.command()
def secret(
    integration_id: Id,
    *,
    secret_file: switches.SecretFile = None,
    client_id: Annotated[str | None, typer.Option(help="Of an OAuth client; none = the secret is an API token now.")] = None,
    no_test: switches.NoTest = False,
) -> None:
    """Replace the API token or client secret; the new one is tried out first."""

    async def work(core: Core) -> str:
        known = await _known(core, integration_id)
        kind = {} if client_id is None else {"client_id": client_id}
        wanted = switches.made(entry_of(known), kind)
        new = switches.new_secret(secret_file)
        seen = None if no_test else await _tried(core, wanted, new)
        await core.store.write(lambda uow: _change(uow, known, wanted, new, seen))
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
        seen = await _tried(core, known, stored)
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
    keep_subscriptions: Annotated[bool, typer.Option("--keep-subscriptions", help="Leave those at Qualtrics as they are.")] = False,
) -> None:
    """Delete an integration and everything stored of it. That its surveys were told of is remembered."""

    async def work(core: Core) -> str:
        integration = await _known(core, integration_id)
        if not keep_subscriptions and await core.store.read(lambda uow: _has_push_keys(uow, integration_id)):
            raise UserError(
                f"Qualtrics would go on calling the bot for {integration_id}, and nobody could tell its calls from forged ones: "
                f"`surveybot push remove --integration {integration_id}` first, or --keep-subscriptions."
            )
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
        hint = _in_file(core, integration_id, "adds it again")
        return "\n".join(filter(None, [f"Integration {integration_id} is removed.", hint]))

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


async def _known(core: Core, integration_id: str) -> Integration:
    integrations = await core.store.read(lambda uow: uow.integrations.all())
    names = {it.integration_id: it for it in integrations}
    if integration_id not in names:
        known = f"there are {', '.join(names)}" if names else "`surveybot integration add` adds one"
        raise UserError(f"There is no integration {integration_id!r}; {known}.")
    return names[integration_id]


async def _tried(core: Core, integration: Integration, secret: str) -> Seen:
    url = integration.base_url
    return await tried(core.connections.unstored(integration, secret), url, credentials(integration, secret), roots(url))


def _refuse_known(uow: UnitOfWork, it: str) -> None:
    known = uow.integrations.get(it)
    if known is not None and is_connected(known):
        raise UserError(f"There is an integration {it} already: `surveybot integration set {it}` changes it, --id adds another one.")


def _add(uow: UnitOfWork, integration: Integration, secret: str, seen: Seen | None) -> None:
    """Others may have added it while Qualtrics was asked."""
    it = integration.integration_id
    _refuse_known(uow, it)
    uow.integrations.save(integration)
    uow.integrations.set_paused(it, is_paused=integration.is_paused)
    _change(uow, integration, integration, secret, seen)


def _change(uow: UnitOfWork, before: Integration, after: Integration, secret: str | None, seen: Seen | None) -> None:
    """Store what this command changes, and nothing else: others may have changed the rest while Qualtrics was asked."""
    it = after.integration_id
    stored = uow.integrations.get(it)
    if stored is None:
        raise UserError(f"{it} was removed meanwhile.")
    uow.integrations.change(before, after)
    if secret is not None:
        uow.integrations.set_secret(it, secret)
        uow.integrations.set_unauthorized(it, None)
    if seen is not None:
        _learn(uow, it, seen)
    elif after.base_url != before.base_url and stored.baseline_at is None:
        uow.integrations.set_brand(it, None)


def _learn(uow: UnitOfWork, integration_id: str, seen: Seen) -> None:
    learn_brand(uow, integration_id, seen.account.brand_id)
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


def _in_file(core: Core, integration_id: str, what: str) -> str | None:
    """A hint where the next start undoes something."""
    file = core.settings.integrations_file
    if file is None:
        return None
    known = f"  {file} (SURVEYBOT_INTEGRATIONS_FILE)"
    try:
        names = {entry.integration().integration_id for entry in read(file)}
    except UserError:  # perhaps this shell lacks a secret it refers to
        return f"{known} cannot be used from here; if {integration_id} is in it, it {what} at the next start"
    return f"{known} has it too, and {what} at the next start" if integration_id in names else None


async def _pause(core: Core, integration_id: str, *, is_paused: bool) -> str:
    integration = await _known(core, integration_id)
    if not is_paused and not is_connected(integration):
        raise UserError(f"{integration_id} was never connected: `surveybot integration add {integration.name!r}` does it.")
    await core.store.write(lambda uow: uow.integrations.set_paused(integration_id, is_paused=is_paused))
    return f"Integration {integration_id} is {'paused' if is_paused else 'read again'}."


def _has_push_keys(uow: UnitOfWork, integration_id: str) -> bool:
    try:
        return bool(uow.integrations.push_keys(integration_id))
    except Malformed:  # they do not open, but there are some
        return True


def _remove_some(uow: UnitOfWork, owner: str, integration_id: str) -> bool:
    """Whether something is left. Nobody reads it meanwhile: the leases are those of its synchronisation and of its refreshes."""
    leases = f"sync:{integration_id}", f"refresh:{integration_id}"
    if any(uow.leases.take(lease, owner, _LEASE) is not Lease.TAKEN for lease in leases):
        raise UserError(f"{integration_id} is being read right now. It is paused from now on: try again when that run has ended.")
    uow.integrations.remove(integration_id, _CHUNK)
    if uow.integrations.get(integration_id) is not None:
        return True
    for lease in leases:
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
