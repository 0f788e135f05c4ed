"""Teams' rate limits, as the simulated one keeps them."""

from __future__ import annotations

from adapters.sandbox.teams.limits import Throttle


def test_a_tenant_takes_fifty_calls_a_second() -> None:
    throttle = Throttle()
    assert [throttle.wait(f"chat{number}", number / 100) for number in range(51)] == [None] * 50 + [1]
    assert throttle.wait("chat0", 1.01) is None


def test_a_conversation_takes_seven_messages_in_one_second_and_sixty_in_thirty() -> None:
    throttle = Throttle()
    assert [throttle.wait("chat", number / 10) for number in range(8)] == [None] * 7 + [1]
    assert throttle.wait(None, 0.8) is None
    assert [throttle.wait("chat", 2 + number / 4) for number in range(54)] == [None] * 53 + [15]
