"""Where the brand's own web pages are: in a full look one survey is asked, so that links lead where its owners work."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bot.errors import SurveybotError
from bot.model import Anonymity
from bot.syncing.look import Kind, Look

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


async def learn_brand_host(look: Look) -> None:
    """Read the definition of one open survey, of those whose options may be read, for that takes the same permission.

    Another hour asks another one: what is wrong with one survey does not hide the host for ever. Where it cannot be read, what is known
    stays, and the run goes on.
    """
    if look.kind is not Kind.FULL:
        return
    surveys = await look.store.read(lambda uow: uow.surveys.all(look.integration_id))
    readable = [it.survey_id for it in surveys if it.is_active and it.details and it.details.anonymity is not Anonymity.UNKNOWN]
    if not readable:
        return
    survey_id = readable[(look.started_at - _EPOCH) // timedelta(hours=1) % len(readable)]
    try:
        host = await look.source.brand_host(survey_id)
    except SurveybotError as error:
        look.leave_out("definition", survey_id, error)
        return
    await look.store.write(lambda uow: uow.integrations.set_brand_host(look.integration_id, host))
