"""A page as Slack's Block Kit: one match over the elements, and the way back from a pressed button to its action.

Personal links leave this file as the `url` of a Respond button and in no other way.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import chain, count, repeat
from typing import Any, NamedTuple, assert_never

import msgspec

from bot.page import (
    Action,
    Button,
    Buttons,
    Chart,
    Divider,
    Entry,
    Facts,
    Field,
    Form,
    Link,
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
from cards import limits, markup, slack_charts, slack_fields, words
from cards.plain import chart_in_words, chart_numbers, plain_text

Json = dict[str, Any]

RESPOND_VERB = "survey.respond"
LINK_VERB = "link.open"
#: Slack reports a click on a link button as well. Nothing is to be done then, but it must be acknowledged.
LINK_VERBS = (RESPOND_VERB, LINK_VERB)


class _Surface(NamedTuple):
    blocks: int
    charts: int


_MESSAGE = _Surface(limits.MESSAGE_BLOCKS, limits.CHARTS)
_HOME = _Surface(limits.HOME_BLOCKS, limits.CHARTS)
_MODAL = _Surface(limits.MODAL_BLOCKS, charts=0)


def message(page: Page | PrivatePage) -> Json:
    """Return `text` and `blocks` for chat.postMessage and chat.update.

    Raises ValueError when a button's action or a link is longer than Slack takes: those cannot be shortened.
    """
    return {"text": markup.escape(plain_text(page), limits.MESSAGE_TEXT), "blocks": _blocks(page, _MESSAGE)}


def home(page: Page | PrivatePage) -> Json:
    """Return a view for views.publish. Raises ValueError as `message` does."""
    return {"type": "home", "blocks": _blocks(page, _HOME)}


def modal(page: Page | Form, carried: Mapping[str, str] | None = None) -> Json:
    """Return a view for views.open and views.update; a form's can be submitted. Raises ValueError as `message` does.

    What is `carried` comes back with whatever is pressed or submitted in it (`carried_by`).
    """
    title, close = _plain(page.title, limits.MODAL_WORDS), words.CANCEL if isinstance(page, Form) else words.CLOSE
    view: Json = {"type": "modal", "title": title, "close": _plain(close, limits.MODAL_WORDS), "blocks": _blocks(page, _MODAL)}
    if isinstance(page, Form):
        view["submit"] = _plain(page.submit, limits.MODAL_WORDS)
        view["callback_id"] = _within(limits.ACTION_ID, page.action.verb)
    if carried or isinstance(page, Form):
        own: Mapping[str, str] = page.action.data if isinstance(page, Form) else {}
        view["private_metadata"] = _data({**own, **(carried or {})}, limits.METADATA)
    return view


def carried_by(view: Mapping[str, Any]) -> Mapping[str, str]:
    """Return what a view of ours carries. Raises ValueError when it is none."""
    own = view.get("private_metadata")
    return _parse_data(own) if own else {}


def parse_form(view: Mapping[str, Any]) -> Action:
    """Return the action of a submitted form from what Slack sends back. Raises ValueError when we cannot have drawn such a form."""
    try:
        verb, state = view["callback_id"], view["state"]["values"]
    except (KeyError, TypeError) as error:
        raise ValueError("not a form of ours") from error
    return Action(verb=str(verb), data={**slack_fields.said(state), **carried_by(view)})


def parse_action(action_id: str, value: str | None) -> Action:
    """Return the action of a pressed button from what Slack sends back. Raises ValueError when we cannot have drawn such a button."""
    verb, hash_sign, number = action_id.rpartition("#")
    if not (verb and hash_sign and number.isdecimal()):
        raise ValueError("not an action id of ours")
    return Action(verb=verb, data=_parse_data(value) if value else {})


def _blocks(page: Page | PrivatePage | Form, surface: _Surface) -> list[Json]:
    numbers, pictures = count(1), chain(repeat(True, surface.charts), repeat(False))  # noqa: FBT003 - an iterator of them
    has_title = surface is _MODAL and len(markup.named(page.title)) <= limits.MODAL_WORDS
    blocks = [] if has_title else [_header(page.title)]
    for element in page.elements:
        blocks.extend([slack_fields.block(element)] if isinstance(element, Field) else _drawn(element, page, numbers, pictures))
    if len(blocks) > surface.blocks:
        blocks[surface.blocks - 1 :] = [{"type": "context", "elements": [_plain(words.MORE, limits.TEXT)]}]
    return blocks or [_header(page.title)]


def _chart(chart: Chart, *, is_picture: bool) -> Iterator[Json]:
    """The picture has no alternative text of its own, so that its numbers stand below it."""
    block = slack_charts.block(chart) if is_picture else None
    if block is None:
        yield {"type": "section", "text": _plain(chart_in_words(chart), limits.TEXT)}
    else:
        yield from (block, {"type": "context", "elements": [_plain(chart_numbers(chart), limits.TEXT)]})


def _drawn(element: PrivateElement, page: Page | PrivatePage | Form, numbers: Iterator[int], pictures: Iterator[bool]) -> Iterator[Json]:
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
            drawn = [_button(it, numbers) if isinstance(it, Button) else _link(it, numbers) for it in buttons]
            yield from (_actions(row) for row in _chunks(drawn, limits.ACTIONS))
        case Respond():
            yield _actions([_respond(element, page.title, numbers)])
        case Divider():
            yield {"type": "divider"}
        case Chart():
            yield from _chart(element, is_picture=next(pictures))
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
        "value": _data(button.action.data, limits.VALUE),
    }
    if button.is_primary:
        drawn["style"] = "primary"
    if button.spoken is not None:
        drawn["accessibility_label"] = markup.visible(button.spoken, limits.SPOKEN)
    return drawn


def _respond(respond: Respond, title: str, numbers: Iterator[int]) -> Json:
    spoken = f"{respond.label}: {title}"
    return _opening(RESPOND_VERB, respond.label, respond.link.url, spoken, numbers) | {"style": "primary"}


def _link(link: Link, numbers: Iterator[int]) -> Json:
    return _opening(LINK_VERB, link.label, link.url, link.spoken, numbers)


def _opening(verb: str, label: str, url: str, spoken: str | None, numbers: Iterator[int]) -> Json:
    drawn = {"type": "button", "text": _plain(label, limits.BUTTON), "action_id": _action_id(verb, numbers)}
    drawn["url"] = _within(limits.URL, url)
    return drawn if spoken is None else drawn | {"accessibility_label": markup.visible(spoken, limits.SPOKEN)}


def _action_id(verb: str, numbers: Iterator[int]) -> str:
    """Number the verb, because an `action_id` is unique in its message."""
    return _within(limits.ACTION_ID, f"{verb}#{next(numbers)}")


def _data(data: Mapping[str, str], limit: int) -> str:
    return _within(limit, json.dumps(dict(data), separators=(",", ":")))


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
