"""What a channel, and whoever subscribed it, are told of a subscription itself."""

from __future__ import annotations

from bot.page import Action, Button, Facts, Note, Page, Phrase, Strong, Text, phrase
from bot.pages.reader import Reader
from bot.pages.subscriptions import features_words, list_button, paused_words, subject_words, weekly_words
from bot.pages.ways import row
from bot.subjects import Described
from bot.subscriptions import Feature, Paused


def channel_subscribed(described: Described, reader: Reader) -> Page:
    """Tell a channel who subscribed it to what (FEATURES E2)."""
    say, it = reader.say, described.subscription
    owner = described.owner or say("Somebody")
    told = say("{owner} has subscribed this channel to: {surveys}")
    text = phrase(told, owner=Strong(owner), surveys=Strong(subject_words(described, reader)))
    weekly = ((say("Weekly post"), (f"{weekly_words(it, reader)} ({it.zone})",)),) if Feature.WEEKLY in it.features else ()
    facts = Facts(((say("What I post"), (features_words(described, reader),)), *weekly))
    note = Note((say("Everybody here can see and remove this: {command}.").format(command=reader.asked("list")),))
    return Page(title=say("New subscription"), elements=(Text(text), facts, note, row(list_button(reader))), zone=it.zone)


def channel_offered(described: Described, reader: Reader) -> Page:
    """Ask a channel to take a subscription over (FEATURES E3)."""
    say, it = reader.say, described.subscription
    text = say(
        "Whoever subscribed this channel has left, or may not see this any more, so I post nothing of it for now. "
        "Somebody who may see it can take it over. After 14 days I stop asking."
    )
    button = Button(
        label=say("Take over"),
        action=Action(verb="subscription.take_over", data={"subscription": str(it.subscription_id)}),
        is_primary=True,
    )
    facts = Facts(_about(described, reader))
    return Page(title=say("Who takes this over?"), elements=(Text((text,)), facts, row(button, list_button(reader))), zone=it.zone)


def subscription_paused(described: Described, why: Paused, reader: Reader) -> Page:
    """Tell whoever subscribed a channel, once and in private, that nothing is posted there any more, and what to do (FEATURES E4)."""
    say = reader.say
    facts = Facts((*_about(described, reader), (say("Why"), (_why(why, reader),))))
    elements = (Text((say("I have stopped posting to a channel that you subscribed."),)), facts, Note((_remedy(why, reader),)))
    return Page(title=say("Subscription paused"), elements=elements, zone=reader.zone)


def posts_held(described: Described, reader: Reader) -> Page:
    """Tell whoever subscribed a channel, once and in private, that its posts wait for somebody to put something right."""
    say = reader.say
    facts = Facts(_about(described, reader))
    why = say("I hold back what I would post to a channel that you subscribed: I cannot see who reads it, and posts are for members alone.")
    note = say(
        "Whoever runs Surveybot finds out by “surveybot doctor” which permission I lack. Once I have it, I post what is still true. "
        "There is nothing for you to do."
    )
    return Page(title=say("Posts wait"), elements=(Text((why,)), facts, Note((note,))), zone=reader.zone)


def _about(described: Described, reader: Reader) -> tuple[tuple[str, Phrase], ...]:
    return (reader.say("Surveys"), (subject_words(described, reader),)), (reader.say("What I post"), (features_words(described, reader),))


def _why(why: Paused, reader: Reader) -> str:
    """To whoever subscribed."""
    match why:
        case Paused.CREATOR_LEFT:
            return reader.say("you were not here any more, and nobody took it over")
        case Paused.NOT_ALLOWED:
            return reader.say("you may not see these surveys any more, and nobody took it over")
        case _:
            return paused_words(why, reader)


def _remedy(why: Paused, reader: Reader) -> str:
    say = reader.say
    match why:
        case Paused.ARCHIVED:
            text = say("If the channel comes back, type {command} there and press “Post again”. Else there is nothing to do.")
        case Paused.REMOVED if reader.slash:
            text = say("Add me to the channel (/invite @Surveybot), then type {command} there and press “Post again”.")
        case Paused.REMOVED:
            text = say("Add the app to the channel or its team, then type {command} there and press “Post again”.")
        case Paused.FORBIDDEN:
            text = say("Ask whoever looks after the channel to let me post, then type {command} there and press “Post again”.")
        case Paused.OUTSIDERS:
            text = say(
                "Survey numbers are for your own organisation: please subscribe a channel that nobody else is in. "
                "Once the others have left this one, type {command} there and press “Post again”."
            )
        case Paused.GUESTS:
            text = say(
                "Survey numbers are for members of your organisation: please subscribe a channel without guests. Once they have left this "
                "one, type {command} there and press “Post again”. Whoever runs Surveybot can let guests read posts."
            )
        case Paused.CREATOR_LEFT | Paused.NOT_ALLOWED:
            text = say("Somebody who may see these surveys can take it over: {command} in that channel.")
    return text.format(command=reader.asked("list"))
