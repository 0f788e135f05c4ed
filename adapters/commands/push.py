"""`surveybot push`: Qualtrics tells us what happens, so that messages follow in seconds; without it they follow at the next look."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, TypeVar
from urllib.parse import urlsplit

import typer

from adapters import logs
from adapters.commands.meant import meant
from adapters.commands.table import table
from adapters.core import Core, open_core
from adapters.event_subscriptions import EventSubscriptions
from adapters.qualtrics.credentials import PUSH_SCOPE
from adapters.settings import Settings
from bot.errors import Ambiguous, Unauthorized, UserError
from bot.model import Integration

app = typer.Typer(no_args_is_help=True, help="Events that Qualtrics sends; they shorten the delay to seconds, and are never needed.")

T = TypeVar("T")
_HEADING = ("INTEGRATION", "SUBSCRIPTION", "TOPICS", "CALLS", "OURS", "LEADS TO")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def _public_url(text: str) -> str:
    parts = urlsplit(text)
    is_private = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    if (
        not (is_private and parts.hostname)
        or parts.query
        or parts.fragment
        or parts.username
        or not text.isascii()
        or text.split() != [text]
    ):
        raise typer.BadParameter("must be like https://bot.example.com")
    return text.rstrip("/")


_Integration = Annotated[str | None, typer.Option(help="Only this one, by its id; all of them by default.")]
_Url = Annotated[str, typer.Option(help="Where the bot is reached from outside, https://bot.example.com.", parser=_public_url)]
_Which = Annotated[
    str | None,
    typer.Option(
        help="Where they lead, if it was not registered from here, or to several addresses: https://bot.example.com.", parser=_public_url
    ),
]


@app.command()
def register(*, url: _Url, integration: _Integration = None) -> None:
    """Have Qualtrics call the bot; what is subscribed to already stays as it is. Takes a brand administrator's credentials."""

    async def work(it: EventSubscriptions) -> str:
        made = await it.register(url)
        return f"{made} event subscriptions were made." if made else "Everything is subscribed to already."

    _each(integration, work)


@app.command("list")
def list_(*, integration: _Integration = None) -> None:
    """List the brand's event subscriptions, other programs' too, and how many deliveries of each were answered well."""

    async def work(it: EventSubscriptions) -> Sequence[Sequence[str]]:
        return [
            (it.integration_id, one.subscription_id, one.topics, str(one.successful_calls), "yes" if it.is_ours(one) else "no", one.url)
            for one in await it.all()
        ]

    found = [row for rows in _of_each(integration, work).values() for row in rows]
    typer.echo(table(_HEADING, *found) if found else "There is no event subscription.")


@app.command()
def replace(*, url: _Which = None, integration: _Integration = None) -> None:
    """Make a new key and new subscriptions, then remove the old ones. If it is interrupted, run it again: no event is lost."""

    async def work(it: EventSubscriptions) -> str:
        return f"New event subscriptions with a new key were made, {await it.replace(url)} old ones removed."

    _each(integration, work)


@app.command()
def remove(*, url: _Which = None, integration: _Integration = None) -> None:
    """Have Qualtrics call the bot no more. Other programs' subscriptions stay."""

    async def work(it: EventSubscriptions) -> str:
        return f"{await it.remove(url)} event subscriptions were removed."

    _each(integration, work)


def _each(integration_id: str | None, work: Callable[[EventSubscriptions], Awaitable[str]]) -> None:
    for name, said in _of_each(integration_id, work).items():
        typer.echo(f"{name}: {said}")


def _of_each(integration_id: str | None, work: Callable[[EventSubscriptions], Awaitable[T]]) -> dict[str, T]:
    """Do it for the integrations that are meant, one after the other; returns what came of it, by their ids."""
    settings = Settings.load()
    logs.configure("ERROR")

    async def run() -> dict[str, T]:
        async with open_core(settings) as core:
            return {it.integration_id: await _with_subscriptions(core, it, work) for it in await meant(core, integration_id)}

    return asyncio.run(run())


async def _with_subscriptions(core: Core, integration: Integration, work: Callable[[EventSubscriptions], Awaitable[T]]) -> T:
    """Raises UserError where Qualtrics refuses for want of permission, or does not say what became of it."""
    name = integration.integration_id
    secret = await core.store.read(lambda uow: uow.integrations.secret(name))
    if secret is None:
        raise UserError(f"{name} has no secret: `surveybot integration secret {name}` stores one.")
    client = core.connections.unstored(integration, secret, PUSH_SCOPE)
    try:
        async with client:
            return await work(EventSubscriptions(client=client, store=core.store, integration_id=name))
    except Unauthorized as error:
        scope = f", and its OAuth client the scope `{PUSH_SCOPE}`" if integration.client_id else ""
        raise UserError(f"{error}.\nEvent subscriptions take a brand administrator: {name} needs the credentials of one{scope}.") from error
    except Ambiguous as error:
        raise UserError(
            f"{error}: whether it was done is not known. Run the command again; `surveybot push list` shows what is there."
        ) from error
