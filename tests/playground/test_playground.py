"""A Teams client that is not ours: the Microsoft 365 Agents Playground against a whole bot, over HTTP, without a network or a browser."""

from __future__ import annotations

import json
import subprocess
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from pydantic import SecretStr

from adapters.app import Bot, open_bot
from adapters.sandbox.serving import serving
from adapters.sandbox.teams.certificate import certificate
from adapters.sandbox.teams.gate import problems
from adapters.sandbox.teams.identity import IdentityProvider, Key
from adapters.settings import Settings, Teams
from adapters.teams.inbound import PATH
from adapters.teams.registration import Cloud
from adapters.web import web
from bot.events import Event, EventKind
from tests.adapters.teams.conftest import APP_ID, LINK, TENANT_ID, button, sent_sv_1, title
from tests.conftest import KEY
from tests.playground.running import CHANNEL, HERE, NODE, NPM, PERSONAL, TEAM, Json, Playground, playing, signing

#: The first one chats.
PEOPLE = [(f"00000000-0000-0000-0000-00000000000{at}", name) for at, name in enumerate(("Ana", "Ben", "Cleo", "Dan", "Eve", "Fay"))]


@pytest.fixture(scope="module", autouse=True)
def _installed() -> None:
    """Where there is npm and a registry, it is fetched at its first use."""
    if NODE is None or NPM is None:
        pytest.skip("the Microsoft 365 Agents Playground needs Node.js and npm")
    if not (HERE / "node_modules").is_dir():
        told = ["install", "--no-save", "--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund"]
        try:
            subprocess.run([NPM, *told], cwd=HERE, check=True, capture_output=True, timeout=60)  # noqa: S603 - ours
        except subprocess.SubprocessError:
            pytest.skip("npm cannot fetch the Microsoft 365 Agents Playground here; with a registry at hand, `make playground` does")


@pytest.fixture
def database_url(tmp_path: Path, migrated_sqlite: bytes) -> str:
    path = tmp_path / "surveybot.db"
    path.write_bytes(migrated_sqlite)
    return f"sqlite:///{path}"


@pytest.fixture
async def house(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Bot, Playground]]:
    identity = IdentityProvider(app_id=APP_ID, password="a-secret-of-tests", key=Key("k1"))
    pem = certificate(tmp_path / "server.pem")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(pem))
    async with AsyncExitStack() as stack:
        identity.url = await stack.enter_async_context(serving(identity.app(), certificate=pem))
        cloud = Cloud(
            login_url=f"{identity.url}/", openid_url=f"{identity.url}/openid", service_hosts=frozenset({"127.0.0.1"}), allows_http=True
        )
        teams = Teams(app_id=APP_ID, tenant_id=TENANT_ID, client_secret=SecretStr(identity.password), targeted_answers=True)
        settings = Settings(teams=teams, encryption_keys=SecretStr(KEY), database_url=SecretStr(database_url))
        bot = await stack.enter_async_context(open_bot(settings, cloud=cloud))
        await bot.core.store.write(sent_sv_1)
        url = await stack.enter_async_context(serving(web(bot)))
        signed = await stack.enter_async_context(serving(signing(identity, f"{url}{PATH}")))
        playground = await stack.enter_async_context(
            playing(f"{signed}/", app_id=APP_ID, tenant_id=TENANT_ID, people=PEOPLE, folder=tmp_path)
        )
        yield bot, playground


async def test_a_person_installs_asks_is_told_and_removes_the_bot(house: tuple[Bot, Playground]) -> None:
    bot, teams = house
    store = bot.core.store
    await teams.happen("install", PERSONAL)
    await teams.happen("botAdded", PERSONAL)
    welcome = await teams.awaited(PERSONAL, 1)
    assert title(card(welcome)) == "Surveybot help"

    await teams.say(PERSONAL, "surveys")
    listed = await teams.awaited(PERSONAL, 2)
    assert title(card(listed)) == "My active surveys"
    details = await teams.press(button(card(listed), "Details"), listed["id"])
    assert f"{LINK}ana" in json.dumps(details)
    settings = await teams.press(button(card(welcome), "Change settings"), welcome["id"])
    assert title(settings["value"]) == "Settings"

    person = await store.read(lambda uow: uow.people.find("ana@acme.example"))
    assert person is not None
    event = Event(kind=EventKind.SURVEY_INVITED, integration_id="main", survey_id="SV_1", person_id=person, mark="")
    await store.write(lambda uow: uow.outbox.add([event], bot.core.clock()))
    await bot.deliver()
    told = await teams.awaited(PERSONAL, 3)
    assert (told["summary"].split("\n")[0], title(card(told))) == ("New survey", "New survey")
    assert f"{LINK}ana" in json.dumps(told)
    renewed = await teams.press(card(told)["refresh"]["action"], told["id"])
    assert renewed["value"] == card(told)

    await teams.happen("install", TEAM)
    await teams.say(CHANNEL, "surveys")
    answer = await teams.awaited(CHANNEL, 1)
    assert answer["recipient"]["id"] == teams.person["id"]
    assert LINK not in json.dumps(answer)

    await teams.happen("uninstall", PERSONAL)
    await bot.deliver()
    address = await store.read(lambda uow: uow.addresses.personal(TENANT_ID, PEOPLE[0][0]))
    assert address is not None
    assert address.is_closed
    assert len(teams.sent(PERSONAL)) == 3
    assert [call["response"]["statusCode"] for call in teams.calls() if call["response"]["statusCode"] >= 300] == []
    assert {wrong for message in (welcome, listed, told, answer) for wrong in problems(card(message))} == set()


def card(message: Json) -> Json:
    return message["attachments"][0]["content"]
