"""Switched on, the simulated Slack holds the app to its tiers, by a clock that a test moves."""

from __future__ import annotations

from datetime import timedelta

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from adapters.sandbox.slack.grid import another_workspace
from adapters.sandbox.slack.limits import Limits, Throttled
from adapters.sandbox.slack.workspace import Workspace
from tests.adapters.sandbox_slack.conftest import Clock


def let_through(limits: Limits, method: str, times: int, *, at: float = 0.0, place: str = "T1") -> int:
    """How many of so many calls at one moment, each for another channel, are let through."""
    done = 0
    for number in range(times):
        try:
            limits.take(method, place, f"D{number}", at)
        except Throttled:
            break
        done += 1
    return done


@pytest.mark.parametrize(
    ("method", "per_minute"),
    [
        ("apps.connections.open", 1),
        ("users.list", 20),
        ("chat.update", 50),
        ("conversations.open", 50),
        ("views.publish", 100),
        ("chat.postMessage", 240),
        ("auth.test", 600),
    ],
)
def test_a_minute_holds_what_its_tier_allows(method: str, per_minute: int) -> None:
    limits = Limits()
    assert let_through(limits, method, 1000) == per_minute
    assert let_through(limits, method, 1000, at=59.9) == 0
    assert let_through(limits, method, 1000, at=60.0) == per_minute
    assert let_through(limits, method, 1000, at=60.0, place="T2") == per_minute
    assert limits.refused == {method: 4}


def test_one_channel_takes_a_message_a_second_after_a_short_burst() -> None:
    limits = Limits()
    accepted, pauses = 0, set[int]()
    for tenth in range(600):
        try:
            limits.take("chat.postMessage", "T1", "C1", tenth / 10)
        except Throttled as refused:
            pauses.add(refused.retry_after_s)
        else:
            accepted += 1
    assert 60 <= accepted <= 65
    assert pauses == {1, 2, 3, 4, 5}


async def test_a_call_over_the_limit_is_told_when_to_come_back_and_does_nothing(
    client: AsyncWebClient, workspace: Workspace, clock: Clock
) -> None:
    workspace.platform.limits = Limits({"chat.postMessage": 2, "team.info": 1})
    for _ in range(2):
        await client.chat_postMessage(channel="C0GENERAL", text="Hello")
    clock.advance(timedelta(seconds=20, milliseconds=500))
    with pytest.raises(SlackApiError) as refused:
        await client.chat_postMessage(channel="C0GENERAL", text="Hello")
    answer = refused.value.response
    assert (answer.status_code, answer.headers["Retry-After"], answer["error"]) == (429, "40", "ratelimited")
    await client.team_info()
    other = another_workspace(workspace.platform, "T0BETA", "Beta")
    token = workspace.platform.install(other.team_id, {"team:read"}).value
    await client.team_info(token=token)
    clock.advance(timedelta(seconds=40))
    await client.chat_postMessage(channel="C0GENERAL", text="Hello")
    assert len(workspace.conversations["C0GENERAL"].messages) == 3
    assert workspace.platform.limits.refused == {"chat.postMessage": 1}
