"""Enterprise Grid: an organisation of several workspaces, whose people have one id in all of them (https://docs.slack.dev/enterprise)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from adapters.sandbox.slack.platform import Platform
from adapters.sandbox.slack.records import UserKind
from adapters.sandbox.slack.workspace import Workspace


class Organisation:
    def __init__(self, platform: Platform, enterprise_id: str, name: str, *, domain: str = "acme-grid") -> None:
        self.platform = platform
        self.enterprise_id, self.name, self.domain = enterprise_id, name, domain
        self.workspaces: list[Workspace] = []
        #: The workspaces that an org-wide installation may touch.
        self.opened: set[str] = set()
        platform.organisations[enterprise_id] = self

    def add_workspace(self, team_id: str, name: str, *, is_open: bool = True) -> Workspace:
        """Open to an org-wide installation, unless told otherwise."""
        bot = f"U0BOT{self.enterprise_id[1:]}"
        workspace = another_workspace(self.platform, team_id, name, bot_user_id=bot, organisation=self)
        self.workspaces.append(workspace)
        if is_open:
            self.opened.add(team_id)
        return workspace

    def add_user(
        self, user_id: str, name: str, *, email: str | None = None, teams: Iterable[str], kind: UserKind = UserKind.MEMBER
    ) -> None:
        """The same person in several workspaces; ids of people on Grid often begin with W."""
        for team_id in teams:
            self.platform.workspaces[team_id].add_user(user_id, name, email=email, kind=kind)

    def granted(self) -> Iterator[Workspace]:
        return (workspace for workspace in self.workspaces if workspace.team_id in self.opened)

    def open_to_app(self, *team_ids: str) -> None:
        """Let an org-wide installation into more workspaces; Slack says so by `team_access_granted`."""
        self.opened.update(team_ids)
        installation = next(
            (one for one in self.platform.installations if one.enterprise_id == self.enterprise_id and one.is_org_wide), None
        )
        if installation is None:
            return
        for team_id in team_ids:
            self.platform.workspaces[team_id].enter(installation)
        self.platform.news.append((self.platform.workspaces[team_ids[0]], {"type": "team_access_granted", "team_ids": list(team_ids)}))

    def close_to_app(self, *team_ids: str) -> None:
        """Keep an org-wide installation out of workspaces; Slack says so by `team_access_revoked`."""
        self.opened.difference_update(team_ids)
        self.platform.news.append((self.platform.workspaces[team_ids[0]], {"type": "team_access_revoked", "team_ids": list(team_ids)}))


def another_workspace(
    platform: Platform, team_id: str, name: str, *, bot_user_id: str | None = None, organisation: Organisation | None = None
) -> Workspace:
    """A workspace beside the first one, in which the app is not installed."""
    return Workspace(
        clock=platform.clock,
        bot_token=None,
        signing_secret=platform.app.signing_secret,
        team_id=team_id,
        team_name=name,
        team_domain=name.casefold(),
        bot_user_id=bot_user_id or f"U0BOT{team_id[1:]}",
        platform=platform,
        organisation=organisation,
    )
