"""The schema: what is remembered, in SQLAlchemy Core. Migrations build it; a test holds the two together.

Every row belongs to one integration, by its own column or through its distribution, except people, members, incoming events and
announcements: a person is one person, whichever integrations see them.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)

from bot.events import EventKind
from bot.messages import DeliveryState, MemberKind, Shown
from bot.model import Anonymity, LinkType
from bot.records import Outcome

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


class Instant(TypeDecorator[datetime]):
    """An aware datetime as whole milliseconds since 1970 UTC, rounded down: Qualtrics' own precision, so values survive the round trip."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002 - the signature is SQLAlchemy's
        return None if value is None else (value - _EPOCH) // _MILLISECOND

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - the signature is SQLAlchemy's
        return None if value is None else _EPOCH + value * _MILLISECOND


class Word(TypeDecorator[StrEnum]):
    """A member of a closed `StrEnum`, stored as its word."""

    impl = Text
    cache_ok = True

    def __init__(self, kind: type[StrEnum]) -> None:
        super().__init__()
        self.kind = kind

    def process_result_value(self, value: str | None, dialect: Dialect) -> StrEnum | None:  # noqa: ARG002 - the signature is SQLAlchemy's
        return None if value is None else self.kind(value)


#: Surrogate keys. SQLite numbers rows by itself only where the type is exactly INTEGER.
_Key = BigInteger().with_variant(Integer, "sqlite")

METADATA = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)


def _text(name: str, *, nullable: bool = False) -> Column[Any]:
    return Column(name, Text, nullable=nullable)


def _at(name: str, *, nullable: bool = True) -> Column[Any]:
    return Column(name, Instant, nullable=nullable)


def _count(name: str) -> Column[Any]:
    return Column(name, Integer, nullable=False)


def _flag(name: str) -> Column[Any]:
    return Column(name, Boolean, nullable=False)


def _word(name: str, kind: type[StrEnum], *, nullable: bool = False) -> Column[Any]:
    return Column(name, Word(kind), nullable=nullable)


def _in(owner: Column[Any], name: str | None = None, *, nullable: bool = False, **options: Any) -> Column[Any]:  # noqa: ANN401 - as `Column` takes them
    """A reference to the row that `owner` is the key of."""
    return Column[Any](name or owner.name, ForeignKey(owner), nullable=nullable, **options)


integrations = Table(
    "integrations",
    METADATA,
    Column("integration_id", Text, primary_key=True),
    _text("name"),
    _text("base_url"),
    _text("client_id", nullable=True),
    # Encrypted (store/encryption.py): the API token or OAuth client secret, and the shared keys of event deliveries.
    Column("secret", LargeBinary),
    Column("push_keys", LargeBinary),
    Column("requests_per_minute", Float),
    Column("timeout_seconds", Float, nullable=False),
    Column("connect_timeout_seconds", Float, nullable=False),
    _flag("keeps_request_log"),
    # `bot.schedule`, as its words.
    _text("full_sync"),
    _text("incremental_sync"),
    _text("sweep_sync"),
    _text("sync_window", nullable=True),
    Column("mass_closure_share", Float, nullable=False),
    _flag("is_paused"),
    _text("brand_id", nullable=True),
    _at("baseline_at"),
    _at("unauthorized_at"),
)

users = Table(
    "users",
    METADATA,
    _in(integrations.c.integration_id, primary_key=True),
    Column("user_id", Text, primary_key=True),
    _text("email", nullable=True),
    _text("first_name"),
    _text("last_name"),
    _text("user_type", nullable=True),
    _flag("is_active"),
)

surveys = Table(
    "surveys",
    METADATA,
    Column("key", _Key, primary_key=True),
    _in(integrations.c.integration_id),
    _text("survey_id"),
    _text("name"),
    _text("owner_id"),
    _flag("is_active"),
    _at("last_modified"),
    # The details: all of them unknown while `anonymity` is null.
    _at("ends_at"),
    _word("anonymity", Anonymity, nullable=True),
    Column("is_deleted", Boolean),
    _at("details_for"),
    _at("seen_at", nullable=False),
    # The survey comes first: `Invitations.of_people` looks for it over all integrations.
    UniqueConstraint("survey_id", "integration_id"),
)

distributions = Table(
    "distributions",
    METADATA,
    Column("key", _Key, primary_key=True),
    _in(integrations.c.integration_id),
    _text("distribution_id"),
    _in(surveys.c.key, "survey_key", index=True),
    _text("parent_id", nullable=True),
    _text("owner_id"),
    _text("request_type"),
    _text("request_status"),
    _at("send_date"),
    _text("sender_name", nullable=True),
    _word("link_type", LinkType),
    _at("link_expires_at"),
    # The nine counts of `DistributionStats`.
    _count("sent"),
    _count("failed"),
    _count("started"),
    _count("bounced"),
    _count("opened"),
    _count("skipped"),
    _count("finished"),
    _count("complaints"),
    _count("blocked"),
    _flag("is_deleted"),
    # The nine counts when the history was last read to its end, "1,0,...": compared as a whole only.
    _text("history_for", nullable=True),
    _at("history_at"),
    Column("rows_missing", Integer),
    UniqueConstraint("integration_id", "distribution_id"),
)

people = Table("people", METADATA, Column("person_id", _Key, primary_key=True), Column("email", Text, nullable=False, unique=True))

preferences = Table(
    "preferences",
    METADATA,
    _in(people.c.person_id, primary_key=True),
    _flag("new_surveys"),
    _flag("reminders"),
    _at("changed_at", nullable=False),
)

invitations = Table(
    "invitations",
    METADATA,
    _in(distributions.c.key, "distribution_key", primary_key=True),
    Column("contact_id", Text, primary_key=True),
    # The distribution's survey, repeated for the index.
    Column("survey_key", BigInteger, nullable=False),
    _in(people.c.person_id, nullable=True),
    _text("status"),
    _flag("mailed"),
    _at("sent_at"),
    _at("completed_at"),
    # Encrypted (store/encryption.py).
    Column("link", LargeBinary),
    # Null = the distribution's. One value for many rows keeps what hangs on it cheap (reference performance.md 2).
    _at("link_expires_at"),
    _at("notice_at"),
    # When the directory was asked for an e-mail address the links did not tell.
    _at("looked_up_at"),
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
    _word("kind", MemberKind),
    Column("email", Text, index=True),
    _text("zone"),
    _text("locale"),
    _text("dm_channel_id", nullable=True),
    _flag("has_unconfirmed_email"),
    # When the platform last told of it, in a list, an event or an answer.
    _at("seen_at"),
)

directory_readings = Table(
    "directory_readings",
    METADATA,
    Column("workspace_id", Text, primary_key=True),
    _at("began_at"),
    _text("team_id"),
    _text("cursor"),
    _at("ended_at"),
)

# Where the chat app is installed.
installations = Table(
    "installations",
    METADATA,
    Column("workspace_id", Text, primary_key=True),
    _text("name"),
    # Joined by commas.
    _text("scopes"),
    # Encrypted (store/encryption.py).
    Column("access_token", LargeBinary),
    Column("refresh_token", LargeBinary),
    _at("expires_at"),
    _at("installed_at", nullable=False),
    _at("broken_at"),
    _at("revoked_at"),
)

oauth_states = Table("oauth_states", METADATA, Column("hash", Text, primary_key=True), _at("expires_at", nullable=False))

outbox = Table(
    "outbox",
    METADATA,
    Column("delivery_id", _Key, primary_key=True),
    # `Event.key`: what was said once is not said again.
    Column("event_key", Text, nullable=False, unique=True),
    _word("kind", EventKind),
    _text("integration_id"),
    _text("survey_id"),
    _in(people.c.person_id, index=True),
    _word("state", DeliveryState),
    _at("due_at", nullable=False),
    _at("lease_until"),
    _text("lease_owner", nullable=True),
    _count("attempt"),
    _text("reason", nullable=True),
    # Where it is to be sent, as far as is known, and where it was sent.
    _text("workspace_id", nullable=True),
    _text("channel_id", nullable=True),
    _text("message_id", nullable=True),
    _at("created_at", nullable=False),
    # Null while the delivery is ready, claimed or being sent.
    _at("finished_at"),
    _at("closes_at"),
    _word("shown", Shown, nullable=True),
    _text("fingerprint", nullable=True),
    _at("edit_at"),
    _text("edit_refused", nullable=True),
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
    _text("user_id", nullable=True),
    _text("service_url"),
    _flag("is_closed"),
    Index("ix_addresses_user", "workspace_id", "user_id"),
)

inbox = Table("inbox", METADATA, Column("key", Text, primary_key=True), Column("seen_at", Instant, nullable=False, index=True))

runs = Table(
    "runs",
    METADATA,
    Column("run_id", _Key, primary_key=True),
    _in(integrations.c.integration_id),
    _text("kind"),
    _at("started_at", nullable=False),
    _at("finished_at"),
    _word("outcome", Outcome, nullable=True),
    _text("reason", nullable=True),
    _count("surveys"),
    _count("distributions"),
    _count("invitations"),
    _count("changed"),
    _count("skipped"),
    _count("told"),
    _count("calls"),
    _count("resumed"),
    _text("error", nullable=True),
    Index("ix_runs_newest", "integration_id", "kind", "run_id"),
)

# How far Qualtrics' lists were read, by a name such as `history:EMD_1`.
positions = Table(
    "positions",
    METADATA,
    _in(integrations.c.integration_id, primary_key=True),
    Column("name", Text, primary_key=True),
    # A URL without credentials.
    _text("next", nullable=True),
    _count("seen"),
    _count("skipped"),
    _text("began_for", nullable=True),
    _at("saved_at", nullable=False),
)

# What a look has listed and not applied yet, as JSON: a survey where `distribution_id` is empty.
pictures = Table(
    "pictures",
    METADATA,
    _in(integrations.c.integration_id, primary_key=True),
    Column("survey_id", Text, primary_key=True),
    Column("distribution_id", Text, primary_key=True),
    _text("body"),
)

# Times are the database's own clock.
leases = Table("leases", METADATA, Column("name", Text, primary_key=True), _text("owner"), _at("held_until", nullable=False))

refreshes = Table(
    "refreshes",
    METADATA,
    _in(integrations.c.integration_id, primary_key=True),
    Column("survey_id", Text, primary_key=True),
    _count("hints"),
    _at("first_at", nullable=False),
    _at("last_at", nullable=False),
)

request_log = Table(
    "request_log",
    METADATA,
    Column("request_key", _Key, primary_key=True),
    _in(integrations.c.integration_id),
    _at("at", nullable=False),
    _text("method"),
    _text("path"),
    Column("status", Integer),
    _count("duration_ms"),
    _text("request_id", nullable=True),
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
