"""What a tenant tells its subscribers: topics, messages, and the signed form they travel in (reference qualtrics.md 9)."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from urllib.parse import quote, quote_plus, urlencode

from adapters.sandbox.qualtrics.records import Distribution, Recipient, Subscription, Survey


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Inside the tenant without the brand; a delivery's topic begins with it, and its message ends with it."""

    #: `surveyengine.completedResponse.SV_...`.
    topic: str
    message: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """An event on its way to one subscriber. To forge one, `replace` its `body`; sent twice, it is a replay."""

    subscription: Subscription
    event: Event
    body: bytes

    def signed_with(self, key: str) -> Delivery:
        """The same delivery, but signed with that key."""
        return replace(self, body=form(self.event, key))


def switched(survey: Survey) -> Event:
    """A survey was activated or deactivated."""
    topic = f"controlpanel.{'activateSurvey' if survey.is_active else 'deactivateSurvey'}"
    return Event(topic=topic, message={"Status": "Active" if survey.is_active else "Inactive", "SurveyID": survey.survey_id})


def started(sent: Distribution, row: Recipient, at: datetime) -> Event:
    """An invited person opened their survey."""
    message = {"Status": "Started", "SurveyID": sent.survey_id, **_invited(sent, row), "StartedDate": _written(at)}
    return Event(topic=f"surveyengine.startedRecipientSession.{sent.survey_id}", message=message)


def answered(
    survey: Survey, response_id: str, at: datetime, *, invited: tuple[Distribution, Recipient] | None = None, is_partial: bool = False
) -> Event:
    """A response was recorded: of an invited person, or of nobody knows whom; fields as in the delivery of 2020 (reference 9)."""
    message = {
        "Status": "Partial" if is_partial else "Complete",
        "SurveyID": survey.survey_id,
        **(_invited(*invited) if invited else {}),
        "ResponseID": response_id,
        "CompletedDate": _written(at),
        "CreatorID": survey.owner_id,
    }
    return Event(topic=f"surveyengine.{'partial' if is_partial else 'completed'}Response.{survey.survey_id}", message=message)


def delivery(subscription: Subscription, event: Event, brand_id: str) -> Delivery:
    """What the subscriber is sent."""
    whole = Event(topic=f"{brand_id}.{event.topic}", message={**event.message, "BrandID": brand_id})
    return Delivery(subscription=subscription, event=whole, body=form(whole, subscription.shared_key))


def form(event: Event, key: str | None) -> bytes:
    """The body: with a key `Topic`, `MSG` and `HMAC`, without one the message's own fields.

    Spaces come as `%20`, beside an empty key `undefined`, or as `+` without it (both recorded, quirk Q16): the survey's id decides.
    """
    is_old_manner = sum(event.message["SurveyID"].encode()) % 2 == 1
    if key is None:
        fields = {"Topic": event.topic, **event.message}
    else:
        text = json.dumps(event.message, separators=(",", ":"))
        signature = hmac.digest(key.encode(), text.encode(), hashlib.sha512).hex()
        fields = {"HMAC": signature, "MSG": text, "Topic": event.topic}
    return urlencode(fields | ({"undefined": ""} if is_old_manner else {}), quote_via=quote if is_old_manner else quote_plus).encode()


def _invited(sent: Distribution, row: Recipient) -> dict[str, str]:
    return {"RecipientID": row.contact.lookup_id, "ResponseEventContext": "", "DistributionID": sent.distribution_id}


def _written(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
