"""Who was asked, who can still answer and until when, who is told what."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import rules
from bot.events import EventKind
from bot.messages import ChatAccount, Member, MemberKind, Place, Platform, Reach, Unreachable
from bot.model import DistributionStats, HistoryEntry, Invitation, LinkType, Status
from bot.rules import State, participation
from tests.unit.core.examples import DAY, NOW, a_distribution, a_survey, an_invitation, asked

MAIL_URL = "https://acme.qualtrics.com/jfe/form/SV_1?Q_CHL=email&Q_DL=EMD_1"
GENERATED_URL = "https://acme.qualtrics.com/jfe/form/SV_1?Q_CHL=gl&Q_DL=1"


def an_entry(status: str, url: str | None = MAIL_URL) -> HistoryEntry:
    return HistoryEntry(contact_id="CID_1", status=status, url=url, sent_at=NOW - DAY, completed_at=None)


@pytest.mark.parametrize(
    ("status", "mailed", "is_open"),
    [
        ("Pending", False, False),
        ("Success", True, True),
        ("Error", False, False),
        ("Opened", True, True),
        ("Complaint", False, False),
        ("Skipped", False, False),
        ("Blocked", False, False),
        ("Failure", False, False),
        ("Unknown", False, False),
        ("SoftBounce", False, False),
        ("HardBounce", False, False),
        ("SurveyStarted", True, True),
        ("SurveyPartiallyFinished", True, False),
        ("SurveyFinished", True, False),
        ("SurveyScreenedOut", True, False),
        ("SessionExpired", True, False),
        ("SomethingNew", False, False),
    ],
)
def test_every_status_means_the_right_thing(status: str, *, mailed: bool, is_open: bool) -> None:
    """Each of the sixteen statuses, and an unknown one, is mailed or not and open or not as qualtrics.md 5 says."""
    assert rules.was_mailed(a_distribution(), an_entry(status), NOW) is mailed
    found = participation(a_survey(), [an_invitation(status=status, mailed=mailed)], NOW)
    assert (found is not None and found.state is State.OPEN) is is_open
    assert {status.value for status in Status} >= {status} or status == "SomethingNew"


def test_a_generated_link_was_not_mailed_although_it_has_a_send_date() -> None:
    assert not rules.was_mailed(a_distribution(), an_entry("SurveyStarted", GENERATED_URL), NOW)


@pytest.mark.parametrize("send_date", [None, NOW + timedelta(seconds=1)])
def test_nothing_was_mailed_before_the_send_date(send_date: datetime | None) -> None:
    assert not rules.was_mailed(a_distribution(send_date=send_date), an_entry("Success"), NOW)


@pytest.mark.parametrize(
    ("values", "survey", "reads"),
    [
        ({}, {}, True),
        ({"history_for": DistributionStats(sent=10)}, {}, False),
        ({"history_for": DistributionStats(sent=10, opened=1)}, {}, True),
        ({"request_type": "Reminder", "parent_id": "EMD_0"}, {}, True),
        ({"request_type": "Reminder", "parent_id": None}, {}, False),
        ({"request_type": "TestEmail"}, {}, False),
        ({"request_type": "GeneratedInvite", "request_status": "Generated"}, {}, False),
        ({"request_type": "ThankYou", "parent_id": "EMD_0"}, {}, False),
        ({"request_type": "SomethingNew"}, {}, False),
        ({"send_date": NOW + DAY}, {}, False),
        ({"send_date": None}, {}, False),
        ({"link_expires_at": NOW}, {}, False),
        ({"link_expires_at": None}, {}, True),
        ({}, {"ends_at": NOW - DAY}, False),
        ({}, {"is_active": False}, False),
    ],
)
def test_history_is_read_only_where_it_can_tell_something_new(values: dict[str, Any], survey: dict[str, Any], *, reads: bool) -> None:
    due_at = rules.history_due_at(a_distribution(**values), a_survey(**survey), NOW)
    assert (due_at is not None and due_at <= NOW) is reads


READ = {"history_for": DistributionStats(sent=10), "history_at": NOW}
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("values", "rest"),
    [
        ({"send_date": NOW - DAY / 2}, timedelta()),
        ({"send_date": NOW - DAY}, HOUR),
        ({"send_date": NOW - 7 * DAY}, 6 * HOUR),
        ({"send_date": NOW - 7 * DAY, "link_expires_at": NOW + 2 * DAY}, timedelta()),
        ({"send_date": NOW - 7 * DAY, "link_expires_at": None}, 6 * HOUR),
        ({"send_date": NOW - 2 * DAY, "rows_missing": 1}, HOUR),
        ({"send_date": NOW - DAY / 2, "stats": DistributionStats(sent=90_000)}, HOUR / 4),
        ({"send_date": NOW - 7 * DAY, "history_for": None}, timedelta()),
        ({"send_date": NOW - 7 * DAY, "history_for": None, "stats": DistributionStats(sent=90_000)}, HOUR / 4),
        ({"stats": DistributionStats(sent=10), "rows_missing": 1}, 6 * HOUR),
        ({"stats": DistributionStats(sent=10), "rows_missing": 1, "link_expires_at": NOW + 2 * DAY}, HOUR),
        ({"stats": DistributionStats(sent=10), "rows_missing": 1, "link_expires_at": NOW - HOUR}, None),
        ({"send_date": NOW - 7 * DAY, "link_expires_at": NOW - 47 * HOUR}, timedelta()),
        ({"send_date": NOW - 7 * DAY, "link_expires_at": NOW - 48 * HOUR}, None),
        ({"link_expires_at": NOW - HOUR, "history_for": None, "history_at": None}, None),
        ({"stats": DistributionStats(sent=10), "rows_missing": 0}, None),
        ({"is_deleted": True}, None),
    ],
)
def test_a_history_rests_as_long_as_its_age_its_gaps_and_its_size_say(values: dict[str, Any], rest: timedelta | None) -> None:
    moved = {"stats": DistributionStats(sent=10, opened=1)}
    due_at = rules.history_due_at(a_distribution(**{**READ, **moved, **values}), a_survey(), NOW)
    assert due_at == (None if rest is None else NOW + rest)


@pytest.mark.parametrize(
    ("expires_at", "own", "rest"),
    [
        (None, (2, 9), timedelta()),
        (None, (3, 9), 6 * HOUR),
        (9, (1, 1), timedelta()),
        (-9, (3, 9), 6 * HOUR),
        (-9, (-1, -1), timedelta()),
        (-9, (), None),
    ],
)
def test_the_expiries_of_single_links_count_beside_their_distributions(
    expires_at: int | None, own: tuple[int, ...], rest: timedelta | None
) -> None:
    values = {**READ, "stats": DistributionStats(sent=10, opened=1), "send_date": NOW - 20 * DAY}
    expiry = None if expires_at is None else NOW + expires_at * DAY
    due_at = rules.history_due_at(a_distribution(**values, link_expires_at=expiry), a_survey(), NOW, [NOW + days * DAY for days in own])
    assert due_at == (None if rest is None else NOW + rest)


def test_what_qualtrics_hinted_at_rests_for_its_size_alone() -> None:
    moved = a_distribution(**READ, stats=DistributionStats(sent=1000, opened=1), send_date=NOW - 30 * DAY)
    assert rules.history_due_at(moved, a_survey(), NOW, is_hinted=True) == NOW + timedelta(seconds=10)


@pytest.mark.parametrize(
    ("listed", "known", "is_left"),
    [
        ({}, None, False),
        ({"is_active": False}, None, True),
        ({}, {}, False),
        ({}, {"ends_at": NOW}, True),
        ({}, {"ends_at": NOW + DAY}, False),
        ({}, {"is_deleted": True}, True),
        ({}, {"ends_at": NOW, "is_active": False}, False),
        ({}, {"ends_at": NOW, "details_for": None}, False),
    ],
)
def test_a_survey_nobody_can_answer_is_left_alone(listed: dict[str, Any], known: dict[str, Any] | None, *, is_left: bool) -> None:
    modified = NOW - 9 * DAY
    values: dict[str, Any] = {"details_for": modified, "last_modified": modified, **(known or {})}
    stored = None if known is None else a_survey(**values)
    assert rules.is_left_alone(a_survey(details=None, details_for=None, last_modified=modified, **listed), stored, NOW) is is_left


def test_the_deadline_is_the_earliest_of_link_expiry_and_survey_end() -> None:
    assert rules.deadline(NOW + DAY, a_survey()) == NOW + DAY
    assert rules.deadline(NOW + DAY, a_survey(ends_at=NOW)) == NOW
    assert rules.deadline(None, a_survey(ends_at=NOW)) == NOW
    assert rules.deadline(None, a_survey()) is None
    assert rules.deadline(NOW, a_survey(details=None)) == NOW


@pytest.mark.parametrize(
    ("status", "link_type", "closes_at", "expected"),
    [
        ("Success", LinkType.INDIVIDUAL, NOW, NOW - DAY),
        ("Opened", LinkType.UNKNOWN, NOW, NOW - DAY),
        ("SurveyFinished", LinkType.INDIVIDUAL, NOW, None),
        ("Success", LinkType.ANONYMOUS, NOW, None),
        ("Success", LinkType.INDIVIDUAL, None, None),
    ],
)
def test_notices_are_24_hours_before_the_deadline_of_those_who_can_answer(
    status: str, link_type: LinkType, closes_at: datetime | None, expected: datetime | None
) -> None:
    assert rules.notice_at(status, link_type, closes_at) == expected


@pytest.mark.parametrize(
    ("survey", "invitation", "state"),
    [
        ({}, {}, State.OPEN),
        ({"is_active": False}, {}, State.CLOSED),
        ({"is_deleted": True}, {}, State.CLOSED),
        ({}, {"link_expires_at": NOW}, State.EXPIRED),
        ({"ends_at": NOW}, {"link_expires_at": None}, State.EXPIRED),
        ({}, {"status": "SessionExpired"}, State.EXPIRED),
        ({"is_active": False}, {"status": "SurveyFinished"}, State.ANSWERED),
        ({}, {"link_expires_at": None}, State.OPEN),
    ],
)
def test_a_participation_is_open_only_while_it_can_be_answered(survey: dict[str, Any], invitation: dict[str, Any], state: State) -> None:
    assert asked(a_survey(**survey), an_invitation(**invitation)).state is state


def test_nothing_mailed_is_no_participation() -> None:
    assert participation(a_survey(), [an_invitation(mailed=False, status="Pending")], NOW) is None
    assert participation(a_survey(), [], NOW) is None


def test_an_answer_settles_everything_sent_before_it() -> None:
    """Two lists carry the same person: one answer, and neither list's invitation is open."""
    one = an_invitation(distribution_id="EMD_1", status="SurveyFinished", completed_at=NOW - timedelta(hours=1))
    other = an_invitation(distribution_id="EMD_2", contact_id="CID_2")
    assert asked(a_survey(), one, other).state is State.ANSWERED
    assert asked(a_survey(), other, one).invitation == one


def test_what_is_sent_after_an_answer_asks_anew() -> None:
    january = an_invitation(distribution_id="EMD_1", status="SurveyFinished", sent_at=NOW - 30 * DAY, completed_at=NOW - 20 * DAY)
    february = an_invitation(distribution_id="EMD_2", sent_at=NOW - DAY)
    found = asked(a_survey(), january, february)
    assert (found.state, found.invitation, found.asked_after) == (State.OPEN, february, "EMD_1")


def test_the_link_that_lives_longest_is_the_one_to_answer_with() -> None:
    invite = an_invitation(link_expires_at=NOW + DAY)
    reminder = an_invitation(distribution_id="EMD_2", link_expires_at=NOW + 3 * DAY, sent_at=NOW)
    dead = an_invitation(distribution_id="EMD_3", link_expires_at=None, status="SessionExpired")
    assert asked(a_survey(), invite, reminder, dead).invitation == reminder


def test_it_is_the_same_link_in_whatever_order_two_integrations_tell_of_it() -> None:
    branch, main = an_invitation(integration_id="branch"), an_invitation(integration_id="main")
    assert asked(a_survey(), main, branch) == asked(a_survey(), branch, main)


def event_of(*invitations: Invitation, baseline_at: datetime = NOW - 365 * DAY) -> str | None:
    event = rules.invited(1, participation(a_survey(), invitations, NOW), baseline_at)
    return event.key if event else None


def test_however_many_invitations_carry_a_survey_it_is_one_event() -> None:
    one, two = an_invitation(), an_invitation(distribution_id="EMD_2", contact_id="CID_2", sent_at=NOW)
    assert event_of(one) == event_of(one, two) == event_of(two) == "survey.invited:SV_1:1:"


@pytest.mark.parametrize("status", ["Success", "Opened", "SurveyStarted"])
def test_any_delivered_status_tells_not_only_success(status: str) -> None:
    assert event_of(an_invitation(status=status)) == "survey.invited:SV_1:1:"


@pytest.mark.parametrize("status", ["SurveyFinished", "SurveyScreenedOut", "SurveyPartiallyFinished", "SessionExpired"])
def test_whoever_is_done_before_we_look_is_not_told(status: str) -> None:
    assert event_of(an_invitation(status=status)) is None


def test_an_expired_invitation_is_not_told() -> None:
    assert event_of(an_invitation(link_expires_at=NOW)) is None


def test_what_was_sent_before_the_silent_first_synchronisation_stays_unsaid() -> None:
    old, reminder = an_invitation(sent_at=NOW - 2 * DAY), an_invitation(distribution_id="EMD_2", sent_at=NOW)
    assert event_of(old, baseline_at=NOW - DAY) is None
    assert event_of(old, reminder, baseline_at=NOW - DAY) is None
    assert event_of(reminder, baseline_at=NOW - DAY) is not None


def test_being_asked_anew_after_an_answer_is_an_event_of_its_own() -> None:
    january = an_invitation(status="SurveyFinished", sent_at=NOW - 30 * DAY, completed_at=NOW - 20 * DAY)
    february = an_invitation(distribution_id="EMD_2")
    assert event_of(january, february) == "survey.invited:SV_1:1:EMD_1"
    assert event_of(january, february, baseline_at=NOW - 10 * DAY) == "survey.invited:SV_1:1:EMD_1"


def test_being_asked_anew_after_the_earlier_link_ran_out_is_an_event_of_its_own() -> None:
    january = an_invitation(sent_at=NOW - 30 * DAY, link_expires_at=NOW - 20 * DAY)
    february = an_invitation(distribution_id="EMD_2")
    assert event_of(january, february) == "survey.invited:SV_1:1:EMD_1"
    endless = an_invitation(sent_at=NOW - 30 * DAY, link_expires_at=None)
    assert event_of(endless, february) == "survey.invited:SV_1:1:"


def closing_key(
    now: datetime = NOW,
    *,
    invited_at: datetime | None = NOW - 7 * DAY,
    reminded_at: datetime | None = None,
    baseline_at: datetime | None = NOW - 9 * DAY,
    **values: Any,
) -> str | None:
    found = participation(a_survey(), [an_invitation(**({"link_expires_at": NOW + DAY} | values))], now)
    event = rules.closing(1, found, now, invited_at=invited_at, reminded_at=reminded_at, baseline_at=baseline_at)
    return event.key if event else None


def test_the_reminder_is_due_24_hours_before_the_deadline_and_marked_with_it() -> None:
    assert closing_key() == f"{EventKind.SURVEY_CLOSING}:SV_1:1:{int((NOW + DAY).timestamp())}"
    assert closing_key(NOW - timedelta(seconds=1)) is None
    assert closing_key(NOW + timedelta(hours=23)) is not None


@pytest.mark.parametrize(
    "values",
    [
        {"status": "SurveyFinished"},
        {"status": "SurveyScreenedOut"},
        {"status": "SessionExpired"},
        {"link_expires_at": NOW},
        {"link_expires_at": None},
        {"link_type": LinkType.ANONYMOUS},
        {"mailed": False},
    ],
)
def test_nobody_is_reminded_who_cannot_answer_or_whose_answer_cannot_be_known(values: dict[str, Any]) -> None:
    assert closing_key(**values) is None


def test_whoever_was_told_within_the_last_day_is_not_reminded() -> None:
    assert closing_key(invited_at=NOW) is None
    assert closing_key(invited_at=None) is not None


def test_a_deadline_that_moved_a_little_is_not_reminded_of_again() -> None:
    assert closing_key(reminded_at=NOW - timedelta(hours=1)) is None
    assert closing_key(reminded_at=NOW - timedelta(hours=25)) is not None


def test_what_fell_due_before_the_silent_first_synchronisation_stays_unsaid() -> None:
    assert closing_key(baseline_at=NOW + timedelta(seconds=1)) is None
    assert closing_key(baseline_at=None) is None


def member(kind: MemberKind, user_id: str = "U1") -> Member:
    return Member(workspace_id="T1", user_id=user_id, kind=kind, email="ana@acme.example")


def addressee(*members: Member, allow_guests: bool) -> Member | Unreachable:
    reach = Reach(guests=frozenset({Platform.SLACK} if allow_guests else ()))
    return rules.addressee([ChatAccount(member=it) for it in members], Place.AUTOMATIC, reach)


@pytest.mark.parametrize(
    ("kinds", "allow_guests", "expected"),
    [
        ([], False, Unreachable.NO_ACCOUNT),
        ([MemberKind.DEACTIVATED], False, Unreachable.DEACTIVATED),
        ([MemberKind.GUEST], False, Unreachable.GUEST),
        ([MemberKind.STRANGER], True, Unreachable.STRANGER),
        ([MemberKind.BOT], True, Unreachable.BOT),
        ([MemberKind.DEACTIVATED, MemberKind.GUEST], False, Unreachable.GUEST),
    ],
)
def test_whoever_may_not_be_written_to_is_counted_with_the_reason(
    kinds: list[MemberKind], allow_guests: bool, expected: Unreachable
) -> None:
    assert addressee(*(member(kind) for kind in kinds), allow_guests=allow_guests) is expected


def test_a_member_is_written_to_before_a_guest_and_always_the_same_one() -> None:
    guest, ana, ben = member(MemberKind.GUEST, "U0"), member(MemberKind.MEMBER, "U1"), member(MemberKind.MEMBER, "U2")
    assert addressee(guest, ben, ana, allow_guests=True) == ana
    assert addressee(guest, allow_guests=True) == guest


def ways(
    slack: tuple[int | None, bool | None] | None, teams: tuple[int | None, bool | None] | None, tenant_id: str = "0a-tenant"
) -> list[ChatAccount]:
    """Ana's accounts, each by the hours since she used it and whether it takes messages."""
    return [
        ChatAccount(
            member=Member(workspace_id=place, user_id="ana", kind=MemberKind.MEMBER, email="ana@acme.example"),
            used_at=None if way[0] is None else NOW - timedelta(hours=way[0]),
            is_open=way[1],
        )
        for place, way in (("T1", slack), (tenant_id, teams))
        if way is not None
    ]


BOTH = Reach(platforms=frozenset(Platform), tenant_id="0a-tenant")
NEVER: tuple[int | None, bool | None] = (None, None)


@pytest.mark.parametrize(
    ("slack", "teams", "place", "expected"),
    [
        (NEVER, NEVER, Place.AUTOMATIC, "T1"),
        (NEVER, (None, True), Place.AUTOMATIC, "T1"),
        (NEVER, (900, True), Place.AUTOMATIC, "0a-tenant"),
        ((2, None), (3, True), Place.AUTOMATIC, "T1"),
        ((3, None), (2, True), Place.AUTOMATIC, "0a-tenant"),
        ((3, None), (2, False), Place.AUTOMATIC, "T1"),
        ((2, None), NEVER, Place.TEAMS, "0a-tenant"),
        ((2, None), (None, False), Place.TEAMS, "T1"),
        ((3, None), (2, True), Place.SLACK, "T1"),
        (None, (2, True), Place.SLACK, "0a-tenant"),
        (None, NEVER, Place.AUTOMATIC, "0a-tenant"),
        (None, (2, False), Place.AUTOMATIC, Unreachable.SHUT_OUT),
        (None, None, Place.TEAMS, Unreachable.NO_ACCOUNT),
    ],
)
def test_somebody_in_slack_and_teams_is_written_to_where_they_want_it_else_where_they_were_last(
    slack: tuple[int | None, bool | None] | None,
    teams: tuple[int | None, bool | None] | None,
    place: Place,
    expected: str,
) -> None:
    """And where they can be reached, whatever they want. What Teams was never heard of is a last resort."""
    found = rules.addressee(ways(slack, teams), place, BOTH)
    assert (found.workspace_id if isinstance(found, Member) else found) == expected


def test_nobody_is_written_to_on_a_platform_that_is_not_connected_any_more() -> None:
    accounts = ways((3, None), (2, True))
    in_teams = Reach(platforms=frozenset({Platform.TEAMS}), tenant_id="0a-tenant")
    found = [rules.addressee(accounts, Place.AUTOMATIC, reach) for reach in (Reach(), in_teams, replace(in_teams, tenant_id="0b-other"))]
    assert found == [accounts[0].member, accounts[1].member, Unreachable.NO_ACCOUNT]


statuses = st.sampled_from([*Status, "SomethingNew"])
instants = st.integers(min_value=-40, max_value=40).map(lambda hours: NOW + timedelta(hours=hours))
invitations = st.builds(
    an_invitation,
    distribution_id=st.sampled_from(["EMD_1", "EMD_2", "EMD_3"]),
    contact_id=st.sampled_from(["CID_1", "CID_2"]),
    status=statuses,
    mailed=st.booleans(),
    sent_at=st.none() | instants,
    completed_at=st.none() | instants,
    link_expires_at=st.none() | instants,
)
unique_invitations = st.lists(invitations, max_size=6, unique_by=lambda i: (i.distribution_id, i.contact_id))


@given(unique_invitations, st.randoms())
def test_the_order_of_invitations_does_not_matter(rows: list[Invitation], random: Any) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)
    one, other = participation(a_survey(), rows, NOW), participation(a_survey(), shuffled, NOW)
    assert (one and (one.state, one.closes_at)) == (other and (other.state, other.closes_at))


@given(unique_invitations)
def test_an_open_participation_can_be_answered_now(rows: list[Invitation]) -> None:
    found = participation(a_survey(), rows, NOW)
    if found is not None and found.state is State.OPEN:
        assert found.invitation.mailed
        assert found.invitation.status in rules.OPEN
        assert found.closes_at is None or found.closes_at > NOW
