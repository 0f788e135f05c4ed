"""The people of a survey by how far they are, for its owner and brand administrators, where policy allows it (FEATURES D3)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from bot.model import Survey
from bot.page import Action, Button, Buttons, Element, Note, Page, Strong, Text
from bot.pages.paging import Where, pager
from bot.pages.reader import Reader
from bot.pages.sendings import results_button, survey_name
from bot.pages.ways import row
from bot.standings import Standing

#: People on one page.
PAGE_SIZE = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """One page of the people of one standing."""

    standing: Standing
    #: E-mail addresses.
    people: Sequence[str] = field(repr=False)
    where: Where
    #: The standings that may be asked for.
    offered: Collection[Standing]


def people_page(survey: Survey, named: Named, reader: Reader) -> Page:
    """List people, and lead to those of other standings."""
    say, standing = reader.say, named.standing
    turn = Action(verb="stats.people", data={"survey": survey.survey_id, "standing": standing})
    elements = (
        Text((Strong(survey_name(survey.name, reader)), " · ", standing_words(reader)[standing])),
        *(Text((email,)) for email in named.people),
        *pager(named.where, turn, reader),
        Note((say("Only you see this. This survey keeps names with its answers, and its people were told so."),)),
        *_others(survey.survey_id, [each for each in named.offered if each is not standing], reader),
        row(results_button(survey.survey_id, reader)),
    )
    return Page(title=say("People by status"), elements=elements, zone=reader.zone)


def no_people(survey: Survey, reader: Reader, *, is_shared: bool) -> Page:
    """Say why nobody is named."""
    say = reader.say
    why = say(
        "People are named only where an operator has allowed it, where a survey is known to keep names with its answers, "
        "and where there are enough on either side that nobody stands out. That is not so here."
    )
    text = say("Others may look on here. Please ask me in our own conversation.") if is_shared else why
    elements = (Text((Strong(survey_name(survey.name, reader)),)), Text((text,)), row(results_button(survey.survey_id, reader)))
    return Page(title=say("People by status"), elements=elements, zone=reader.zone)


def people_button(survey_id: str, reader: Reader) -> Button:
    """The way there, from a survey's results."""
    return Button(label=reader.say("People by status"), action=Action(verb="stats.people", data={"survey": survey_id}))


def standing_words(reader: Reader) -> Mapping[Standing, str]:
    say = reader.say
    return {Standing.ANSWERED: say("Answered"), Standing.BEGUN: say("Begun, not finished"), Standing.NOT_BEGUN: say("Not begun")}


def _others(survey_id: str, standings: Sequence[Standing], reader: Reader) -> Iterator[Element]:
    say, words = reader.say, standing_words(reader)
    if standings:
        labels = {each: say("Show: {standing}").format(standing=words[each]) for each in standings}
        data = {each: {"survey": survey_id, "standing": str(each)} for each in standings}
        yield Buttons(tuple(Button(label=labels[each], action=Action(verb="stats.people", data=data[each])) for each in standings))
