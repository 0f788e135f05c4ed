"""Who may see the numbers of which survey (FEATURES D6). It is found anew at every click and at every post, and remembered nowhere.

A brand administrator sees all surveys of their brand, an owner their own, somebody else what an operator shared with them; nobody else sees
anything. People are matched by the e-mail address that their chat platform has verified, as it stands in an active Qualtrics account.
"""

from __future__ import annotations

from bot.listed import Rights
from bot.messages import Member, MemberKind
from bot.ports import UnitOfWork


def proven_address(member: Member | None) -> str | None:
    """The e-mail address that `member` has rights by; None = they have none.

    Guests, bots, people of other organisations and deactivated accounts never have any, whatever their address says and whatever the
    settings allow them otherwise: who invites somebody into a channel may choose that address.
    """
    if member is None or member.kind is not MemberKind.MEMBER or member.has_unconfirmed_email:
        return None
    return member.email or None


def may_see(uow: UnitOfWork, email: str | None, survey_id: str) -> str | None:
    """The integration to read this survey's numbers from for whoever has this proven address; None = they may not see it.

    A survey that does not exist and one of somebody else get the same answer.
    """
    return uow.grants.integration_of(email, survey_id) if email else None


def may_see_people(uow: UnitOfWork, email: str | None, integration_id: str, survey_id: str) -> bool:
    """Whether whoever has this proven address owns this survey, or administers its brand: a survey that was shared shows no names."""
    return email is not None and uow.grants.is_theirs(email, integration_id, survey_id)


def visible(uow: UnitOfWork, email: str | None) -> Rights:
    """Everything that whoever has this proven address may see."""
    if not email:
        return Rights()
    return Rights(integrations=frozenset(uow.users.admin_of(email)), surveys=uow.grants.surveys_of(email))
