"""A simulated Teams at work: the identity provider over TLS, the connector behind an address of its own, and how a bot is told of both."""

from __future__ import annotations

import os
import secrets
import tempfile
import uuid
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pydantic import SecretStr
from starlette.types import ASGIApp

from adapters.sandbox.serving import serving
from adapters.sandbox.teams.certificate import certificate
from adapters.sandbox.teams.connector import connector_app
from adapters.sandbox.teams.identity import IdentityProvider, Key
from adapters.sandbox.teams.tenant import Tenant
from adapters.settings import Teams
from adapters.teams.registration import Cloud

_CA_BUNDLE = "REQUESTS_CA_BUNDLE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulated:
    tenant: Tenant
    identity: IdentityProvider
    connector: ASGIApp
    #: What the bot believes to be Microsoft's.
    cloud: Cloud
    settings: Teams


@asynccontextmanager
async def simulated_teams(clock: Callable[[], datetime], url: str) -> AsyncGenerator[Simulated]:
    """Serve the identity provider; the caller serves the connector at `url`. While it lasts, this process trusts its certificate alone."""
    tenant = Tenant(tenant_id=str(uuid.uuid4()), clock=clock, service_url=f"{url}/")
    identity = IdentityProvider(app_id=str(uuid.uuid4()), password=secrets.token_hex(16), key=Key("sandbox"))
    with tempfile.TemporaryDirectory(prefix="surveybot-tls-") as folder:
        pem = certificate(Path(folder) / "server.pem")
        before = os.environ.get(_CA_BUNDLE)
        os.environ[_CA_BUNDLE] = str(pem)
        try:
            async with serving(identity.app(), certificate=pem) as identity.url:
                yield Simulated(
                    tenant=tenant,
                    identity=identity,
                    connector=connector_app(tenant, identity),
                    cloud=_cloud(tenant, identity),
                    settings=_settings(tenant, identity),
                )
        finally:
            os.environ.pop(_CA_BUNDLE) if before is None else os.environ.update({_CA_BUNDLE: before})


def _cloud(tenant: Tenant, identity: IdentityProvider) -> Cloud:
    return Cloud(
        login_url=f"{identity.url}/",
        openid_url=f"{identity.url}/openid",
        service_hosts=frozenset({"127.0.0.1"}),
        service_url=tenant.service_url,
        allows_http=True,
    )


def _settings(tenant: Tenant, identity: IdentityProvider) -> Teams:
    return Teams(
        app_id=identity.app_id,
        tenant_id=tenant.tenant_id,
        client_secret=SecretStr(identity.password),
        targeted_answers=True,
    )
