"""Who of the simulated tenant's people is in the simulated Slack and Teams, and as what: every case a directory has to tell apart."""

from __future__ import annotations

from uuid import NAMESPACE_URL, uuid5

from adapters.sandbox.qualtrics.tenant import Tenant
from adapters.sandbox.slack.workspace import ConversationKind, UserKind, Workspace
from adapters.sandbox.teams.tenant import Person
from adapters.sandbox.teams.tenant import Tenant as Teams

_ZONES = ("Europe/Berlin", "America/New_York", "Asia/Tokyo", "Africa/Nairobi")
_LOCALES = ("en-GB", "en-US", "de-DE", "fr-FR")
#: By their place among all addresses: in Slack alone; in Teams without the app.
_NOT_IN_TEAMS, _WITHOUT_APP = {5, 7, 9, 10}, {12}


def hire(workspace: Workspace, tenant: Tenant) -> None:
    """Give the tenant's people accounts, by e-mail address, except the last of them; add those whom Qualtrics does not know."""
    kinds = {5: UserKind.DEACTIVATED, 6: UserKind.GUEST, 7: UserKind.STRANGER}
    for number, (email, name) in enumerate(_names(tenant)[:-1]):
        workspace.add_user(
            f"U{number:03d}",
            name,
            email=email,
            kind=kinds.get(number, UserKind.MEMBER),
            zone=_ZONES[number % len(_ZONES)],
            locale=_LOCALES[number % len(_LOCALES)],
        )
    workspace.add_user("U900", "Nora No-Address")
    workspace.add_user("U901", "Carl Contractor", email="carl@partner.example", kind=UserKind.GUEST)
    olivia, omar, admin = tenant.users
    for user_id, user in (("U902", admin), ("U903", olivia), ("U904", omar)):
        workspace.add_user(user_id, f"{user.first_name} {user.last_name}", email=user.email, zone=_ZONES[0])
    # The conversations with the bot exist from the start, so that they can be opened before anything was said.
    for user_id, user in list(workspace.users.items()):
        if user.kind in {UserKind.MEMBER, UserKind.GUEST}:
            workspace.direct_message(user_id)
    members = [user_id for user_id, user in workspace.users.items() if user.kind is UserKind.MEMBER]
    workspace.add_channel("C001", "general", members=[*members, workspace.bot_user_id])
    strangers = [user_id for user_id, user in workspace.users.items() if user.kind is UserKind.STRANGER]
    owners = ["U902", "U903", "U904"]
    workspace.add_channel("C002", "people-team", kind=ConversationKind.PRIVATE, members=[*members[:3], *owners, workspace.bot_user_id])
    workspace.add_channel("C004", "canteen", members=[*members[:8], *owners])
    workspace.add_channel("C005", "contractors", members=["U901", *owners, workspace.bot_user_id])
    workspace.add_channel("C006", "with-partner", members=[*strangers, *owners, workspace.bot_user_id], is_shared=True)
    workspace.add_channel("C003", "summer-party-2019", members=members, is_archived=True)


def hire_into_teams(teams: Teams, tenant: Tenant) -> None:
    """Give most of the tenant's people accounts in Teams, the last of them too; add those whom Qualtrics does not know."""
    for number, (email, name) in enumerate(_names(tenant)):
        if number in _NOT_IN_TEAMS:
            continue
        person = Person(
            user_id=entra_id(email),
            name=name,
            email=email,
            zone=_ZONES[number % len(_ZONES)],
            locale=_LOCALES[number % len(_LOCALES)],
        )
        if number == 6:
            person.role, person.upn = "guest", f"{email.replace('@', '_')}#EXT#@acme.example"
        teams.add(person)
        teams.personal(person.user_id).has_app = number not in _WITHOUT_APP
    for user in tenant.users:
        teams.add(Person(user_id=entra_id(user.email), name=f"{user.first_name} {user.last_name}", email=user.email))
    teams.add(
        Person(user_id=entra_id("nils"), name="Nils No-Address", email=None, upn="nils@acme.example", zone=None),
    )
    members = list(teams.people)
    teams.channel("19:general@thread.tacv2", members, team="Acme", name="General")
    teams.channel("19:people@thread.tacv2", [*members[:5], *members[-4:-1]], team="People & culture", name="Pulse").has_app = False
    teams.group("19:offsite@thread.v2", members[:4], name="Offsite in May")


def entra_id(email: str) -> str:
    """The object id of somebody's account."""
    return str(uuid5(NAMESPACE_URL, f"mailto:{email.casefold()}"))


def _names(tenant: Tenant) -> list[tuple[str, str]]:
    """E-mail addresses and names, in the order of the addresses."""
    found = {contact.email.casefold(): contact for contact in tenant.contacts if contact.email}
    return [(email, f"{one.first_name or 'Nameless'} {one.last_name or ''}".strip()) for email, one in sorted(found.items())]
