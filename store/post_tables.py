"""The schema of what channels subscribed to, of what they and owners were told, and of how counts were at earlier times."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, Index, Integer, Table, Text, UniqueConstraint

from bot.messages import DeliveryState
from bot.posts import PostKind
from bot.subscriptions import Paused
from store import tables
from store.columns import METADATA, Instant, Key, belongs_to, count, instant, text, word

# What channels asked to be told, and whose rights count for it.
subscriptions = Table(
    "subscriptions",
    METADATA,
    Column("subscription_id", Key, primary_key=True),
    text("workspace_id"),
    text("channel_id"),
    text("subject"),
    # `bot.subscriptions.Feature`, joined by spaces.
    text("features"),
    text("creator_id"),
    instant("created_at", nullable=False),
    text("zone"),
    count("weekday"),
    # `09:00`, as the other times of day.
    text("weekly_at"),
    text("works_from"),
    text("works_until"),
    # Null = the settings'.
    Column("problem_share", Float),
    instant("offered_at"),
    word("paused", Paused, nullable=True),
    instant("last_post_at"),
    UniqueConstraint("workspace_id", "channel_id", "subject"),
    # What was posted is remembered by the id, so that none is given twice.
    sqlite_autoincrement=True,
)

posts = Table(
    "posts",
    METADATA,
    Column("post_id", Key, primary_key=True),
    # `bot.posts.News`: what was said once is not said again. 0 = the survey's owner.
    Column("subscription_id", BigInteger, nullable=False),
    word("kind", PostKind),
    text("survey_id"),
    text("mark"),
    word("state", DeliveryState),
    instant("due_at", nullable=False),
    instant("lease_until"),
    text("lease_owner", nullable=True),
    count("attempt"),
    text("reason", nullable=True),
    text("workspace_id", nullable=True),
    text("channel_id", nullable=True),
    text("message_id", nullable=True),
    instant("created_at", nullable=False),
    # Null while the post is ready, claimed or being sent.
    instant("finished_at"),
    UniqueConstraint("subscription_id", "kind", "survey_id", "mark"),
)
_IS_OPEN = posts.c.finished_at.is_(None)
Index("ix_posts_open", posts.c.due_at, sqlite_where=_IS_OPEN, postgresql_where=_IS_OPEN)

# The last counts of each day (its midnight, UTC) on which they changed.
day_counts = Table(
    "day_counts",
    METADATA,
    belongs_to(tables.integrations.c.integration_id, primary_key=True),
    Column("survey_id", Text, primary_key=True),
    Column("distribution_id", Text, primary_key=True),
    Column("day", Instant, primary_key=True, index=True),
    # The nine counts, "1,0,...".
    text("stats"),
)

# `bot.model.Pool`. A survey's, whichever integrations see it: were each to count by itself, two looks could be compared.
pools = Table(
    "pools",
    METADATA,
    Column("survey_id", Text, primary_key=True),
    Column("number", Integer, primary_key=True),
    instant("counted_at", nullable=False),
    # The nine counts, "1,0,...".
    text("stats"),
)

# Which distributions are in one.
pooled = Table(
    "pooled",
    METADATA,
    Column("survey_id", Text, primary_key=True),
    Column("distribution_id", Text, primary_key=True),
    count("number"),
)
