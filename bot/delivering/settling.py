"""Lost answers: whether a message arrived is looked up in the conversation itself, by the opaque key that every message carries.

A row found SENDING after its lease (the answer was lost, or the sender died in mid-call) is settled here. Where the conversation may be
read it becomes SENT, or READY again once it cannot arrive any more; where not, it stays UNKNOWN (`outcomes.UNREPEATED` says why).
"""

from __future__ import annotations

import logging

from bot.delivering import addressing
from bot.delivering.delivery import LEASE, Sender, record
from bot.delivering.outcomes import UNREPEATED, Again, Ended, Outcome
from bot.errors import Ambiguous, Forbidden, SurveybotError, Unauthorized, Unavailable, loggable
from bot.messages import Delivery, DeliveryState, Unreachable

_AT_ONCE = 20

log = logging.getLogger(__name__)


async def settle_lost(sender: Sender) -> int:
    """Settle deliveries of which nobody knows whether they arrived; returns how many are known now."""
    now = sender.clock()
    lost = await sender.store.write(lambda uow: uow.outbox.claim_lost(now, lease=LEASE, limit=_AT_ONCE))
    settled = 0
    for delivery in lost:
        outcome = await _found_out(sender, delivery)
        if outcome is not None:
            settled += await record(sender, delivery, outcome)
    return settled


async def _found_out(sender: Sender, delivery: Delivery) -> Outcome | None:
    """None = nobody can tell now; it is looked up again after its lease."""
    reason = delivery.reason or "the sender stopped in the middle of a call"
    member = await sender.store.read(lambda uow: addressing.tried(uow, delivery, sender.reach))
    if isinstance(member, Unreachable):
        return _unknown(delivery, reason)
    try:
        message = await sender.channel.find(member, delivery.key, delivery.created_at)
    except (Unavailable, Ambiguous, Unauthorized) as error:
        if isinstance(error, Forbidden):
            return _unknown(delivery, reason)
        log.warning("delivery.not_settled", extra={"delivery": delivery.delivery_id, **loggable(error)})
        return None
    except SurveybotError:
        return _unknown(delivery, reason)
    if message is None:
        return Again(at=sender.clock(), reason=f"{reason}; it did not arrive")
    return Ended(state=DeliveryState.SENT, message=message)


def _unknown(delivery: Delivery, reason: str) -> Ended:
    return Ended(state=DeliveryState.UNKNOWN, reason=f"{reason}; not repeated: {UNREPEATED[delivery.kind]}")
