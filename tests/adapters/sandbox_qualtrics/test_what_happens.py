"""Whatever happens in the simulated tenant, its counts stay the sums of its rows and its times stay in order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.sandbox.clock import SandboxClock
from adapters.sandbox.qualtrics.records import Distribution, Recipient
from adapters.sandbox.qualtrics.seed import founded
from adapters.sandbox.qualtrics.status import STATUSES, counted
from adapters.sandbox.qualtrics.tenant import Tenant

EMAIL = "one@example.com"


def _consistent(sent: Distribution) -> bool:
    rows, stats = list(sent.recipients), sent.stats
    unsent = sum(row.status in {"Pending", "Unknown"} for row in rows)
    return (
        +stats == sum((counted(sent.request_type, row) for row in rows), Counter[str]())
        and min(stats.values(), default=0) >= 0
        and (
            sent.request_type == "GeneratedInvite"
            or stats["sent"] + stats["failed"] + stats["skipped"] + stats["blocked"] + unsent == len(rows)
        )
        and stats["bounced"] <= stats["sent"]
        and stats["finished"] <= stats["started"]
    )


def test_the_counts_of_a_new_tenant_are_the_sums_of_its_rows(tenant: Tenant) -> None:
    assert all(_consistent(sent) for survey in tenant.surveys for sent in survey.distributions)


@given(moves=st.lists(st.tuples(st.integers(0, 3), st.sampled_from(sorted(STATUSES))), max_size=12))
@settings(max_examples=60)
def test_counts_follow_any_sequence_of_moves(moves: list[tuple[int, str]]) -> None:
    tenant = Tenant(SandboxClock(), public_url="http://qualtrics.test")
    emails = [f"p{number}@example.com" for number in range(4)]
    sent = tenant.distribution(tenant.send_survey(name="Any", emails=emails))
    for number, status in moves:
        tenant.move(emails[number], sent.survey_id, status)
        assert _row(sent, number).status == status
        assert _consistent(sent)
    assert tenant.survey(sent.survey_id).responses == sent.stats["finished"]


def _row(sent: Distribution, number: int) -> Recipient:
    return list(sent.recipients)[number]


def test_a_status_qualtrics_does_not_have_is_refused_and_changes_nothing(tenant: Tenant) -> None:
    sent = tenant.distribution(tenant.send_survey(emails=[EMAIL]))
    with pytest.raises(ValueError, match="SurveyDone"):
        tenant.move(EMAIL, sent.survey_id, "SurveyDone")
    assert _row(sent, 0).status == "Success"
    assert _consistent(sent)


def test_the_times_of_a_row_tell_its_story_in_order(tenant: Tenant, clock: Any) -> None:
    sent = tenant.distribution(tenant.send_survey(emails=[EMAIL]))
    for status in ("Opened", "SurveyStarted", "SurveyFinished"):
        clock.advance(timedelta(minutes=1))
        tenant.move(EMAIL.upper(), sent.survey_id, status)
    row = _row(sent, 0)
    times = [row.sent_at, row.opened_at, row.started_at, row.completed_at]
    assert times == [sent.send_at + timedelta(minutes=minute) for minute in range(4)]
    assert (row.response_id or "").startswith("R_")
    assert (row.session_id or "").startswith("FS_")


def test_an_anonymising_survey_names_no_response(tenant: Tenant) -> None:
    survey_id = tenant.create_survey("Anonymous", is_anonymized=True)
    sent = tenant.distribution(tenant.send_survey(survey_id, emails=[EMAIL]))
    tenant.move(EMAIL, survey_id, "SurveyFinished")
    assert _row(sent, 0).response_id == "Anonymous"


def test_a_scheduled_mail_goes_out_when_its_time_has_come(tenant: Tenant, clock: Any) -> None:
    sent = tenant.distribution(tenant.send_survey(emails=[EMAIL], send_in=timedelta(hours=2)))
    tenant.settle()
    assert (_row(sent, 0).status, _row(sent, 0).sent_at) == ("Pending", None)
    clock.advance(timedelta(hours=3))
    tenant.settle()
    assert (_row(sent, 0).status, _row(sent, 0).sent_at) == ("Success", sent.send_at)


def test_a_reminder_goes_with_another_link_to_those_who_did_not_answer(tenant: Tenant, clock: Any) -> None:
    invite_id = tenant.send_survey(emails=[EMAIL, "two@example.com", "three@example.com"])
    invite = tenant.distribution(invite_id)
    tenant.move(EMAIL, invite.survey_id, "SurveyFinished")
    tenant.move("two@example.com", invite.survey_id, "HardBounce")
    first = tenant.personal_link("three@example.com", invite.survey_id)
    clock.advance(timedelta(days=1))
    reminder = tenant.distribution(tenant.remind(invite_id))
    assert [row.contact.email for row in reminder.recipients] == ["three@example.com"]
    assert (reminder.parent_id, reminder.expires_at) == (invite_id, invite.expires_at)
    assert tenant.personal_link("three@example.com", invite.survey_id) != first
    tenant.move("three@example.com", invite.survey_id, "SurveyFinished")
    assert (reminder.stats["finished"], invite.stats["finished"]) == (1, 1)


def test_a_reminder_at_the_same_instant_is_still_the_later_one(tenant: Tenant) -> None:
    invite = tenant.distribution(tenant.send_survey(emails=[EMAIL], remind=True))
    assert invite.distribution_id not in tenant.personal_link(EMAIL, invite.survey_id)


def test_thanks_go_to_those_who_answered_and_are_never_the_latest_invitation(tenant: Tenant, clock: Any) -> None:
    invite_id = tenant.send_survey(emails=[EMAIL, "two@example.com"])
    survey_id = tenant.distribution(invite_id).survey_id
    tenant.move(EMAIL, survey_id, "SurveyFinished")
    clock.advance(timedelta(hours=1))
    thanks = tenant.distribution(tenant.thank(invite_id))
    assert [row.contact.email for row in thanks.recipients] == [EMAIL]
    assert thanks.distribution_id not in tenant.personal_link(EMAIL, survey_id)


def test_generated_links_say_sent_and_pending_and_count_nothing(tenant: Tenant) -> None:
    survey_id = tenant.create_survey("Kiosk")
    sent = tenant.distribution(tenant.generate_links(survey_id))
    assert {(row.status, row.sent_at) for row in sent.recipients} == {("Pending", sent.send_at)}
    assert None in {row.contact.email for row in sent.recipients}
    assert not +sent.stats
    assert "Q_CHL=gl" in tenant.personal_link(tenant.emails()[0], survey_id)


def test_an_anonymous_link_is_the_same_for_everybody(tenant: Tenant) -> None:
    survey_id = tenant.create_survey("Suggestions")
    tenant.send_survey(survey_id, emails=[EMAIL, "two@example.com"], link_type="Anonymous")
    links = {tenant.personal_link(email, survey_id) for email in (EMAIL, "two@example.com")}
    assert links == {f"{tenant.public_url}/jfe/form/{survey_id}"}


def test_everyone_with_an_address_is_mailed_and_who_unsubscribed_is_skipped(tenant: Tenant) -> None:
    sent = tenant.distribution(tenant.send_survey())
    assert len(sent.recipients) == 23
    assert [row.contact.unsubscribed for row in sent.recipients if row.status == "Skipped"] == [True]
    assert sent.stats["sent"] == 22


def test_the_same_seed_makes_the_same_tenant_and_another_seed_another(clock: Callable[[], Any]) -> None:
    def ids(seed: int) -> list[str]:
        return [survey.survey_id for survey in founded(clock, public_url="http://qualtrics.test", seed=seed).surveys]

    assert ids(1) == ids(1) != ids(2)


def test_a_new_tenant_holds_every_awkward_kind(tenant: Tenant, clock: Any) -> None:
    sent = [sent for survey in tenant.surveys for sent in survey.distributions]
    emails = [contact.email for contact in tenant.contacts]
    duplicated = [email for email, times in Counter(emails).items() if times > 1]
    assert {one.request_type for one in sent} == {"Invite", "Reminder", "ThankYou", "TestEmail", "GeneratedInvite"}
    assert {one.link_type for one in sent} == {"Individual", "Anonymous"}
    assert any(one.send_at > clock.now for one in sent)
    assert any(one.expires_at is not None and one.expires_at < clock.now for one in sent)
    assert any(one.expires_at is None for one in sent if one.request_type == "Invite")
    assert any(survey.ends_at and survey.ends_at < (survey.distributions[0].expires_at or clock.now) for survey in tenant.surveys)
    assert {survey.is_active for survey in tenant.surveys} == {survey.is_anonymized for survey in tenant.surveys} == {True, False}
    assert None in emails
    assert any(email != email.lower() for email in emails if email)
    assert duplicated == ["person001@example.com"]
    assert len(tenant.emails()) == 23


@pytest.mark.parametrize("people", [0, 1, 3, 40])
def test_a_tenant_of_any_size_can_be_founded(clock: Callable[[], Any], people: int) -> None:
    tenant = founded(clock, public_url="http://qualtrics.test", people=people)
    assert len(tenant.contacts) == people + (people > 1)


def test_naming_something_unknown_is_a_lookup_error(tenant: Tenant) -> None:
    survey_id = tenant.create_survey("Nobody was asked")
    for act in (
        lambda: tenant.move(EMAIL, survey_id, "Opened"),
        lambda: tenant.personal_link(tenant.emails()[0], survey_id),
        lambda: tenant.remind("EMD_unknown"),
        lambda: tenant.surveys[99],
        lambda: tenant.deactivate("SV_unknown"),
        lambda: tenant.add_contact(EMAIL, list_id="CG_unknown"),
    ):
        with pytest.raises(LookupError):
            act()


def test_the_clock_tells_real_time_plus_what_it_was_advanced() -> None:
    clock, plain = SandboxClock(), SandboxClock()
    clock.advance(timedelta(days=2))
    assert timedelta(days=2) <= clock() - plain.now() + timedelta(seconds=5) < timedelta(days=2, seconds=10)
    assert clock.now().utcoffset() == timedelta(0)
    with pytest.raises(ValueError, match="backwards"):
        clock.advance(timedelta(seconds=-1))
