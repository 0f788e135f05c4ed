"""Arbitrary pages for property tests: what people and Qualtrics may put into them, and worse."""

from __future__ import annotations

from datetime import UTC
from typing import cast

from hypothesis import strategies as st

from bot.model import PersonalLink
from bot.page import (
    Action,
    Button,
    Buttons,
    Chart,
    ChartKind,
    Checkboxes,
    Divider,
    Element,
    Entry,
    Facts,
    Field,
    Form,
    Inline,
    Input,
    Link,
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
    Tone,
)

OWNER = 7
#: Every personal link in an arbitrary page begins like this, and nothing else does.
LINK = "https://brand.qualtrics.example/jfe/form/SV_1?Q_DL="

_NASTY = st.sampled_from(
    [
        "",
        "   \n\t ",
        "*x* _y_ ~z~ `code`",
        "<!channel> <!here> <!everyone> @here @channel",
        "<@U012AB3CD> <#C1|hr> <!subteam^S1>",
        "<https://evil.example|Respond in Qualtrics> https://evil.example",
        ":tada: :white_check_mark: 10:30:45",
        "> quoted",
        "a & b &amp; c &lt;!channel&gt;",
        "```\ncode\n```",
        "\u202egnp.exe \u2066x\u2069",
        "\ud800 \udfff \x00\x1b\ufffe",
        "\u200b",
        "👩\u200d👩\u200d👧 " * 300,
        "x" * 10_000,
        "&" * 5_000,
        "*" * 4_000,
        ":a" * 3_000,
    ]
)
nasty_texts = st.one_of(
    _NASTY, st.text(st.characters(exclude_categories=()), max_size=40), st.lists(_NASTY, min_size=2, max_size=3).map("".join)
)
tame_texts = st.text("abcdefgh", min_size=1, max_size=12)

_IDS = st.text("SV_0123456789", min_size=1, max_size=20)
actions = st.builds(
    Action,
    verb=st.sampled_from(["survey.show", "surveys.list", "help.show"]),
    data=st.dictionaries(st.sampled_from(["survey", "page", "integration"]), _IDS, max_size=3),
)
_moments = st.builds(Moment, st.datetimes(timezones=st.just(UTC)))
_zones = st.sampled_from(
    ["UTC", "Europe/Berlin", "Asia/Kathmandu", "America/New_York", "Mars/Olympus", "", "../etc", "Europe", "\x00", "<!here>"]
)
_links = st.builds(PersonalLink, owner=st.just(OWNER), url=st.text("abc123", min_size=1, max_size=8).map(LINK.__add__))


def phrases(texts: st.SearchStrategy[str]) -> st.SearchStrategy[Phrase]:
    parts: st.SearchStrategy[Inline] = st.one_of(texts, st.builds(Strong, texts), _moments)
    return st.lists(parts, max_size=4).map(tuple)


def buttons(texts: st.SearchStrategy[str]) -> st.SearchStrategy[Button]:
    return st.builds(Button, label=texts, action=actions, is_primary=st.booleans(), spoken=st.none() | texts)


def outward(texts: st.SearchStrategy[str]) -> st.SearchStrategy[Link]:
    urls = st.text("abc/#?=", max_size=12).map("https://acme.qualtrics.com/".__add__)
    return st.builds(Link, label=texts, url=urls, spoken=st.none() | texts)


@st.composite
def charts(draw: st.DrawFn, texts: st.SearchStrategy[str]) -> Chart:
    """Mostly of a size that is drawn."""
    kind, labels = draw(st.sampled_from(ChartKind)), draw(st.lists(texts, max_size=8))
    numbers = st.tuples(*[st.integers(-5, 1_000_000) | st.floats(-1e9, 1e9) for _ in labels])
    series = draw(st.lists(st.builds(Series, texts, numbers), min_size=1, max_size=1 if kind is ChartKind.PIE else 8))
    titles = st.none() | texts
    return Chart(kind=kind, title=draw(texts), labels=tuple(labels), series=tuple(series), x_title=draw(titles), y_title=draw(titles))


@st.composite
def forms(draw: st.DrawFn, texts: st.SearchStrategy[str]) -> Form:
    options = st.lists(texts, min_size=1, max_size=12).map(lambda labels: tuple(Option(f"v{n}", label) for n, label in enumerate(labels)))

    def field(number: int) -> st.SearchStrategy[Field]:
        name, hint = st.just(f"field{number}"), st.none() | texts
        return st.one_of(
            st.builds(Input, name=name, label=texts, hint=hint, longest=st.integers(1, 9_999)),
            st.builds(Select, name=name, label=texts, hint=hint, options=options, chosen=st.none() | st.just("v0")),
            st.builds(
                Checkboxes, name=name, label=texts, hint=hint, options=options, chosen=st.sampled_from([(), ("v0",), ("v1", "gone")])
            ),
        )

    fields = [draw(field(number)) for number in range(draw(st.integers(0, 4)))]
    around = draw(st.lists(elements(texts), max_size=3))
    return Form(title=draw(texts), elements=(*around, *fields), submit=draw(texts), action=draw(actions), zone=draw(_zones))


def elements(texts: st.SearchStrategy[str]) -> st.SearchStrategy[Element]:
    some = phrases(texts)
    return st.one_of(
        st.builds(Text, some),
        st.builds(Note, some),
        st.builds(Notice, st.sampled_from(Tone), some),
        st.builds(Facts, st.lists(st.tuples(texts, some), max_size=12).map(tuple)),
        st.builds(Entry, title=texts, detail=some, button=buttons(texts)),
        st.builds(Buttons, st.lists(buttons(texts) | outward(texts), min_size=1, max_size=30).map(tuple)),
        charts(texts),
        st.just(Divider()),
    )


def _many(kinds: st.SearchStrategy[PrivateElement]) -> st.SearchStrategy[tuple[PrivateElement, ...]]:
    """A handful of different elements, or more of one kind than fit anywhere."""
    few = st.lists(kinds, max_size=8).map(tuple)
    return st.one_of(few, few, st.tuples(few, elements(tame_texts)).map(lambda drawn: (*drawn[0], *[drawn[1]] * 200)))


def pages(texts: st.SearchStrategy[str] = nasty_texts) -> st.SearchStrategy[Page]:
    shared = cast("st.SearchStrategy[tuple[Element, ...]]", _many(elements(texts)))
    return st.builds(Page, title=texts, elements=shared, zone=_zones)


def private_pages(texts: st.SearchStrategy[str] = nasty_texts) -> st.SearchStrategy[PrivatePage]:
    kinds: st.SearchStrategy[PrivateElement] = st.one_of(elements(texts), st.builds(Respond, label=texts, link=_links))
    return st.builds(PrivatePage, owner=st.just(OWNER), title=texts, elements=_many(kinds), zone=_zones)
