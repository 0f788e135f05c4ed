"""Who of the simulated tenant's people is in the simulated Slack, and as what: every case a directory has to tell apart."""

from __future__ import annotations

from adapters.sandbox.qualtrics.tenant import Tenant
from adapters.sandbox.slack.workspace import ConversationKind, UserKind, Workspace

_ZONES = ("Europe/Berlin", "America/New_York", "Asia/Tokyo", "Africa/Nairobi")
_LOCALES = ("en-GB", "en-US", "de-DE", "fr-FR")


def hire(workspace: Workspace, tenant: Tenant) -> None:
    """Give the tenant's people accounts, by e-mail address, except the last of them; add those whom Qualtrics does not know."""
    names = {contact.email.casefold(): contact for contact in tenant.contacts if contact.email}
    emails = sorted(names)
    kinds = {5: UserKind.DEACTIVATED, 6: UserKind.GUEST, 7: UserKind.STRANGER}
    for number, email in enumerate(emails[:-1]):
        contact = names[email]
        name = f"{contact.first_name or 'Nameless'} {contact.last_name or ''}".strip()
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
    admin = next(user for user in tenant.users if user.is_admin)
    workspace.add_user("U902", f"{admin.first_name} {admin.last_name}", email=admin.email)
    # The conversations with the bot exist from the start, so that they can be opened before anything was said.
    for user_id, user in list(workspace.users.items()):
        if user.kind in {UserKind.MEMBER, UserKind.GUEST}:
            workspace.direct_message(user_id)
    members = [user_id for user_id, user in workspace.users.items() if user.kind is UserKind.MEMBER]
    workspace.add_channel("C001", "general", members=[*members, workspace.bot_user_id])
    workspace.add_channel("C002", "people-team", kind=ConversationKind.PRIVATE, members=members[:3])
    workspace.add_channel("C003", "summer-party-2019", members=members, is_archived=True)
