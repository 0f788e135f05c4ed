"""Polite answers where there is nothing to show, each with what to do next."""

from __future__ import annotations

from bot.errors import Ambiguous, UserError
from bot.page import Action, Button, Element, Facts, Form, Page, Text, phrase
from bot.pages.reader import Reader
from bot.pages.ways import back, help_button, list_button, privacy_button, row

FAILED = "Something went wrong on my side. Please try again in a few minutes."


def apology(error: Exception, chat: str, reader: Reader) -> Page:
    """Answer for whoever waits while something goes wrong; `chat` is the platform's name."""
    say, title = reader.say, reader.say("That did not work")
    match error:
        case UserError():
            text = str(error)
        case Ambiguous():  # it may stand right above this
            title = say("Did it arrive?")
            text = say("{chat} did not tell me whether my answer arrived. If you do not see it, please ask again.").format(chat=chat)
        case _:
            text = say(FAILED)
    return Page(title=title, elements=(Text((text,)), row(list_button(reader))), zone=reader.zone)


def not_found(reader: Reader) -> Page:
    """Answer for a survey that does not exist or is not this person's: the same words, so that nothing is given away."""
    text = phrase(reader.say("I cannot show this survey. It may have been withdrawn, or it was not sent to you."))
    return Page(title=reader.say("Survey not available"), elements=(Text(text), back(reader)), zone=reader.zone)


def not_linked(reader: Reader) -> Page:
    """Answer for somebody whose chat account tells no e-mail address."""
    return _not_for_you(
        reader.say("I cannot match you"),
        reader.say(
            "Surveys are matched by e-mail address, and your account here shows me none. "
            "Ask your administrator to add your work e-mail address to your profile. Until then, use the e-mail that Qualtrics sent you."
        ),
        reader,
    )


def not_a_member(reader: Reader) -> Page:
    """Answer for guests and people of other organisations."""
    return _not_for_you(
        reader.say("For members only"),
        reader.say("Surveys here are for members of this organisation. If one was sent to you, use the e-mail from Qualtrics."),
        reader,
    )


def not_an_administrator(reader: Reader) -> Page:
    """Answer for whoever asks for what brand administrators alone may see."""
    text = phrase(
        reader.say(
            "This is for brand administrators of a connected Qualtrics. None that I know of has your e-mail address: "
            "the address in your profile here must be that of your Qualtrics account."
        )
    )
    ways = row(list_button(reader), help_button(reader))
    return Page(title=reader.say("For administrators"), elements=(Text(text), ways), zone=reader.zone)


def no_numbers(address: str | None, reader: Reader) -> Page:
    """Answer for whoever asks for numbers that are not theirs, or that are not there: the same words, so that nothing is given away."""
    say = reader.say
    title, ways = say("Nothing to show"), row(help_button(reader), list_button(reader))
    if address is None:
        words = say("Numbers of surveys are for members of this organisation alone, whose e-mail address in their profile is confirmed.")
        return Page(title=title, elements=(Text((words,)), ways), zone=reader.zone)
    owners = say("see their own, by the e-mail address of their Qualtrics account. Yours here is {address}.")
    who = (
        (say("Owners of surveys"), phrase(owners, address=address)),
        (say("Brand administrators"), (say("see all surveys of their Qualtrics, in the same way."),)),
        (say("Others"), (say("see what was shared with them. Ask the survey's owner: whoever runs Surveybot can share it with you."),)),
    )
    lead = say("There are no numbers here that I may show you: there is no such survey, or it is not yours. Who sees what:")
    return Page(title=title, elements=(Text((lead,)), Facts(who), ways), zone=reader.zone)


def out_of_date(reader: Reader) -> Page:
    """Answer for a button of an older version, or one that was tampered with."""
    text = phrase(reader.say("This button no longer works. Your surveys are one click away."))
    return Page(title=reader.say("Out of date"), elements=(Text(text), back(reader)), zone=reader.zone)


def instead_of_form(form: Form, action: Action, reader: Reader) -> Page:
    """Offer a form that could not be opened in time."""
    text = phrase(reader.say("That took too long to open. Press the button to try again."))
    return Page(title=form.title, elements=(Text(text), row(Button(label=form.title, action=action))), zone=form.zone)


def loading(reader: Reader) -> Page:
    """Stand where a page will be in a moment."""
    return Page(title=reader.say("One moment"), elements=(Text((reader.say("Loading. This takes a moment…"),)),), zone=reader.zone)


def _not_for_you(title: str, text: str, reader: Reader) -> Page:
    what = reader.say("I tell people here when a Qualtrics survey is sent to them, and once more a day before it closes.")
    elements: tuple[Element, ...] = (Text((text,)), Text((what,)), row(help_button(reader), privacy_button(reader)))
    return Page(title=title, elements=elements, zone=reader.zone)
