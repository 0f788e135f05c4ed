"""A page as plain text: complete, for phones and screen readers, without markup and without links."""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

from bot.page import (
    Buttons,
    Chart,
    Checkboxes,
    Divider,
    Entry,
    Facts,
    Field,
    Form,
    Inline,
    Input,
    Moment,
    Note,
    Notice,
    Option,
    Page,
    Phrase,
    PrivateElement,
    PrivatePage,
    Respond,
    Select,
    Series,
    Strong,
    Text,
)
from cards import limits, markup, words
from cards.instants import spoken


def plain_text(page: Page | PrivatePage | Form, *, limit: int = limits.MESSAGE_TEXT) -> str:
    """Write the page in lines, at most `limit` code points; instants are in the page's zone, which is named."""
    lines = [markup.named(page.title)]
    for element in page.elements:
        lines.extend([_field(element)] if isinstance(element, Field) else _lines(element, page.zone))
    if isinstance(page, Form):
        lines.append(words.BUTTONS.format(labels=markup.named(page.submit)))
    return markup.cut("\n".join(line for line in lines if line), limit)


def sentence(phrase: Phrase, zone: str) -> str:
    """Write a phrase without markup."""
    return markup.clean("".join(_inline(part, zone) for part in phrase)).strip()


def chart_numbers(chart: Chart) -> str:
    """Say in one line what a chart shows; its title stands elsewhere."""
    return " ".join(f"{markup.named(series.name)} — {'; '.join(_points(chart, series))}." for series in chart.series)


def chart_in_words(chart: Chart) -> str:
    """The same with its title."""
    return f"{markup.named(chart.title)}. {chart_numbers(chart)}"


def _field(field: Field) -> str:
    match field:
        case Input(label=label):
            return f"{markup.named(label)} {words.TYPED}"
        case Select(label=label, options=options, chosen=chosen):
            return _choices(label, options, () if chosen is None else (chosen,))
        case Checkboxes(label=label, options=options, chosen=chosen):
            return _choices(label, options, chosen)
        case _:
            assert_never(field)


def _lines(element: PrivateElement, zone: str) -> Iterator[str]:
    match element:
        case Text(phrase) | Note(phrase):
            yield sentence(phrase, zone)
        case Notice(tone, phrase):
            yield f"{words.TONES[tone]} {sentence(phrase, zone)}"
        case Facts(facts):
            yield from (f"{markup.named(name)}: {sentence(value, zone)}" for name, value in facts)
        case Entry(title=title, detail=detail):
            yield f"{markup.named(title)}: {sentence(detail, zone)}"
        case Chart():
            yield chart_in_words(element)
        case Buttons(buttons):
            yield words.BUTTONS.format(labels=", ".join(markup.named(button.label) for button in buttons))
        case Respond(label=label):
            yield words.PRESS.format(label=markup.named(label))
        case Divider():
            pass
        case _:
            assert_never(element)


def _choices(label: str, options: tuple[Option, ...], chosen: tuple[str, ...]) -> str:
    drawn = (f"{markup.named(option.label)}{words.CHOSEN if option.value in chosen else ''}" for option in options)
    return f"{markup.named(label)}: {'; '.join(drawn)}"


def _points(chart: Chart, series: Series) -> Iterator[str]:
    pairs = zip(chart.labels, series.values, strict=True)
    return (f"{markup.named(label)}: {_number(value)}" for label, value in pairs)


def _number(value: float) -> str:
    """Two decimal places at most."""
    return f"{value:,.2f}".rstrip("0").rstrip(".")


def _inline(part: Inline, zone: str) -> str:
    match part:
        case str():
            return part
        case Strong(text):
            return text
        case Moment(at):
            return spoken(at, zone)
        case _:
            assert_never(part)
