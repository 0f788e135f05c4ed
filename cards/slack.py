"""A page as Slack's Block Kit: one match over the elements, and the way back from a pressed button to its action.

Personal links leave this file as the `url` of a Respond button and in no other way.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import count
from typing import Any, assert_never

import msgspec

from bot.page import (
    Action,
    Button,
    Buttons,
    Divider,
    Entry,
    Facts,
    Note,
    Notice,
    Page,
    Phrase,
    PrivateElement,
    PrivatePage,
    Respond,
    Strong,
    Text,
)
from cards import limits, markup, words
from cards.plain import plain_text

Json = dict[str, Any]

#: Slack reports a click on a link button as well. Nothing is to be done then, but it must be acknowledged.
RESPOND_VERB = "survey.respond"


def message(page: Page | PrivatePage) -> Json:
    """Return `text` and `blocks` for chat.postMessage and chat.update.

    Raises ValueError when a button's action or a link is longer than Slack takes: those cannot be shortened.
    """
    return {"text": markup.escape(plain_text(page), limits.MESSAGE_TEXT), "blocks": _blocks(page, limits.MESSAGE_BLOCKS)}


def home(page: Page | PrivatePage) -> Json:
    """Return a view for views.publish. Raises ValueError as `message` does."""
    return {"type": "home", "blocks": _blocks(page, limits.HOME_BLOCKS)}


def parse_action(action_id: str, value: str | None) -> Action:
    """Return the action of a pressed button from what Slack sends back. Raises ValueError when we cannot have drawn such a button."""
    verb, hash_sign, number = action_id.rpartition("#")
    if not (verb and hash_sign and number.isdecimal()):
        raise ValueError("not an action id of ours")
    return Action(verb=verb, data=_parse_data(value) if value else {})


def _blocks(page: Page | PrivatePage, limit: int) -> list[Json]:
    numbers = count(1)
    blocks = [_header(page.title)]
    for element in page.elements:
        blocks.extend(_drawn(element, page, numbers))
    if len(blocks) > limit:
        blocks[limit - 1 :] = [{"type": "context", "elements": [_plain(words.MORE, limits.TEXT)]}]
    return blocks


def _drawn(element: PrivateElement, page: Page | PrivatePage, numbers: Iterator[int]) -> Iterator[Json]:
    match element:
        case Text(phrase):
            yield {"type": "section", "text": _text(phrase, page.zone)}
        case Note(phrase):
            yield {"type": "context", "elements": [_text(phrase, page.zone)]}
        case Notice(tone, phrase):
            yield {"type": "section", "text": _text((Strong(words.TONES[tone]), " ", *phrase), page.zone)}
        case Facts(facts):
            fields = [_field(name, value, page.zone) for name, value in facts]
            yield from ({"type": "section", "fields": some} for some in _chunks(fields, limits.FIELDS))
        case Entry():
            yield _entry(element, page.zone, numbers)
        case Buttons(buttons):
            drawn = [_button(button, numbers) for button in buttons]
            yield from (_actions(row) for row in _chunks(drawn, limits.ACTIONS))
        case Respond():
            yield _actions([_respond(element, page.title, numbers)])
        case Divider():
            yield {"type": "divider"}
        case _:
            assert_never(element)


def _header(title: str) -> Json:
    return {"type": "header", "text": _plain(title, limits.HEADER)}


def _entry(entry: Entry, zone: str, numbers: Iterator[int]) -> Json:
    title = f"{markup.strong(entry.title)}\n"
    text = _mrkdwn(title + markup.mrkdwn(entry.detail, zone, limits.TEXT - len(title)))
    return {"type": "section", "text": text, "accessory": _button(entry.button, numbers)}


def _field(name: str, value: Phrase, zone: str) -> Json:
    title = f"{markup.strong(name)}\n"
    return _mrkdwn(title + markup.mrkdwn(value, zone, limits.FIELD - len(title)))


def _actions(elements: list[Json]) -> Json:
    return {"type": "actions", "elements": elements}


def _button(button: Button, numbers: Iterator[int]) -> Json:
    drawn: Json = {
        "type": "button",
        "text": _plain(button.label, limits.BUTTON),
        "action_id": _action_id(button.action.verb, numbers),
        "value": _within(limits.VALUE, json.dumps(dict(button.action.data), separators=(",", ":"))),
    }
    if button.is_primary:
        drawn["style"] = "primary"
    if button.spoken is not None:
        drawn["accessibility_label"] = markup.visible(button.spoken, limits.SPOKEN)
    return drawn


def _respond(respond: Respond, title: str, numbers: Iterator[int]) -> Json:
    return {
        "type": "button",
        "text": _plain(respond.label, limits.BUTTON),
        "action_id": _action_id(RESPOND_VERB, numbers),
        "style": "primary",
        "url": _within(limits.URL, respond.link.url),
        "accessibility_label": markup.visible(f"{respond.label}: {title}", limits.SPOKEN),
    }


def _action_id(verb: str, numbers: Iterator[int]) -> str:
    """Number the verb, because an `action_id` is unique in its message."""
    return _within(limits.ACTION_ID, f"{verb}#{next(numbers)}")


def _within(limit: int, text: str) -> str:
    if len(text) > limit:
        raise ValueError(f"a button's action or link is longer than Slack's {limit} characters")
    return text


def _text(phrase: Phrase, zone: str) -> Json:
    """Use plain text, which Slack shows as it is, unless there is emphasis or an instant in the phrase."""
    texts = [part for part in phrase if isinstance(part, str)]
    if len(texts) == len(phrase):
        return _plain("".join(texts), limits.TEXT)
    return _mrkdwn(markup.mrkdwn(phrase, zone, limits.TEXT))


def _plain(text: str, limit: int) -> Json:
    return {"type": "plain_text", "text": markup.visible(text, limit), "emoji": False}


def _mrkdwn(text: str) -> Json:
    """`verbatim` keeps Slack from finding links, channels and people in it: https://docs.slack.dev/reference/block-kit/composition-objects/text-object."""
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def _chunks(items: list[Json], size: int) -> list[list[Json]]:
    return [items[start : start + size] for start in range(0, len(items), size)]


def _parse_data(value: str) -> dict[str, str]:
    try:
        return msgspec.json.decode(value, type=dict[str, str])
    except msgspec.DecodeError as error:
        raise ValueError("not the value of a button of ours") from error
