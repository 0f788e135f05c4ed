"""The buttons that lead from page to page."""

from __future__ import annotations

from dataclasses import replace

from bot.page import Action, Button, Buttons, Form, Input, Link, Page, PrivatePage
from bot.pages.asked import name_of
from bot.pages.reader import Reader
from bot.rules import Participation
from bot.slash_commands import LONGEST_ARGUMENT


def row(*buttons: Button | Link) -> Buttons:
    return Buttons(buttons)


def list_button(reader: Reader) -> Button:
    return Button(label=reader.say("My active surveys"), action=Action(verb="surveys.list"))


def help_button(reader: Reader) -> Button:
    return Button(label=reader.say("Help"), action=Action(verb="help.show"))


def home_button(reader: Reader) -> Button:
    return Button(label=reader.say("Back to Home"), action=Action(verb="home.show"))


def settings_button(reader: Reader) -> Button:
    return Button(label=reader.say("Change settings"), action=Action(verb="settings.edit"))


def status_button(reader: Reader) -> Button:
    return Button(label=reader.say("Synchronisation status"), action=Action(verb="sync.status"))


def search_button(reader: Reader, kind: str = "surveys") -> Button:
    """`kind` is where verbs of what is looked through begin."""
    return Button(label=reader.say("Find a survey"), action=Action(verb=f"{kind}.search"))


def search_form(label: str, hint: str, kind: str, reader: Reader) -> Form:
    """Ask for what to look for."""
    say, words = reader.say, Input(name="words", label=label, hint=hint, longest=LONGEST_ARGUMENT)
    return Form(title=say("Find a survey"), elements=(words,), submit=say("Find"), action=Action(verb=f"{kind}.find"), zone=reader.zone)


def details_button(asked: Participation, reader: Reader) -> Button:
    return _about(asked, "survey.show", reader.say("Details"), reader.say("Details of {survey}"), reader)


def privacy_button(reader: Reader, asked: Participation | None = None) -> Button:
    label = reader.say("What can they see?")
    if asked is None:
        return Button(label=label, action=Action(verb="privacy.show"))
    return _about(asked, "privacy.show", label, reader.say("What can they see? {survey}"), reader)


def why_button(asked: Participation, reader: Reader) -> Button:
    return _about(asked, "survey.why", reader.say("Why did I get this?"), reader.say("Why did I get this? {survey}"), reader)


def with_way_home(page: Page | PrivatePage, reader: Reader) -> Page | PrivatePage:
    return replace(page, elements=(*page.elements, row(home_button(reader))))


def back(reader: Reader) -> Buttons:
    return row(list_button(reader))


def _about(asked: Participation, verb: str, label: str, spoken: str, reader: Reader) -> Button:
    """`spoken` begins with the label: who steers by voice says what is to be read (WCAG 2.2, 2.5.3 Label in Name)."""
    action = Action(verb=verb, data={"survey": asked.survey.survey_id})
    return Button(label=label, action=action, spoken=spoken.format(survey=name_of(asked, reader)))
