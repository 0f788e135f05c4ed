"""`surveybot check` asks everything, tells what to do about each failure, and hides no failure behind another."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from adapters.checks import run_checks
from adapters.sandbox.demo import Sandbox
from adapters.sandbox.qualtrics.faults import Faults
from adapters.sandbox.serving import serving
from adapters.sandbox.slack.faults import RateLimited, Refused
from adapters.slack.scopes import SCOPES
from bot.errors import Unauthorized
from bot.sync import Kind
from store import migrations
from tests.adapters.operator.conftest import GOOD, Shell, variables

NAMES = ["database", "Qualtrics", "Slack", "synchronisation", "people in Slack", "messages"]
REACH = "does this machine reach SURVEYBOT_QUALTRICS__BASE_URL, and is that your data centre?"


async def checked(inside: Sandbox, **changes: dict[str, object]) -> dict[str, tuple[bool, str]]:
    """What the checks say, by name; `changes` are to the settings' sections."""
    settings = inside.bot.core.settings
    sections = {name: getattr(settings, name).model_copy(update=change) for name, change in changes.items()}
    return {check.name: (check.ok, check.text) for check in await run_checks(settings.model_copy(update=sections))}


async def test_a_fresh_installation_can_do_its_work(inside: Sandbox) -> None:
    account = await inside.bot.core.source.account()
    assert await checked(inside) == {
        "database": (True, "reachable, schema is current"),
        "Qualtrics": (True, f"brand sandbox, account {account.user_id}, data centre iad1"),
        "Slack": (True, "workspace T0ACME"),
        "synchronisation": (True, "never ran; `surveybot sync` runs it now"),
        "people in Slack": (True, "directory not read yet"),
        "messages": (True, "none yet"),
    }


async def test_what_was_done_is_told(inside: Sandbox) -> None:
    await _work(inside)
    results = await checked(inside)
    assert all(ok for ok, _ in results.values())
    assert results["synchronisation"][1].startswith("full of 20")
    assert "UTC: ok; incremental of 20" in results["synchronisation"][1]
    assert results["people in Slack"][1] == "2 bot, 1 deactivated, 2 guest, 20 member, 1 no e-mail, 1 stranger"
    assert results["messages"][1].splitlines()[0] == "1 failed, 17 sent, 4 unreachable"
    assert "        1 x Rejected: chat.postMessage answered 200 msg_too_long" in results["messages"][1].splitlines()


@pytest.mark.parametrize(
    ("fault", "answer", "advice"),
    [
        ({"status": 401}, "answered 401", "SURVEYBOT_QUALTRICS__API_TOKEN must be of an account that may use the API"),
        ({"status": 403}, "answered 403", "SURVEYBOT_QUALTRICS__API_TOKEN must be of an account that may use the API"),
        ({"status": 404}, "answered 404", "SURVEYBOT_QUALTRICS__BASE_URL does not lead to Qualtrics' API"),
        ({"status": 429}, "answered 429", "wait a minute"),
        ({"status": 503}, "answered 503", REACH),
        ({"broken_json_next": 2}, "answered something unexpected", "SURVEYBOT_QUALTRICS__BASE_URL does not lead to Qualtrics' API"),
    ],
)
async def test_what_is_wrong_with_qualtrics_comes_with_what_to_do(inside: Sandbox, fault: dict[str, int], answer: str, advice: str) -> None:
    inside.tenant.faults = Faults(**fault)  # pyright: ignore[reportArgumentType]
    results = await checked(inside)
    ok, text = results.pop("Qualtrics")
    assert not ok
    assert text.startswith(f"GET /API/v3/whoami {answer}")
    assert text.endswith(f"; {advice}")
    assert all(ok for ok, _ in results.values())


async def test_a_wrong_host_or_token_of_qualtrics_is_told(inside: Sandbox) -> None:
    nowhere = await checked(inside, qualtrics={"base_url": "http://127.0.0.1:1/API/v3/"})
    assert nowhere["Qualtrics"] == (False, f"GET /API/v3/whoami got no answer (ConnectError); {REACH}")
    elsewhere = await checked(inside, qualtrics={"base_url": f"{inside.url}/elsewhere/API/v3/"})
    assert elsewhere["Qualtrics"][1].endswith("; SURVEYBOT_QUALTRICS__BASE_URL does not lead to Qualtrics' API")
    stranger = await checked(inside, qualtrics={"api_token": SecretStr("c4n4ry-token")})
    assert stranger["Qualtrics"][1].startswith(
        "GET /API/v3/whoami answered 401 (errorCode DCD_7, requestId none); SURVEYBOT_QUALTRICS__API"
    )
    assert "c4n4ry" not in str(stranger)


async def test_a_faster_host_is_named_once_qualtrics_names_it(inside: Sandbox) -> None:
    notice = "Request proxied. For faster response times, use this host instead: fra1.qualtrics.com"

    async def whoami(_: Request) -> JSONResponse:
        return JSONResponse({"result": {"brandId": "acme", "userId": "UR_1"}, "meta": {"httpStatus": "200 - OK", "notice": notice}})

    async with serving(Starlette(routes=[Route("/API/v3/whoami", whoami)])) as url:
        results = await checked(inside, qualtrics={"base_url": f"{url}/API/v3/"})
    text = "brand acme, account UR_1, data centre not told; faster with SURVEYBOT_QUALTRICS__BASE_URL=https://fra1.qualtrics.com/API/v3/"
    assert results["Qualtrics"] == (True, text)


async def test_what_is_wrong_with_slack_comes_with_what_to_do(inside: Sandbox) -> None:
    wrong = await checked(inside, slack={"bot_token": SecretStr("xoxb-c4n4ry-token")})
    advice = "copy SURVEYBOT_SLACK__BOT_TOKEN anew from the Slack app page, OAuth & Permissions"
    assert wrong.pop("Slack") == (False, f"auth.test answered 200 invalid_auth; {advice}")
    assert all(ok for ok, _ in wrong.values())
    assert "c4n4ry" not in str(wrong)

    inside.workspace.faults.add(Refused("account_inactive"))
    assert (await checked(inside))["Slack"] == (False, f"auth.test answered 200 account_inactive; {advice}")
    inside.workspace.faults.add(RateLimited())
    assert (await checked(inside))["Slack"] == (False, "auth.test answered 429 ratelimited; wait a minute")
    inside.workspace.faults.down = True
    assert (await checked(inside))["Slack"] == (False, "auth.test answered 503 None; does this machine reach SURVEYBOT_SLACK__API_URL?")


async def test_missing_scopes_are_named(inside: Sandbox) -> None:
    inside.workspace.scopes -= {"users:read.email", "im:write"}
    text = "the app lacks im:write, users:read.email; add that under OAuth & Permissions, then install the app again"
    assert (await checked(inside))["Slack"] == (False, text)


def test_the_manifest_asks_for_the_scopes_that_are_checked() -> None:
    manifest = json.loads(Path("manifest/slack.json").read_bytes())
    assert set(manifest["oauth_config"]["scopes"]["bot"]) == SCOPES


async def test_a_failed_run_is_a_failure_until_the_next_one_succeeds(inside: Sandbox) -> None:
    inside.tenant.faults = Faults(status=401)
    with pytest.raises(Unauthorized):
        await inside.bot.core.sync(Kind.FULL)
    inside.tenant.faults = Faults()
    ok, text = (await checked(inside))["synchronisation"]
    assert not ok
    assert text.startswith("the last full run failed: Unauthorized: GET /API/v3/")
    await inside.bot.core.sync(Kind.FULL)
    assert (await checked(inside))["synchronisation"][0]


@pytest.mark.usefixtures("no_waiting")
async def test_several_failures_are_all_shown_and_the_exit_code_is_1(inside: Sandbox, shell: Shell) -> None:
    shell.set(variables(inside.bot.core.settings))
    ended = await shell.run("check")
    assert (ended.code, ended.err) == (0, "")
    assert [line[:4] for line in ended.out.splitlines()] == ["ok  "] * 6

    inside.tenant.faults = Faults(status=503)
    inside.workspace.faults.down = True
    ended = await shell.run("check")
    lines = [line.partition(":")[0].split(maxsplit=1) for line in ended.out.splitlines()]
    assert lines == [["FAIL" if name in {"Qualtrics", "Slack"} else "ok", name] for name in NAMES]
    assert (ended.code, ended.err) == (1, "")


async def test_a_database_without_this_schema_is_the_only_answer(empty_database_url: str, shell: Shell) -> None:
    shell.set({**GOOD, "SURVEYBOT_DATABASE_URL": empty_database_url})
    ended = await shell.run("check")
    assert (ended.code, ended.out) == (1, "FAIL  database: the schema is not this version's; run `surveybot db upgrade`\n")
    assert (await shell.run("db", "upgrade")).out == "The database is at this version's schema.\n"
    assert migrations.is_current(empty_database_url)


@pytest.mark.parametrize("url", ["sqlite:///no/such/folder/s.db", "postgresql://me:c4n4ry@127.0.0.1:1/name"])
async def test_a_database_that_cannot_be_reached_is_the_only_answer(shell: Shell, url: str) -> None:
    shell.set({**GOOD, "SURVEYBOT_DATABASE_URL": url})
    ended = await shell.run("check")
    sentence = "FAIL  database: the database cannot answer now; is it running, and is SURVEYBOT_DATABASE_URL right?\n"
    assert (ended.code, ended.out, ended.err) == (1, sentence, "")


async def _work(inside: Sandbox) -> None:
    """A survey to everybody, one message refused."""
    await inside.bot.core.sync(Kind.FULL)
    await inside.bot.directory.refresh()
    inside.tenant.send_survey(name="Town hall")
    await inside.bot.core.sync(Kind.INCREMENTAL)
    inside.workspace.faults.add(Refused("msg_too_long"), method="chat.postMessage")
    await inside.bot.deliver()
