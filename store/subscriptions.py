"""What channels asked to be told."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, time
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, delete, exists, func, select, update

from bot.messages import Conversation
from bot.posts import PostKind
from bot.subscriptions import Feature, Paused, Subscription
from store.post_tables import posts, subscriptions
from store.statements import Row, upsert

_SUBSCRIPTIONS = subscriptions
_KEY = ("workspace_id", "channel_id", "subject")
_TIMES = ("weekly_at", "works_from", "works_until")


@dataclass(frozen=True, slots=True)
class SqlSubscriptions:
    connection: Connection

    def add(self, subscription: Subscription) -> Subscription:
        row = _row(subscription)
        upsert(self.connection, _SUBSCRIPTIONS, _KEY, [row])
        return self._found(select(_SUBSCRIPTIONS).where(*(_SUBSCRIPTIONS.c[name] == row[name] for name in _KEY)))[0]

    def get(self, subscription_id: int) -> Subscription | None:
        return next(iter(self._found(select(_SUBSCRIPTIONS).where(_SUBSCRIPTIONS.c.subscription_id == subscription_id))), None)

    def of_conversation(self, conversation: Conversation) -> Sequence[Subscription]:
        places = ((_SUBSCRIPTIONS.c[name], value) for name, value in asdict(conversation).items())
        return self._found(select(_SUBSCRIPTIONS).where(*(column == value for column, value in places)))

    def all(self) -> Sequence[Subscription]:
        return self._found(select(_SUBSCRIPTIONS))

    def active(self) -> Sequence[Subscription]:
        return self._found(select(_SUBSCRIPTIONS).where(_SUBSCRIPTIONS.c.paused.is_(None)))

    def remove(self, subscription_ids: Collection[int]) -> int:
        """With all that was ever found out for them: SQLite gives their numbers to others."""
        self.connection.execute(delete(posts).where(posts.c.subscription_id.in_(subscription_ids)))
        return self.connection.execute(delete(_SUBSCRIPTIONS).where(_SUBSCRIPTIONS.c.subscription_id.in_(subscription_ids))).rowcount

    def forget_paused(self, before: datetime) -> int:
        """Of each pause a post was written down."""
        its = posts.c.subscription_id == _SUBSCRIPTIONS.c.subscription_id
        is_new = exists().where(its, posts.c.kind == PostKind.PAUSED, posts.c.created_at >= before)
        last_at = func.coalesce(_SUBSCRIPTIONS.c.last_post_at, _SUBSCRIPTIONS.c.created_at)
        old = select(_SUBSCRIPTIONS.c.subscription_id).where(_SUBSCRIPTIONS.c.paused.is_not(None), ~is_new, last_at < before)
        return self.remove(self.connection.execute(old).scalars().all())

    def pause(self, subscription_id: int, why: Paused) -> bool:
        return self._change(subscription_id, paused=why, only_if=_SUBSCRIPTIONS.c.paused.is_(None))

    def resume(self, subscription_id: int) -> bool:
        return self._change(subscription_id, paused=None, only_if=_SUBSCRIPTIONS.c.paused.is_not(None))

    def offer(self, subscription_id: int, at: datetime | None) -> bool:
        known = _SUBSCRIPTIONS.c.offered_at
        return self._change(subscription_id, offered_at=at, only_if=known.is_not(None) if at is None else known.is_(None))

    def take_over(self, subscription_id: int, creator_id: str) -> None:
        self._change(subscription_id, creator_id=creator_id, offered_at=None, paused=None)

    def posted(self, subscription_id: int, at: datetime) -> None:
        self._change(subscription_id, last_post_at=at)

    def _change(self, subscription_id: int, *, only_if: Any = True, **values: Any) -> bool:  # noqa: ANN401 - columns and their values
        one = update(_SUBSCRIPTIONS).where(_SUBSCRIPTIONS.c.subscription_id == subscription_id, only_if)
        return bool(self.connection.execute(one.values(values)).rowcount)

    def _found(self, query: Select[Any]) -> Sequence[Subscription]:
        return [_subscription(row) for row in self.connection.execute(query.order_by(_SUBSCRIPTIONS.c.subscription_id)).mappings()]


def _row(subscription: Subscription) -> Row:
    row = asdict(subscription)
    del row["subscription_id"], row["last_post_at"]
    texts = {"features": " ".join(sorted(subscription.features)), **{name: f"{row[name]:%H:%M}" for name in _TIMES}}
    return row.pop("conversation") | row | texts


def _subscription(row: RowMapping) -> Subscription:
    values: dict[str, Any] = dict(row)
    values["conversation"] = Conversation(workspace_id=values.pop("workspace_id"), channel_id=values.pop("channel_id"))
    values["features"] = frozenset(map(Feature, row["features"].split()))
    values |= {name: time.fromisoformat(row[name]) for name in _TIMES}
    return Subscription(**values)
