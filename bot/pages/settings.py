"""What people may choose for themselves (FEATURES C10)."""

from __future__ import annotations

from bot.messages import Preference
from bot.page import Action, Checkboxes, Facts, Form, Note, Notice, Option, Page, Tone, phrase
from bot.pages.reader import Reader
from bot.pages.ways import list_button, row, settings_button

#: The field of the form, and its choices.
TOLD = "told"
NEW_SURVEYS = "new_surveys"
REMINDERS = "reminders"


def settings_form(preference: Preference, reader: Reader) -> Form:
    say = reader.say
    chosen = [NEW_SURVEYS] * preference.new_surveys + [REMINDERS] * preference.reminders
    told = Checkboxes(
        name=TOLD,
        label=say("Send me a direct message"),
        options=(
            Option(NEW_SURVEYS, say("when a survey is sent to me")),
            Option(REMINDERS, say("a day before it closes, if my answer is missing")),
        ),
        chosen=tuple(chosen),
    )
    save = Action(verb="settings.save")
    return Form(title=say("Settings"), elements=(told, unaffected(reader)), submit=say("Save"), action=save, zone=reader.zone)


def settings_page(preference: Preference, reader: Reader, *, is_saved: bool) -> Page:
    saved = (Notice(Tone.INFO, (reader.say("Your settings are saved."),)),) if is_saved else ()
    elements = (*saved, in_force(preference, reader), unaffected(reader), row(settings_button(reader), list_button(reader)))
    return Page(title=reader.say("Settings"), elements=elements, zone=reader.zone)


def in_force(preference: Preference, reader: Reader) -> Facts:
    say = reader.say
    words = {True: say("on"), False: say("off")}
    return Facts(
        (
            (say("Messages about new surveys"), (words[preference.new_surveys],)),
            (say("Reminders before they close"), (words[preference.reminders],)),
        )
    )


def unaffected(reader: Reader) -> Note:
    return Note(
        phrase(reader.say("E-mails from Qualtrics are not affected. Whatever you choose, I show you your open surveys when you ask me."))
    )
