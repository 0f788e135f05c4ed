"""The few words that cards add to a page of their own accord."""

from __future__ import annotations

from typing import Final

from bot.page import Tone

#: Stands where a text has nothing visible in it and Slack demands at least one character.
UNTITLED: Final = "(untitled)"
MORE: Final = "There is more than fits in here."
TONES: Final = {Tone.INFO: "Please note:", Tone.WARNING: "Warning:"}
PRESS: Final = "To answer, press the button “{label}”."
TYPED: Final = "(to be typed in)"
REQUIRED: Final = "Please fill this in."
CHOSEN: Final = " (chosen)"
CLOSE: Final = "Close"
CANCEL: Final = "Cancel"
BUTTONS: Final = "Buttons: {labels}."
