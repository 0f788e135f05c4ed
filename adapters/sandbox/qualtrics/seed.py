"""Who and what a new tenant holds: people of every awkward kind, and surveys in every state a bot has to tell apart."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import islice

from adapters.sandbox.qualtrics.tenant import Tenant

DAY = timedelta(days=1)

_FIRST_NAMES = ("Ada", "Björn", "Chloé", "Dmitri", "Eun-ji", "Fatima", "Grace", "Hiro", "Inés", "Jamal", "Kiri", "Lena")
_LAST_NAMES = ("Lovelace", "<b>Tables</b>", "Okafor", "Müller", "نصار", "O'Brien & Sons", "Hopper")


def founded(clock: Callable[[], datetime], *, public_url: str, seed: int = 7, people: int = 24) -> Tenant:
    """Make a tenant, put people on its main mailing list, and mail them surveys of every kind."""
    tenant = Tenant(clock, public_url=public_url, seed=seed)
    _hire(tenant, people)
    _mail_every_kind(tenant)
    _close_every_way(tenant)
    return tenant


def _hire(tenant: Tenant, people: int) -> None:
    """Person 2 has no address, person 3 a mixed-case one, person 4 has unsubscribed, and person 1 is a second contact on another list."""
    for number in range(people):
        first, last = _FIRST_NAMES[number % len(_FIRST_NAMES)], _LAST_NAMES[number % len(_LAST_NAMES)]
        address = f"person{number:03d}@example.com"
        email = {2: None, 3: address.title()}.get(number, address)
        names = (None, None) if number == 5 else (first, last)
        tenant.add_contact(email, *names, unsubscribed=number == 4)
    second = tenant.add_list("Engineering <R&D>")
    for contact in list(islice(tenant.contacts, 1, 2)):
        tenant.add_contact(contact.email, contact.first_name, contact.last_name, list_id=second)


def _mail_every_kind(tenant: Tenant) -> None:
    """Open surveys: reminded, thanked for, sent twice to one person, links only, anonymous, in the future, closing soon, never."""
    pulse = tenant.create_survey("Engagement pulse")
    invite = tenant.send_survey(pulse, send_in=-2 * DAY, expires_in=9 * DAY)
    statuses = ("SurveyFinished", "SurveyPartiallyFinished", "Opened", "SurveyStarted", "HardBounce")
    for email, status in zip(reversed(tenant.emails()), statuses, strict=False):
        tenant.move(email, pulse, status)
    tenant.remind(invite)
    tenant.thank(invite)
    tenant.test_mail(pulse)

    hostile = tenant.create_survey("*x* <!channel> & <b>", is_anonymized=True)
    for mailing_list in tenant.directories[0].lists:
        tenant.send_survey(hostile, list_id=mailing_list.mailing_list_id)
    tenant.send_survey(name="استطلاع رضا الموظفين", expires_in=timedelta(hours=5))
    tenant.send_survey(name="A very long name, " * 24, expires_in=2 * DAY)
    tenant.send_survey(name=" ")
    tenant.send_survey(name="🎉 Team day 👩‍👩‍👧 #1", emails=tenant.emails()[:1], expires_in=None)
    tenant.send_survey(name="Suggestion box", link_type="Anonymous")
    tenant.send_survey(name="Next week's check-in", send_in=7 * DAY)
    tenant.generate_links(tenant.create_survey("Kiosk links"))


def _close_every_way(tenant: Tenant) -> None:
    """Surveys that take no answer, or stop sooner than their links say; and one nobody was asked about."""
    owner_id = tenant.users[1].user_id
    ending = tenant.create_survey("Ends before its links do", owner_id=owner_id)
    tenant.send_survey(ending, expires_in=30 * DAY)
    tenant.set_end(ending, tenant.clock() + 3 * DAY)

    stopped = tenant.create_survey("Stopped early", owner_id=owner_id, is_anonymized=True)
    tenant.send_survey(stopped, send_in=-DAY)
    tenant.deactivate(stopped)

    deleted = tenant.create_survey("Deleted, yet in the metadata", owner_id=owner_id)
    tenant.send_survey(deleted)
    tenant.delete(deleted)

    tenant.send_survey(name="Links ran out", send_in=-3 * DAY, expires_in=DAY)
    tenant.send_survey(tenant.create_survey("Definition not shared with us", is_readable=False))
    tenant.create_survey("Draft", is_active=False)
