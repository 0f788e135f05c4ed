"""The buttons that lead from page to page."""

from __future__ import annotations

from bot.page import (
    Action,
    Button,
    Buttons,
)
from bot.pages.reader import Reader
from bot.rules import Participation


def list_button(reader: Reader) -> Button:
    return Button(label=reader.say("My active surveys"), action=Action(verb="surveys.list"))


def help_button(reader: Reader) -> Buttons:
    return Buttons((Button(label=reader.say("Help"), action=Action(verb="help.show")),))


def back(reader: Reader) -> Buttons:
    return Buttons((list_button(reader),))


def show(asked: Participation) -> Action:
    return Action(verb="survey.show", data={"survey": asked.survey.survey_id})


def details_button(asked: Participation, reader: Reader) -> Button:
    return Button(label=reader.say("Details"), action=show(asked))
