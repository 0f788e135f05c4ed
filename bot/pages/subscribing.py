"""What is asked when a channel is subscribed, and what is answered when that is not possible as it was typed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot.messages import Readership
from bot.model import Survey
from bot.page import (
    Action,
    Button,
    Checkboxes,
    Entry,
    Facts,
    Field,
    Form,
    Input,
    Note,
    Notice,
    Option,
    Page,
    Select,
    Strong,
    Text,
    Tone,
    phrase,
)
from bot.pages.reader import Reader
from bot.pages.subscriptions import feature_name, hour_field, list_button, new_button, subject_words, weekday_field
from bot.pages.ways import row
from bot.slash_commands import LONGEST_WORD
from bot.subjects import Described
from bot.subscribing import DEFAULT_FEATURES, PROBLEMS_USAGE, WEEKLY_USAGE, Wish, written
from bot.subscriptions import ALL, Feature, Subscription

#: What a list to choose from holds; where there are more, a name is asked for. The smaller of what Slack and Teams draw.
MOST_CHOICES = 99
#: Surveys that are offered where a name may mean several.
MOST_MEANT = 10
_OPTION = 75


def subscription_form(surveys: Sequence[Survey], wish: Wish, times: Subscription, reader: Reader) -> Form:
    """Ask for everything that was not said; `times` are those of the channel."""
    say = reader.say
    elements = (_subject_field(surveys, wish, reader), *_fields(wish.features or DEFAULT_FEATURES, times, reader))
    add = Action(verb="subscription.add")
    return Form(title=say("Subscribe this channel"), elements=elements, submit=say("Subscribe"), action=add, zone=reader.zone)


def change_form(described: Described, reader: Reader) -> Form:
    say, it = reader.say, described.subscription
    save = Action(verb="subscription.change", data={"subscription": str(it.subscription_id)})
    elements = (Text((Strong(subject_words(described, reader)),)), *_fields(it.features, it, reader))
    return Form(title=say("Change subscription"), elements=elements, submit=say("Save"), action=save, zone=reader.zone)


def which_survey(surveys: Sequence[Survey], wish: Wish, reader: Reader) -> Page:
    """Offer those that may have been meant."""
    say = reader.say
    lead = reader.count("{number} survey may be meant", "{number} surveys may be meant", len(surveys))
    entries = (_candidate(survey, wish, reader) for survey in surveys[:MOST_MEANT])
    more = (Note((say("There are more. Write a longer part of the name, or the survey's id."),)),) if len(surveys) > MOST_MEANT else ()
    question = phrase(say("{count} by “{words}”. Which one?"), count=lead, words=wish.subject)
    elements = (Text(question), *entries, *more, row(new_button(reader)))
    return Page(title=say("Which survey?"), elements=elements, zone=reader.zone)


def no_such_survey(wish: Wish, reader: Reader) -> Page:
    """The same words for a survey that is not theirs and for one that does not exist."""
    say = reader.say
    text = phrase(say("I find no survey “{words}” among those that you may see."), words=wish.subject)
    return Page(title=say("No such survey"), elements=(Text(text), *_usage(wish, reader), row(new_button(reader))), zone=reader.zone)


def unknown_feature(wish: Wish, reader: Reader) -> Page:
    say = reader.say
    text = phrase(say("I do not know “{word}”. Nothing was changed."), word=(wish.unknown or "")[:LONGEST_WORD])
    elements = (Notice(Tone.WARNING, text), *_usage(wish, reader), row(new_button(reader)))
    return Page(title=say("Not understood"), elements=elements, zone=reader.zone)


def not_subscribed(words: str, reader: Reader) -> Page:
    """Answer where a channel is not subscribed to what shall be removed or changed."""
    say = reader.say
    text = phrase(say("This channel is not subscribed to “{words}”."), words=words) if words else (say("This subscription is gone."),)
    return Page(title=say("Nothing to change"), elements=(Text(text), row(list_button(reader))), zone=reader.zone)


def only_in_channels(reader: Reader) -> Page:
    say = reader.say
    told = say("Subscriptions belong to a channel, or to a group chat. Add me there, then ask there: {command}.")
    text = told.format(command=reader.asked("subscribe"))
    return Page(title=say("Please ask in a channel"), elements=(Text((text,)), row(_help_button(reader))), zone=reader.zone)


def nothing_to_tell_of(reader: Reader) -> Page:
    """Answer for whoever may see no survey's numbers: of none in particular."""
    say = reader.say
    text = say(
        "Channels are subscribed by those who may see a survey's numbers: its owner in Qualtrics, whoever it was shared with here, and "
        "brand administrators. The e-mail address in your profile here must be that of your Qualtrics account."
    )
    return Page(title=say("For survey owners"), elements=(Text((text,)), row(_help_button(reader))), zone=reader.zone)


def read_along(readership: Readership, reader: Reader) -> Page:
    """Say why nothing is posted to a channel, and where it would be."""
    say = reader.say
    match readership:
        case Readership.OUTSIDERS:
            text = say(
                "People of other organisations read this channel, or are invited to it, and survey numbers are for your own. "
                "Please ask in a channel that members of your organisation alone are in."
            )
        case Readership.GUESTS:
            text = say(
                "Guests read this channel, and survey numbers are for members of your organisation. Please ask in a channel without "
                "guests. Whoever runs Surveybot can let guests read posts."
            )
        case _:
            text = say(
                "I cannot see who reads along here, and survey numbers are for members of your organisation alone. Please ask in another "
                "channel; whoever runs Surveybot finds out by “surveybot doctor” whether I lack a permission."
            )
    return Page(title=say("Not in this channel"), elements=(Text((text,)), row(_help_button(reader))), zone=reader.zone)


def not_yours_to_change(reader: Reader) -> Page:
    say = reader.say
    text = say("Whoever subscribed the channel can change this, and a brand administrator. You can remove it, and subscribe anew.")
    return Page(title=say("Not yours to change"), elements=(Text((text,)), row(list_button(reader))), zone=reader.zone)


def _help_button(reader: Reader) -> Button:
    return Button(label=reader.say("Help"), action=Action(verb="help.show", data={"command": "/survey-stats"}))


def _subject_field(surveys: Sequence[Survey], wish: Wish, reader: Reader) -> Field:
    say = reader.say
    if len(surveys) > MOST_CHOICES:
        hint = say("Its name or a part of it, its id, a pattern like Pulse*, or all.")
        return Input(name="what", label=say("Survey"), hint=hint, longest=200)
    everything = Option(ALL, say("All surveys that I may see"))
    options = (everything, *(Option(survey.survey_id, _name(survey, reader)[:_OPTION]) for survey in surveys))
    return Select(name="what", label=say("Survey"), options=options, chosen=wish.subject or None)


def _fields(features: frozenset[Feature], times: Subscription, reader: Reader) -> tuple[Field, ...]:
    say = reader.say
    options = tuple(Option(feature, feature_name(feature, reader)) for feature in Feature)
    chosen = tuple(feature for feature in Feature if feature in features)
    return (
        Checkboxes(name="features", label=say("Tell this channel"), options=options, chosen=chosen),
        weekday_field(times.weekday, reader),
        hour_field("weekly_at", say("Weekly post at ({zone})").format(zone=times.zone), times.weekly_at),
    )


def _candidate(survey: Survey, wish: Wish, reader: Reader) -> Entry:
    label, name = reader.say("Subscribe"), _name(survey, reader)
    action = Action(verb="subscription.add", data={"what": written(replace(wish, subject=survey.survey_id))})
    state = survey.survey_id if survey.is_active else reader.say("{survey}, not active").format(survey=survey.survey_id)
    return Entry(title=name, detail=(state,), button=Button(label=label, action=action, spoken=f"{label}: {name}"))


def _usage(wish: Wish, reader: Reader) -> tuple[Text | Facts, ...]:
    """What can be written, and the nearest of it."""
    say, nearest = reader.say, wish.nearest
    meant = (Text(phrase(say("Did you mean {feature}?"), feature=Strong(nearest))),) if nearest else ()
    facts = (
        (say("Subscribe"), (reader.asked("subscribe SURVEY [FEATURES]"),)),
        (say("The survey"), (say("its id, its name or a part of it, in quotes if need be; a pattern like Pulse*; or all"),)),
        (say("Features"), (", ".join(Feature),)),
        (say("When the weekly post comes"), (WEEKLY_USAGE,)),
        (say("From how many problems on"), (PROBLEMS_USAGE,)),
    )
    return (*meant, Facts(facts))


def _name(survey: Survey, reader: Reader) -> str:
    return survey.name.strip() or reader.say("Untitled survey")
