"""Every page that people can meet is fit for Slack, as a message and as a Home view."""

from __future__ import annotations

import pytest

from adapters.sandbox.gate import problems
from bot.gallery import gallery
from bot.page import Page, PrivatePage
from cards import slack


@pytest.mark.parametrize("page", gallery().values(), ids=list(gallery()))
def test_every_gallery_page_passes_the_gate(page: Page | PrivatePage) -> None:
    assert problems("message", slack.message(page)) == []
    assert problems("home", slack.home(page)) == []
