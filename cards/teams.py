"""A page as a Teams message with an Adaptive Card 1.5: one match over the elements, and the way back from a button to its action.

Personal links leave this file as the `url` of a Respond button and in no other way.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import accumulate, chain
from typing import Any, assert_never

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
    Tone,
)
from cards import limits, markup, teams_charts, teams_fields, words
from cards.plain import chart_numbers, plain_text

Json = dict[str, Any]

CONTENT_TYPE = "application/vnd.microsoft.card.adaptive"
#: The newest that Teams shows: https://learn.microsoft.com/en-us/microsoftteams/platform/task-modules-and-cards/cards/cards-reference
VERSION = "1.5"
#: In the data of what a form's button brings back: it was typed in, and something may be missing.
SUBMITTED = "submitted"


def message(page: Page | PrivatePage | Form) -> Json:
    """Return `summary` (what notifications and lists of chats show) and `attachments` of an activity. Raises ValueError as `card` does."""
    attachment = {"contentType": CONTENT_TYPE, "content": card(page)}
    return {"summary": _in_words(page), "attachments": [attachment]}


def card(page: Page | PrivatePage | Form) -> Json:
    """Return the Adaptive Card. Raises ValueError when a button's link is longer than browsers take: it cannot be shortened."""
    empty: Json = {
        "type": "AdaptiveCard",
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "version": VERSION,
        "fallbackText": markup.unmarked(_in_words(page)),
        **_refresh(page),
        "body": [],
    }
    parts = (teams_fields.inputs(it) if isinstance(it, Field) else _drawn(it, page) for it in page.elements)
    drawn = list(chain.from_iterable(parts))
    if isinstance(page, Form):
        action = replace(page.action, data={**page.action.data, SUBMITTED: "yes"})
        drawn.append(_actions([_execute(Button(label=page.submit, action=action, is_primary=True))]))
    return empty | {"body": _fitting([_title(page.title), *drawn], limits.TEAMS_CARD_BYTES - _size(empty))}


def parse_execute(verb: object, data: object) -> Action:
    """Return the action of an `Action.Execute` from what Teams sends back. Raises ValueError when we cannot have drawn it."""
    try:
        action = msgspec.convert({"verb": verb, "data": data or {}}, Action)
    except msgspec.ValidationError as error:
        raise ValueError("not an action of ours") from error
    return Action(verb=action.verb, data=teams_fields.said(action.data))


def parse_submit(value: Mapping[str, object]) -> Action:
    """Return the action of the `Action.Submit` that older clients send instead; inputs stand beside ours. Raises ValueError as above."""
    action = parse_execute(value.get("verb"), value.get("data"))
    inputs = {name: given for name, given in value.items() if name not in {"verb", "data"}}
    return parse_execute(action.verb, {**inputs, **action.data})


def _refresh(page: Page | PrivatePage | Form) -> Json:
    """Have the card drawn anew for whoever looks at it. Without `userIds` Teams asks for everybody, in chats of up to 60 people.

    https://learn.microsoft.com/en-us/microsoftteams/platform/task-modules-and-cards/cards/universal-actions-for-adaptive-cards/work-with-universal-actions-for-adaptive-cards
    """
    if isinstance(page, Form) or page.again is None:
        return {}
    again = page.again
    return {"refresh": {"action": {"type": "Action.Execute", "verb": again.verb, "data": dict(again.data)}}}


def _in_words(page: Page | PrivatePage | Form) -> str:
    if isinstance(page, Form):
        said = tuple(element for element in page.elements if not isinstance(element, Field))
        page = Page(title=page.title, elements=said, zone=page.zone)
    return plain_text(page, limit=limits.TEAMS_TEXT)


def _drawn(element: PrivateElement, page: Page | PrivatePage | Form) -> Iterator[Json]:
    match element:
        case Text(phrase):
            yield _rich(phrase, page.zone)
        case Note(phrase):
            yield _rich(phrase, page.zone, isSubtle=True, size="small")
        case Notice(tone, phrase):
            notice = _rich((Strong(words.TONES[tone]), " ", *phrase), page.zone)
            yield {"type": "Container", "style": _STYLES[tone], "items": [notice]}
        case Facts(facts):
            yield {"type": "FactSet", "facts": [_fact(name, value, page.zone) for name, value in facts]}
        case Entry():
            yield _entry(element, page.zone)
        case Buttons(buttons):
            drawn = [_execute(it) if isinstance(it, Button) else _link(it) for it in buttons]
            yield from (_actions(row) for row in _chunks(drawn, limits.TEAMS_ACTIONS))
        case Respond():
            yield _actions([_respond(element, page.title)])
        case Chart():
            # Teams does not draw its title. Its numbers stand below it, for whoever does not see it.
            yield _rich((Strong(element.title),), page.zone)
            yield teams_charts.element(element)
            yield _rich((chart_numbers(element),), page.zone, isSubtle=True, size="small")
        case Divider():
            yield {"type": "Container", "separator": True, "items": []}
        case _:
            assert_never(element)


def _title(title: str) -> Json:
    text = markup.markdown((title,), "UTC", limits.TEAMS_TITLE)
    return {"type": "TextBlock", "style": "heading", "size": "large", "weight": "bolder", "wrap": True, "text": text}


def _rich(phrase: Phrase, zone: str, **look: Any) -> Json:  # noqa: ANN401 - properties of a TextRun
    runs = markup.runs(phrase, zone, limits.TEAMS_PHRASE) or [(words.UNTITLED, False)]
    return {"type": "RichTextBlock", "inlines": [_run(text, is_strong=is_strong, **look) for text, is_strong in runs]}


def _run(text: str, *, is_strong: bool, **look: Any) -> Json:  # noqa: ANN401 - as above
    return {"type": "TextRun", "text": text, **look} | ({"weight": "bolder"} if is_strong else {})


def _fact(name: str, value: Phrase, zone: str) -> Json:
    return {
        "title": markup.markdown((name,), zone, limits.TEAMS_TITLE),
        "value": markup.markdown(value, zone, limits.TEAMS_FACT),
    }


def _entry(entry: Entry, zone: str) -> Json:
    said = [_rich((Strong(entry.title),), zone), _rich(entry.detail, zone, isSubtle=True) | {"spacing": "none"}]
    return {
        "type": "ColumnSet",
        "columns": [
            {"type": "Column", "width": "stretch", "items": said},
            {"type": "Column", "width": "auto", "verticalContentAlignment": "center", "items": [_actions([_execute(entry.button)])]},
        ],
    }


def _actions(actions: list[Json]) -> Json:
    return {"type": "ActionSet", "actions": actions}


def _execute(button: Button) -> Json:
    """Clients without `Action.Execute` fall back (https://learn.microsoft.com/en-us/adaptive-cards/authoring-cards/universal-action-model)."""
    looks = _looks(button.label, button.spoken, is_primary=button.is_primary)
    verb, data = button.action.verb, dict(button.action.data)
    submit = {"type": "Action.Submit", **looks, "data": {"verb": verb, "data": data}}
    return {"type": "Action.Execute", **looks, "verb": verb, "data": data, "fallback": submit}


def _respond(respond: Respond, title: str) -> Json:
    return _open_url(_looks(respond.label, f"{respond.label}: {title}", is_primary=True), respond.link.url)


def _link(link: Link) -> Json:
    return _open_url(_looks(link.label, link.spoken, is_primary=False), link.url)


def _open_url(looks: Json, url: str) -> Json:
    if len(url) > limits.TEAMS_URL:
        raise ValueError(f"a button's link is longer than {limits.TEAMS_URL} characters")
    return {"type": "Action.OpenUrl", **looks, "url": url}


def _looks(label: str, spoken: str | None, *, is_primary: bool) -> Json:
    looks: Json = {"title": markup.card_text(label, limits.TEAMS_BUTTON)}
    if is_primary:
        looks["style"] = "positive"
    if spoken is not None:
        looks["tooltip"] = markup.card_text(spoken, limits.TEAMS_TITLE)
    return looks


def _fitting(drawn: list[Json], limit_bytes: int) -> list[Json]:
    """Keep what fits, whole elements alone, and say so when something does not."""
    more = _rich((words.MORE,), "UTC", isSubtle=True)
    ends = list(accumulate(_size(part) + len(", ") for part in drawn))
    if ends[-1] <= limit_bytes:
        return drawn
    return [*drawn[: bisect_right(ends, limit_bytes - _size(more))], more]


def _size(drawn: Json) -> int:
    return len(json.dumps(drawn, ensure_ascii=False).encode())


def _chunks(items: list[Json], size: int) -> list[list[Json]]:
    return [items[start : start + size] for start in range(0, len(items), size)]


_STYLES: Mapping[Tone, str] = {Tone.INFO: "accent", Tone.WARNING: "warning"}
