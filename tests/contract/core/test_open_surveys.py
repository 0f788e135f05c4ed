"""What can be answered is read by fewer rows than everything, and is the same."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta

from bot import participations
from bot.model import Anonymity, HistoryEntry, SurveyDetails
from bot.ports import Store, UnitOfWork
from bot.ports.records import MailedRow
from bot.rules import Participation
from tests.contract.store.examples import DAY, NOW, distribution, furnish, link, survey

ADA = "ada@example.org"
SURVEYS = 40
STATUSES = ("Success", "Success", "Opened", "SurveyStarted", "SurveyFinished", "SessionExpired", "Pending", "HardBounce")


async def test_what_can_be_answered_is_what_all_of_it_folds_to(store: Store) -> None:
    """Answered, expired, withdrawn, closed, sent anew, known to two integrations that disagree: in every mixture."""
    ada = (await store.write(lambda uow: uow.people.ids([ADA])))[ADA]
    await store.write(mixed)

    def both(uow: UnitOfWork) -> tuple[list[Participation], list[Participation], int]:
        everything = participations.of_person(uow, ada, NOW)
        return participations.soonest_first(everything), participations.open_of_person(uow, ada, NOW), len(everything)

    expected, found, known = await store.read(both)
    assert found == expected
    assert 5 < len(expected) < known - 5


async def test_only_what_may_be_answered_is_read(store: Store) -> None:
    ada = (await store.write(lambda uow: uow.people.ids([ADA])))[ADA]
    await store.write(mixed)
    everything, some = await store.read(lambda uow: (uow.invitations.of_person(ada), uow.invitations.of_person(ada, NOW)))
    assert {it.survey_id for it in some} < {it.survey_id for it in everything}
    assert {it for it in everything if it.survey_id in {one.survey_id for one in some}} == set(some)


def mixed(uow: UnitOfWork) -> None:
    chance = random.Random(7)
    for integration_id in ("main", "other"):
        furnish(uow, integration_id)
        for number in range(SURVEYS):
            survey_id = f"SV_{number}"
            uow.surveys.save(integration_id, [survey(survey_id, is_active=chance.random() < 0.8)], NOW)
            ends_at = chance.choice([None, NOW + DAY, NOW - DAY])
            uow.surveys.save_details(integration_id, survey_id, SurveyDetails(ends_at=ends_at, anonymity=Anonymity.ANONYMIZED), NOW)
            for sending in range(chance.randrange(3)):
                send(uow, chance, integration_id, survey_id, f"EMD_{number}_{sending}")


def send(uow: UnitOfWork, chance: random.Random, integration_id: str, survey_id: str, name: str) -> None:
    expiries = (None, NOW - timedelta(hours=1), NOW + timedelta(hours=chance.randrange(1, 99)))
    mailing = replace(distribution(name, survey_id, link_expires_at=chance.choice(expiries)), is_deleted=chance.random() < 0.1)
    uow.distributions.save(integration_id, [mailing])
    uow.invitations.save_links(integration_id, name, [link(email=ADA, expires_at=chance.choice(expiries))], uow.people.ids([ADA]))
    sent_at, status = NOW - chance.randrange(1, 9) * DAY, chance.choice(STATUSES)
    completed_at = sent_at + DAY if status == "SurveyFinished" else None
    entry = HistoryEntry(contact_id="CID_1", status=status, url=None, sent_at=sent_at, completed_at=completed_at)
    uow.invitations.save_history(integration_id, name, [MailedRow(entry=entry, mailed=chance.random() < 0.8, notice_at=None)])
