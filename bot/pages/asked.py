"""How what one person was asked is put into words: names, deadlines, states, privacy."""

from __future__ import annotations

from bot.model import Anonymity, PersonalLink, Status
from bot.page import Element, Facts, Moment, Notice, Phrase, PrivateElement, Respond, Text, Tone, phrase
from bot.pages.reader import Reader
from bot.rules import Participation, State


def name_of(asked: Participation, reader: Reader) -> str:
    return asked.survey.name.strip() or reader.say("Untitled survey")


def waiting(number: int, reader: Reader) -> str:
    return reader.count("{number} survey is waiting for your answer.", "{number} surveys are waiting for your answer.", number)


def none_waiting(reader: Reader) -> str:
    return reader.say("You have no surveys to answer right now. When one is sent to you, you will find it here.")


def sender(asked: Participation, reader: Reader) -> str:
    return asked.invitation.sender_name or reader.say("Your organisation")


def facts(asked: Participation, reader: Reader) -> Facts:
    say, sent = reader.say, asked.invitation.sent_at
    end = say("Closed") if asked.state is State.EXPIRED else say("Closes")
    return Facts(
        (
            (say("From"), (sender(asked, reader),)),
            (say("Sent"), (Moment(sent),) if sent else (say("not known"),)),
            *(() if asked.state is State.CLOSED else ((end, closes(asked, reader)),)),
            (say("Status"), (status_words(asked.invitation.status, reader),)),
        )
    )


def state_notice(asked: Participation, reader: Reader) -> tuple[Element, ...]:
    say = reader.say
    match asked.state:
        case State.OPEN:
            return ()
        case State.ANSWERED:
            return (Text((say("Thank you for taking part. There is nothing more to do."),)),)
        case State.EXPIRED:
            text = say("The time to answer is over.")
        case State.CLOSED:
            text = say("This survey has been closed.")
    return (Notice(Tone.INFO, (text,)),)


def state_words(state: State, reader: Reader) -> str:
    """Say in a word what a survey is to its person now."""
    say = reader.say
    words: dict[State, str] = {
        State.OPEN: say("Open"),
        State.ANSWERED: say("Answered"),
        State.EXPIRED: say("Expired"),
        State.CLOSED: say("Closed"),
    }
    return words[state]


def status_words(status: str, reader: Reader) -> str:
    """Name a delivery status for its own person (FEATURES C5). A status Qualtrics added since reads as unknown."""
    say = reader.say
    words: dict[str, str] = {
        Status.PENDING: say("Not sent yet"),
        Status.SUCCESS: say("Delivered, not opened yet"),
        Status.ERROR: say("Not delivered: error"),
        Status.OPENED: say("E-mail opened"),
        Status.COMPLAINT: say("Reported as unwanted"),
        Status.SKIPPED: say("Not sent: too many surveys lately"),
        Status.BLOCKED: say("Not delivered: blocked"),
        Status.FAILURE: say("Not delivered"),
        Status.UNKNOWN: say("Unknown"),
        Status.SOFT_BOUNCE: say("Not delivered: returned for now"),
        Status.HARD_BOUNCE: say("Not delivered: address refused"),
        Status.SURVEY_STARTED: say("Started, not finished yet"),
        Status.SURVEY_PARTIALLY_FINISHED: say("Submitted incomplete"),
        Status.SURVEY_FINISHED: say("Finished"),
        Status.SURVEY_SCREENED_OUT: say("Ended early: not in the target group"),
        Status.SESSION_EXPIRED: say("Started, but the session has expired"),
    }
    return words.get(status, say("Unknown"))


def closes(asked: Participation, reader: Reader) -> Phrase:
    if asked.closes_at is not None:
        return (Moment(asked.closes_at),)
    return (reader.say("no end date") if asked.survey.details else reader.say("not known"),)


def closes_sentence(asked: Participation, reader: Reader) -> Phrase:
    if asked.closes_at is None:
        return (reader.say("No end date") if asked.survey.details else reader.say("End date not known"),)
    return phrase(reader.say("Closes {when}"), when=Moment(asked.closes_at))


def privacy(asked: Participation, reader: Reader) -> Phrase:
    """Say what the survey's owner can see; unknown settings get the most cautious sentence (FEATURES C7)."""
    say = reader.say
    anonymity = asked.survey.details.anonymity if asked.survey.details else Anonymity.UNKNOWN
    if anonymity is not Anonymity.ANONYMIZED:
        if asked.is_tracked:
            return (say("Privacy: the survey's owner can see who answered and may see your answers with your name."),)
        return (say("Privacy: everybody has the same link, but what you write and technical data may still identify you."),)
    if asked.is_tracked:
        return (say("Privacy: your answers are stored without your name. The survey's owner can see whether you answered."),)
    return (say("Privacy: everybody has the same link, and answers are stored without names."),)


def respond(link: PersonalLink | None, reader: Reader) -> tuple[PrivateElement, ...]:
    if link is not None:
        return (Respond(label=reader.say("Respond in Qualtrics"), link=link),)
    missing = phrase(reader.say("Qualtrics has not told me your personal link yet. Use the link in the e-mail it sent you."))
    return (Notice(Tone.INFO, missing),)
