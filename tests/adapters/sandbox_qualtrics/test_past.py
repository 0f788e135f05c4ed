"""What the demo's tenant looks back on."""

from __future__ import annotations

from datetime import timedelta

from adapters.sandbox.clock import SandboxClock
from adapters.sandbox.qualtrics.past import FIELD_STAFF, lived
from adapters.sandbox.qualtrics.seed import founded


def test_surveys_of_the_last_weeks_were_answered_over_days_and_never_in_the_future() -> None:
    clock = SandboxClock()
    tenant = founded(clock, public_url="http://127.0.0.1:1")
    before = {survey.survey_id for survey in tenant.surveys}
    lived(tenant)
    past = [survey for survey in tenant.surveys if survey.survey_id not in before]
    assert len({survey.owner_id for survey in past}) == 2
    assert {survey.is_active for survey in past} == {True, False}
    rows = [(sent, row) for survey in past for sent in survey.distributions for row in sent.recipients]
    answered = [(sent, row) for sent, row in rows if row.completed_at]
    assert len(answered) > FIELD_STAFF
    assert all(sent.send_at <= row.completed_at <= clock.now() for sent, row in answered if row.completed_at)
    spread = [row.completed_at - sent.send_at for sent, row in answered if row.completed_at]
    assert max(spread) - min(spread) > timedelta(days=7)
    for survey in past:
        finished = sum(sent.stats["finished"] for sent in survey.distributions)
        assert finished == survey.responses > 0
    assert min(sum(sent.stats["sent"] for sent in survey.distributions) for survey in past) == 4
