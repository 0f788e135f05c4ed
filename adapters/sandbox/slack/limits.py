"""How often the app may call: Slack's tiers for each method, app and workspace, and what chat.postMessage is held to.

Numbers: slackapi/java-slack-sdk MethodsRateLimits.java; the workspace's ceiling is not published, 240 a minute is near the one report
of it (reference slack.md 3). Slack allows "some burst": here a minute's calls may come at once.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Mapping
from math import ceil

from adapters.sandbox.slack.errors import MethodError

TIER_1, TIER_2, TIER_3, TIER_4, SPECIAL = 1, 20, 50, 100, 600
#: Calls a minute; a method that is not named is of tier 3.
PER_MINUTE: Mapping[str, int] = {
    "apps.connections.open": TIER_1,
    "apps.uninstall": TIER_1,
    "auth.teams.list": TIER_2,
    "auth.test": SPECIAL,
    "blocks.validate": SPECIAL,
    "chat.postEphemeral": TIER_4,
    "chat.postMessage": 240,
    "conversations.members": TIER_4,
    "oauth.v2.access": TIER_4,
    "users.info": TIER_4,
    "users.list": TIER_2,
    "views.open": TIER_4,
    "views.publish": TIER_4,
    "views.push": TIER_4,
    "views.update": TIER_4,
}
#: About one message a second in each channel, and short bursts.
_CHANNEL_BURST = 5


class Throttled(MethodError):
    """HTTP 429; the call has no effect, and does not count."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__("ratelimited")
        self.retry_after_s = retry_after_s


class Limits:
    """Sliding windows over the calls that were let through, by the sandbox's clock."""

    def __init__(self, per_minute: Mapping[str, int] | None = None) -> None:
        """`per_minute` changes single methods; `{"conversations.history": 1}` is what commercial apps outside of the Marketplace get."""
        self._per_minute = {**PER_MINUTE, **(per_minute or {})}
        self._accepted: defaultdict[tuple[str, ...], deque[float]] = defaultdict(deque)
        #: How many calls were refused, by method.
        self.refused: Counter[str] = Counter()

    def take(self, method: str, place: str, channel: str | None, at: float) -> None:
        """Let a call through at `at` (seconds since the epoch), or raise Throttled with the whole seconds until one would be."""
        windows: list[tuple[tuple[str, ...], int, float]] = [((method, place), self._per_minute.get(method, TIER_3), 60.0)]
        if method == "chat.postMessage" and channel is not None:
            windows.append(((method, place, channel), _CHANNEL_BURST, float(_CHANNEL_BURST)))
        wait = max(self._wait(key, most, seconds, at) for key, most, seconds in windows)
        if wait > 0:
            self.refused[method] += 1
            raise Throttled(ceil(wait))
        for key, most, _ in windows:
            self._accepted[key].append(at)
            if len(self._accepted[key]) > most:
                self._accepted[key].popleft()

    def _wait(self, key: tuple[str, ...], most: int, seconds: float, at: float) -> float:
        """A window is full as long as the oldest of its last `most` calls is in it."""
        accepted = self._accepted[key]
        return accepted[0] + seconds - at if len(accepted) >= most else 0.0
