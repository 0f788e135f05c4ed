"""A signature is good for one request."""

from __future__ import annotations

from adapters.slack.replays import Replays


def test_a_signature_is_new_once_for_as_long_as_it_counts_and_forgotten_afterwards() -> None:
    seconds = 0.0
    replays = Replays(lambda: seconds)
    assert [replays.first_time("v0=a"), replays.first_time("v0=b"), replays.first_time("v0=a")] == [True, True, False]
    seconds = 599.0
    assert [replays.first_time("v0=b"), replays.first_time("v0=c")] == [False, True]
    seconds = 601.0
    assert replays.first_time("v0=d")
    assert list(replays._seen) == ["v0=c", "v0=d"]
