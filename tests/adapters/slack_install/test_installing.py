"""A workspace installs the app, its tokens are renewed, it removes the app, and comes back; workspaces side by side stay apart."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from starlette.applications import Starlette

from adapters.core import utc_now
from adapters.sandbox.serving import serving
from adapters.sandbox.slack.faults import LostAnswer
from adapters.sandbox.slack.grid import another_workspace
from adapters.sandbox.slack.sender import tell_news
from adapters.slack.clients import OneWorkspace, make_client, make_session
from adapters.slack.oauth import INSTALL_PATH, REDIRECT_PATH, OAuthApp, oauth_routes
from adapters.slack.scopes import REQUIRED
from bot.errors import Gone
from bot.installations import Installation, Tokens
from store.encryption import Keyring
from store.unit_of_work import SqlStore
from tests.adapters.slack.conftest import settled
from tests.adapters.slack_install.conftest import House
from tests.sides import in_slack


async def test_an_installation_from_its_first_to_its_last_day_and_back(house: House, caplog: pytest.LogCaptureFixture) -> None:
    house.slack.app.is_rotating = True
    shown = await house.install("T0ACME")
    assert (shown.status, "installed in Acme" in shown.page) == (200, True)
    first = await house.tokens("T0ACME")
    assert isinstance(first, Tokens)
    assert first.expires_at is not None

    asked = house.called("auth.test")
    assert "survey" in (await house.ask(house.acme, "U0ANA")).text.casefold()
    assert house.called("auth.test") == asked, "nobody asks Slack about a token while a person waits"

    await nearly_over(house, "T0ACME", first)
    await house.ask(house.acme, "U0ANA")
    second = await house.tokens("T0ACME")
    assert isinstance(second, Tokens)
    assert second.access != first.access
    assert second.expires_at is not None
    assert second.expires_at > utc_now() + timedelta(hours=11)

    await uninstall(house)
    gone = await house.installation("T0ACME")
    assert gone is not None
    assert gone.revoked_at is not None
    assert await house.tokens("T0ACME") is None
    assert await house.bot.core.store.read(lambda uow: uow.members.by_email("ana@acme.example")) == []
    assert await in_slack(house.bot).clients.workspaces() == []
    with pytest.raises(Gone):
        await in_slack(house.bot).clients.of("T0ACME")
    assert "no access to this workspace" in (await house.ask(house.acme, "U0ANA")).text

    await house.install("T0ACME")
    late = house.sender(house.acme).envelope({"type": "app_uninstalled"}) | {"event_time": int(utc_now().timestamp()) - 3600}
    await house.sender(house.acme).deliver(late, attempts=(0, 1))
    await settled()
    back = await house.installation("T0ACME")
    assert back is not None
    assert back.revoked_at is None
    assert "no access" not in (await house.ask(house.acme, "U0ANA")).text
    assert_kept_secret(house, caplog, first, second, await house.tokens("T0ACME"))


async def test_workspaces_and_organisations_side_by_side_stay_apart(house: House) -> None:
    for place in ("T0ACME", "T0OTHER", "E0GRID"):
        assert (await house.install(place)).status == 200
    north = house.slack.workspaces["T0NORTH"]
    for workspace, person in ((house.acme, "U0ANA"), (house.other, "U0ANA"), (north, "W0ANA")):
        assert "no access" not in (await house.ask(workspace, person)).text
        assert (await house.sender(workspace).open_home(person)).status == 200
        await settled()
        assert person in workspace.homes
    stored = [
        await house.bot.core.store.read(lambda uow, email=email: uow.members.by_email(email))
        for email in ("ana@acme.example", "ana@other.example", "ana@grid.example")
    ]
    assert [[member.workspace_id for member in members] for members in stored] == [["T0ACME"], ["T0OTHER"], ["E0GRID"]]
    tokens = [await house.tokens(place) for place in ("T0ACME", "T0OTHER", "E0GRID")]
    assert len({it and it.access for it in tokens}) == 3
    for place, theirs in zip(("T0ACME", "T0OTHER", "E0GRID"), tokens, strict=True):
        assert theirs is not None
        assert (await in_slack(house.bot).clients.of(place)).token == theirs.access


async def test_a_workspace_that_nobody_invited_gets_in_by_no_address_of_somebody_else(house: House) -> None:
    another_workspace(house.slack, "T0EVIL", "Evil").add_user("U0EVE", "eve", email="ana@acme.example")
    shown = await house.install("T0EVIL")
    assert (shown.status, "serves other workspaces" in shown.page) == (403, True)
    assert await house.installation("T0EVIL") is None


async def test_a_page_says_what_was_left_out_and_whether_it_is_needed(house: House) -> None:
    house.slack.app.optional_scopes = {"im:write"}
    shown = await house.install("T0ACME", declined=frozenset({"im:write"}))
    assert (shown.status, "not granted <code>im:write</code>" in shown.page) == (200, True)
    it = await house.installation("T0ACME")
    assert isinstance(it, Installation)
    assert REQUIRED - it.scopes == {"im:write"}
    house.slack.app.optional_scopes = {"im:history"}
    page = (await house.install("T0OTHER", declined=frozenset({"im:history"}))).page
    assert "Left out, and that is fine: <code>im:history</code>" in page
    assert "not granted" not in page


async def test_the_pages_load_nothing_run_nothing_and_quote_nothing(house: House) -> None:
    house.acme.team_name = "<script>alert(1)</script>"
    good = await house.install("T0ACME")
    bad = await house.visit(f"{house.url}/slack/oauth_redirect?error=%3Cscript%3E&state=x")
    for shown in (good, bad):
        assert "<script" not in shown.page
        assert shown.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'sha256-")
        assert (shown.headers["Referrer-Policy"], shown.headers["Cache-Control"]) == ("no-referrer", "no-store")
        assert "http" not in shown.page
    assert bad.status == 400


async def test_only_the_browser_that_began_can_finish_and_only_once(house: House) -> None:
    back, cookie = await house.allow("T0ACME")
    for stolen in ("", "slack-app-oauth-state=another"):
        shown = await house.visit(back, stolen)
        assert (shown.status, "another browser" in shown.page) == (400, True)
    forged = back.replace(parse_qs(urlsplit(back).query)["state"][0], "forged")
    shown = await house.visit(forged, "slack-app-oauth-state=forged")
    assert (shown.status, "finished already" in shown.page) == (401, True)
    assert await house.installation("T0ACME") is None
    assert (await house.visit(back, cookie)).status == 200
    assert (await house.visit(back, cookie)).status == 401
    assert cookie.partition("=")[2] not in database(house).decode("latin-1")


async def test_an_installation_that_took_too_long_is_begun_again(house: House) -> None:
    store, now = house.bot.core.store, utc_now()
    await store.write(lambda uow: uow.oauth_states.add("old", now - timedelta(seconds=1), now - timedelta(hours=1)))
    shown = await house.visit(f"{house.url}/slack/oauth_redirect?code=x&state=old", "slack-app-oauth-state=old")
    assert (shown.status, "Begin again" in shown.page) == (401, True)


async def test_a_code_that_slack_does_not_take_is_one_sentence_and_in_no_log(house: House, caplog: pytest.LogCaptureFixture) -> None:
    back, cookie = await house.allow("T0ACME")
    code = parse_qs(urlsplit(back).query)["code"][0]
    shown = await house.visit(back.replace(code, "canary-code"), cookie)
    assert (shown.status, "did not confirm" in shown.page) == (401, True)
    house.slack.faults.add(LostAnswer(), method="oauth.v2.access")
    back, cookie = await house.allow("T0ACME")
    assert (await house.visit(back, cookie)).status == 401
    lines = [str(vars(record)) for record in caplog.records]
    assert len(lines) > 1
    assert not any("canary-code" in line or code in line for line in lines)


async def test_who_does_not_allow_it_is_told_that_nothing_happened(house: House) -> None:
    shown = await house.install("T0ACME", is_allowed=False)
    assert (shown.status, "nothing was installed" in shown.page) == (400, True)
    assert await house.installation("T0ACME") is None


async def test_people_who_revoke_their_own_tokens_end_nothing(house: House) -> None:
    await house.install("T0ACME")
    await house.sender(house.acme).event({"type": "tokens_revoked", "tokens": {"oauth": ["U0ANA"], "bot": []}})
    await settled()
    assert await house.tokens("T0ACME") is not None


async def test_while_the_database_is_away_the_pages_say_so(keyring: Keyring) -> None:
    away = SqlStore("sqlite:////nowhere/surveybot.db", keyring)
    async with make_session() as session:
        client = make_client(None, "http://127.0.0.1:9/api/", session)
        app = OAuthApp(client_id="1.2", client_secret="unused", may_install=lambda _: True, client=client)
        routes = oauth_routes(app, away, OneWorkspace("T0ACME", client), utc_now)
        async with serving(Starlette(routes=routes)) as url:
            cookie = {"Cookie": "slack-app-oauth-state=s"}
            for path in (INSTALL_PATH, f"{REDIRECT_PATH}?code=c&state=s"):
                async with session.get(f"{url}{path}", headers=cookie) as answer:
                    assert (answer.status, "could not keep" in await answer.text()) == (503, True)
    await away.close()


async def nearly_over(house: House, workspace_id: str, tokens: Tokens) -> None:
    soon = replace(tokens, expires_at=utc_now() + timedelta(minutes=5))
    await house.bot.core.store.write(lambda uow: uow.installations.renew(workspace_id, soon))
    in_slack(house.bot).clients.changed(workspace_id)


async def uninstall(house: House) -> None:
    house.slack.uninstall(house.slack.installations[0])
    await tell_news(house.slack)
    await settled()


def database(house: House) -> bytes:
    path = Path(house.settings.database_url.get_secret_value().removeprefix("sqlite:///"))
    return b"".join(file.read_bytes() for file in path.parent.iterdir())


def assert_kept_secret(house: House, caplog: pytest.LogCaptureFixture, *tokens: Tokens | None) -> None:
    everything, log = database(house), "\n".join(f"{record.getMessage()} {vars(record)}" for record in caplog.records)
    assert "slack.installed" in log
    for secret in (text for it in tokens if it is not None for text in (it.access, it.refresh)):
        assert secret is not None
        assert secret.encode() not in everything
        assert secret not in log
