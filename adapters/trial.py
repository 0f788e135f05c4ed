"""Trying an integration's settings and secret out: who that is at Qualtrics, what it may see, and what to do when it is refused."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import TypeVar, cast

from adapters.qualtrics.client import QualtricsClient
from adapters.qualtrics.credentials import ClientCredentials, Credentials
from adapters.qualtrics.datacentres import home, missing_scopes
from adapters.qualtrics.errors import Closed, ScopesRefused
from bot.errors import Forbidden, SurveybotError, Throttled, Unauthorized, Unavailable, UserError
from bot.ports.records import Account, Batch

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    account: Account
    #: On the first page of their list.
    surveys: int
    has_more_surveys: bool
    may_list_users: bool
    #: Where Qualtrics would answer without a detour.
    better_host: str | None

    def __str__(self) -> str:
        account = self.account
        lines = [
            f"brand {account.brand_id}, account {account.user_id}, data centre {account.datacenter or 'not told'}",
            f"sees {self.surveys}{' and more' if self.has_more_surveys else ''} surveys",
            "may list the brand's users" if self.may_list_users else "may not list the brand's users: a Brand Admin's credentials may",
        ]
        if self.better_host:
            lines.append(f"this is not the brand's data centre; `--base-url https://{self.better_host}/API/v3/` is faster")
        return "\n".join(f"  {line}" for line in lines)


async def tried(client: QualtricsClient, base_url: str, who: Credentials, candidates: Sequence[str]) -> Seen:
    """Ask what costs least, and close the client. Raises UserError that says what to do.

    When credentials are refused, the `candidates` (API roots) are asked whether they know them.
    """
    account = None
    async with client:
        try:
            account = await client.account()
            surveys = await _first_page(client.surveys())
            may_list_users = await _may_list_users(client)
        except SurveybotError as error:
            if account is not None and isinstance(error, Unauthorized):
                advice = "The account needs the permission to see surveys: a Brand Admin gives it in Qualtrics, Admin, Users."
            else:
                advice = await _advice(error, base_url, who, candidates)
            said = "Nothing was asked" if isinstance(error, Closed) else "Qualtrics was asked"
            raise UserError(f"{said}: {error}.\n{advice}") from error
    return Seen(
        account=account,
        surveys=len(surveys.items),
        has_more_surveys=surveys.next is not None,
        may_list_users=may_list_users,
        better_host=client.better_host,
    )


async def _may_list_users(client: QualtricsClient) -> bool:
    try:
        await _first_page(client.users())
    except Unauthorized:  # the account is known: it is this call that is refused
        return False
    return True


async def _first_page(pages: AsyncIterator[Batch[T]]) -> Batch[T]:
    """An abandoned generator would be closed by the loop some time later."""
    async with aclosing(cast("AsyncGenerator[Batch[T], None]", pages)) as lasting:
        return await anext(lasting)


async def _advice(error: SurveybotError, base_url: str, who: Credentials, candidates: Sequence[str]) -> str:
    match error:
        case Forbidden():
            return "The account may not use the API: a Brand Admin allows it in Qualtrics, Admin, Users, the account, Enable API access."
        case Unauthorized() if isinstance(who, ClientCredentials):
            return await _oauth(error, base_url, who, candidates)
        case Unauthorized():
            return "An API token is in Qualtrics under Account Settings, Qualtrics IDs, API."
        case Throttled():
            return f"Wait {'a minute' if error.retry_after is None else f'{error.retry_after:.0f} s'}, then try again."
        case Unavailable():
            return "Does this machine reach that host, and is it your data centre?"
        case _:
            return "The base URL does not lead to Qualtrics' API; it looks like https://fra1.qualtrics.com/API/v3/."


async def _oauth(error: Unauthorized, base_url: str, client: ClientCredentials, candidates: Sequence[str]) -> str:
    if isinstance(error, ScopesRefused) and (missing := await missing_scopes(base_url, client)):
        return f"Allow the OAuth client in Qualtrics, Account Settings, OAuth Client Manager: {', '.join(missing)}."
    root = await home(client, candidates)
    if root is not None and root != base_url:
        return f"The OAuth client belongs to another data centre: --base-url {root}"
    return "An OAuth client is in Qualtrics under Account Settings, OAuth Client Manager."
