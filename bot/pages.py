"""One pure function a page: what people read, and nothing about how Slack or Teams draw it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot import language
from bot.messages import Member
from bot.model import Anonymity, PersonalLink, Status
from bot.page import (
    Action,
    Button,
    Buttons,
    Element,
    Entry,
    Facts,
    Moment,
    Note,
    Notice,
    Page,
    Phrase,
    PrivateElement,
    PrivatePage,
    Respond,
    Strong,
    Text,
    Tone,
    phrase,
)
from bot.rules import Participation, State

#: Surveys on one page of a list (FEATURES C3).
PAGE_SIZE = 20


@dataclass(frozen=True, slots=True)
class Reader:
    """For whom a page is drawn: language and time zone."""

    locale: str
    zone: str

    @classmethod
    def of(cls, member: Member) -> Reader:
        return cls(member.locale, member.zone)

    @property
    def say(self) -> Callable[[str], str]:
        return language.words(self.locale).gettext

    def count(self, one: str, many: str, number: int) -> str:
        return language.words(self.locale).ngettext(one, many, number).format(number=number)


def new_survey(asked: Participation, link: PersonalLink, reader: Reader) -> PrivatePage:
    """Tell somebody that a survey was sent to them (FEATURES C1)."""
    say = reader.say
    lead = phrase(say("{sender} has sent you a survey: {survey}."), sender=_sender(asked, reader), survey=Strong(asked.survey.name))
    return _call(say("New survey"), lead, asked, link, reader)


def closing_survey(asked: Participation, link: PersonalLink, reader: Reader) -> PrivatePage:
    """Remind somebody of a survey that closes within a day (FEATURES C2)."""
    say = reader.say
    lead = phrase(say("This survey closes soon, and your answer is still missing: {survey}."), survey=Strong(asked.survey.name))
    return _call(say("Survey closes soon"), lead, asked, link, reader)


def my_active_surveys(open_surveys: Sequence[Participation], page: int, reader: Reader) -> Page:
    """List what somebody can answer now, soonest expiry first, PAGE_SIZE a page (FEATURES C3). Pages count from 1."""
    say = reader.say
    title = say("My active surveys")
    if not open_surveys:
        empty = Text(phrase(say("You have no surveys to answer right now. When one is sent to you, I will tell you here.")))
        return Page(title=title, elements=(empty, _help_button(reader)), zone=reader.zone)
    pages = -(-len(open_surveys) // PAGE_SIZE)
    page = min(max(page, 1), pages)
    shown = open_surveys[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]
    count = reader.count("{number} survey is waiting for your answer.", "{number} surveys are waiting for your answer.", len(open_surveys))
    elements: list[Element] = [Text((count,)), *(_entry(asked, reader) for asked in shown)]
    if pages > 1:
        elements += [Note(phrase(say("Page {page} of {pages}"), page=str(page), pages=str(pages))), _pager(page, pages, reader)]
    return Page(title=title, elements=tuple(elements), zone=reader.zone)


def survey_details(asked: Participation, link: PersonalLink | None, reader: Reader) -> PrivatePage:
    """Show one survey to the person it was sent to, with the way to answer while there is one (FEATURES C4)."""
    elements: list[PrivateElement] = [_facts(asked, reader), *_state_notice(asked, reader)]
    if asked.state is State.OPEN:
        elements += [Note(_privacy(asked, reader)), *_respond(link, reader)]
    elements.append(_back(reader))
    owner = asked.invitation.person_id
    assert owner is not None, "a participation is folded from the invitations of a known person"
    return PrivatePage(owner=owner, title=_name(asked, reader), elements=tuple(elements), zone=reader.zone)


def shared_survey_details(asked: Participation, reader: Reader) -> Page:
    """Show the same where others may look over the shoulder: the personal link is handed over in a direct message."""
    say = reader.say
    elements: list[Element] = [_facts(asked, reader), *_state_notice(asked, reader)]
    buttons = [_list_button(reader)]
    if asked.state is State.OPEN:
        elements.append(Note(_privacy(asked, reader)))
        handover = Action(verb="survey.handover", data={"survey": asked.survey.survey_id})
        buttons.insert(0, Button(label=say("Respond in a direct message"), action=handover, is_primary=True))
    return Page(title=_name(asked, reader), elements=(*elements, Buttons(tuple(buttons))), zone=reader.zone)


def handed_over(asked: Participation, reader: Reader) -> Page:
    """Say where the personal link went."""
    text = phrase(
        reader.say("I have sent you {survey} as a direct message. Your personal link is there."), survey=Strong(asked.survey.name)
    )
    return Page(title=reader.say("Sent to you"), elements=(Text(text), _back(reader)), zone=reader.zone)


def not_found(reader: Reader) -> Page:
    """Answer for a survey that does not exist or is not this person's: the same words, so that nothing is given away."""
    text = phrase(reader.say("I cannot show this survey. It may have been withdrawn, or it was not sent to you."))
    return Page(title=reader.say("Survey not available"), elements=(Text(text), _back(reader)), zone=reader.zone)


def not_linked(reader: Reader) -> Page:
    """Answer for somebody whose chat account tells no e-mail address."""
    text = phrase(
        reader.say(
            "Surveys are matched by e-mail address, and your account here shows me none. "
            "Ask your administrator to add your work e-mail address to your profile. Until then, use the e-mail that Qualtrics sent you."
        )
    )
    return Page(title=reader.say("I cannot match you"), elements=(Text(text),), zone=reader.zone)


def not_a_member(reader: Reader) -> Page:
    """Answer for guests and people of other organisations."""
    text = phrase(reader.say("Surveys here are for members of this organisation. If one was sent to you, use the e-mail from Qualtrics."))
    return Page(title=reader.say("For members only"), elements=(Text(text),), zone=reader.zone)


def help_page(reader: Reader, unknown: str | None = None) -> Page:
    """Say what the bot does; `unknown` is the word that was not understood."""
    say = reader.say
    elements: list[Element] = []
    if unknown is not None:
        elements.append(Notice(Tone.WARNING, phrase(say("I do not know “{word}”. This is what I know:"), word=unknown)))
    elements += [
        Text(phrase(say("I tell you when a Qualtrics survey is sent to you, and once more 24 hours before it closes."))),
        Facts(
            (
                ("/surveys", phrase(say("your active surveys"))),
                ("/surveys help", phrase(say("this page"))),
            )
        ),
        Note(phrase(say("You answer in Qualtrics. I never see or store your answers."))),
        Buttons((_list_button(reader),)),
    ]
    return Page(title=say("Surveybot help"), elements=tuple(elements), zone=reader.zone)


def out_of_date(reader: Reader) -> Page:
    """Answer for a button of an older version, or one that was tampered with."""
    text = phrase(reader.say("This button no longer works. Your surveys are one click away."))
    return Page(title=reader.say("Out of date"), elements=(Text(text), _back(reader)), zone=reader.zone)


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


def _call(title: str, lead: Phrase, asked: Participation, link: PersonalLink, reader: Reader) -> PrivatePage:
    elements = (
        Text(lead),
        Facts(((reader.say("Closes"), _closes(asked, reader)),)),
        Note(_privacy(asked, reader)),
        Respond(label=reader.say("Respond in Qualtrics"), link=link),
        Buttons((_details_button(asked, reader), _list_button(reader))),
    )
    return PrivatePage(owner=link.owner, title=title, elements=elements, zone=reader.zone)


def _respond(link: PersonalLink | None, reader: Reader) -> tuple[PrivateElement, ...]:
    if link is not None:
        return (Respond(label=reader.say("Respond in Qualtrics"), link=link),)
    missing = phrase(reader.say("Qualtrics has not told me your personal link yet. Use the link in the e-mail it sent you."))
    return (Notice(Tone.INFO, missing),)


def _facts(asked: Participation, reader: Reader) -> Facts:
    say, sent = reader.say, asked.invitation.sent_at
    return Facts(
        (
            (say("From"), (_sender(asked, reader),)),
            (say("Sent"), (Moment(sent),) if sent else (say("unknown"),)),
            (say("Closes"), _closes(asked, reader)),
            (say("Status"), (status_words(asked.invitation.status, reader),)),
        )
    )


def _state_notice(asked: Participation, reader: Reader) -> tuple[Notice, ...]:
    say = reader.say
    match asked.state:
        case State.OPEN:
            return ()
        case State.ANSWERED:
            text = say("Thank you, your answer has arrived. There is nothing more to do.")
        case State.EXPIRED:
            text = say("The time to answer is over.")
        case State.CLOSED:
            text = say("This survey has been closed.")
    return (Notice(Tone.INFO, (text,)),)


def _entry(asked: Participation, reader: Reader) -> Entry:
    say = reader.say
    detail = (*_closes_sentence(asked, reader), " · ", *phrase(say("from {sender}"), sender=_sender(asked, reader)))
    name = _name(asked, reader)
    spoken = say("Details of {survey}").format(survey=name)
    button = Button(label=say("Details"), action=_show(asked), spoken=spoken)
    return Entry(title=name, detail=detail, button=button)


def _privacy(asked: Participation, reader: Reader) -> Phrase:
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


def _closes(asked: Participation, reader: Reader) -> Phrase:
    if asked.closes_at is not None:
        return (Moment(asked.closes_at),)
    return (reader.say("no end date") if asked.survey.details else reader.say("not known"),)


def _closes_sentence(asked: Participation, reader: Reader) -> Phrase:
    if asked.closes_at is None:
        return (reader.say("No end date") if asked.survey.details else reader.say("End date not known"),)
    return phrase(reader.say("Closes {when}"), when=Moment(asked.closes_at))


def _sender(asked: Participation, reader: Reader) -> str:
    return asked.invitation.sender_name or reader.say("Your organisation")


def _name(asked: Participation, reader: Reader) -> str:
    return asked.survey.name.strip() or reader.say("Untitled survey")


def _show(asked: Participation) -> Action:
    return Action(verb="survey.show", data={"survey": asked.survey.survey_id})


def _details_button(asked: Participation, reader: Reader) -> Button:
    return Button(label=reader.say("Details"), action=_show(asked))


def _list_button(reader: Reader) -> Button:
    return Button(label=reader.say("My active surveys"), action=Action(verb="surveys.list"))


def _help_button(reader: Reader) -> Buttons:
    return Buttons((Button(label=reader.say("Help"), action=Action(verb="help.show")),))


def _back(reader: Reader) -> Buttons:
    return Buttons((_list_button(reader),))


def _pager(page: int, pages: int, reader: Reader) -> Buttons:
    say = reader.say
    turns = [(page - 1, say("Previous page"))] * (page > 1) + [(page + 1, say("Next page"))] * (page < pages)
    return Buttons(tuple(Button(label=label, action=Action(verb="surveys.list", data={"page": str(to)})) for to, label in turns))
