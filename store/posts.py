"""What is told to channels and owners: by whom it is held, and what became of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, RowMapping, and_, case, delete, func, or_, select, tuple_, update

from bot.messages import DeliveryState, MessageRef
from bot.posts import News, Post, PostKind
from store import post_tables
from store.outbox import TOLD, UNHELD, message_of
from store.statements import add

_POSTS = post_tables.posts

_NEWS = tuple(_POSTS.c[name] for name in ("subscription_id", "kind", "survey_id", "mark"))
_IS_OPEN = _POSTS.c.finished_at.is_(None)


@dataclass(frozen=True, slots=True)
class SqlPosts:
    connection: Connection

    def add(self, news: Sequence[News], now: datetime, *, is_told: bool) -> int:
        state, finished_at = (DeliveryState.READY, None) if is_told else (DeliveryState.SKIPPED, now)
        fresh = {"state": state, "due_at": now, "attempt": 0, "created_at": now, "finished_at": finished_at}
        return add(self.connection, _POSTS, [asdict(each) | fresh for each in news])

    def known(self, subscription_id: int) -> Collection[News]:
        """By the unique index, which has all of it."""
        found = self.connection.execute(select(*_NEWS).where(_POSTS.c.subscription_id == subscription_id)).mappings()
        return {News(**row) for row in found}

    def is_told(self, news: News, subscription_ids: Collection[int]) -> bool:
        same = (_POSTS.c[name] == getattr(news, name) for name in ("kind", "survey_id", "mark"))
        theirs = select(_POSTS.c.post_id).where(_POSTS.c.subscription_id.in_(subscription_ids), *same, _POSTS.c.state.in_(TOLD))
        return self.connection.execute(theirs.limit(1)).first() is not None

    def claim(self, now: datetime, *, owner: str, lease: timedelta, limit: int) -> Sequence[Post]:
        due = select(_POSTS.c.post_id).where(_IS_OPEN, _POSTS.c.due_at <= now, _POSTS.c.state == DeliveryState.READY)
        some = due.order_by(_POSTS.c.subscription_id, _POSTS.c.post_id).limit(limit).with_for_update(skip_locked=True).cte("some")
        held = {"state": DeliveryState.CLAIMED, "lease_owner": owner, "lease_until": now + lease}
        taken = update(_POSTS).where(_POSTS.c.post_id.in_(select(some.c.post_id))).values(**held).returning(_POSTS)
        return sorted((_post(row) for row in self.connection.execute(taken).mappings()), key=lambda post: post.post_id)

    def begin_sending(self, post_ids: Collection[int], *, owner: str, lease_until: datetime) -> bool:
        mine = (_POSTS.c.post_id.in_(post_ids), _POSTS.c.lease_owner == owner, _POSTS.c.state == DeliveryState.CLAIMED)
        if len(self.connection.execute(select(_POSTS.c.post_id).where(*mine).with_for_update()).all()) < len(post_ids):
            return False
        begun = {"state": DeliveryState.SENDING, "attempt": _POSTS.c.attempt + 1, "lease_until": lease_until}
        self.connection.execute(update(_POSTS).where(*mine).values(**begun))
        return True

    def finish(
        self, post_ids: Collection[int], state: DeliveryState, now: datetime, *, owner: str, reason: str | None, message: MessageRef | None
    ) -> bool:
        where = {} if message is None else asdict(message)
        is_open = _IS_OPEN if message is None else or_(_IS_OPEN, _POSTS.c.state == DeliveryState.UNKNOWN)
        return self._change(post_ids, owner, is_open, state=state, finished_at=now, reason=reason, **where)

    def retry(self, post_ids: Collection[int], due_at: datetime, reason: str, *, owner: str) -> bool:
        return self._change(post_ids, owner, _IS_OPEN, **UNHELD, due_at=due_at, reason=reason)

    def lapse(self, now: datetime, reason: str) -> int:
        lapsed = update(_POSTS).where(_IS_OPEN, _POSTS.c.lease_until < now)
        unknown = {"state": DeliveryState.UNKNOWN, "finished_at": now, "reason": reason}
        found = (
            lapsed.where(_POSTS.c.state == DeliveryState.CLAIMED).values(**UNHELD),
            lapsed.where(_POSTS.c.state == DeliveryState.SENDING).values(**unknown),
        )
        return sum(self.connection.execute(each).rowcount for each in found)

    def forget(self, before: datetime) -> int:
        """Of one survey all or nothing: what is known of it says what is new."""
        about = (_POSTS.c.subscription_id, _POSTS.c.survey_id)
        begins, ends = (func.sum(case((_POSTS.c.kind == kind, 1), else_=0)) for kind in (PostKind.LAUNCH, PostKind.CLOSED))
        are_over = and_(func.max(_POSTS.c.created_at) < before, func.count() == func.count(_POSTS.c.finished_at), begins <= ends)
        is_over = tuple_(*about).in_(select(*about).where(_POSTS.c.survey_id != "").group_by(*about).having(are_over))
        is_old = and_(_POSTS.c.survey_id == "", _POSTS.c.created_at < before, ~_IS_OPEN)
        return self.connection.execute(delete(_POSTS).where(or_(is_over, is_old))).rowcount

    def counts(self) -> Mapping[tuple[PostKind, DeliveryState], int]:
        what = (_POSTS.c.kind, _POSTS.c.state)
        return {(kind, state): number for kind, state, number in self.connection.execute(select(*what, func.count()).group_by(*what))}

    def oldest_due(self) -> datetime | None:
        return self.connection.execute(select(func.min(_POSTS.c.due_at)).where(_IS_OPEN)).scalar_one()

    def list(self, limit: int) -> Sequence[Post]:
        newest = select(_POSTS).order_by(_POSTS.c.post_id.desc()).limit(limit)
        return [_post(row) for row in self.connection.execute(newest).mappings()]

    def _change(self, post_ids: Collection[int], owner: str, is_open: Any, **values: Any) -> bool:  # noqa: ANN401 - SQL, and values of any column
        mine = update(_POSTS).where(_POSTS.c.post_id.in_(post_ids), _POSTS.c.lease_owner == owner, is_open)
        return bool(self.connection.execute(mine.values(**values)).rowcount)


def _post(row: RowMapping) -> Post:
    return Post(
        post_id=row["post_id"],
        news=News(**{column.name: row[column.name] for column in _NEWS}),
        state=row["state"],
        created_at=row["created_at"],
        attempt=row["attempt"],
        owner=row["lease_owner"] if row["finished_at"] is None else None,
        reason=row["reason"],
        message=message_of(row),
    )
