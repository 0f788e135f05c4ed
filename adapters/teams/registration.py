"""How the bot is registered with Microsoft, and the cloud it is registered in."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import urlsplit


class AppKind(StrEnum):
    """As Azure Bot calls them (https://learn.microsoft.com/en-us/azure/bot-service/bot-builder-authentication-types)."""

    SINGLE_TENANT = "SingleTenant"
    MANAGED_IDENTITY = "UserAssignedMSI"
    #: No new ones can be made since July 2025. Here it serves one tenant as well.
    MULTI_TENANT = "MultiTenant"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cloud:
    """The addresses of one of Microsoft's clouds. The defaults are those of the public one, with the bot hosts of the sovereign ones.

    https://learn.microsoft.com/en-us/azure/bot-service/rest-api/bot-framework-rest-connector-authentication
    """

    #: Tokens to send with are asked for here, with the tenant behind it.
    login_url: str = "https://login.microsoftonline.com/"
    scope: str = "https://api.botframework.com"
    #: Who signs what is sent to us, and where their keys are.
    issuer: str = "https://api.botframework.com"
    openid_url: str = "https://login.botframework.com/v1/.well-known/openidconfiguration"
    #: Where messages may be sent to, token included (https://learn.microsoft.com/en-us/microsoftteams/platform/bots/how-to/conversations/send-proactive-messages).
    service_hosts: frozenset[str] = frozenset(
        {
            "smba.trafficmanager.net",
            "smba.infra.gcc.teams.microsoft.com",
            "smba.infra.gov.teams.microsoft.us",
            "smba.infra.dod.teams.microsoft.us",
        }
    )
    #: For people of whom nothing else is known: any region's address does.
    service_url: str = "https://smba.trafficmanager.net/teams/"
    #: Microsoft Graph: where it is asked, and who its tokens are for.
    graph_url: str = "https://graph.microsoft.com"
    #: On this machine alone, that is in the sandbox.
    allows_http: bool = False

    def serves(self, service_url: str) -> bool:
        """Whether this is an address of Microsoft's for bots. Our token goes wherever a service URL says."""
        try:
            parts = urlsplit(service_url)
            is_plain = parts.username is None and parts.password is None and not parts.query and not parts.fragment
        except ValueError:
            return False
        schemes = {"https", "http"} if self.allows_http else {"https"}
        return is_plain and parts.scheme in schemes and parts.hostname in self.service_hosts


PUBLIC = Cloud()


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """One bot, for the people of one tenant."""

    app_id: str
    #: Of the organisation that is served. Nobody else is listened to, whatever their tokens say.
    tenant_id: str
    kind: AppKind = AppKind.SINGLE_TENANT
    #: None for a managed identity.
    password: str | None = field(default=None, repr=False)
    cloud: Cloud = PUBLIC

    @property
    def authority(self) -> str:
        """Who gives tokens: the bot's own tenant, or Microsoft's for bots of many tenants."""
        return self.cloud.login_url + ("botframework.com" if self.kind is AppKind.MULTI_TENANT else self.tenant_id)
