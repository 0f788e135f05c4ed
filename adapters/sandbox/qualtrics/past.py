"""What a tenant looks back on: surveys of the last weeks, answered over days, some closed, one of a group too small to show."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from random import Random

from adapters.sandbox.qualtrics.tenant import Tenant

DAY = timedelta(days=1)
#: How many people of Qualtrics are in no chat.
FIELD_STAFF = 120


def lived(tenant: Tenant, *, seed: int = 7) -> None:
    """Add field staff, whom only Qualtrics reaches, and what was sent to them and to others. Both owners have surveys."""
    random, olivia, omar = Random(seed), tenant.users[0], tenant.users[1]
    staff = tenant.add_list("Field staff")
    for number in range(FIELD_STAFF):
        tenant.add_contact(f"field{number:03d}@example.com", f"Field {number}", "Staff", list_id=staff)

    onboarding = tenant.create_survey("Onboarding, this autumn", owner_id=olivia.user_id)
    _mailed(tenant, random, onboarding, days_ago=34, days=14, share=0.7, list_id=staff)
    tenant.deactivate(onboarding)

    engagement = tenant.create_survey("Engagement, second half", owner_id=olivia.user_id)
    _mailed(tenant, random, engagement, days_ago=12, days=15, share=0.45, list_id=staff)
    _mailed(tenant, random, engagement, days_ago=8, days=15, share=0.6)

    canteen = tenant.create_survey("Canteen, week by week", owner_id=omar.user_id, is_anonymized=True)
    for days_ago in (20, 13, 6):
        _mailed(tenant, random, canteen, days_ago=days_ago, days=10, share=0.35, list_id=staff)

    retrospective = tenant.create_survey("Retrospective of four", owner_id=omar.user_id)
    _mailed(tenant, random, retrospective, days_ago=5, days=10, share=0.75, emails=tenant.emails()[8:12])


def _mailed(
    tenant: Tenant,
    random: Random,
    survey_id: str,
    *,
    days_ago: float,
    days: float,
    share: float,
    list_id: str | None = None,
    emails: list[str] | None = None,
) -> None:
    """Mail it then; a share of the people finish, most of them soon, others open it, start it, or are not reached."""
    sent_in, life = -days_ago * DAY, days * DAY
    distribution_id = tenant.send_survey(survey_id, list_id=list_id, emails=emails, send_in=sent_in, expires_in=life)
    distribution = tenant.distribution(distribution_id)
    lived_so_far = min(life, -sent_in)
    rows = [row for row in distribution.recipients if row.status == "Success"]
    finishing = round(share * len(rows))
    for number, row in enumerate(rows):
        steps = ["Opened", "SurveyStarted", "SurveyFinished"] if number < finishing else _given_up(random)
        done = distribution.send_at + lived_so_far * random.betavariate(0.8, 2.5)
        for step, (at, _) in zip(steps, pairwise([done - timedelta(minutes=9), done - timedelta(minutes=7), done, done]), strict=False):
            tenant.change(distribution, row, step, max(at, distribution.send_at))


def _given_up(random: Random) -> list[str]:
    """How far somebody came who has not finished."""
    return random.choices([[], ["Opened"], ["Opened", "SurveyStarted"], ["HardBounce"], ["SoftBounce"]], (40, 35, 12, 8, 5))[0]
