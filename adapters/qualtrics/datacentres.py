"""Qualtrics' data centres, finding the one a set of credentials belongs to, and the scopes that a client lacks there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import urlsplit

from adapters.qualtrics.client import QualtricsClient
from adapters.qualtrics.credentials import ClientCredentials, Credentials
from adapters.qualtrics.errors import ScopesRefused
from bot.errors import SurveybotError

#: Canada, Washington DC, Portland, Frankfurt, London, Sydney, Singapore, Tokyo, US government: the base URLs that
#: https://api.qualtrics.com/60d24f6897737-qualtrics-survey-api lists (read in a public copy of 2026-03-05).
_CURRENT = ("yul1", "iad1", "pdx1", "fra1", "lhr1", "syd1", "sin1", "hnd1", "gov1")
#: Older names, which the same page says were replaced (co1 by iad1, az1 and sjc1 by pdx1, eu by fra1), and ca1; recorded calls and
#: the code of many institutions still use them.
_FORMER = ("co1", "az1", "sjc1", "eu", "ca1")

#: The API's root at every data centre that is known.
ROOTS = tuple(f"https://{it}.qualtrics.com/API/v3/" for it in (*_CURRENT, *_FORMER))
_TIMEOUT_SECONDS = 3


def roots(base_url: str) -> Sequence[str]:
    """Where to look for the home of credentials: those that were never meant for Qualtrics' own hosts are not shown to them."""
    return ROOTS if (urlsplit(base_url).hostname or "").endswith(".qualtrics.com") else ()


async def home(credentials: Credentials, candidates: Sequence[str] = ROOTS) -> str | None:
    """Return the first API root that knows these credentials; None when none of them does, or none answers in time.

    It asks one after the other: an API token is answered, by proxy, at all of them, an OAuth client at its own (quirk Q15). Where the
    answer names a better host, that one is returned.
    """
    for root in candidates:
        async with QualtricsClient(
            root, credentials, timeout_seconds=_TIMEOUT_SECONDS, connect_timeout_seconds=_TIMEOUT_SECONDS, attempts=1
        ) as client:
            try:
                await client.account()
            except SurveybotError:
                continue
            return f"https://{client.better_host}/API/v3/" if client.better_host else root
    return None


async def missing_scopes(base_url: str, client: ClientCredentials) -> Sequence[str]:
    """Scopes are granted all or none: each is asked for alone."""
    return [scope for scope in client.scopes if not await _grants(base_url, replace(client, scopes=(scope,)))]


async def _grants(base_url: str, client: ClientCredentials) -> bool:
    """Whether it is not for the scopes that a call fails."""
    async with QualtricsClient(base_url, client, attempts=1) as probe:
        try:
            await probe.account()
        except SurveybotError as error:
            return not isinstance(error, ScopesRefused)
        return True
