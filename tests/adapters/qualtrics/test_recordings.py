"""Everything recorded from Qualtrics is read, through the real client, as the values it means."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import msgspec
import pytest
import respx

from adapters.qualtrics import translate, wire
from adapters.qualtrics.client import QualtricsClient
from bot.errors import Gone, Malformed
from bot.model import (
    Anonymity,
    Contact,
    Directory,
    DistributionStats,
    HistoryEntry,
    LinkEntry,
    LinkType,
    Survey,
    SurveyDetails,
    User,
)
from bot.ports.records import Account

ROOT = "https://co1.qualtrics.com/API/v3/"
Sample = Callable[[str], Any]


def replay(api: respx.Router, exchange: Any) -> None:
    """Answer as recorded. An address with a query has to be replayed before the same one without."""
    url = httpx.URL(exchange["request"]["url"])
    host = url.host if url.host == "az1.qualtrics.com" else "co1.qualtrics.com"  # some recorders rewrote it
    api.get(host=host, path=url.path.rstrip("/"), params=dict(url.params)).respond(exchange["status"], json=exchange["body"])


async def test_recorded_survey_list(api: respx.Router, client: QualtricsClient, sample: Sample) -> None:
    replay(api, sample("ropensci-qualtRics/list_surveys")[0])
    [batch] = [batch async for batch in client.surveys()]
    assert (len(batch.items), batch.skipped) == (4, 0)
    assert batch.items[0] == Survey(
        survey_id="SV_3gbwq8aJgqPwQDP",
        name="Beskar Armor",
        owner_id="UR_8wfG5qsMxuh0Jrn",
        is_active=True,
        last_modified=datetime(2020, 2, 20, 1, 19, 11, tzinfo=UTC),
    )


async def test_recorded_survey_list_of_2016_in_two_pages(api: respx.Router, client: QualtricsClient, sample: Sample) -> None:
    first, second = sample("cambridgeeducation-qualtrics_api/survey_collection_fetch_sucess")
    replay(api, second)
    replay(api, first)
    batches = [batch async for batch in client.surveys()]
    assert [[survey.name for survey in batch.items] for batch in batches] == [["Test"], []]


async def test_recorded_empty_distribution_list(api: respx.Router, client: QualtricsClient, sample: Sample) -> None:
    exchange = sample("ropensci-qualtRics/list_distributions_empty")[0]
    query = {"surveyId": "SV_1", "pageSize": "100", "useNewPaginationScheme": "true"}
    api.get(f"{ROOT}distributions", params=query).respond(json=exchange["body"])
    assert [batch.items async for batch in client.distributions("SV_1")] == [()]


async def test_documented_generated_links(api: respx.Router, client: QualtricsClient, sample: Sample) -> None:
    api.get(path="/API/v3/distributions").respond(json=sample("vendor-doc-examples/list_distributions"))
    [batch] = [batch async for batch in client.distributions("SV_eajskCRbMSRKkRf")]
    [distribution] = batch.items
    assert (distribution.distribution_id, distribution.survey_id, distribution.parent_id) == (
        "EMD_vPSNvUyf7cevWSX",
        "SV_eajskCRbMSRKkRf",
        None,
    )
    assert (distribution.request_type, distribution.request_status) == ("GeneratedInvite", "Generated")
    assert (distribution.sender_name, distribution.link_type) == (None, LinkType.INDIVIDUAL)
    assert distribution.send_date == datetime(2019, 11, 25, 2, 19, 47, tzinfo=UTC)
    assert distribution.link_expires_at == datetime(2019, 12, 24, 7, tzinfo=UTC)
    assert distribution.stats == DistributionStats(failed=2)


async def test_documented_single_distribution_has_the_shape_of_the_list(api: respx.Router, client: QualtricsClient, sample: Sample) -> None:
    element = sample("vendor-doc-examples/get_distribution")["result"]
    api.get(path="/API/v3/distributions").respond(json={"result": {"elements": [element], "nextPage": None}})
    [batch] = [batch async for batch in client.distributions("SV_eajskCRbMSRKkRf")]
    assert [(it.request_type, it.sender_name, it.owner_id) for it in batch.items] == [("Invite", "John Smith", "UR_cVcNH0elQesua8J")]
    assert batch.items[0].created_at is not None


@pytest.mark.parametrize(("given", "known"), [("How are you?", "How are you?"), ("MS_3fsd9", None), ("", None), (None, None), (7, None)])
async def test_a_subject_is_text_and_no_message_id(
    api: respx.Router, client: QualtricsClient, sample: Sample, given: Any, known: Any
) -> None:
    answer = sample("vendor-doc-examples/list_distributions")
    answer["result"]["elements"][0]["headers"]["subject"] = given
    api.get(path="/API/v3/distributions").respond(json=answer)
    [batch] = [batch async for batch in client.distributions("SV_eajskCRbMSRKkRf")]
    assert batch.items[0].subject == known


async def test_recorded_history(api: respx.Router, client: QualtricsClient, sample: Sample) -> None:
    replay(api, sample("ropensci-qualtRics/distribution_history")[0])
    [batch] = [batch async for batch in client.history("EMD_RmjB8Gfpjlki6ms")]
    [entry] = batch.items
    assert entry == HistoryEntry(
        contact_id="CID_6RkMIPKLVnNn197",
        status="SurveyStarted",
        url="https://techsmith.az1.qualtrics.com/jfe/form/SV_06PSFx0kpItCz0q?Q_CHL=email"
        "&Q_DL=EMD_RmjB8Gfpjlki6ms_06PSFx0kpItCz0q_MLRP_elBa85GU65DunKC",
        sent_at=datetime(2021, 6, 1, 18, 59, 23, 161000, tzinfo=UTC),
        completed_at=None,
    )


async def test_recorded_links(api: respx.Router, client: QualtricsClient, sample: Sample) -> None:
    replay(api, sample("ropensci-qualtRics/distribution_links")[0])
    [batch] = [batch async for batch in client.links("EMD_RmjB8Gfpjlki6ms", "SV_06PSFx0kpItCz0q")]
    assert batch.items == (
        LinkEntry(
            contact_id="CID_6RkMIPKLVnNn197",
            email="person001@example.com",
            url="https://techsmith.az1.qualtrics.com/jfe/form/SV_06PSFx0kpItCz0q?Q_CHL=gl"
            "&Q_DL=RmjB8Gfpjlki6ms_06PSFx0kpItCz0q_MLRP_elBa85GU65DunKC",
            expires_at=datetime(2021, 7, 31, 14, 58, tzinfo=UTC),
        ),
    )


async def test_recorded_links_of_2019_without_next_page(api: respx.Router, client: QualtricsClient, sample: Sample) -> None:
    replay(api, sample("cambridgeeducation-qualtrics_api/distribution_links")[0])
    batches = [batch async for batch in client.links("EMD_9A7FZioL5pgWZJb", "SV_eVtvUQALTlL8Uzr")]
    assert [(it.contact_id, it.email) for batch in batches for it in batch.items] == [("MLRP_3eXXOwwpdF6jw7X", "foo@bar.com")]


async def test_recorded_pages_lead_to_another_host_and_repeat_themselves(
    api: respx.Router, client: QualtricsClient, sample: Sample, token: str
) -> None:
    exchanges = sample("cambridgeeducation-qualtrics_api/distribution_link_collection_pagination")
    last_page = exchanges[2]["body"]["result"]["nextPage"]  # never recorded; made up here
    api.get(last_page).respond(json={"result": {"elements": []}})
    for exchange in exchanges:
        replay(api, exchange)
    batches = [batch async for batch in client.links("EMD_9A7FZioL5pgWZJb", "SV_eVtvUQALTlL8Uzr")]
    assert [len(batch.items) for batch in batches] == [3, 0, 3, 0]
    assert [call.request.url.host for call in api.calls] == ["co1.qualtrics.com"] + ["az1.qualtrics.com"] * 3
    assert {call.request.headers["X-API-TOKEN"] for call in api.calls} == {token}
    assert client.better_host == "az1.qualtrics.com"


async def test_recorded_missing_distribution(api: respx.Router, client: QualtricsClient, sample: Sample) -> None:
    replay(api, sample("cambridgeeducation-qualtrics_api/distribution_link_collection_fetch_fail")[0])
    with pytest.raises(Gone, match=r"/links answered 404 \(errorCode GED_3, requestId 08d8caf1-ad8c-4170-a5f6-0f393ce4bc8a\)"):
        [batch async for batch in client.links("EMD_9A7FZioL5pgxxxx", "SV_eVtvUQALTlL8Uzr")]


async def test_documented_directories_with_a_placeholder_for_the_next_page(
    api: respx.Router, client: QualtricsClient, sample: Sample
) -> None:
    api.get(f"{ROOT}directories").respond(json=sample("vendor-doc-examples/list_directories"))
    assert [batch.items async for batch in client.directories()] == [
        (Directory(directory_id="POOL_012345678901234", name="Customer Contacts", is_default=True),)
    ]


async def test_recorded_survey_options(api: respx.Router, client: QualtricsClient, sample: Sample) -> None:
    definition = sample("ropensci-qualtRics/survey_definition_get")[0]["body"]["result"]
    api.get(f"{ROOT}survey-definitions/SV_1/metadata").respond(json={"result": definition})
    api.get(f"{ROOT}survey-definitions/SV_1/options").respond(json={"result": definition["SurveyOptions"]})
    assert await client.survey_details("SV_1") == SurveyDetails(ends_at=None, anonymity=Anonymity.IDENTIFIED)


async def test_anonymity_is_unknown_where_the_options_are_forbidden(api: respx.Router, client: QualtricsClient, sample: Sample) -> None:
    refusal = sample("cambridgeeducation-qualtrics_api/question_find_fail")[0]
    metadata = {"SurveyExpirationDate": "2030-01-31 12:00:00", "Deleted": "2029-01-01T00:00:00Z"}
    api.get(f"{ROOT}survey-definitions/SV_1/metadata").respond(json={"result": metadata})
    api.get(f"{ROOT}survey-definitions/SV_1/options").respond(refusal["status"], json=refusal["body"])
    assert await client.survey_details("SV_1") == SurveyDetails(
        ends_at=datetime(2030, 1, 31, 12, tzinfo=UTC), anonymity=Anonymity.UNKNOWN, is_deleted=True
    )


async def test_the_recorded_definition_tells_where_the_brands_pages_are(api: respx.Router, client: QualtricsClient, sample: Sample) -> None:
    definition = sample("ropensci-qualtRics/survey_definition_get")[0]["body"]
    route = api.get(f"{ROOT}survey-definitions/SV_1")
    route.respond(json=definition)
    assert await client.brand_host("SV_1") == "conjoint.qualtrics.com"
    route.respond(json={"result": {"SurveyID": "SV_1"}})
    assert await client.brand_host("SV_1") is None


@pytest.mark.parametrize(
    ("told", "host"),
    [
        ("https://Surveys.Acme.example/", "surveys.acme.example"),
        ("http://acme.qualtrics.com", None),
        ("//acme.qualtrics.com", None),
        ("https://acme.qualtrics.com/x", None),
        ("https://acme.qualtrics.com?x", None),
        ("https://acme.qualtrics.com#x", None),
        ("https://acme.qualtrics.com:444", None),
        ("https://acme.qualtrics.com@evil.example", None),
        (r"https://evil.example\.qualtrics.com", None),
        ("https://acme.qualtrics.com.", None),
        ("https://acme.qualtrics.com\n", None),
        ("https://acme\u202e.qualtrics.com", None),
        ("https://acme.qualtri\u212as.com", None),
        ("https://{host}.qualtrics.com", None),
        ("https://127.0.0.1", None),
        ("https://localhost", None),
        ("https://-acme.qualtrics.com", None),
        ("https://" + "a" * 64 + ".qualtrics.com", None),
        ("javascript:alert(1)", None),
        ("", None),
        (None, None),
        (["https://acme.qualtrics.com"], None),
    ],
)
def test_what_is_not_an_https_host_alone_is_no_brands_host(told: object, host: str | None) -> None:
    assert translate.brand_host(msgspec.json.encode({"result": {"BrandBaseURL": told}})) == host


async def test_a_definition_that_does_not_end_is_asked_for_once_and_shown_nowhere(
    api: respx.Router, client: QualtricsClient, caplog: pytest.LogCaptureFixture
) -> None:
    async def body() -> AsyncIterator[bytes]:
        yield b'{"result": {"SurveyOptions": {"Password": "canary-password"}, "Questions": "'
        while True:
            yield b"x" * 2**20

    route = api.get(f"{ROOT}survey-definitions/SV_1").mock(side_effect=lambda _: httpx.Response(200, content=body()))
    with pytest.raises(Malformed, match=r"^GET /API/v3/survey-definitions/SV_1 answered more than 8388608 bytes$") as raised:
        await client.brand_host("SV_1")
    assert route.call_count == 1
    assert "canary" not in f"{raised.value!r} {caplog.text}"


async def test_account_users_and_contact_in_their_described_shapes(api: respx.Router, client: QualtricsClient) -> None:
    """No recording exists; the fields are those of reference qualtrics.md 2 and 6."""
    whoami = {"brandId": "acme", "userId": "UR_1", "accountType": "UT_BRANDADMIN", "datacenter": "co1"}
    user = {"id": "UR_1", "email": " Ann@Example.COM ", "firstName": "Ann", "lastName": None, "userType": "UT_BRANDADMIN"}
    retired = {"id": "UR_2", "email": "", "accountStatus": "disabled", "divisionId": None}
    api.get(f"{ROOT}whoami").respond(json={"result": whoami})
    api.get(f"{ROOT}users").respond(json={"result": {"elements": [user, retired], "nextPage": ""}})
    api.get(f"{ROOT}directories/POOL_1/contacts/CID_1").respond(json={"result": {"contactId": "CID_1", "email": "Bob@example.com"}})
    assert await client.account() == Account(brand_id="acme", user_id="UR_1", datacenter="co1")
    assert [batch.items async for batch in client.users()] == [
        (
            User(user_id="UR_1", email="ann@example.com", first_name="Ann", user_type="UT_BRANDADMIN"),
            User(user_id="UR_2", email=None, is_active=False),
        )
    ]
    assert await client.contact("POOL_1", "CID_1") == Contact(contact_id="CID_1", email="bob@example.com")


@pytest.mark.parametrize(
    ("written", "email"),
    [
        (r"ann\u0000@example.com", None),
        (r"ann\ud83d@example.com", None),
        (r"\uDE00", None),
        (r"\\\ud83d", None),
        (r"\ud83d\ud83d\ude00@example.com", None),
        (r"\ud83d\uDE00@example.com", "\U0001f600@example.com"),
        (r"\\ud83d@example.com", r"\ud83d@example.com"),
        (r"\"ann\"@example.com", '"ann"@example.com'),
    ],
)
async def test_an_address_the_store_would_refuse_is_none(
    api: respx.Router, client: QualtricsClient, written: str, email: str | None
) -> None:
    api.get(f"{ROOT}directories/POOL_1/contacts/CID_1").respond(content=f'{{"result": {{"email": "{written}"}}}}')
    assert await client.contact("POOL_1", "CID_1") == Contact(contact_id="CID_1", email=email)


async def test_half_a_surrogate_pair_hides_nothing_around_it(api: respx.Router, client: QualtricsClient) -> None:
    api.get(f"{ROOT}whoami").respond(content=r'{"result": {"brandId": "acme", "userId": "UR_1", "firstName": "\ud83d"}}')
    api.get(f"{ROOT}survey-definitions/SV_1/metadata").respond(content=r'{"result": {"SurveyName": "\ude00", "Deleted": true}}')
    api.get(f"{ROOT}survey-definitions/SV_1/options").respond(content=r'{"result": {"SurveyTitle": "\ud83dx", "AnonymizeResponse": "Yes"}}')
    assert await client.account() == Account(brand_id="acme", user_id="UR_1", datacenter=None)
    assert await client.survey_details("SV_1") == SurveyDetails(ends_at=None, anonymity=Anonymity.ANONYMIZED, is_deleted=True)


def test_a_test_mail_has_neither_recipients_nor_a_link() -> None:
    raw = (
        b'{"id":"EMD_1","parentDistributionId":null,"ownerId":"UR_1","requestStatus":"Done","requestType":"TestEmail","sendDate":'
        b'"2026-01-01T00:00:00Z","headers":null,"recipients":{"mailingListId":null},"message":null,'
        b'"surveyLink":{"surveyId":null,"expirationDate":null,"linkType":null},"stats":{"sent":"1","opened":null}}'
    )
    distribution = translate.distribution(msgspec.json.decode(raw, type=wire.Distribution, strict=False), survey_id="SV_1")
    assert (distribution.survey_id, distribution.link_type, distribution.link_expires_at) == ("SV_1", LinkType.UNKNOWN, None)
    assert distribution.stats == DistributionStats(sent=1)


async def test_surveys_metadata_are_read_as_the_list_would_tell_them(api: respx.Router, client: QualtricsClient) -> None:
    """No recording exists; the fields are those of reference qualtrics.md 3."""
    metadata = {"SurveyID": "SV_1", "SurveyName": "Beskar", "SurveyOwnerID": "UR_1", "LastModified": "2020-02-20T01:19:11Z"}
    unset = {"Deleted": "0000-00-00 00:00:00"}
    route = api.get(f"{ROOT}survey-definitions/SV_1/metadata")
    for status in ("Active", "Inactive", "Pending", "LibBlock", "Deactive", "Temporary"):
        route.respond(json={"result": metadata | unset | {"SurveyStatus": status}})
        assert await client.survey("SV_1") == Survey(
            survey_id="SV_1",
            name="Beskar",
            owner_id="UR_1",
            is_active=status == "Active",
            last_modified=datetime(2020, 2, 20, 1, 19, 11, tzinfo=UTC),
        )
    route.respond(json={"result": metadata | {"SurveyStatus": "Active", "Deleted": "2026-01-01T00:00:00Z"}})
    with pytest.raises(Gone, match=r"^survey SV_1 was deleted$"):
        await client.survey("SV_1")
    for bad in ({"SurveyName": None}, {"SurveyName": "half \ud83d"}, {"SurveyOwnerID": "../x"}, {"LastModified": "soon"}):
        route.respond(content=json.dumps({"result": metadata | {"SurveyStatus": "Active"} | bad}))
        with pytest.raises(Malformed):
            await client.survey("SV_1")
