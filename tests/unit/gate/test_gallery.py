"""Every page that people can meet is fit for Slack, as a message, as a Home view and, without a personal link, as a modal."""

from __future__ import annotations

import pytest

from adapters.sandbox.gate import problems
from bot.gallery import forms, gallery
from bot.page import Form, Page, PrivatePage
from cards import slack


@pytest.mark.parametrize("page", gallery().values(), ids=list(gallery()))
def test_every_gallery_page_passes_the_gate(page: Page | PrivatePage) -> None:
    assert problems("message", slack.message(page)) == []
    assert problems("home", slack.home(page)) == []
    if isinstance(page, Page):
        assert problems("modal", slack.modal(page)) == []


@pytest.mark.parametrize("form", forms().values(), ids=list(forms()))
def test_every_form_passes_the_gate(form: Form) -> None:
    assert problems("modal", slack.modal(form)) == []
