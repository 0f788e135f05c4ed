"""Through whose eyes the page can be seen: everybody in Slack and Teams, once, by e-mail address."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from adapters.sandbox.slack.workspace import Json, User, UserKind, Workspace
from adapters.sandbox.teams.tenant import Person
from adapters.sandbox.teams.tenant import Tenant as Teams


@dataclass(frozen=True, slots=True, kw_only=True)
class Onlooker:
    slack: User | None
    teams: Person | None

    @property
    def onlooker_id(self) -> str:
        """Slack's user id, or the Entra object id of whoever is in Teams alone."""
        return self.slack.user_id if self.slack else self._person.user_id

    def as_json(self) -> Json:
        return {
            "id": self.onlooker_id,
            "name": self.slack.name if self.slack else self._person.name,
            "email": self.slack.email if self.slack else self._person.email,
            "tz": (self.slack.zone if self.slack else self._person.zone) or "UTC",
            "group": self._group(),
            "slack": self.slack and self.slack.user_id,
            "teams": self.teams and self.teams.user_id,
        }

    def _group(self) -> str:
        if self.slack is None:
            return "Guests" if self._person.role == "guest" else "In Teams only"
        if self.slack.kind is UserKind.MEMBER:
            return "In Slack and Teams" if self.teams else "In Slack only"
        return _GROUPS[self.slack.kind]

    @property
    def _person(self) -> Person:
        assert self.teams is not None
        return self.teams


def onlookers(workspace: Workspace, teams: Teams | None) -> Iterator[Onlooker]:
    """Bots are nobody."""
    people = dict(teams.people) if teams else {}
    by_email = {person.email.casefold(): user_id for user_id, person in people.items() if person.email}
    for user in workspace.users.values():
        if user.kind in {UserKind.BOT, UserKind.WORKFLOW_BOT}:
            continue
        user_id = by_email.get((user.email or "").casefold(), "")
        yield Onlooker(slack=user, teams=people.pop(user_id, None))
    for person in people.values():
        yield Onlooker(slack=None, teams=person)


_GROUPS = {
    UserKind.GUEST: "Guests",
    UserKind.SINGLE_CHANNEL_GUEST: "Guests",
    UserKind.STRANGER: "People of other organisations",
    UserKind.DEACTIVATED: "Deactivated accounts",
}
