"""A tenant's records as Qualtrics' API writes them: keys, order, nulls and oddities of the recordings (reference qualtrics.md 2 to 6).

Each function names its recording or source. Times go out as `Z` texts, in seconds where the recording has seconds.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

from adapters.sandbox.qualtrics.links import generated_link, mailed_link
from adapters.sandbox.qualtrics.records import Contact, Directory, Distribution, MailingList, Recipient, Subscription, Survey, User
from adapters.sandbox.qualtrics.status import COUNTS
from adapters.sandbox.qualtrics.tenant import Tenant

Json = dict[str, Any]

_MOUNTAIN = ZoneInfo("America/Denver")
_RESPONSE_SET = "RS_000000000000001"
_BLOCK = "BL_000000000000001"


def whoami(tenant: Tenant, user: User) -> Json:
    """`GET /whoami`: fields of reference 2; never recorded."""
    return {
        "brandId": tenant.brand_id,
        "userId": user.user_id,
        "userName": user.email,
        "accountType": user.user_type,
        "firstName": user.first_name,
        "lastName": user.last_name,
        "email": user.email,
        "datacenter": tenant.datacenter,
        "language": "en",
    }


def user_row(user: User) -> Json:
    """`GET /users`: the eight fields of reference 2."""
    return {
        "id": user.user_id,
        "username": user.email,
        "email": user.email,
        "firstName": user.first_name,
        "lastName": user.last_name,
        "userType": user.user_type,
        "divisionId": None,
        "accountStatus": "disabled" if user.is_disabled else "active",
    }


def user(tenant: Tenant, found: User) -> Json:
    """`GET /users/{id}`: reference 2."""
    return user_row(found) | {
        "organizationId": tenant.brand_id,
        "language": "en",
        "unsubscribed": False,
        "accountCreationDate": _seconds(found.created_at),
        "accountExpirationDate": None,
        "passwordLastChangedDate": None,
        "passwordExpirationDate": None,
        "lastLoginDate": None,
        "timeZone": "Etc/UTC",
        "responseCounts": {"auditable": 0, "generated": 0, "deleted": 0},
        "permissions": {},
        "identityProvider": None,
    }


def survey_row(survey: Survey) -> Json:
    """`GET /surveys`: ropensci-qualtRics/list_surveys.json."""
    return {
        "id": survey.survey_id,
        "name": survey.name,
        "ownerId": survey.owner_id,
        "lastModified": _seconds(survey.modified_at),
        "creationDate": _seconds(survey.created_at),
        "isActive": survey.is_active,
    }


def survey(tenant: Tenant, found: Survey) -> Json:
    """`GET /surveys/{id}`: ropensci-qualtRics/survey_get.json; the questions themselves are left out."""
    return {
        "id": found.survey_id,
        "name": found.name,
        "ownerId": found.owner_id,
        "organizationId": tenant.brand_id,
        "isActive": found.is_active,
        "creationDate": _seconds(found.created_at),
        "lastModifiedDate": _seconds(found.modified_at),
        "expiration": {"startDate": None, "endDate": _seconds(found.ends_at)},
        "questions": {},
        "exportColumnMap": {},
        "blocks": {_BLOCK: {"description": "Default Question Block", "elements": []}},
        "flow": [{"id": _BLOCK, "type": "Block"}],
        "embeddedData": [],
        "comments": {},
        "loopAndMerge": {},
        "responseCounts": {"auditable": found.responses, "generated": 0, "deleted": 0},
    }


def definition(tenant: Tenant, survey: Survey) -> Json:
    """`GET /survey-definitions/{id}`: ropensci-qualtRics/survey_definition_get.json; `QuestionCount` is "1000" there too."""
    return {
        "QuestionCount": "1000",
        "SurveyOptions": options(survey),
        "SurveyID": survey.survey_id,
        "SurveyName": survey.name,
        "SurveyStatus": _status(survey),
        "LastModified": _seconds(survey.modified_at),
        "BrandID": tenant.brand_id,
        "OwnerID": survey.owner_id,
        "LastAccessed": None,
        "CreatorID": survey.owner_id,
        "LastActivated": _seconds(survey.created_at),
        "Questions": {},
        "Blocks": {_BLOCK: {"Type": "Default", "Description": "Default Question Block", "ID": _BLOCK, "BlockElements": []}},
        "ResponseSets": {_RESPONSE_SET: "Default Response Set"},
        "SurveyFlow": {"Type": "Root", "FlowID": "FL_1", "Flow": [{"Type": "Standard", "ID": _BLOCK, "FlowID": "FL_2"}]},
        "Scoring": {
            "ScoringCategories": [],
            "ScoringCategoryGroups": [],
            "ScoringSummaryCategory": None,
            "ScoringSummaryAfterQuestions": 0,
            "ScoringSummaryAfterSurvey": 0,
            "DefaultScoringCategory": None,
            "AutoScoringCategory": None,
        },
        "ProjectInfo": {
            "SurveyID": survey.survey_id,
            "ProjectCategory": "CORE",
            "ProjectType": "CORE",
            "CompositionType": None,
            "ContentBundle": None,
        },
        "BrandBaseURL": tenant.brand_url,
    }


def options(survey: Survey) -> Json:
    """`GET /survey-definitions/{id}/options`: the recorded object with this survey's values in it."""
    return _recorded_options() | {
        "SurveyTitle": survey.name,
        "AnonymizeResponse": "Yes" if survey.is_anonymized else "No",
        "ActiveResponseSet": _RESPONSE_SET,
        "SurveyName": survey.name,
        "SurveyExpiration": "DateRange" if survey.ends_at else None,
        "SurveyExpirationDate": _seconds(survey.ends_at),
        "SurveyCreationDate": _seconds(survey.created_at),
    }


def metadata(tenant: Tenant, survey: Survey) -> Json:
    """`GET /survey-definitions/{id}/metadata`: fields of reference 3, from types generated out of Qualtrics' specification."""
    return {
        "SurveyID": survey.survey_id,
        "SurveyName": survey.name,
        "SurveyDescription": None,
        "SurveyOwnerID": survey.owner_id,
        "SurveyBrandID": tenant.brand_id,
        "DivisionID": None,
        "SurveyLanguage": "EN",
        "SurveyActiveResponseSet": _RESPONSE_SET,
        "SurveyStatus": _status(survey),
        "SurveyStartDate": None,
        "SurveyExpirationDate": _seconds(survey.ends_at),
        "SurveyCreationDate": _seconds(survey.created_at),
        "CreatorID": survey.owner_id,
        "LastModified": _seconds(survey.modified_at),
        "LastAccessed": None,
        "LastActivated": _seconds(survey.created_at),
        "Deleted": _seconds(survey.deleted_at),
    }


def distribution(tenant: Tenant, sent: Distribution) -> Json:
    """`GET /distributions/{id}`: vendor-doc-examples/get_distribution.json, and `messageType` (reference 4)."""
    row = distribution_row(tenant, sent)
    return row | {"message": row["message"] | {"messageText": None}}


def distribution_row(tenant: Tenant, sent: Distribution) -> Json:
    """`GET /distributions`: vendor-doc-examples/list_distributions.json, but without `messageText`, as since June 2022 (reference 4).

    `modifiedDate` is Mountain time stamped Z (quirk Q1). Only invitations name their recipients and their links' expiry (reference 4).
    """
    is_invite = sent.request_type in {"Invite", "GeneratedInvite"}
    was_mailed = sent.request_type != "GeneratedInvite"
    return {
        "id": sent.distribution_id,
        "parentDistributionId": sent.parent_id,
        "ownerId": sent.owner_id,
        "organizationId": tenant.brand_id,
        "requestStatus": _request_status(tenant, sent),
        "requestType": sent.request_type,
        "sendDate": _seconds(sent.send_at),
        "createdDate": _seconds(sent.created_at),
        "modifiedDate": f"{sent.modified_at.astimezone(_MOUNTAIN):%Y-%m-%dT%H:%M:%SZ}",
        "customHeaders": {},
        "headers": _mail_headers(sent) if was_mailed else {"fromEmail": None, "replyToEmail": None, "fromName": None},
        "recipients": {
            "mailingListId": sent.mailing_list_id,
            "contactId": sent.contact_id,
            "libraryId": sent.owner_id if is_invite else None,
            "sampleId": None,
        },
        "message": {
            "libraryId": sent.owner_id if was_mailed else None,
            "messageId": "MS_000000000000001" if was_mailed else None,
            "messageType": "Library" if was_mailed else None,
        },
        "surveyLink": {
            "surveyId": sent.survey_id,
            "expirationDate": _seconds(sent.expires_at) if is_invite else None,
            "linkType": sent.link_type if is_invite else None,
        },
        "embeddedData": None,
        "stats": {name: sent.stats[name] for name in COUNTS},
    }


def history_row(tenant: Tenant, sent: Distribution, row: Recipient) -> Json:
    """`GET /distributions/{id}/history`: ropensci-qualtRics/distribution_history.json; a thank-you has no link."""
    return {
        "contactId": row.contact.contact_id,
        "contactLookupId": row.contact.lookup_id,
        "distributionId": sent.distribution_id,
        "status": row.status,
        "surveyLink": None if sent.request_type == "ThankYou" else mailed_link(tenant.public_url, sent, row.contact),
        "contactFrequencyRuleId": None,
        "responseId": row.response_id,
        "responseCompletedAt": _milliseconds(row.completed_at),
        "sentAt": _milliseconds(row.sent_at),
        "openedAt": _milliseconds(row.opened_at),
        "responseStartedAt": _milliseconds(row.started_at),
        "surveySessionId": row.session_id,
    }


def link_row(tenant: Tenant, sent: Distribution, row: Recipient) -> Json:
    """`GET /distributions/{id}/links`: ropensci-qualtRics/distribution_links.json; `status` says so even of mails that were sent."""
    return {
        "contactId": row.contact.contact_id,
        "transactionId": None,
        "link": generated_link(tenant.public_url, sent, row.contact),
        "exceededContactFrequency": False,
        "linkExpiration": _seconds(sent.expires_at),
        "status": "Email not sent",
        "lastName": row.contact.last_name,
        "firstName": row.contact.first_name,
        "externalDataReference": row.contact.external_reference,
        "email": row.contact.email,
        "unsubscribed": row.contact.unsubscribed,
    }


def directory(found: Directory) -> Json:
    """`GET /directories`: vendor-doc-examples/list_directories.json."""
    return {
        "directoryId": found.directory_id,
        "name": found.name,
        "contactCount": len(found.contacts),
        "isDefault": found.is_default,
        "deduplicationCriteria": {
            "email": True,
            "firstName": False,
            "lastName": False,
            "externalDataReference": False,
            "phone": False,
        },
    }


def mailing_list(found: MailingList) -> Json:
    """`GET /directories/{id}/mailinglists`: vendor-doc-examples/list_mailing_lists.json; dates are epoch milliseconds as texts."""
    return {
        "contactCount": len(found.contacts),
        "mailingListId": found.mailing_list_id,
        "name": found.name,
        "lastModifiedDate": str(_epoch_ms(found.created_at)),
        "creationDate": str(_epoch_ms(found.created_at)),
        "ownerId": found.owner_id,
    }


def contact_row(found: Contact) -> Json:
    """`GET /directories/{id}/contacts`: fields of reference 6; never recorded."""
    return {
        "contactId": found.contact_id,
        "firstName": found.first_name,
        "lastName": found.last_name,
        "email": found.email,
        "phone": None,
        "extRef": found.external_reference,
        "language": None,
        "unsubscribed": found.unsubscribed,
    }


def listed_contact(found: Contact) -> Json:
    """`GET /directories/{id}/mailinglists/{list}/contacts`: reference 6; never recorded."""
    return contact_row(found) | {"mailingListUnsubscribed": False, "contactLookupId": found.lookup_id}


def contact(found: Contact) -> Json:
    """`GET /directories/{id}/contacts/{contact}`: as two clients read it, never recorded; dates are epoch milliseconds as numbers.

    QualtricsAPI 0.6.2 (reference S21) and CambridgeEducation/qualtrics_api spec directory_contact_collection_spec.rb.
    """
    return {
        "contactId": found.contact_id,
        "creationDate": _epoch_ms(found.created_at),
        "lastModified": _epoch_ms(found.created_at),
        "firstName": found.first_name,
        "lastName": found.last_name,
        "email": found.email,
        "emailDomain": found.email.partition("@")[2] if found.email else None,
        "phone": None,
        "language": None,
        "writeBlanks": False,
        "extRef": found.external_reference,
        "embeddedData": {},
        "transactionData": [],
        "stats": {},
        "skipped": False,
        "directoryUnsubscribed": found.unsubscribed,
        "directoryUnsubscribeDate": None,
        "mailingListMembership": {found.mailing_list_id: {"contactLookupId": found.lookup_id}},
    }


def subscription(tenant: Tenant, found: Subscription) -> Json:
    """`GET /eventsubscriptions`: kyma-connector-tools and cambridgeeducation-qualtrics_api/event_subscription_find.json; never the key."""
    return {
        "id": found.subscription_id,
        "scope": tenant.brand_id,
        "topics": found.topics,
        "publicationUrl": found.publication_url,
        "encrypted": False,
        "successfulCalls": found.successful_calls,
    }


@cache
def _recorded_options() -> Json:
    """`SurveyOptions` of ropensci-qualtRics/survey_definition_get.json; its `CustomStyles` were emptied."""
    return json.loads((files("adapters.sandbox.qualtrics") / "recorded_survey_options.json").read_text(encoding="utf-8"))


def _mail_headers(sent: Distribution) -> Json:
    return {
        "fromEmail": "noreply@qemailserver.com",
        "fromName": "People & Culture",
        "replyToEmail": "noreply@qemailserver.com",
        "subject": sent.subject,
    }


def _status(survey: Survey) -> str:
    return "Active" if survey.is_active else "Inactive"


def _request_status(tenant: Tenant, sent: Distribution) -> str:
    if sent.request_type == "GeneratedInvite":
        return "Generated"
    return "Pending" if sent.send_at > tenant.clock() else "Done"


def _seconds(at: datetime | None) -> str | None:
    return None if at is None else f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _milliseconds(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _epoch_ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)
