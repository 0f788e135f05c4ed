"""The sides of a bot that a test knows to be there."""

from __future__ import annotations

from adapters.app import Bot
from adapters.slack_side import SlackSide


def in_slack(bot: Bot) -> SlackSide:
    assert bot.slack is not None
    return bot.slack
