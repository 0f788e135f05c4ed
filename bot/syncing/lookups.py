"""Mailed contacts whose e-mail address `/links` does not tell (quirk Q10) are looked up in the directory, within a budget."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from functools import partial

from bot.errors import Forbidden, Gone, Malformed, Rejected, Unavailable
from bot.model import Invitation
from bot.ports import UnitOfWork
from bot.syncing.look import Look

#: Contacts asked for in a run.
CONTACT_LOOKUPS = 200
#: A contact without an e-mail address is looked up again after this long.
_EVERY = timedelta(days=1)


async def look_up_missing(look: Look) -> None:
    """Ask for those who were never asked for first, and tell whoever becomes known by it."""
    now = look.started_at
    missing = await look.store.read(lambda uow: uow.invitations.without_person(look.integration_id, now, now - _EVERY, CONTACT_LOOKUPS))
    try:
        directory_id = await _directory(look) if missing else None
        for invitation in missing:
            email = await _email(look, directory_id, invitation.contact_id) if directory_id else None
            await look.write(partial(_absorb, look, invitation, email))
    except (Unavailable, Malformed) as error:
        look.fail("contacts", error)


async def _directory(look: Look) -> str | None:
    """Return the default directory's id, else the first one's; None when there is none to be seen: then nobody is in it."""
    found = None
    try:
        async for batch in look.source.directories():
            for directory in batch.items:
                if directory.is_default:
                    return directory.directory_id
                found = found or directory.directory_id
    except (Forbidden, Gone, Rejected) as error:
        look.leave_out("directories", look.integration_id, error)
    return found


async def _email(look: Look, directory_id: str, contact_id: str) -> str | None:
    try:
        return (await look.source.contact(directory_id, contact_id)).email
    except (Forbidden, Gone, Rejected) as error:
        look.leave_out("contact", contact_id, error)
        return None


def _absorb(look: Look, invitation: Invitation, email: str | None, uow: UnitOfWork) -> tuple[int, int]:
    people: Collection[int] = [] if email is None else uow.people.ids([email]).values()
    person_id = next(iter(people), None)
    contact = invitation.integration_id, invitation.distribution_id, invitation.contact_id
    uow.invitations.set_person(*contact, person_id, look.started_at)
    return len(people), look.tell(uow, invitation.survey_id, people)
