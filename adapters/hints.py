"""What Qualtrics tells of a survey becomes a row that asks for it to be read again; what comes together is stored together."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Annotated

import msgspec

from bot.model import Integration
from bot.ports import Store, UnitOfWork

_COMPLETE = "Complete"
#: The statuses after which a survey may look different (reference qualtrics.md 9).
_TELLING = frozenset({_COMPLETE, "Partial", "Started", "Active", "Inactive"})
#: Deliveries in one transaction: a sync waits for it, and each commit waits for the disk.
_MOST_TOGETHER = 200

log = logging.getLogger(__name__)

_NAMES = {
    "status": "Status",
    "survey_id": "SurveyID",
    "response_id": "ResponseID",
    "completed_at": "CompletedDate",
    "brand_id": "BrandID",
}
_SurveyId = Annotated[str, msgspec.Meta(pattern=r"\ASV_[A-Za-z0-9_-]{1,97}\Z")]
_Short = Annotated[str, msgspec.Meta(max_length=200)]


class Message(msgspec.Struct, rename=_NAMES):
    """The part of a delivery that is signed, as far as it is read. Which fields come besides the first two varies."""

    status: _Short
    survey_id: _SurveyId
    response_id: _Short | None = None
    #: A local-looking time without a zone (quirk Q16): good for telling two events apart, and for nothing else.
    completed_at: _Short | None = None
    brand_id: _Short | None = None


@dataclass(frozen=True, slots=True)
class _Hint:
    integration_id: str
    message: Message
    at: datetime


@dataclass(slots=True)
class Hints:
    store: Store
    clock: Callable[[], datetime]
    #: What is not stored yet, by the future of its answer; the oldest first.
    _waiting: dict[asyncio.Future[bool], _Hint] = field(default_factory=dict[asyncio.Future[bool], _Hint])
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def remember(self, integration_id: str, message: Message) -> bool:
        """Store what `message` hints at, unless that was done before, or there is nothing to read now; False = it is of another brand.

        Raises Unavailable when the database does not answer.
        """
        if message.status not in _TELLING:
            return True
        answer = asyncio.get_running_loop().create_future()
        self._waiting[answer] = _Hint(integration_id, message, self.clock())
        try:
            async with self._turn:
                while not answer.done():  # nobody before took it along
                    await self._store()
        finally:
            self._waiting.pop(answer, None)
        names = {"integration": integration_id, "survey": message.survey_id, "status": message.status}
        log.debug("push.received", extra={**names, "is_ours": answer.result()})
        return answer.result()

    async def _store(self) -> None:
        """Hints stay waiting until they are stored: when this fails, or is given up, the next in line takes them all."""
        batch = dict(islice(self._waiting.items(), _MOST_TOGETHER))
        answers = await self.store.write(lambda uow: _remember(uow, tuple(batch.values())))
        for waiting, answer in zip(batch, answers, strict=True):
            if self._waiting.pop(waiting, None):
                waiting.set_result(answer)


def _remember(uow: UnitOfWork, hints: Sequence[_Hint]) -> Sequence[bool]:
    """One look at an integration and one row a survey, for all of them."""
    integrations = {name: uow.integrations.get(name) for name in {hint.integration_id for hint in hints}}
    ours = [_is_ours(hint.message, integrations[hint.integration_id]) for hint in hints]
    new = [
        hint
        for hint, is_ours in zip(hints, ours, strict=True)
        if is_ours and _is_read(integrations[hint.integration_id]) and _is_new(uow, hint)
    ]
    for (integration_id, survey_id), at in {(hint.integration_id, hint.message.survey_id): hint.at for hint in new}.items():
        uow.refreshes.ask(integration_id, survey_id, at)
    return ours


def _is_ours(message: Message, integration: Integration | None) -> bool:
    """A brand that is not known, or not told, is no other one."""
    known = integration.brand_id if integration else None
    return not (known and message.brand_id) or message.brand_id.casefold() == known.casefold()


def _is_read(integration: Integration | None) -> bool:
    return integration is not None and not integration.is_paused


def _is_new(uow: UnitOfWork, hint: _Hint) -> bool:
    """A response is completed once; another event is known by its time, and one without a time is always new.

    The key is a digest, because nothing of a response is to be kept.
    """
    message = hint.message
    once = message.response_id if message.status == _COMPLETE else message.completed_at
    if not once:
        return True
    parts = (hint.integration_id, message.survey_id, message.status, message.response_id or "", once)
    return uow.inbox.first_time(f"qualtrics:{hashlib.sha256('|'.join(parts).encode()).hexdigest()}", hint.at)
