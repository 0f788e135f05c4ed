"""How a survey's distributions and their numbers are put into words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from bot.deep_links import DeepLinks
from bot.model import Distribution, LinkType
from bot.numbers import SurveyNumbers
from bot.page import Action, Button, Chart, ChartKind, Link, Moment, Phrase, Series, phrase
from bot.pages.numbers import people, percent
from bot.pages.reader import Reader
from bot.rules import GENERATED
from bot.small_groups import Guarded


def survey_name(name: str, reader: Reader) -> str:
    return name.strip() or reader.say("Untitled survey")


def results_button(survey_id: str, reader: Reader, name: str | None = None) -> Button:
    """`name` is the survey's, where the label alone does not say which one."""
    label, action = reader.say("Results"), Action(verb="stats.survey", data={"survey": survey_id})
    return Button(label=label, action=action, spoken=None if name is None else f"{label}: {survey_name(name, reader)}")


def data_link(found: SurveyNumbers, links: DeepLinks, reader: Reader) -> list[Link]:
    """Where Qualtrics has its answers; empty = nowhere that is known."""
    url = links.to_results(found.integration, found.survey.survey_id)
    return [Link(label=reader.say("Data & Analysis in Qualtrics"), url=url)] if url else []


def review_link(distribution: Distribution, found: SurveyNumbers, links: DeepLinks, reader: Reader, name: str | None = None) -> list[Link]:
    """Where Qualtrics has a distribution; empty = nowhere that is known. `name` is the survey's, for whoever listens."""
    label = reader.say("Review distributions in Qualtrics")
    url = links.to_distributions(found.integration, found.survey.survey_id, distribution.distribution_id)
    return [Link(label=label, url=url, spoken=None if name is None else f"{label}: {name}")] if url else []


def closes_words(closes_at: datetime | None, reader: Reader) -> Phrase:
    return (reader.say("No end date"),) if closes_at is None else phrase(reader.say("Closes {when}"), when=Moment(closes_at))


def distribution_name(distribution: Distribution, reader: Reader) -> str:
    """What it is, and the subject of its mail; where that is not known, who sent it."""
    say = reader.say
    kinds = {
        "Invite": say("Invitation"),
        "Reminder": say("Reminder"),
        "ThankYou": say("Thank-you"),
        GENERATED: say("Personal links, nothing mailed"),
    }
    kind = kinds.get(distribution.request_type, distribution.request_type)
    about = distribution.subject or distribution.sender_name
    return f"{kind}: {about}" if about else kind


def sent_words(distribution: Distribution, reader: Reader) -> Phrase:
    """Say when it was, or will be, sent."""
    if distribution.send_date is None:
        return (reader.say("Not sent yet"),)
    say = reader.say
    if distribution.request_type == GENERATED:
        words = say("Links made {when}")
    else:
        words = say("Will be sent {when}") if _is_waiting(distribution) else say("Sent {when}")
    return phrase(words, when=Moment(distribution.send_date))


def sent_label(distribution: Distribution, reader: Reader) -> str:
    """Say what its date is the date of."""
    if distribution.request_type == GENERATED:
        return reader.say("Links made")
    return reader.say("To be sent") if _is_waiting(distribution) else reader.say("Sent")


def was_mailed(distribution: Distribution) -> bool:
    """Its date alone does not say so: what waits has one, and so have links that were made and not mailed."""
    return distribution.send_date is not None and not _is_waiting(distribution) and distribution.request_type != GENERATED


def _is_waiting(distribution: Distribution) -> bool:
    """It is to be sent at a time that has not come."""
    return distribution.request_status == "Pending"


def response_rate(numbers: Guarded, reader: Reader) -> Phrase:
    return phrase(reader.say("Response rate: {rate}"), rate=percent(numbers.part("finished"), numbers.whole, reader))


def has_recipients(distribution: Distribution) -> bool:
    """With one link for everybody, Qualtrics knows of nobody who was asked, or has answered."""
    return distribution.link_type is not LinkType.ANONYMOUS


def number_facts(numbers: Guarded, reader: Reader) -> tuple[tuple[str, Phrase], ...]:
    """All that may be said of a whole and its parts (FEATURES D4); what is not shown is named in one row."""
    say, finished = reader.say, numbers.part("finished")
    rate = [] if finished.is_hidden else [(say("Response rate"), (percent(finished, numbers.whole, reader),))]
    names = {
        "finished": say("Completed"),
        "opened": say("Opened"),
        "started": say("Started"),
        "complaints": say("Complaints"),
        "bounced": say("Bounced"),
        "skipped": say("Skipped"),
        "failed": say("Failed"),
        "blocked": say("Blocked"),
    }
    return (
        (say("Total sent"), (people(numbers.whole, reader),)),
        *rate,
        *shown_parts(names, numbers, reader),
    )


def shown_parts(names: Mapping[str, str], numbers: Guarded, reader: Reader) -> Iterator[tuple[str, Phrase]]:
    """`names`: part -> its label. Those of which nothing may be said are named together."""
    for name, label in names.items():
        if not numbers.part(name).is_hidden:
            yield label, (people(numbers.part(name), reader),)
    hidden = [label for name, label in names.items() if numbers.part(name).is_hidden]
    if hidden:
        yield reader.say("Not shown"), (", ".join(hidden),)


def funnel(numbers: Guarded, reader: Reader) -> Iterator[Chart]:
    """How many went how far, at the least; what is not shown in words is not in the picture either."""
    say = reader.say
    steps = {say("Opened"): numbers.part("opened"), say("Started"): numbers.part("started"), say("Completed"): numbers.part("finished")}
    shown = {label: part.number for label, part in steps.items() if not part.is_hidden}
    if shown:
        series = Series(say("People, at least"), (numbers.whole.number, *shown.values()))
        yield Chart(
            kind=ChartKind.BAR,
            title=say("From sent to completed"),
            labels=(say("Sent"), *shown),
            series=(series,),
            y_title=series.name,
        )
