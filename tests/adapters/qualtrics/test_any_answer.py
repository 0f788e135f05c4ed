"""Whatever stands in an answer, the client returns values or raises one of our own errors."""

from __future__ import annotations

import json
import re
from typing import Any

import httpx
import respx
import stamina
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.qualtrics.client import QualtricsClient
from bot.errors import SurveybotError

#: Every key the client reads, so that invented objects come close to real ones.
KEYS = st.sampled_from(
    re.findall(
        r"\w+",
        """
        result meta elements nextPage requestId notice error errorCode id name ownerId isActive lastModified email contactId status
        surveyLink sentAt responseCompletedAt link linkExpiration requestType requestStatus headers fromName stats sent expirationDate
        linkType brandId userId directoryId isDefault accountStatus SurveyExpirationDate Deleted AnonymizeResponse
        """,
    )
)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(
        ["SV_1", "0", "true", "2021-07-31T14:58:00Z", "0000-00-00 00:00:00", "1597321249000", "http://x.qualtrics.com/", "http://["]
    )
)
JSON = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS | st.text(), inner, max_size=6), max_leaves=25)
ELEMENT = st.dictionaries(KEYS, JSON, max_size=12)
PAGE = st.fixed_dictionaries(
    {"result": st.fixed_dictionaries({"elements": st.lists(ELEMENT, max_size=3)}, optional={"nextPage": LEAVES})}, optional={"meta": JSON}
)
BODIES = st.one_of(JSON.map(json.dumps), PAGE.map(json.dumps), st.fixed_dictionaries({"result": ELEMENT}).map(json.dumps)).map(str.encode)


async def _ask_everything(client: QualtricsClient) -> None:
    lists: list[Any] = [
        client.users(),
        client.surveys(),
        client.distributions("SV_1"),
        client.history("EMD_1"),
        client.links("EMD_1", "SV_1"),
        client.directories(),
    ]
    for listing in lists:
        try:
            assert all([batch.skipped >= 0 async for batch in listing])
        except SurveybotError as error:
            assert str(error)  # noqa: PT017 - either outcome is right, any other exception is not
    for single in (client.account(), client.survey_details("SV_1"), client.contact("POOL_1", "CID_1")):
        try:
            assert await single
        except SurveybotError as error:
            assert str(error)  # noqa: PT017 - as above


@settings(max_examples=60, deadline=None)
@given(status=st.sampled_from([200, 200, 200, 429, 500]), body=BODIES | st.binary())
async def test_any_answer_is_survived(status: int, body: bytes) -> None:
    with respx.mock() as api, stamina.set_testing(True, attempts=1):
        api.route().mock(return_value=httpx.Response(status, content=body))
        async with QualtricsClient("https://co1.qualtrics.com/API/v3/", "canary") as client:
            await _ask_everything(client)


async def test_absurdly_nested_answers_are_survived(api: respx.Router, client: QualtricsClient) -> None:
    api.route().respond(content=b'{"meta":' + b"[" * 200_000)
    await _ask_everything(client)
