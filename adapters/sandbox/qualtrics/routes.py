"""What each path of the simulated API v3 answers with, and who may ask (reference qualtrics.md 1 to 6 and 9)."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from adapters.sandbox.qualtrics import bodies as wire
from adapters.sandbox.qualtrics.calls import Call, Json, Refusal, forbidden, missing, new_request_id
from adapters.sandbox.qualtrics.records import Directory, Distribution, Permission, Subscription, Survey

#: Makes the `result` of an answer's envelope (None: it has none), or raises Refusal.
Answer = Callable[[Call], Json | None]


@dataclass(frozen=True, slots=True)
class Endpoint:
    #: Below `/API/v3`; also the name in `Tenant.calls`.
    template: str
    answer: Answer
    #: What the user must not have been denied; None = anybody may ask.
    permission: Permission | None = None
    #: What an OAuth token must cover, `read:` for GET and else `write:`; None = any token will do.
    resource: str | None = None
    method: str = "GET"
    for_admins: bool = False

    @property
    def scope(self) -> str | None:
        return self.resource and f"{'read' if self.method == 'GET' else 'write'}:{self.resource}"


def _whoami(call: Call) -> Json:
    return wire.whoami(call.tenant, call.user)


def _users(call: Call) -> Json:
    return call.page(call.tenant.users, wire.user_row)


def _user(call: Call) -> Json:
    found = call.tenant.users.get(call.part("id"))
    if not call.user.is_admin and found is not call.user:
        raise forbidden()
    if found is None:
        raise missing()
    return wire.user(call.tenant, found)


def _surveys(call: Call) -> Json:
    return call.page(call.tenant.surveys, wire.survey_row, where=lambda survey: survey.deleted_at is None and call.sees(survey))


def _survey(call: Call) -> Json:
    found = call.visible(call.part("id"))
    if found is None or found.deleted_at:
        raise Refusal(404, "Survey not found.", "GSI_2")
    return wire.survey(call.tenant, found)


def _definition(call: Call) -> Json:
    return wire.definition(call.tenant, _defined(call))


def _options(call: Call) -> Json:
    return wire.options(_defined(call))


def _metadata(call: Call) -> Json:
    return wire.metadata(call.tenant, _defined(call, or_deleted=True))


def _defined(call: Call, *, or_deleted: bool = False) -> Survey:
    """A survey whose definition may be read; an unknown one is recorded as forbidden, not as missing. Raises Refusal."""
    found = call.visible(call.part("id"))
    if found is None or not found.is_readable or (found.deleted_at and not or_deleted):
        raise forbidden()
    return found


def _distributions(call: Call) -> Json:
    """An unknown survey has an empty list, somebody else's none; neither is recorded, nor is the answer to a missing `surveyId`."""
    survey, wanted = call.tenant.surveys.get(_survey_id(call)), call.request.query_params.get("distributionRequestType")
    if survey is None:
        return {"elements": [], "nextPage": None}
    if not call.sees(survey):
        raise forbidden()
    return call.page(
        survey.distributions,
        partial(wire.distribution_row, call.tenant),
        by=lambda sent: sent.distribution_id,
        where=lambda sent: sent.deleted_at is None and wanted in {None, sent.request_type},
    )


def _distribution(call: Call) -> Json:
    return wire.distribution(call.tenant, _sent(call, _survey_id(call)))


def _history(call: Call) -> Json:
    sent = _sent(call)
    if sent.request_type == "TestEmail":
        message = (
            f"The email-distribution({sent.distribution_id}) has no recipients and no parent. This distribution type may be unsupported."
        )
        raise Refusal(400, message, "CP_TD_GER_NP", requestId=new_request_id())
    write = partial(wire.history_row, call.tenant, sent)
    return call.page(sent.recipients, write, by=lambda row: row.contact.contact_id, until=call.faults.history_rows)


def _links(call: Call) -> Json:
    sent = _sent(call, _survey_id(call))
    return call.page(
        sent.recipients,
        partial(wire.link_row, call.tenant, sent),
        by=lambda row: row.contact.contact_id,
        where=lambda row: row.contact.contact_id not in call.faults.links_lack,
    )


def _survey_id(call: Call) -> str:
    survey_id = call.request.query_params.get("surveyId")
    if not survey_id:
        raise Refusal(400, "Missing required parameter: surveyId", requestId=new_request_id())
    return survey_id


def _sent(call: Call, survey_id: str | None = None) -> Distribution:
    """The distribution of the path, if it belongs to that survey and the user sees it. Raises Refusal: `GED_3`, recorded for `/links`."""
    try:
        found = call.tenant.distribution(call.part("id"))
    except LookupError:
        found = None
    if found is None or survey_id not in {None, found.survey_id} or not call.visible(found.survey_id):
        raise Refusal(404, "Distribution not found.", "GED_3", requestId=new_request_id())
    return found


def _directories(call: Call) -> Json:
    return call.page(call.tenant.directories, wire.directory, by=lambda found: found.directory_id)


def _contacts(call: Call) -> Json:
    return call.page(_directory(call).contacts, wire.contact_row, by=lambda found: found.contact_id)


def _contact(call: Call) -> Json:
    found = _directory(call).contacts.get(call.part("contact"))
    if found is None:
        raise missing()
    return wire.contact(found)


def _mailing_lists(call: Call) -> Json:
    return call.page(_directory(call).lists, wire.mailing_list, by=lambda found: found.mailing_list_id)


def _listed_contacts(call: Call) -> Json:
    found = _directory(call).lists.get(call.part("list"))
    if found is None:
        raise missing()
    return call.page(found.contacts, wire.listed_contact, by=lambda contact: contact.contact_id)


def _directory(call: Call) -> Directory:
    found = call.tenant.directories.get(call.part("id"))
    if found is None:
        raise missing()
    return found


def _subscribe(call: Call) -> Json:
    """Raises Refusal, unrecorded, for a body that is not a subscription; encryption (reference 9: unsettled) is not simulated."""
    try:
        wanted = json.loads(call.body)
        topics, url, shared_key = wanted["topics"], wanted["publicationUrl"], wanted.get("sharedKey")
    except (ValueError, TypeError, KeyError, AttributeError):
        raise Refusal(400, "Invalid JSON body.") from None
    if wanted.get("encrypt") or not all(isinstance(text, str) for text in (topics, url, shared_key or "")):
        raise Refusal(400, "Invalid subscription.")
    subscription_id = call.tenant.new_id("SUB")
    subscription = Subscription(subscription_id=subscription_id, topics=topics, publication_url=url, shared_key=shared_key)
    call.tenant.subscriptions.add(subscription_id, subscription)
    return {"id": subscription_id}


def _subscriptions(call: Call) -> Json:
    return call.page(call.tenant.subscriptions, partial(wire.subscription, call.tenant))


def _subscription(call: Call) -> Json:
    return wire.subscription(call.tenant, _subscribed(call))


def _unsubscribe(call: Call) -> None:
    call.tenant.subscriptions.remove(_subscribed(call).subscription_id)


def _subscribed(call: Call) -> Subscription:
    """Raises Refusal as recorded in event_subscription_find_fail.json: `requestId` is null."""
    found = call.tenant.subscriptions.get(call.part("id"))
    if found is None:
        raise Refusal(404, f"{call.part('id')} not found", "ESSG_2", requestId=None)
    return found


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("/whoami", _whoami),
    Endpoint("/users", _users, "users", "users", for_admins=True),
    Endpoint("/users/{id}", _user, "users", "users"),
    Endpoint("/surveys", _surveys, "surveys", "surveys"),
    Endpoint("/surveys/{id}", _survey, "surveys", "surveys"),
    Endpoint("/survey-definitions/{id}", _definition, "definitions", "surveys"),
    Endpoint("/survey-definitions/{id}/metadata", _metadata, "definitions", "surveys"),
    Endpoint("/survey-definitions/{id}/options", _options, "definitions", "surveys"),
    Endpoint("/distributions", _distributions, "distributions", "distributions"),
    Endpoint("/distributions/{id}", _distribution, "distributions", "distributions"),
    Endpoint("/distributions/{id}/history", _history, "history", "distributions"),
    Endpoint("/distributions/{id}/links", _links, "links", "distributions"),
    Endpoint("/directories", _directories, "directories", "directories"),
    Endpoint("/directories/{id}/contacts", _contacts, "contacts", "directory_contacts"),
    Endpoint("/directories/{id}/contacts/{contact}", _contact, "contacts", "directory_contacts"),
    Endpoint("/directories/{id}/mailinglists", _mailing_lists, "directories", "mailing_lists"),
    Endpoint("/directories/{id}/mailinglists/{list}/contacts", _listed_contacts, "contacts", "mailing_list_contacts"),
    Endpoint("/eventsubscriptions", _subscriptions, "subscriptions", "subscriptions", for_admins=True),
    Endpoint("/eventsubscriptions", _subscribe, "subscriptions", "subscriptions", "POST", for_admins=True),
    Endpoint("/eventsubscriptions/{id}", _subscription, "subscriptions", "subscriptions", for_admins=True),
    Endpoint("/eventsubscriptions/{id}", _unsubscribe, "subscriptions", "subscriptions", "DELETE", for_admins=True),
)
