"""Event subscriptions are made, listed and removed as was recorded."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import respx

from adapters.qualtrics.client import QualtricsClient
from adapters.qualtrics.subscriptions import Subscription
from bot.errors import Gone

SUBSCRIPTIONS = "https://co1.qualtrics.com/API/v3/eventsubscriptions"
NAMES = ("create", "create_partial_response_sub", "create_response_sub", "delete", "delete_one", "find", "find_fail")
Sample = Callable[[str], Any]


@pytest.fixture
def recorded(sample: Sample) -> Callable[[str, int], list[Any]]:
    """All recorded exchanges of one method and status."""
    exchanges = [it for name in NAMES for it in sample(f"cambridgeeducation-qualtrics_api/event_subscription_{name}")]
    return lambda method, status: [it for it in exchanges if (it["request"]["method"], it["status"]) == (method, status)]


async def test_recorded_creations(api: respx.Router, client: QualtricsClient, recorded: Callable[[str, int], list[Any]]) -> None:
    assert len(recorded("POST", 200)) == 3
    for it in recorded("POST", 200):
        route = api.post(SUBSCRIPTIONS).respond(json=it["body"])
        asked = it["request"]["body"]
        assert await client.subscribe(asked["topics"], asked["publicationUrl"], "key-1") == it["body"]["result"]["id"]
        assert json.loads(route.calls.last.request.content) == asked | {"sharedKey": "key-1"}


async def test_recorded_creation_of_2019(api: respx.Router, client: QualtricsClient, sample: Sample) -> None:
    api.post(SUBSCRIPTIONS).respond(json=sample("kyma-connector-tools/POST_API_v3_eventsubscriptions"))
    assert await client.subscribe("*", "https://bot.example/q", "key-1") == "SUB_8pSh6Kbqjgvwynb"


async def test_recorded_single_subscriptions_have_the_shape_of_the_list(
    api: respx.Router, client: QualtricsClient, recorded: Callable[[str, int], list[Any]]
) -> None:
    elements = [it["body"]["result"] for it in recorded("GET", 200)]
    api.get(SUBSCRIPTIONS).respond(json={"result": {"elements": elements, "nextPage": None}})
    [batch] = [batch async for batch in client.subscriptions()]
    assert (len(batch.items), batch.skipped) == (5, 0)
    assert batch.items[1] == Subscription(
        subscription_id="SUB_0fHFD2hnaSp9veZ",
        topics="surveyengine.partialResponse.SV_ANOTHER_SURVEY",
        url="https://request.url.fake",
        is_encrypted=False,
        successful_calls=0,
    )


async def test_recorded_list_keeps_subscriptions_that_share_an_id(api: respx.Router, client: QualtricsClient, sample: Sample) -> None:
    api.get(SUBSCRIPTIONS).respond(json=sample("kyma-connector-tools/GET_API_v3_eventsubscriptions"))
    [batch] = [batch async for batch in client.subscriptions()]
    assert [(it.topics, it.url, it.successful_calls) for it in batch.items] == [
        ("controlpanel.activateSurvey", "https://kyma-project.io/qualtrics", 109),
        ("surveyengine.completedResponse.*", "https://kyma-project.io/qualtrics", 10),
        ("surveyengine.completedResponse.*", "https://kyma-project2.io/qualtrics", 10),
        ("controlpanel.activateSurvey", "https://kyma-project2.io/qualtrics", 10),
        ("*", "https://kyma-project3.io/qualtrics", 10),
    ]


async def test_recorded_removals(
    api: respx.Router, client: QualtricsClient, sample: Sample, recorded: Callable[[str, int], list[Any]]
) -> None:
    bodies = [it["body"] for it in recorded("DELETE", 200)] + [sample("kyma-connector-tools/DELETE_API_v3_eventsubscriptions")]
    assert len(bodies) == 3
    for body in bodies:
        route = api.delete(f"{SUBSCRIPTIONS}/SUB_1").respond(json=body)
        await client.unsubscribe("SUB_1")
        assert route.called


async def test_recorded_subscriptions_that_are_gone(
    api: respx.Router, client: QualtricsClient, recorded: Callable[[str, int], list[Any]]
) -> None:
    assert len(recorded("GET", 404)) == 3
    for it in recorded("GET", 404):
        api.delete(f"{SUBSCRIPTIONS}/SUB_1").respond(404, json=it["body"])
        with pytest.raises(Gone, match=r"errorCode ESSG_2"):
            await client.unsubscribe("SUB_1")
