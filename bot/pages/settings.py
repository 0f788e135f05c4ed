"""What people may choose for themselves (FEATURES C10)."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from bot.messages import Place, Platform, Preference
from bot.page import Action, Checkboxes, Facts, Form, Note, Notice, Option, Page, Select, Tone, phrase
from bot.pages.reader import Reader
from bot.pages.ways import list_button, row, settings_button

#: The fields of the form, and the choices of the first.
TOLD = "told"
NEW_SURVEYS = "new_surveys"
REMINDERS = "reminders"
OWN_SURVEYS = "own_surveys"
PLACE = "place"


def settings_form(preference: Preference, reader: Reader, platforms: Collection[Platform] = (), *, sees_numbers: bool = False) -> Form:
    """`platforms` are those where they can be written to: with one there is nothing to choose, unless something was chosen before.

    `sees_numbers`: some survey may be theirs.
    """
    say = reader.say
    chosen = {NEW_SURVEYS: preference.new_surveys, REMINDERS: preference.reminders, OWN_SURVEYS: preference.own_surveys and sees_numbers}
    own = (Option(OWN_SURVEYS, say("a day before a survey of mine closes, with its numbers")),) if sees_numbers else ()
    told = Checkboxes(
        name=TOLD,
        label=say("Write to me"),
        options=(
            Option(NEW_SURVEYS, say("when a survey is sent to me")),
            Option(REMINDERS, say("a day before it closes, if my answer is missing")),
            *own,
        ),
        chosen=tuple(name for name, is_chosen in chosen.items() if is_chosen),
    )
    elements = (told, *_place(preference, reader, platforms), unaffected(reader))
    save = Action(verb="settings.save")
    return Form(title=say("Settings"), elements=elements, submit=say("Save"), action=save, zone=reader.zone)


def settings_page(
    preference: Preference, reader: Reader, platforms: Collection[Platform] = (), *, is_saved: bool, sees_numbers: bool = False
) -> Page:
    saved = (Notice(Tone.INFO, (reader.say("Your settings are saved."),)),) if is_saved else ()
    facts = in_force(preference, reader, sees_numbers=sees_numbers)
    if _has_choice(preference, platforms):
        where = (reader.say("Where I write to you"), (_places(reader)[preference.place],))
        facts = Facts((*facts.facts, where))
    elements = (*saved, facts, unaffected(reader), row(settings_button(reader), list_button(reader)))
    return Page(title=reader.say("Settings"), elements=elements, zone=reader.zone)


def _has_choice(preference: Preference, platforms: Collection[Platform]) -> bool:
    return len(platforms) > 1 or preference.place is not Place.AUTOMATIC


def _place(preference: Preference, reader: Reader, platforms: Collection[Platform]) -> tuple[Select, ...]:
    if not _has_choice(preference, platforms):
        return ()
    offered = {Place.AUTOMATIC, Place.NOWHERE, preference.place, *(Place(platform) for platform in platforms)}
    options = tuple(Option(place, words) for place, words in _places(reader).items() if place in offered)
    hint = reader.say("You get each message once, in one place. Where you cannot be reached, I write to you in the other one.")
    return (Select(name=PLACE, label=reader.say("Where I write to you"), options=options, chosen=preference.place, hint=hint),)


def _places(reader: Reader) -> Mapping[Place, str]:
    say = reader.say
    return {
        Place.AUTOMATIC: say("Where you last used Surveybot"),
        Place.SLACK: say("In Slack"),
        Place.TEAMS: say("In Microsoft Teams"),
        Place.NOWHERE: say("Nowhere: Qualtrics' e-mails are enough for me"),
    }


def in_force(preference: Preference, reader: Reader, *, sees_numbers: bool) -> Facts:
    say = reader.say
    words = {True: say("on"), False: say("off")}
    own = ((say("Numbers before surveys of mine close"), (words[preference.own_surveys],)),) if sees_numbers else ()
    return Facts(
        (
            (say("Messages about new surveys"), (words[preference.new_surveys],)),
            (say("Reminders before they close"), (words[preference.reminders],)),
            *own,
        )
    )


def unaffected(reader: Reader) -> Note:
    return Note(
        phrase(reader.say("E-mails from Qualtrics are not affected. Whatever you choose, I show you your open surveys when you ask me."))
    )
