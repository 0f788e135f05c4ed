"""Installing by OAuth, in workspaces and organisations: consent, codes, tokens that rotate and end, as the real SDK meets them."""

from __future__ import annotations

from collections.abc import Awaitable
from datetime import timedelta
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.oauth.installation_store import Bot
from slack_sdk.oauth.token_rotation.async_rotator import AsyncTokenRotator
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from adapters.sandbox.slack.codes import Consent
from adapters.sandbox.slack.grid import Organisation, another_workspace
from adapters.sandbox.slack.sender import tell_news
from adapters.sandbox.slack.workspace import SCOPES, Workspace
from tests.adapters.sandbox_slack.conftest import Clock, Inbox

REDIRECT = "http://127.0.0.1:1/slack/oauth_redirect"


class Installer:
    """Somebody's browser and the app's side of OAuth, spoken with the real SDK."""

    def __init__(self, url: str, workspace: Workspace) -> None:
        self.url, self.app = url, workspace.platform.app
        self.sdk = AsyncWebClient(base_url=f"{url}/api/", retry_handlers=[])

    async def visit(self, **changes: str) -> tuple[int, dict[str, list[str]], str]:
        """Open the authorisation page; returns the status, what the redirect said, and the page."""
        asked = {"client_id": self.app.client_id, "scope": ",".join(sorted(SCOPES)), "redirect_uri": REDIRECT, "state": "s1"}
        async with (
            aiohttp.ClientSession() as browser,
            browser.get(f"{self.url}/oauth/v2/authorize", params=asked | changes, allow_redirects=False) as answer,
        ):
            return answer.status, parse_qs(urlsplit(answer.headers.get("location", "")).query), await answer.text()

    async def exchange(self, code: str, **changes: str) -> dict[str, Any]:
        given = {"client_id": self.app.client_id, "client_secret": self.app.client_secret, "code": code, "redirect_uri": REDIRECT}
        return cast("dict[str, Any]", (await self.sdk.oauth_v2_access(**(given | changes))).data)

    async def install(self, **changes: str) -> dict[str, Any]:
        _, said, _ = await self.visit(**changes)
        return await self.exchange(said["code"][0])

    def client(self, token: str) -> AsyncWebClient:
        return AsyncWebClient(token=token, base_url=f"{self.url}/api/", retry_handlers=[])


@pytest.fixture
def installer(slack_url: str, workspace: Workspace) -> Installer:
    return Installer(slack_url, workspace)


async def data(call: Awaitable[AsyncSlackResponse]) -> dict[str, Any]:
    """The body of a good answer."""
    return cast("dict[str, Any]", (await call).data)


async def error_of(call: Awaitable[object]) -> str:
    with pytest.raises(SlackApiError) as refused:
        await call
    return cast("str", refused.value.response["error"])


async def test_the_app_is_installed_in_a_second_workspace_and_sees_it_alone(installer: Installer, workspace: Workspace) -> None:
    beta = another_workspace(workspace.platform, "T0BETA", "Beta")
    beta.add_user("U0BEA", "Bea", email="bea@beta.example")
    workspace.platform.consent = Consent(user_id="U0BEA", place="T0BETA")
    status, said, _ = await installer.visit()
    assert (status, said["state"]) == (302, ["s1"])
    answer = await installer.exchange(said["code"][0])
    assert (answer["team"], answer["enterprise"], answer["is_enterprise_install"]) == ({"id": "T0BETA", "name": "Beta"}, None, False)
    assert (answer["token_type"], answer["authed_user"], answer["bot_user_id"]) == ("bot", {"id": "U0BEA"}, beta.bot_user_id)
    assert answer["scope"] == ",".join(sorted(SCOPES))
    client = installer.client(answer["access_token"])
    assert (await client.auth_test())["team_id"] == "T0BETA"
    assert {user["id"] for user in (await data(client.users_list()))["members"]} == set(beta.users)
    assert await error_of(client.chat_postMessage(channel="C0GENERAL", text="x")) == "channel_not_found"
    assert await error_of(client.chat_postMessage(channel="U0ANA", text="x")) == "channel_not_found"
    assert (await installer.client("xoxb-false").auth_test())["team_id"] == "T0ACME"


async def test_a_code_is_good_once_for_ten_minutes_with_its_secret_and_redirect(
    installer: Installer, workspace: Workspace, clock: Clock
) -> None:
    workspace.platform.consent = Consent(user_id="U0ANA", place="T0ACME")
    _, said, _ = await installer.visit()
    code = said["code"][0]
    assert await error_of(installer.exchange("wrong")) == "invalid_code"
    assert await error_of(installer.exchange(code, client_secret="wrong")) == "bad_client_secret"
    assert await error_of(installer.exchange(code, client_id="wrong")) == "invalid_client_id"
    assert await error_of(installer.exchange(code, redirect_uri="http://127.0.0.1:1/other")) == "bad_redirect_uri"
    assert (await installer.exchange(code))["access_token"] == "xoxb-false"  # an install anew does not change a token
    assert await error_of(installer.exchange(code)) == "code_already_used"
    _, said, _ = await installer.visit()
    clock.advance(timedelta(minutes=11))
    assert await error_of(installer.exchange(said["code"][0])) == "invalid_code"


async def test_the_page_refuses_what_it_may_not_redirect_and_asks_when_nobody_decided(installer: Installer, workspace: Workspace) -> None:
    for change in ({"client_id": "wrong"}, {"redirect_uri": "https://elsewhere.example/"}, {"scope": ""}):
        status, said, page = await installer.visit(**change)
        assert (status, said) == (400, {})
        assert "Slack says" in page
    workspace.platform.app.optional_scopes = {"chat:write.public"}
    wanted = {"scope": "chat:write,chat:write.public"}
    status, _, page = await installer.visit(**wanted)
    assert status == 200
    assert 'value="T0ACME/U0ANA"' in page
    _, said, _ = await installer.visit(**wanted, **{"decision": "deny", "as": "T0ACME/U0ANA"})
    assert said == {"error": ["access_denied"], "state": ["s1"]}
    _, said, _ = await installer.visit(**wanted, **{"decision": "allow", "as": "T0ACME/U0ANA"})
    assert "chat:write.public" not in (await installer.exchange(said["code"][0]))["scope"].split(",")
    _, said, _ = await installer.visit(**wanted, **{"decision": "allow", "as": "T0ACME/U0ANA", "optional": "chat:write.public"})
    assert "chat:write.public" in (await installer.exchange(said["code"][0]))["scope"].split(",")


async def test_a_token_does_what_its_scopes_allow(installer: Installer, workspace: Workspace) -> None:
    beta = another_workspace(workspace.platform, "T0BETA", "Beta")
    beta.add_user("U0BEA", "Bea")
    workspace.platform.consent = Consent(user_id="U0BEA", place="T0BETA")
    answer = await installer.install(scope="chat:write", user_scope="users:read")
    with pytest.raises(SlackApiError) as refused:
        await installer.client(answer["access_token"]).users_list()
    body = cast("dict[str, str]", refused.value.response.data)
    assert (body["error"], body["needed"], body["provided"]) == ("missing_scope", "users:read", "chat:write")
    person = answer["authed_user"]
    assert (person["id"], person["scope"], person["token_type"], person["access_token"][:5]) == ("U0BEA", "users:read", "user", "xoxp-")
    listed = await installer.client(person["access_token"]).users_list()
    assert listed.headers["x-oauth-scopes"] == "users:read"


async def test_rotating_tokens_live_twelve_hours_and_are_refreshed_once_by_the_sdks_rotator(
    installer: Installer, workspace: Workspace, clock: Clock
) -> None:
    workspace.platform.app.is_rotating = True
    beta = another_workspace(workspace.platform, "T0BETA", "Beta")
    workspace.platform.consent = Consent(user_id=beta.bot_user_id, place="T0BETA")
    answer = await installer.install()
    assert (answer["access_token"][:10], answer["refresh_token"][:7], answer["expires_in"]) == ("xoxe.xoxb-", "xoxe-1-", 43_200)
    bot = Bot(
        bot_token=answer["access_token"],
        bot_id="B",
        bot_user_id="U",
        bot_refresh_token=answer["refresh_token"],
        bot_token_expires_at=1,
        installed_at=1.0,
    )
    clock.advance(timedelta(hours=12))
    assert await error_of(installer.client(answer["access_token"]).auth_test()) == "token_expired"
    rotator = AsyncTokenRotator(client_id=installer.app.client_id, client_secret=installer.app.client_secret, client=installer.sdk)
    rotated = await rotator.perform_bot_token_rotation(bot=bot)
    assert rotated is not None
    assert (await installer.client(rotated.bot_token).auth_test())["team_id"] == "T0BETA"
    given = {"client_id": installer.app.client_id, "client_secret": installer.app.client_secret, "grant_type": "refresh_token"}
    assert await error_of(installer.sdk.oauth_v2_access(**given, refresh_token=answer["refresh_token"])) == "invalid_refresh_token"
    again = await installer.sdk.oauth_v2_access(**given, refresh_token=rotated.bot_refresh_token)
    assert again["refresh_token"] not in {answer["refresh_token"], rotated.bot_refresh_token}


@pytest.fixture
def grid(workspace: Workspace) -> Organisation:
    """Two open workspaces and a closed one; Wil is in both open ones, Eva in the second alone."""
    acme = Organisation(workspace.platform, "E0ACME", "Acme Group")
    north, south = acme.add_workspace("T0NORTH", "North"), acme.add_workspace("T0SOUTH", "South")
    acme.add_workspace("T0CLOSED", "Closed", is_open=False)
    acme.add_user("W0WIL", "Wil", email="wil@acme.example", teams=["T0NORTH", "T0SOUTH"])
    acme.add_user("W0EVA", "Eva", email="eva@acme.example", teams=["T0SOUTH"])
    north.add_channel("C0NORTH", "north", members={"W0WIL", north.bot_user_id})
    south.add_channel("C0SOUTH", "south", members={"W0EVA", south.bot_user_id})
    return acme


async def test_an_org_wide_install_names_no_team_and_reaches_every_open_workspace(installer: Installer, grid: Organisation) -> None:
    grid.platform.consent = Consent(user_id="W0WIL", place="E0ACME")
    answer = await installer.install()
    assert (answer["team"], answer["enterprise"]["id"], answer["is_enterprise_install"]) == (None, "E0ACME", True)
    client = installer.client(answer["access_token"])
    who = await client.auth_test()
    assert (who["team_id"], who["enterprise_id"], who["is_enterprise_install"]) == ("E0ACME", "E0ACME", True)
    assert [team["id"] for team in (await data(client.auth_teams_list()))["teams"]] == ["T0NORTH", "T0SOUTH"]
    assert await error_of(client.users_list()) == "missing_argument"
    assert await error_of(client.users_list(team_id="T0ACME")) == "team_not_found"
    assert await error_of(client.users_list(team_id="T0CLOSED")) == "team_access_not_granted"
    south = {user["id"]: user for user in (await data(client.users_list(team_id="T0SOUTH")))["members"]}
    assert south["W0EVA"]["enterprise_user"]["teams"] == ["T0SOUTH"]
    assert south["W0WIL"]["enterprise_user"]["teams"] == ["T0NORTH", "T0SOUTH"]
    assert (await data(client.users_lookupByEmail(email="eva@acme.example", team_id="T0SOUTH")))["user"]["id"] == "W0EVA"
    for channel in ("C0NORTH", "C0SOUTH", "W0EVA"):
        assert (await client.chat_postMessage(channel=channel, text="Hello"))["ok"]
    assert await error_of(client.chat_postMessage(channel="C0GENERAL", text="Hello")) == "channel_not_found"
    assert ((await data(client.team_info()))["team"]["id"], (await data(client.team_info(team="T0SOUTH")))["team"]["id"]) == (
        "E0ACME",
        "T0SOUTH",
    )


async def test_one_workspace_of_an_organisation_can_have_the_app_alone(installer: Installer, grid: Organisation) -> None:
    grid.platform.consent = Consent(user_id="W0WIL", place="T0NORTH")
    answer = await installer.install()
    assert (answer["team"]["id"], answer["enterprise"]["id"], answer["is_enterprise_install"]) == ("T0NORTH", "E0ACME", False)
    assert await error_of(installer.client(answer["access_token"]).chat_postMessage(channel="C0SOUTH", text="x")) == "channel_not_found"


@pytest.mark.parametrize(("how", "error"), [("auth.revoke", "token_revoked"), ("apps.uninstall", "account_inactive")])
async def test_an_end_is_told_signed_and_no_token_works_any_more(
    installer: Installer, workspace: Workspace, inbox: Inbox, how: str, error: str
) -> None:
    client = installer.client("xoxb-false")
    assert not (await client.auth_revoke(test=True))["revoked"]
    workspace.platform.app.request_url = inbox.url
    if how == "auth.revoke":
        assert (await client.auth_revoke())["revoked"]
    else:
        await client.apps_uninstall(client_id=installer.app.client_id, client_secret=installer.app.client_secret)
    events = [await inbox.event(), await inbox.event()]
    assert [event["event"]["type"] for event in events] == ["tokens_revoked", "app_uninstalled"]
    assert events[0]["event"]["tokens"] == {"oauth": [], "bot": ["U0SURVEYBOT"]}
    assert events[0]["team_id"] == "T0ACME"
    assert await error_of(client.auth_test()) == error
    workspace.platform.consent = Consent(user_id="U0ANA", place="T0ACME")
    assert (await installer.install())["access_token"] != "xoxb-false"


async def test_an_organisation_opens_and_closes_workspaces_and_says_so(installer: Installer, grid: Organisation, inbox: Inbox) -> None:
    grid.platform.consent = Consent(user_id="W0WIL", place="E0ACME")
    client = installer.client((await installer.install())["access_token"])
    grid.platform.app.request_url = inbox.url
    grid.open_to_app("T0CLOSED")
    grid.close_to_app("T0NORTH")
    await tell_news(grid.platform)
    granted, revoked = await inbox.event(), await inbox.event()
    assert (granted["event"]["type"], granted["event"]["team_ids"]) == ("team_access_granted", ["T0CLOSED"])
    assert (revoked["event"]["type"], revoked["enterprise_id"]) == ("team_access_revoked", "E0ACME")
    assert revoked["authorizations"][0] | {"user_id": ""} == {
        "enterprise_id": "E0ACME",
        "team_id": None,
        "user_id": "",
        "is_bot": True,
        "is_enterprise_install": True,
    }
    assert [team["id"] for team in (await data(client.auth_teams_list()))["teams"]] == ["T0SOUTH", "T0CLOSED"]


async def test_on_grid_commands_and_presses_say_where_they_come_from(grid: Organisation, inbox: Inbox) -> None:
    grid.platform.install("E0ACME", {"commands"})
    south = grid.platform.workspaces["T0SOUTH"]
    await inbox.sender(south).command("W0EVA", "C0SOUTH", "/surveys")
    form = await inbox.form()
    assert (form["team_id"], form["enterprise_id"], form["is_enterprise_install"]) == ("T0SOUTH", "E0ACME", "true")
