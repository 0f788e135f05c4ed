"""`surveybot push`: each command says what it did, and what is missing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adapters.push_keys import key_of
from adapters.sandbox.demo import Sandbox
from adapters.sandbox.qualtrics.credentials import SCOPES
from tests.adapters.operator.conftest import Shell, variables

URL = "https://bot.example.com"
ADDRESS = f"{URL}/qualtrics/events/acme"


@pytest.fixture
def sandboxed(shell: Shell, inside: Sandbox) -> Shell:
    shell.set(variables(inside.bot.core.settings))
    return shell


async def push_keys(inside: Sandbox) -> list[str]:
    return [key_of(it) for it in await inside.bot.core.store.read(lambda u: u.integrations.push_keys("acme"))]


async def test_the_life_of_a_push(sandboxed: Shell, inside: Sandbox) -> None:
    told = [await sandboxed.run("push", *words) for words in (("list",), ("register", "--url", URL), ("register", "--url", f"{URL}/"))]
    assert [(it.code, it.out) for it in told] == [
        (0, "There is no event subscription.\n"),
        (0, "acme: 3 event subscriptions were made.\n"),
        (0, "acme: Everything is subscribed to already.\n"),
    ]
    listed = (await sandboxed.run("push", "list")).out
    assert [line.split()[2:] for line in listed.splitlines()[1:]] == [
        [topics, "0", "yes", ADDRESS]
        for topics in ("surveyengine.completedResponse.*", "controlpanel.activateSurvey", "controlpanel.deactivateSurvey")
    ]
    keys = await push_keys(inside)
    ended = await sandboxed.run("push", "replace")
    assert (ended.code, ended.out) == (0, "acme: New event subscriptions with a new key were made, 3 old ones removed.\n")
    keys += await push_keys(inside)
    assert (await sandboxed.run("push", "remove")).out == "acme: 3 event subscriptions were removed.\n"
    assert (await push_keys(inside), len(keys), len(inside.tenant.subscriptions)) == ([], 2, 0)
    assert not any(key in "".join((it.out + it.err) for it in (*told, ended)) + listed for key in keys)


async def test_what_another_installation_registered_is_touched_by_name_alone(sandboxed: Shell, inside: Sandbox) -> None:
    await sandboxed.run("push", "register", "--url", URL)
    await inside.bot.core.store.write(lambda u: u.integrations.set_push_keys("acme", []))
    for words in (("replace",), ("remove",)):
        ended = await sandboxed.run("push", *words)
        assert (ended.code, ended.out) == (1, "")
        assert ended.err == "Nothing of acme was registered from here; if Qualtrics calls it, name the address with --url.\n"
    assert len(inside.tenant.subscriptions) == 3
    assert (await sandboxed.run("push", "remove", "--url", URL)).out == "acme: 3 event subscriptions were removed.\n"


async def test_without_a_brand_administrator_it_says_so(sandboxed: Shell, inside: Sandbox) -> None:
    for user in inside.tenant.users:
        user.denied.add("subscriptions")
    ended = await sandboxed.run("push", "register", "--url", URL)
    assert ended.code == 1
    assert "take a brand administrator: acme needs the credentials of one." in ended.err


@pytest.mark.parametrize("granted", [True, False])
async def test_an_oauth_client_needs_its_scope(sandboxed: Shell, inside: Sandbox, granted: bool) -> None:
    admin = next(user for user in inside.tenant.users if user.is_admin)
    inside.tenant.credentials.add_client("client", "canary-secret", admin.user_id, SCOPES if granted else SCOPES - {"manage:subscriptions"})
    store = inside.bot.core.store
    known = await store.read(lambda u: u.integrations.get("acme"))
    assert known is not None
    oauth = replace(known, integration_id="oauth", name="OAuth", client_id="client")
    await store.write(lambda u: u.integrations.save(oauth))
    await store.write(lambda u: u.integrations.set_secret("oauth", "canary-secret"))
    ended = await sandboxed.run("push", "register", "--url", URL, "--integration", "oauth")
    assert (ended.code, len(inside.tenant.subscriptions)) == ((0, 3) if granted else (1, 0))
    if not granted:
        assert "its OAuth client the scope `manage:subscriptions`" in ended.err
    assert "canary" not in ended.out + ended.err


@pytest.mark.parametrize("url", ["bot.example.com", "http://bot.example.com", "https://", "https://bot.example.com?x=1", "https://u:p@bot"])
async def test_a_url_that_nobody_outside_may_call_is_refused(shell: Shell, url: str) -> None:
    ended = await shell.run("push", "register", "--url", url)
    assert ended.code == 2
    assert "must be like https://bot.example.com" in " ".join(ended.err.split())


async def test_an_unknown_integration_is_named(sandboxed: Shell) -> None:
    ended = await sandboxed.run("push", "list", "--integration", "other")
    assert (ended.code, ended.err) == (1, "There is no integration other: there is acme.\n")
