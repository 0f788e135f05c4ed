"""What a channel is told of surveys: what is in force, the list of it, and its times. Nothing here tells more than the channel sees."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import time

from bot.page import (
    Action,
    Button,
    Divider,
    Element,
    Facts,
    Form,
    Moment,
    Note,
    Notice,
    Option,
    Page,
    Phrase,
    Select,
    Strong,
    Text,
    Tone,
    phrase,
)
from bot.pages.paging import on_page, pager
from bot.pages.reader import Reader
from bot.pages.ways import row
from bot.subjects import Described
from bot.subscriptions import ALL, Feature, Paused, Subscription

#: Subscriptions on one page of the list: with everything that can be said of each, so many fit into one message.
PAGE_SIZE = 8
#: Times of day that can be chosen.
_HOURS = tuple(time(hour) for hour in range(24))


def subscribed(described: Described, reader: Reader, *, is_changed: bool = False) -> Page:
    """Repeat what is in force for this channel now (FEATURES E2)."""
    say = reader.say
    lead = say("Changed. From now on this channel is told:") if is_changed else say("This channel is subscribed. From now on it is told:")
    note = say(
        "Everybody in this channel reads what I post, and can remove what it is subscribed to. Should people who are not to read it join, "
        "I stop. Numbers that would tell of few people stay hidden."
    )
    elements = (
        Text((lead,)),
        Facts(((say("Surveys"), (subject_words(described, reader),)), *_told(described, reader))),
        Note((note,)),
        *_invitation(reader),
        row(*_ways(described, reader), list_button(reader)),
    )
    return Page(title=say("Subscribed"), elements=elements, zone=reader.zone)


def _invitation(reader: Reader) -> tuple[Note, ...]:
    """In Teams nobody can ask where the bot is not."""
    text = reader.say("If I am not here yet, add me (/invite @Surveybot), and press “Post again” in the list.")
    return (Note((text,)),) if reader.slash else ()


def subscription_list(described: Sequence[Described], page: int, reader: Reader, *, removed: int = 0) -> Page:
    """List what a channel is subscribed to. Pages count from 1; a number that is none shows a page that exists."""
    say = reader.say
    shown, where = on_page(described, page, PAGE_SIZE)
    elements: list[Element] = []
    if removed:
        words = reader.count("{number} subscription was removed.", "{number} subscriptions were removed.", removed)
        elements.append(Notice(Tone.INFO, (words,)))
    if not described:
        elements.append(Text((say("This channel is not subscribed to any survey."),)))
    for each in shown:
        elements += [Text((Strong(subject_words(each, reader)),)), Facts(_told(each, reader)), row(*_ways(each, reader)), Divider()]
    elements += pager(where, Action(verb="subscriptions.list"), reader)
    elements.append(row(new_button(reader), *([times_button(reader)] if described else [])))
    return Page(title=say("Subscriptions"), elements=tuple(elements), zone=reader.zone)


def confirm_removal(described: Sequence[Described], reader: Reader) -> Page:
    """Ask before several are removed at once."""
    say = reader.say
    count = reader.count("Remove {number} subscription", "Remove {number} subscriptions", len(described))
    numbers = " ".join(str(each.subscription.subscription_id) for each in described)
    remove = Button(label=count, action=Action(verb="subscription.drop", data={"subscriptions": numbers}))
    names = tuple((subject_words(each, reader), (features_words(each, reader),)) for each in described)
    elements = (Text((say("This channel would no longer be told of:"),)), Facts(names), row(remove, list_button(reader, say("Keep them"))))
    return Page(title=say("Remove them all?"), elements=elements, zone=reader.zone)


def channel_times(subscription: Subscription, reader: Reader, *, is_saved: bool = False) -> Page:
    """Show the times that hold for everything the channel is subscribed to."""
    say = reader.say
    saved = (Notice(Tone.INFO, (say("These times are saved, for everything this channel is subscribed to."),)),) if is_saved else ()
    facts = (
        (say("Time zone"), (subscription.zone,)),
        (say("Weekly post"), (weekly_words(subscription, reader),)),
        (say("Working hours"), (hours_words(subscription, reader),)),
    )
    why = say("24 hours before a survey closes I post its numbers: earlier, where that moment lies outside of the working hours.")
    change = Button(label=say("Change times"), action=Action(verb="subscriptions.edit_times"))
    elements = (*saved, Facts(facts), Note((why,)), row(change, list_button(reader)))
    return Page(title=say("Times of this channel"), elements=elements, zone=reader.zone)


def times_form(subscription: Subscription, zones: Sequence[str], reader: Reader) -> Form:
    """`zones` are those to choose from; the one in force is among them."""
    say = reader.say
    elements = (
        Select(name="zone", label=say("Time zone"), options=tuple(Option(zone, zone) for zone in zones), chosen=subscription.zone),
        weekday_field(subscription.weekday, reader),
        hour_field("weekly_at", say("Weekly post at"), subscription.weekly_at),
        hour_field("works_from", say("Working hours from"), subscription.works_from),
        hour_field("works_until", say("Working hours until"), subscription.works_until),
        Note((say("This holds for everything this channel is subscribed to. Saturday and Sunday are no working days."),)),
    )
    save = Action(verb="subscriptions.save_times")
    return Form(title=say("Times of this channel"), elements=elements, submit=say("Save"), action=save, zone=reader.zone)


def weekday_field(chosen: int, reader: Reader) -> Select:
    options = tuple(Option(str(number), name) for number, name in enumerate(weekday_names(reader)))
    return Select(name="weekday", label=reader.say("Weekly post on"), options=options, chosen=str(chosen))


def hour_field(name: str, label: str, chosen: time) -> Select:
    hours = sorted({*_HOURS, chosen})
    return Select(name=name, label=label, options=tuple(Option(f"{at:%H:%M}", f"{at:%H:%M}") for at in hours), chosen=f"{chosen:%H:%M}")


def subject_words(described: Described, reader: Reader) -> str:
    say, subject = reader.say, described.subscription.subject
    owner = described.owner or say("whoever subscribed")
    if subject == ALL:
        return say("All surveys that {owner} may see").format(owner=owner)
    if "*" in subject:
        return say("Surveys called “{pattern}” that {owner} may see").format(pattern=subject, owner=owner)
    if described.survey_name is None:
        return say("A survey ({survey}) that {owner} may not see any more").format(survey=subject, owner=owner)
    return described.survey_name.strip() or say("Untitled survey")


def features_words(described: Described, reader: Reader) -> str:
    """In one order, however they were named."""
    features, share = described.subscription.features, described.problem_share
    return "; ".join(feature_name(feature, reader, share) for feature in Feature if feature in features)


def feature_name(feature: Feature, reader: Reader, problem_share: float | None = None) -> str:
    say = reader.say
    if feature is Feature.DELIVERY_PROBLEMS and problem_share:
        return say("when {percent}% of invitations or more do not arrive").format(percent=f"{100 * problem_share:g}")
    names = {
        Feature.LAUNCH: say("when sent out"),
        Feature.MILESTONES: say("at 25, 50 and 75% answered"),
        Feature.CLOSING: say("24 hours before closing"),
        Feature.CLOSED: say("when closed"),
        Feature.RESULTS: say("the final numbers"),
        Feature.WEEKLY: say("every week, the numbers so far"),
        Feature.DELIVERY_PROBLEMS: say("when many invitations do not arrive"),
    }
    return names[feature]


def weekday_names(reader: Reader) -> Sequence[str]:
    say = reader.say
    return (say("Monday"), say("Tuesday"), say("Wednesday"), say("Thursday"), say("Friday"), say("Saturday"), say("Sunday"))


def weekly_words(subscription: Subscription, reader: Reader) -> str:
    day, at = weekday_names(reader)[subscription.weekday], f"{subscription.weekly_at:%H:%M}"
    return reader.say("{weekday} at {time}").format(weekday=day, time=at)


def hours_words(subscription: Subscription, reader: Reader) -> str:
    begin, end = f"{subscription.works_from:%H:%M}", f"{subscription.works_until:%H:%M}"
    return reader.say("Monday to Friday, {begin} to {end}").format(begin=begin, end=end)


def paused_words(why: Paused, reader: Reader) -> str:
    say = reader.say
    words = {
        Paused.ARCHIVED: say("the channel is archived or deleted"),
        Paused.REMOVED: say("I am not in the channel"),
        Paused.FORBIDDEN: say("I may not post in the channel"),
        Paused.OUTSIDERS: say("people of other organisations read the channel, or are invited to it"),
        Paused.GUESTS: say("guests read the channel"),
        Paused.CREATOR_LEFT: say("whoever subscribed has left, and nobody took it over"),
        Paused.NOT_ALLOWED: say("whoever subscribed may not see this any more, and nobody took it over"),
    }
    return words[why]


def new_button(reader: Reader) -> Button:
    return Button(label=reader.say("Subscribe this channel"), action=Action(verb="subscription.new"))


def list_button(reader: Reader, label: str | None = None) -> Button:
    return Button(label=label or reader.say("All subscriptions"), action=Action(verb="subscriptions.list"))


def times_button(reader: Reader) -> Button:
    return Button(label=reader.say("Times of this channel"), action=Action(verb="subscriptions.times"))


def _told(described: Described, reader: Reader) -> tuple[tuple[str, Phrase], ...]:
    say, it = reader.say, described.subscription
    facts: list[tuple[str, Phrase]] = [(say("What I post"), (features_words(described, reader),))]
    if Feature.WEEKLY in it.features:
        facts.append((say("Weekly post"), (f"{weekly_words(it, reader)} ({it.zone})",)))
    facts.append((say("Subscribed by"), (described.owner or say("not known"),)))
    facts.append((say("Last post"), (Moment(it.last_post_at) if it.last_post_at else say("none yet"),)))
    if it.paused is not None:
        facts.append((say("Paused"), (paused_words(it.paused, reader),)))
    elif it.offered_at is not None:
        facts.append((say("Waiting"), phrase(say("for somebody to take it over, since {when}"), when=Moment(it.offered_at))))
    return tuple(facts)


def _ways(described: Described, reader: Reader) -> Iterator[Button]:
    """What may be done with it: who may not is told so."""
    say, it = reader.say, described.subscription
    about = subject_words(described, reader)
    verbs = {"subscription.edit": say("Change"), "subscription.drop": say("Remove")}
    if it.offered_at is not None or it.paused in {Paused.CREATOR_LEFT, Paused.NOT_ALLOWED}:
        verbs["subscription.take_over"] = say("Take over")
    elif it.paused is not None:
        verbs["subscription.resume"] = say("Post again")
    for verb, label in verbs.items():
        name = "subscriptions" if verb == "subscription.drop" else "subscription"
        action = Action(verb=verb, data={name: str(it.subscription_id)})
        yield Button(label=label, action=action, spoken=f"{label}: {about}")
