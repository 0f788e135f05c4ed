"""The schema: what is remembered, in SQLAlchemy Core. Migrations build it; a test holds the two together.

Every row belongs to one integration, by its own column or through its distribution, except people, members, incoming events and
announcements: a person is one person, whichever integrations see them.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Float,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
)

from bot.events import EventKind
from bot.installations import Offered
from bot.messages import DeliveryState, MemberKind, Place, Shown
from bot.model import Anonymity, LinkType
from bot.ports.records import Outcome
from store.columns import METADATA, Instant, Key, belongs_to, count, flag, instant, text, word

integrations = Table(
    "integrations",
    METADATA,
    Column("integration_id", Text, primary_key=True),
    text("name"),
    text("base_url"),
    text("client_id", nullable=True),
    # Encrypted (store/encryption.py): the API token or OAuth client secret, and the shared keys of event deliveries.
    Column("secret", LargeBinary),
    Column("push_keys", LargeBinary),
    Column("requests_per_minute", Float),
    Column("timeout_seconds", Float, nullable=False),
    Column("connect_timeout_seconds", Float, nullable=False),
    flag("keeps_request_log"),
    # `bot.schedule`, as its words.
    text("full_sync"),
    text("incremental_sync"),
    text("sweep_sync"),
    text("sync_window", nullable=True),
    Column("mass_closure_share", Float, nullable=False),
    count("group_size"),
    flag("shows_people"),
    flag("is_paused"),
    text("brand_id", nullable=True),
    text("brand_host", nullable=True),
    instant("baseline_at"),
    instant("unauthorized_at"),
)

users = Table(
    "users",
    METADATA,
    belongs_to(integrations.c.integration_id, primary_key=True),
    Column("user_id", Text, primary_key=True),
    text("email", nullable=True),
    text("first_name"),
    text("last_name"),
    text("user_type", nullable=True),
    flag("is_active"),
    Index("ix_users_email", "email"),
)

surveys = Table(
    "surveys",
    METADATA,
    Column("key", Key, primary_key=True),
    belongs_to(integrations.c.integration_id),
    text("survey_id"),
    text("name"),
    text("owner_id"),
    flag("is_active"),
    instant("last_modified"),
    # The details: all of them unknown while `anonymity` is null.
    instant("ends_at"),
    word("anonymity", Anonymity, nullable=True),
    Column("is_deleted", Boolean),
    instant("details_for"),
    instant("seen_at", nullable=False),
    # When its distributions were last listed.
    instant("counted_at"),
    # The integration's when it was first seen sent; null before that.
    Column("group_size", Integer),
    # The survey comes first: `Invitations.of_people` looks for it over all integrations.
    UniqueConstraint("survey_id", "integration_id"),
    Index("ix_surveys_owner", "integration_id", "owner_id"),
)

distributions = Table(
    "distributions",
    METADATA,
    Column("key", Key, primary_key=True),
    belongs_to(integrations.c.integration_id),
    text("distribution_id"),
    belongs_to(surveys.c.key, "survey_key", index=True),
    text("parent_id", nullable=True),
    text("owner_id"),
    text("request_type"),
    text("request_status"),
    instant("send_date"),
    text("sender_name", nullable=True),
    word("link_type", LinkType),
    instant("link_expires_at"),
    instant("created_at"),
    text("subject", nullable=True),
    # The nine counts of `DistributionStats`.
    count("sent"),
    count("failed"),
    count("started"),
    count("bounced"),
    count("opened"),
    count("skipped"),
    count("finished"),
    count("complaints"),
    count("blocked"),
    flag("is_deleted"),
    # The nine counts when the history was last read to its end, "1,0,...": compared as a whole only.
    text("history_for", nullable=True),
    instant("history_at"),
    Column("rows_missing", Integer),
    UniqueConstraint("integration_id", "distribution_id"),
)

people = Table("people", METADATA, Column("person_id", Key, primary_key=True), Column("email", Text, nullable=False, unique=True))

# Who may see a survey's numbers beside its owner and its brand's administrators.
grants = Table(
    "grants",
    METADATA,
    belongs_to(integrations.c.integration_id, primary_key=True),
    Column("survey_id", Text, primary_key=True),
    belongs_to(people.c.person_id, primary_key=True, index=True),
    instant("granted_at", nullable=False),
)

preferences = Table(
    "preferences",
    METADATA,
    belongs_to(people.c.person_id, primary_key=True),
    flag("new_surveys"),
    flag("reminders"),
    flag("own_surveys"),
    word("place", Place),
    instant("changed_at", nullable=False),
)

invitations = Table(
    "invitations",
    METADATA,
    belongs_to(distributions.c.key, "distribution_key", primary_key=True),
    Column("contact_id", Text, primary_key=True),
    # The distribution's survey, repeated for the index.
    Column("survey_key", BigInteger, nullable=False),
    belongs_to(people.c.person_id, nullable=True),
    text("status"),
    flag("mailed"),
    instant("sent_at"),
    instant("completed_at"),
    # Encrypted (store/encryption.py).
    Column("link", LargeBinary),
    # Null = the distribution's. One value for many rows keeps what hangs on it cheap (reference performance.md 2).
    instant("link_expires_at"),
    instant("notice_at"),
    # When the directory was asked for an e-mail address the links did not tell.
    instant("looked_up_at"),
)
_HAS_PERSON = invitations.c.person_id.is_not(None)
_PERSON = (invitations.c.person_id, invitations.c.survey_key)
Index("ix_invitations_person", *_PERSON, sqlite_where=_HAS_PERSON, postgresql_where=_HAS_PERSON)
Index(
    "ix_invitations_notice",
    invitations.c.notice_at,
    sqlite_where=invitations.c.notice_at.is_not(None),
    postgresql_where=invitations.c.notice_at.is_not(None),
)
# SQLite takes the other index for this question when that one holds rows without person.
_LACKS_PERSON = invitations.c.person_id.is_(None) & invitations.c.mailed
Index("ix_invitations_nobody", invitations.c.distribution_key, sqlite_where=_LACKS_PERSON, postgresql_where=_LACKS_PERSON)

members = Table(
    "members",
    METADATA,
    Column("workspace_id", Text, primary_key=True),
    Column("user_id", Text, primary_key=True),
    word("kind", MemberKind),
    Column("email", Text, index=True),
    text("zone"),
    text("locale"),
    text("dm_channel_id", nullable=True),
    flag("has_unconfirmed_email"),
    # When the platform last told of it, in a list, an event or an answer.
    instant("seen_at"),
    # When its owner last did something with the bot there, to the hour.
    instant("used_at"),
)

directory_readings = Table(
    "directory_readings",
    METADATA,
    Column("workspace_id", Text, primary_key=True),
    instant("began_at"),
    text("team_id"),
    text("cursor"),
    instant("ended_at"),
)

# Where the chat app is installed.
installations = Table(
    "installations",
    METADATA,
    Column("workspace_id", Text, primary_key=True),
    text("name"),
    # Joined by commas.
    text("scopes"),
    # Encrypted (store/encryption.py).
    Column("access_token", LargeBinary),
    Column("refresh_token", LargeBinary),
    instant("expires_at"),
    instant("installed_at", nullable=False),
    instant("broken_at"),
    instant("revoked_at"),
)

oauth_states = Table("oauth_states", METADATA, Column("hash", Text, primary_key=True), instant("expires_at", nullable=False))

outbox = Table(
    "outbox",
    METADATA,
    Column("delivery_id", Key, primary_key=True),
    # `Event.key`: what was said once is not said again.
    Column("event_key", Text, nullable=False, unique=True),
    word("kind", EventKind),
    text("integration_id"),
    text("survey_id"),
    belongs_to(people.c.person_id),
    word("state", DeliveryState),
    instant("due_at", nullable=False),
    instant("lease_until"),
    text("lease_owner", nullable=True),
    count("attempt"),
    text("reason", nullable=True),
    # Where it is to be sent, as far as is known, and where it was sent.
    text("workspace_id", nullable=True),
    text("channel_id", nullable=True),
    text("message_id", nullable=True),
    instant("created_at", nullable=False),
    # Null while the delivery is ready, claimed or being sent.
    instant("finished_at"),
    instant("closes_at"),
    word("shown", Shown, nullable=True),
    text("fingerprint", nullable=True),
    instant("edit_at"),
    text("edit_refused", nullable=True),
    # Of somebody's messages those about one survey: asked for everybody a survey was sent to (store/tellings.py).
    Index(None, "person_id", "survey_id"),
)


def _partial(name: str, where: ColumnElement[bool], *columns: Column[Any]) -> None:
    Index(name, *columns, sqlite_where=where, postgresql_where=where)


# Each holds few rows, however many were ever sent.
_IS_OPEN = outbox.c.finished_at.is_(None)
_partial("ix_outbox_open", _IS_OPEN, *(outbox.c[name] for name in ("workspace_id", "survey_id", "kind", "due_at", "closes_at")))
_partial("ix_outbox_leased", _IS_OPEN & outbox.c.lease_until.is_not(None), outbox.c.lease_until)
_partial("ix_outbox_edits", outbox.c.edit_at.is_not(None), outbox.c.workspace_id, outbox.c.edit_at)

# Where Teams is to be written to (reference teams.md 2.5).
addresses = Table(
    "addresses",
    METADATA,
    Column("workspace_id", Text, primary_key=True),
    Column("conversation_id", Text, primary_key=True),
    text("user_id", nullable=True),
    text("service_url"),
    flag("is_closed"),
    Index("ix_addresses_user", "workspace_id", "user_id"),
)

# Who was given the app in Teams without adding it, or could not be.
app_offers = Table(
    "app_offers",
    METADATA,
    belongs_to(people.c.person_id, primary_key=True),
    instant("asked_at", nullable=False),
    # When to ask again; null = never.
    instant("due_at"),
    # Null while somebody asks.
    word("outcome", Offered, nullable=True),
)

inbox = Table("inbox", METADATA, Column("key", Text, primary_key=True), Column("seen_at", Instant, nullable=False, index=True))

runs = Table(
    "runs",
    METADATA,
    Column("run_id", Key, primary_key=True),
    belongs_to(integrations.c.integration_id),
    text("kind"),
    instant("started_at", nullable=False),
    instant("finished_at"),
    word("outcome", Outcome, nullable=True),
    text("reason", nullable=True),
    count("surveys"),
    count("distributions"),
    count("invitations"),
    count("changed"),
    count("skipped"),
    count("told"),
    count("calls"),
    count("resumed"),
    text("error", nullable=True),
    Index("ix_runs_newest", "integration_id", "kind", "run_id"),
)

# How far Qualtrics' lists were read, by a name such as `history:EMD_1`.
positions = Table(
    "positions",
    METADATA,
    belongs_to(integrations.c.integration_id, primary_key=True),
    Column("name", Text, primary_key=True),
    # A URL without credentials.
    text("next", nullable=True),
    count("seen"),
    count("skipped"),
    text("began_for", nullable=True),
    instant("saved_at", nullable=False),
)

# What a look has listed and not applied yet, as JSON: a survey where `distribution_id` is empty.
pictures = Table(
    "pictures",
    METADATA,
    belongs_to(integrations.c.integration_id, primary_key=True),
    Column("survey_id", Text, primary_key=True),
    Column("distribution_id", Text, primary_key=True),
    text("body"),
)

# Times are the database's own clock.
leases = Table("leases", METADATA, Column("name", Text, primary_key=True), text("owner"), instant("held_until", nullable=False))

refreshes = Table(
    "refreshes",
    METADATA,
    belongs_to(integrations.c.integration_id, primary_key=True),
    Column("survey_id", Text, primary_key=True),
    count("hints"),
    instant("first_at", nullable=False),
    instant("last_at", nullable=False),
)

request_log = Table(
    "request_log",
    METADATA,
    Column("request_key", Key, primary_key=True),
    belongs_to(integrations.c.integration_id),
    instant("at", nullable=False),
    text("method"),
    text("path"),
    Column("status", Integer),
    count("duration_ms"),
    text("request_id", nullable=True),
    Index("ix_request_log_at", "at"),
)

# One row a shared limit (store/gates.py). Microseconds since 1970 of the database's own clock.
gates = Table(
    "gates",
    METADATA,
    Column("name", Text, primary_key=True),
    # The theoretical arrival time of the generic cell rate algorithm.
    Column("arrival", BigInteger, nullable=False),
    Column("closed_until", BigInteger, nullable=False),
    # How much of the configured rate is used since the last 429, and when that was.
    Column("share", Float, nullable=False),
    Column("slowed_at", BigInteger, nullable=False),
)
