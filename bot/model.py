"""What Qualtrics knows about surveys, as frozen values: the vocabulary of the whole house.

Times are aware datetimes in UTC. Ids are Qualtrics' own (`SV_...`, `EMD_...`, `CID_...`) and are unique within one integration
only. `integration_id` is not repeated in the values: every port takes it beside them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from bot.schedule import Schedule

#: Of fewer people nothing is shown, whatever is set (bot/small_groups.py says why).
SMALLEST_GROUP = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Integration:
    """One connection to Qualtrics: a brand seen with one account's eyes, and how it is to be read. Its secret stays in the store."""

    integration_id: str
    name: str
    #: The API's root, `https://{datacenter}.qualtrics.com/API/v3/`.
    base_url: str
    #: Of an OAuth client, whose secret is the stored one; None = the stored secret is an API token (FEATURES A2).
    client_id: str | None = None
    #: Its own limit beside Qualtrics' (FEATURES A3); None = off.
    requests_per_minute: float | None = None
    timeout_seconds: float = 120
    connect_timeout_seconds: float = 10
    keeps_request_log: bool = True
    schedule: Schedule = field(default_factory=Schedule)
    #: A look that would close or delete more than this share of the known surveys or distributions is not applied (FEATURES B5).
    mass_closure_share: float = 0.2
    #: From how many people on numbers are shown (FEATURES D7). A survey keeps what was set when it was first seen sent.
    group_size: int = SMALLEST_GROUP
    #: Whether owners and brand admins may see who has answered, of surveys that keep names (FEATURES D3).
    shows_people: bool = False
    #: Not read, and nobody is reminded of what is stored, until it is resumed.
    is_paused: bool = False

    # What the bot found out.

    #: Brands have limits that their integrations share; None until Qualtrics was asked once.
    brand_id: str | None = None
    #: Where Qualtrics says that the brand's web pages are; whether links lead there is for `bot.deep_links` to say. None = it did not say.
    brand_host: str | None = None
    #: When the first full synchronisation succeeded; before that nobody is told anything (FEATURES B6).
    baseline_at: datetime | None = None
    #: Since when Qualtrics refuses its credentials; None = it does not.
    unauthorized_at: datetime | None = None


#: The user type of a brand's administrators, as recorded (reference qualtrics.md 2).
BRAND_ADMIN = "UT_BRANDADMIN"


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A Qualtrics account (`UR_...`): survey owners and brand admins, not respondents."""

    user_id: str
    email: str | None = field(repr=False)
    first_name: str = ""
    last_name: str = ""
    #: `UT_BRANDADMIN` is recorded; `UT_FULLUSER` and `UT_PARTICIPANT` were seen by others. An open set.
    user_type: str | None = None
    is_active: bool = True


class Anonymity(StrEnum):
    """What the survey option *Anonymize responses* says. UNKNOWN is treated as IDENTIFIED in every sentence for people."""

    UNKNOWN = "unknown"
    IDENTIFIED = "identified"
    ANONYMIZED = "anonymized"


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyDetails:
    """What a survey's list entry lacks: read rarely, when `last_modified` changed."""

    ends_at: datetime | None
    anonymity: Anonymity
    #: A deleted survey still answers its metadata (quirk Q11).
    is_deleted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    survey_id: str
    name: str
    owner_id: str
    is_active: bool
    last_modified: datetime | None
    #: None until details were read once.
    details: SurveyDetails | None = None
    #: The `last_modified` for which reading `details` was last tried.
    details_for: datetime | None = None
    #: When the counts of its distributions were last read, or later; None = not yet.
    counted_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DistributionStats:
    """The nine delivery counts of a distribution. They are the change detector: `modifiedDate` is not usable (quirk Q1)."""

    sent: int = 0
    failed: int = 0
    started: int = 0
    bounced: int = 0
    opened: int = 0
    skipped: int = 0
    finished: int = 0
    complaints: int = 0
    blocked: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """Distributions to too few people each, counted together, and once (bot/small_groups.py says why)."""

    #: The how manieth of its survey, from 1.
    number: int
    counted_at: datetime
    #: All of its distributions' as they were then, with what was done with their reminders.
    stats: DistributionStats


class LinkType(StrEnum):
    INDIVIDUAL = "Individual"
    MULTIPLE = "Multiple"
    ANONYMOUS = "Anonymous"
    UNKNOWN = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """One sending of a survey (`EMD_...`). `request_type` and `request_status` are open sets (reference qualtrics.md 4)."""

    distribution_id: str
    survey_id: str
    parent_id: str | None
    owner_id: str
    request_type: str
    request_status: str
    send_date: datetime | None
    sender_name: str | None
    link_type: LinkType
    #: When this distribution's links stop working; None = never.
    link_expires_at: datetime | None
    created_at: datetime | None = None
    #: Of its mail; None where a message of a library stands for it, or nothing is mailed.
    subject: str | None = None
    stats: DistributionStats = field(default_factory=DistributionStats)
    #: It left its survey's list: its links are dead.
    is_deleted: bool = False
    #: The counts for which the history was last read to its end; None = never. Differs from `stats` = read it again.
    history_for: DistributionStats | None = None
    #: When that was.
    history_at: datetime | None = None
    #: How many rows that history lacked of those sent (quirks Q9, Q10); None = not read yet.
    rows_missing: int | None = None
    #: Where it was counted with others, for good.
    pool: Pool | None = None


class Status(StrEnum):
    """The sixteen delivery statuses of a distribution's history (reference qualtrics.md 5)."""

    PENDING = "Pending"
    SUCCESS = "Success"
    ERROR = "Error"
    OPENED = "Opened"
    COMPLAINT = "Complaint"
    SKIPPED = "Skipped"
    BLOCKED = "Blocked"
    FAILURE = "Failure"
    UNKNOWN = "Unknown"
    SOFT_BOUNCE = "SoftBounce"
    HARD_BOUNCE = "HardBounce"
    SURVEY_STARTED = "SurveyStarted"
    SURVEY_PARTIALLY_FINISHED = "SurveyPartiallyFinished"
    SURVEY_FINISHED = "SurveyFinished"
    SURVEY_SCREENED_OUT = "SurveyScreenedOut"
    SESSION_EXPIRED = "SessionExpired"


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalLink:
    """The URL with which exactly one person answers: a credential. Its text appears in no `repr`."""

    #: Whose it is (`people.person_id`).
    owner: int
    url: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkEntry:
    """One row of `/distributions/{id}/links`: the only place that joins a contact with an e-mail address."""

    contact_id: str
    #: Lower-cased; None when the contact has none.
    email: str | None = field(repr=False)
    url: str | None = field(repr=False)
    expires_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryEntry:
    """One row of `/distributions/{id}/history`: a contact's latest status. It has no e-mail address."""

    contact_id: str
    #: One of `Status`, or a word Qualtrics added since: kept as it came.
    status: str
    url: str | None = field(repr=False)
    sent_at: datetime | None
    completed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """A contact of a directory (`CID_...`); several contacts can be one person."""

    contact_id: str
    email: str | None = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Directory:
    directory_id: str
    name: str | None
    is_default: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """One contact in one distribution, as stored: history and link joined. The link itself stays encrypted in the store."""

    integration_id: str
    survey_id: str
    distribution_id: str
    contact_id: str
    #: None while no e-mail address is known for the contact.
    person_id: int | None
    #: One of `Status`, or a word Qualtrics added since; "" while only the link was seen.
    status: str
    #: Qualtrics really sent it to the person (`rules.was_mailed`): generated links and bounces are not.
    mailed: bool
    sent_at: datetime | None
    completed_at: datetime | None
    #: When this person's link stops working; None = never.
    link_expires_at: datetime | None
    sender_name: str | None
    link_type: LinkType
    #: Its distribution was deleted in Qualtrics: there is no answering it any more.
    is_withdrawn: bool = False
