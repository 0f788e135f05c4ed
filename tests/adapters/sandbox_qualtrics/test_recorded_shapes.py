"""What the simulated tenant sends has the keys, the key order where it was recorded, and the JSON types of the recordings."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from adapters.sandbox.qualtrics.tenant import Tenant

Json = dict[str, Any]

SAMPLES = Path(__file__).parents[2] / "samples" / "qualtrics"
#: ropensci-qualtRics/survey_get.json in /work/shared/data: too big to be copied here.
SURVEY_KEYS = [
    *("id", "name", "ownerId", "organizationId", "isActive", "creationDate", "lastModifiedDate", "expiration", "questions"),
    *("exportColumnMap", "blocks", "flow", "embeddedData", "comments", "loopAndMerge", "responseCounts"),
]
#: vendor-doc-examples/list_mailing_lists.json.
MAILING_LIST = {
    "contactCount": 1500,
    "mailingListId": "CG_012345678901234",
    "name": "Customer Email List",
    "lastModifiedDate": "1597321249000",
    "creationDate": "1597321249000",
    "ownerId": "GR_FJDKAXL",
}
#: reference qualtrics.md 2: the eight fields of a user, checked by Databricks on a live brand.
USER_KEYS = ["id", "username", "email", "firstName", "lastName", "userType", "divisionId", "accountStatus"]
#: reference qualtrics.md 3, from types generated out of Qualtrics' specification; true = may be null.
METADATA = {
    "SurveyID": False,
    "SurveyName": False,
    "SurveyDescription": True,
    "SurveyOwnerID": False,
    "SurveyBrandID": False,
    "DivisionID": True,
    "SurveyLanguage": False,
    "SurveyActiveResponseSet": False,
    "SurveyStatus": False,
    "SurveyStartDate": True,
    "SurveyExpirationDate": True,
    "SurveyCreationDate": True,
    "CreatorID": False,
    "LastModified": False,
    "LastAccessed": True,
    "LastActivated": True,
    "Deleted": True,
}


async def test_a_listed_survey_looks_as_recorded(api: httpx.AsyncClient) -> None:
    (recorded, *_) = _recorded("ropensci-qualtRics/list_surveys.json")["result"]["elements"]
    for element in (await _get(api, "/surveys/"))["elements"]:
        assert _shape(element) == _shape(recorded)
        assert list(element) == list(recorded)


async def test_a_survey_looks_as_recorded(api: httpx.AsyncClient, tenant: Tenant) -> None:
    survey = await _get(api, f"/surveys/{tenant.surveys[0].survey_id}/")
    assert list(survey) == SURVEY_KEYS
    assert set(survey["expiration"]) == {"startDate", "endDate"}
    assert set(survey["responseCounts"]) == {"auditable", "generated", "deleted"}


async def test_a_definition_looks_as_recorded_down_to_every_option(api: httpx.AsyncClient, tenant: Tenant) -> None:
    recorded = _recorded("ropensci-qualtRics/survey_definition_get.json")["result"]
    survey_id = tenant.surveys[0].survey_id
    sent = await _get(api, f"/survey-definitions/{survey_id}/")
    assert {key: type(value) for key, value in sent.items()} == {key: type(value) for key, value in recorded.items()}
    assert _shape(sent["SurveyOptions"]) == _shape(recorded["SurveyOptions"])
    assert await _get(api, f"/survey-definitions/{survey_id}/options") == sent["SurveyOptions"]


async def test_metadata_has_the_fields_of_the_specification(api: httpx.AsyncClient, tenant: Tenant) -> None:
    metadata = await _get(api, f"/survey-definitions/{tenant.surveys[0].survey_id}/metadata")
    assert list(metadata) == list(METADATA)
    assert all(isinstance(metadata[name], str) or (metadata[name] is None and may_be_null) for name, may_be_null in METADATA.items())


async def test_an_invitation_looks_as_documented(api: httpx.AsyncClient, tenant: Tenant) -> None:
    """`messageText` left the list in June 2022 and `messageType` came (reference 4); all else is the vendor's sample."""
    documented = _sample("vendor-doc-examples/get_distribution.json")["result"]
    survey_id = tenant.surveys[0].survey_id
    (invite, *_) = (await _get(api, f"/distributions?surveyId={survey_id}"))["elements"]
    single = await _get(api, f"/distributions/{invite['id']}?surveyId={survey_id}")
    for sent in (invite, single):
        assert _shape(sent | {"message": {}}) == _shape(documented | {"message": {}})
    assert set(invite["message"]) == {"libraryId", "messageId", "messageType"}
    assert set(single["message"]) == {*documented["message"], "messageType"}


async def test_a_links_only_distribution_looks_as_documented(api: httpx.AsyncClient, tenant: Tenant) -> None:
    (documented,) = _sample("vendor-doc-examples/list_distributions.json")["result"]["elements"]
    survey_id = next(survey.survey_id for survey in tenant.surveys if survey.name == "Kiosk links")
    (sent,) = (await _get(api, f"/distributions?surveyId={survey_id}"))["elements"]
    assert _shape(sent | {"message": {}}) == _shape(documented | {"message": {}})
    assert (sent["requestType"], sent["requestStatus"]) == (documented["requestType"], documented["requestStatus"])


async def test_history_looks_as_recorded(api: httpx.AsyncClient, tenant: Tenant) -> None:
    """A person who opened the mail and then started has exactly the recorded row; links differ in their parts alone."""
    (recorded,) = _recorded("ropensci-qualtRics/distribution_history.json")["result"]["elements"]
    email = "one@example.com"
    distribution_id = tenant.send_survey(tenant.surveys[0].survey_id, emails=[email])
    tenant.move(email, tenant.surveys[0].survey_id, "Opened")
    tenant.move(email, tenant.surveys[0].survey_id, "SurveyStarted")
    (sent,) = (await _get(api, f"/distributions/{distribution_id}/history"))["elements"]
    assert _shape(sent) == _shape(recorded)
    assert list(sent) == list(recorded)
    assert _pattern(sent["surveyLink"]) == _pattern(recorded["surveyLink"])
    assert _pattern(sent["sentAt"]) == _pattern(recorded["sentAt"])


async def test_links_look_as_recorded(api: httpx.AsyncClient, tenant: Tenant) -> None:
    (recorded,) = _recorded("ropensci-qualtRics/distribution_links.json")["result"]["elements"]
    survey_id = tenant.surveys[0].survey_id
    distribution_id = tenant.send_survey(survey_id, emails=["one@example.com"])
    (sent,) = (await _get(api, f"/distributions/{distribution_id}/links?surveyId={survey_id}"))["elements"]
    assert _shape(sent) == _shape(recorded)
    assert list(sent) == list(recorded)
    assert _pattern(sent["link"]) == _pattern(recorded["link"])
    assert _pattern(sent["linkExpiration"]) == _pattern(recorded["linkExpiration"])
    assert sent["status"] == recorded["status"]


async def test_directories_and_lists_look_as_documented(api: httpx.AsyncClient) -> None:
    (documented,) = _sample("vendor-doc-examples/list_directories.json")["result"]["elements"]
    default, other = (await _get(api, "/directories"))["elements"]
    assert _shape(default) == _shape(documented)
    assert other["name"] is None
    for mailing_list in (await _get(api, f"/directories/{default['directoryId']}/mailinglists"))["elements"]:
        assert _shape(mailing_list) == _shape(MAILING_LIST)


async def test_users_have_the_eight_fields_and_one_user_more(api: httpx.AsyncClient) -> None:
    users = (await _get(api, "/users"))["elements"]
    assert [user["userType"] for user in users] == ["UT_FULLUSER", "UT_FULLUSER", "UT_BRANDADMIN"]
    assert all(list(user) == USER_KEYS for user in users)
    one = await _get(api, f"/users/{users[0]['id']}")
    assert users[0].items() <= one.items()
    assert (await _get(api, "/whoami"))["userId"] == users[2]["id"]


async def test_a_contact_is_found_by_its_id_with_the_same_address(api: httpx.AsyncClient, tenant: Tenant) -> None:
    directory_id = tenant.directories[0].directory_id
    for listed in (await _get(api, f"/directories/{directory_id}/contacts"))["elements"]:
        contact = await _get(api, f"/directories/{directory_id}/contacts/{listed['contactId']}")
        assert contact["email"] == listed["email"]
        assert isinstance(contact["creationDate"], int)


async def test_the_envelope_is_the_recorded_one(api: httpx.AsyncClient) -> None:
    recorded = _recorded("ropensci-qualtRics/list_distributions_empty.json")
    body = (await api.get("/API/v3/distributions", params={"surveyId": "SV_none"})).json()
    assert body == recorded | {"meta": {"httpStatus": "200 - OK", "requestId": body["meta"]["requestId"]}}
    assert UUID(body["meta"]["requestId"]) != UUID(recorded["meta"]["requestId"])


@pytest.mark.parametrize(("month", "hours"), [(7, 6), (12, 7)])
async def test_the_modified_date_is_mountain_time_stamped_z(
    api: httpx.AsyncClient, tenant: Tenant, clock: Any, month: int, hours: int
) -> None:
    """Quirk Q1: six hours behind in summer, seven in winter."""
    clock.now = datetime(2026, month, 5, 12, tzinfo=UTC)
    survey_id = tenant.create_survey("Dated")
    tenant.test_mail(survey_id)
    (sent,) = (await _get(api, f"/distributions?surveyId={survey_id}"))["elements"]
    assert sent["createdDate"] == f"2026-{month:02d}-05T12:00:00Z"
    assert sent["modifiedDate"] == f"2026-{month:02d}-05T{12 - hours:02d}:00:00Z"


async def _get(api: httpx.AsyncClient, path: str) -> Any:
    return (await api.get(f"/API/v3{path}")).raise_for_status().json()["result"]


def _sample(name: str) -> Any:
    return json.loads((SAMPLES / name).read_text(encoding="utf-8"))


def _recorded(name: str) -> Json:
    return _sample(name)[0]["body"]


def _shape(value: Any) -> Any:
    """Keys and JSON types, all the way down."""
    if isinstance(value, dict):
        return {key: _shape(inner) for key, inner in value.items()}
    return [_shape(inner) for inner in value] if isinstance(value, list) else type(value).__name__


def _pattern(text: str) -> str:
    """A text's build: its host, its 15-character ids and its digits made alike; contacts are `MLRP_` or `CGC_` (reference 12)."""
    path = re.sub(r"https?://[^/]+", "", text)
    return re.sub(r"\d", "9", re.sub(r"[A-Za-z0-9]{15}", "<id>", path.replace("MLRP_", "CGC_")))
