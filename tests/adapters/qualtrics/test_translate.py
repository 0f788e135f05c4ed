"""Texts as Qualtrics writes them become true values."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.qualtrics import translate
from bot.model import Anonymity


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        ("", None),
        ("null", None),
        ("0000-00-00 00:00:00", None),
        ("-0001-11-30 06:59:56", None),
        ("2021-07-31T14:58:00Z", datetime(2021, 7, 31, 14, 58, tzinfo=UTC)),
        ("2021-06-01T18:59:23.161Z", datetime(2021, 6, 1, 18, 59, 23, 161000, tzinfo=UTC)),
        ("2021-07-31 14:58:00", datetime(2021, 7, 31, 14, 58, tzinfo=UTC)),
        ("2021-07-31T08:58:00-06:00", datetime(2021, 7, 31, 14, 58, tzinfo=UTC)),
        ("1597321249000", datetime(2020, 8, 13, 12, 20, 49, tzinfo=UTC)),
        (1597321249000, datetime(2020, 8, 13, 12, 20, 49, tzinfo=UTC)),
        (0, datetime(1970, 1, 1, tzinfo=UTC)),
        ("2200-01-01", datetime(2200, 1, 1, tzinfo=UTC)),
    ],
)
def test_dates(value: str | int | None, expected: datetime | None) -> None:
    at = translate.instant(value)
    assert at == expected
    assert at is None or at.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    "value",
    [
        "0001-01-01",
        "0001-01-01T00:00:00+14:00",
        "1969-12-31T23:59:59.999Z",
        "1970-01-01T00:00:00+00:01",
        "2200-01-01T00:00:01Z",
        "9999-12-31T23:59:59Z",
        "9999-12-31T23:59:59-14:00",
        -1,
        -62135596800000,
        "253402300799000",
        10**30,
    ],
)
def test_times_outside_of_1970_to_2200_mean_no_date(value: str | int) -> None:
    assert translate.instant(value) is None


@pytest.mark.parametrize("value", ["tomorrow", "2021-13-01", "9" * 5000, "--5", "-", "\u00b2"])
def test_what_is_no_date_is_refused(value: str | int) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        translate.instant(value)


@given(st.datetimes(min_value=datetime(1970, 1, 2), max_value=datetime(2199, 12, 31)), st.integers(-14 * 60, 14 * 60))  # noqa: DTZ001 - zones follow
def test_every_instant_survives_any_way_of_writing_it(at: datetime, minutes: int) -> None:
    there = at.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    assert translate.instant(there.isoformat()) == there
    assert translate.instant(at.isoformat()) == at.replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        *[(it, True) for it in (True, "true", "True", "Yes", "on", "1", 1)],
        *[(it, False) for it in (False, "false", "No", "off", "0", 0)],
        *[(it, None) for it in (None, "", "null", 2, "perhaps", [], {})],
    ],
)
def test_truth_values(value: Any, expected: bool | None) -> None:
    assert translate.flag(value) is expected


@pytest.mark.parametrize(
    ("option", "expected"),
    [
        ('{"AnonymizeResponse": "true"}', Anonymity.ANONYMIZED),
        ('{"AnonymizeResponse": "Yes"}', Anonymity.ANONYMIZED),
        ('{"AnonymizeResponse": 1}', Anonymity.ANONYMIZED),
        ('{"AnonymizeResponse": "No"}', Anonymity.IDENTIFIED),
        ('{"AnonymizeResponse": false}', Anonymity.IDENTIFIED),
        ('{"AnonymizeResponse": ""}', Anonymity.UNKNOWN),
        ('{"AnonymizeResponse": {"on": true}}', Anonymity.UNKNOWN),
        ("{}", Anonymity.UNKNOWN),
    ],
)
def test_anonymity(option: str, expected: Anonymity) -> None:
    assert translate.anonymity(f'{{"result": {option}}}'.encode()) is expected


@pytest.mark.parametrize(
    ("deleted", "expected"),
    [
        *[(it, False) for it in ("null", '""', "false", '"0"', '"0000-00-00 00:00:00"')],
        *[(it, True) for it in ("true", '"yes"', '"2026-01-01T00:00:00Z"', "1")],
    ],
)
def test_deleted_surveys(deleted: str, expected: bool) -> None:
    assert translate.survey_details(f'{{"result": {{"Deleted": {deleted}}}}}'.encode()).is_deleted is expected


@pytest.mark.parametrize(
    ("text", "expected"), [(" Ann@Example.COM\n", "ann@example.com"), ("", None), ("  ", None), ("null", None), (None, None)]
)
def test_addresses(text: str | None, expected: str | None) -> None:
    assert translate.email(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("http://acme.qualtrics.com/jfe/form/SV_1?Q_CHL=gl", "https://acme.qualtrics.com/jfe/form/SV_1?Q_CHL=gl"),
        ("HTTP://survey.uu.nl/jfe/form/SV_1?", "https://survey.uu.nl/jfe/form/SV_1?"),
        ("https://acme.qualtrics.com/jfe/form/SV_1", "https://acme.qualtrics.com/jfe/form/SV_1"),
        ("http://localhost:8080/jfe", "http://localhost:8080/jfe"),
        ("http://127.0.0.1:8080/jfe", "http://127.0.0.1:8080/jfe"),
        ("http://[::1]:8080/jfe", "http://[::1]:8080/jfe"),
        ("http://localhost.evil.example/jfe", "https://localhost.evil.example/jfe"),
        ("javascript:alert(1)", None),
        ("file:///etc/passwd", None),
        ("https:///jfe", None),
        ("http://[::1", None),
        ("not a link", None),
        ("", None),
        (None, None),
    ],
)
def test_personal_links(text: str | None, expected: str | None) -> None:
    assert translate.personal_url(text) == expected


@given(st.text() | st.from_regex(re.compile(r"\Ahttps?://.*", re.DOTALL | re.IGNORECASE)))
def test_no_text_at_all_makes_a_dangerous_link(text: str) -> None:
    url = translate.personal_url(text)
    assert url is None or url.lower().startswith(("https://", "http://localhost", "http://127.", "http://["))
