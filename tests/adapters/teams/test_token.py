"""The bot's own token."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from adapters.sandbox.serving import serving
from adapters.sandbox.teams.identity import IdentityProvider
from adapters.teams.registration import AppKind, Registration
from adapters.teams.token import BotToken
from bot.errors import Unavailable


async def test_a_token_that_is_still_good_is_used_while_a_new_one_cannot_be_had(
    registration: Registration, identity: IdentityProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = BotToken(registration)
    assert await token.get() == "token-1"
    token._fresh_until = 0.0
    assert await token.get() == "token-2"
    identity.is_down = True
    token._fresh_until = 0.0
    assert await token.get() == "token-2"
    token._good_until = 0.0
    with pytest.raises(Unavailable):
        await token.get()


async def test_who_waited_for_a_token_that_could_not_be_had_does_not_ask_once_more(
    registration: Registration, identity: IdentityProvider
) -> None:
    """One after another they would wait for longer than messages are theirs to send."""
    token, identity.is_down = BotToken(registration), True
    failed = await asyncio.gather(*(token.get() for _ in range(20)), return_exceptions=True)
    assert {type(each) for each in failed} == {Unavailable}
    assert identity.discoveries == 1
    identity.is_down = False
    assert await token.get() == "token-1"


async def test_a_managed_identity_gets_its_token_from_the_machine_it_runs_on(
    registration: Registration, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on Azure App Service: https://learn.microsoft.com/en-us/azure/app-service/overview-managed-identity#rest-endpoint-reference."""
    asked: list[dict[str, str]] = []

    async def give(request: Request) -> Response:
        asked.append(dict(request.query_params))
        good = request.headers.get("x-identity-header") == "h"
        return JSONResponse({"access_token": "mine", "expires_on": "4102444800", "resource": "r"}, 200 if good else 400)

    async with serving(Starlette(routes=[Route("/token", give)])) as url:
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"{url}/token")
        monkeypatch.setenv("IDENTITY_HEADER", "h")
        identity = replace(registration, kind=AppKind.MANAGED_IDENTITY, password=None)
        assert await BotToken(identity).get() == "mine"
    assert [(query["client_id"], query["resource"]) for query in asked] == [(identity.app_id, "https://api.botframework.com")]
