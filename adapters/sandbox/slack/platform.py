"""What all workspaces of one simulated Slack share: the app as it is registered, its installations and tokens, faults and the journal."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from adapters.sandbox.slack.codes import Codes, Consent
from adapters.sandbox.slack.errors import MethodError
from adapters.sandbox.slack.faults import Faults
from adapters.sandbox.slack.installations import Installation, Token, TokenKind, Tokens
from adapters.sandbox.slack.limits import Limits
from adapters.sandbox.slack.records import Call, Json, RefusedPayload, Timeout
from adapters.sandbox.slack.sockets import Sockets

if TYPE_CHECKING:
    from adapters.sandbox.slack.grid import Organisation
    from adapters.sandbox.slack.workspace import Workspace

#: The bot scopes of our manifest.
SCOPES = frozenset({"chat:write", "commands", "im:write", "users:read", "users:read.email", "channels:read", "groups:read", "team:read"})


@dataclass(slots=True, kw_only=True)
class App:
    """The app as its maker registered it."""

    app_id: str = "A0SURVEYBOT"
    #: Signs what Slack sends.
    signing_secret: str = "unsigned"  # noqa: S105 - opens nothing but the sandbox
    client_id: str = "100.200"
    client_secret: str = "the client secret of the sandbox"  # noqa: S105 - opens nothing but the sandbox
    #: Where it is told what its own calls brought about, such as its uninstallation; empty: by Socket Mode, if a connection is open.
    request_url: str = ""
    #: Of Socket Mode.
    app_token: str = "xapp-1-A0SURVEYBOT-1-sandbox"  # noqa: S105 - opens nothing but the sandbox
    #: A redirect must begin with one of these; empty: any on this computer.
    redirect_urls: list[str] = field(default_factory=list[str])
    #: `bot_optional` of the manifest: whoever installs may decline them.
    optional_scopes: set[str] = field(default_factory=set[str])
    is_rotating: bool = False
    #: `org_deploy_enabled` of the manifest.
    is_org_ready: bool = True


class Platform:
    """Workspaces and organisations enter themselves."""

    def __init__(self, *, clock: Callable[[], datetime], app: App | None = None) -> None:
        self.clock = clock
        self.app = app or App()
        #: Where `slack_app` is served. To be set by whoever serves it.
        self.url = ""
        self.faults = Faults()
        #: None: nobody counts, so that tests are fast.
        self.limits: Limits | None = None
        self.journal: list[Call] = []
        self.refused: list[RefusedPayload] = []
        #: How long Slack waits for an acknowledgement, in seconds.
        self.patience_s = 3.0
        self.timeouts: list[Timeout] = []
        self.workspaces: dict[str, Workspace] = {}
        self.organisations: dict[str, Organisation] = {}
        self.installations: list[Installation] = []
        self.tokens, self.codes = Tokens(clock), Codes(clock)
        self.sockets = Sockets(self.app.app_id)
        #: What is said when the app asks to be installed; None: the page asks the person who looks at it.
        self.consent: Consent | None = None
        #: Events that Slack has to send since the last request, each with the workspace it is about.
        self.news: list[tuple[Workspace, Json]] = []
        self._numbers = itertools.count(1)

    def new_id(self, prefix: str) -> str:
        return f"{prefix}{next(self._numbers):08d}"

    def install(self, place: str, scopes: set[str], *, bot_token: str | None = None) -> Token:
        """Install the app in a workspace or, by an organisation's id, org-wide; once more only adds scopes. Returns the bot's token."""
        installation = self._installed(place) or self._new_installation(place)
        installation.scopes |= scopes
        if not self.app.is_rotating:
            for token in self.tokens.living(installation):
                if token.kind is TokenKind.BOT:
                    return token
        return self.tokens.issue(installation, rotates=self.app.is_rotating, value=bot_token)

    def uninstall(self, installation: Installation, error: str = "account_inactive") -> None:
        """End all tokens and leave every workspace; Slack says so by `tokens_revoked` and `app_uninstalled`."""
        revoked = self.tokens.end(installation, error)
        self.installations.remove(installation)
        users = {kind: [token.user_id for token in revoked if token.kind is kind] for kind in TokenKind}
        workspace = next(self.workspaces_of(installation))
        events: list[Json] = [
            {"type": "tokens_revoked", "tokens": {"oauth": users[TokenKind.USER], "bot": list(dict.fromkeys(users[TokenKind.BOT]))}},
            {"type": "app_uninstalled"},
        ]
        self.news.extend((workspace, event) for event in events)

    def workspaces_of(self, installation: Installation) -> Iterator[Workspace]:
        if installation.team_id is not None:
            yield self.workspaces[installation.team_id]
        else:
            yield from self.organisations[str(installation.enterprise_id)].granted()

    def workspace_for(self, token: Token, arguments: Json) -> Workspace:
        """The workspace a call is about: the token's own, or for an org-wide token the one that is named or holds what is named.

        Raises MethodError for a workspace that is not there, or that the organisation did not open to the app.
        """
        own = list(self.workspaces_of(token.installation))
        if not token.installation.is_org_wide:
            return own[0]
        team_id = arguments.get("team_id") or arguments.get("team")
        if team_id:
            found = self.workspaces.get(str(team_id))
            if found is None or found.enterprise_id != token.installation.enterprise_id:
                raise MethodError("team_not_found")
            if found not in own:
                raise MethodError("team_access_not_granted")
            return found
        if not own:
            raise MethodError("team_access_not_granted")
        return next((workspace for workspace in own if workspace.knows(arguments)), own[0])

    def count(self, method: str, place: str, channel: str | None = None) -> None:
        """Count a call against the app's limits in a workspace or organisation. Raises Throttled."""
        if self.limits is not None:
            self.limits.take(method, place, channel, self.clock().timestamp())

    def _installed(self, place: str) -> Installation | None:
        return next((one for one in self.installations if place == (one.team_id or one.enterprise_id)), None)

    def _new_installation(self, place: str) -> Installation:
        organisation = self.organisations.get(place)
        workspaces = list(organisation.granted()) if organisation else [self.workspaces[place]]
        installation = Installation(
            team_id=None if organisation else place,
            enterprise_id=workspaces[0].enterprise_id,
            bot_user_id=workspaces[0].bot_user_id,
            bot_id=workspaces[0].bot_id,
            scopes=set(),
        )
        self.installations.append(installation)
        for workspace in workspaces:
            workspace.enter(installation)
        return installation
