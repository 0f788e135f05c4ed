"""Teams as a part of the whole bot: by its settings alone, with or without Slack."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from pydantic import SecretStr

from adapters.app import Bot, open_bot
from adapters.sandbox.serving import serving
from adapters.sandbox.teams.client import TeamsClient
from adapters.sandbox.teams.identity import IdentityProvider
from adapters.sandbox.teams.tenant import Tenant
from adapters.scheduler import scheduled
from adapters.settings import Settings, Teams
from adapters.teams.inbound import PATH
from adapters.teams.registration import PUBLIC, Registration
from adapters.teams_side import registered
from adapters.web import web
from tests.adapters.teams.conftest import APP_ID, TENANT_ID
from tests.conftest import KEY


@pytest.fixture
def settings(database_url: str, identity: IdentityProvider) -> Settings:
    teams = Teams(app_id=APP_ID, tenant_id=TENANT_ID, client_secret=SecretStr(identity.password))
    return Settings(
        teams=teams, encryption_keys=SecretStr(KEY), database_url=SecretStr(database_url), metrics_token=SecretStr("a-token-of-metrics")
    )


@pytest.fixture
async def bot(settings: Settings, registration: Registration) -> AsyncIterator[Bot]:
    async with open_bot(settings, cloud=registration.cloud) as opened:
        yield opened


async def test_a_bot_in_teams_alone_answers_there_and_is_ready(bot: Bot, service: Tenant, identity: IdentityProvider) -> None:
    async with serving(web(bot)) as url, httpx.AsyncClient(base_url=url) as watcher, scheduled(bot):
        assert (await TeamsClient(service, identity, f"{url}{PATH}").say("ana", "help")).status_code == 202
        assert (await watcher.get("/readyz")).json() == {"status": "ready"}
        assert (await watcher.get("/metrics", headers={"Authorization": "Bearer a-token-of-metrics"})).status_code == 200
        assert (await watcher.post("/slack/events")).status_code == 404
    assert [activity["summary"].split("\n")[0] for activity in service.personal("ana").messages.values()] == ["Surveybot help"]


def test_nobody_is_believed_without_an_app_id() -> None:
    with pytest.raises(ValueError, match="would believe anybody"):
        registered(Teams(), PUBLIC)


async def test_nobody_is_given_the_app_unless_the_settings_name_their_domains(
    bot: Bot, settings: Settings, registration: Registration
) -> None:
    assert bot.teams is not None
    assert bot.teams.installer is None
    teams = settings.teams.model_copy(update={"install_for": "acme.example, acme.org"})
    async with open_bot(settings.model_copy(update={"teams": teams}), cloud=registration.cloud) as switched:
        assert switched.teams is not None
        assert switched.teams.installer is not None
        assert switched.teams.installer.domains == {"acme.example", "acme.org"}
        await switched.give_app()
