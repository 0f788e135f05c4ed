"""Qualtrics' JSON becomes the values the bot knows. Every function raises one of `wire.UNREADABLE` for what cannot be one."""

from __future__ import annotations

import re
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from adapters.qualtrics import wire
from adapters.qualtrics.subscriptions import Subscription
from bot.model import (
    Anonymity,
    Contact,
    Directory,
    Distribution,
    DistributionStats,
    HistoryEntry,
    LinkEntry,
    LinkType,
    Survey,
    SurveyDetails,
    User,
)
from bot.ports.records import Account

#: Nothing in such a URL needs a closer look: its host is a name that is not this machine's.
_PLAIN_URL = re.compile(r"https://(?:[a-z0-9-]+\.)+[a-z]{2,}/[!-Z^-~]*")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: Qualtrics' answer to where a brand's pages are: https, a name, and nothing else.
_BRAND_URL = re.compile(r"https://((?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.){1,8}[a-z]{2,63})/?", re.ASCII | re.IGNORECASE)
#: Far from the calendar's end, so that days may be added to any time read.
_HORIZON = datetime(2200, 1, 1, tzinfo=UTC)
#: "No date" as QSF files write it (reference qualtrics.md 1).
_NO_DATE = ("0000-00-00", "-0001-11-30")
_ANONYMITY = {True: Anonymity.ANONYMIZED, False: Anonymity.IDENTIFIED, None: Anonymity.UNKNOWN}
#: Of a message in a library, which may stand where a subject is expected (reference qualtrics.md 4).
_MESSAGE_ID = re.compile("MS_[A-Za-z0-9]+")
_LINK_TYPES = {it.value: it for it in LinkType}
_STATS = tuple(field.name for field in fields(DistributionStats))


def account(body: bytes) -> Account:
    it = wire.result(body, wire.WhoAmI)
    datacenter = it.datacenter if it.datacenter and it.datacenter.isalnum() else None
    return Account(brand_id=it.brand_id, user_id=it.user_id, datacenter=datacenter)


def user(it: wire.User) -> User:
    return User(
        user_id=it.id,
        email=email(it.email),
        first_name=it.first_name or "",
        last_name=it.last_name or "",
        user_type=it.user_type,
        is_active=(it.account_status or "active").lower() == "active",
    )


def survey(it: wire.Survey) -> Survey:
    is_active = flag(it.is_active)
    if is_active is None:
        raise ValueError("isActive is no truth value")
    return Survey(survey_id=it.id, name=it.name, owner_id=it.owner_id, is_active=is_active, last_modified=instant(it.last_modified))


def survey_of_metadata(body: bytes, *, survey_id: str) -> Survey | None:
    """None for a deleted survey, which still answers its metadata (quirk Q11)."""
    it = wire.result(body, wire.SurveySummary)
    if _is_set(it.deleted):
        return None
    if "\0" in it.name:
        raise ValueError("PostgreSQL stores no text with NUL characters")
    is_active, last_modified = it.status == "Active", instant(it.last_modified)
    return Survey(survey_id=survey_id, name=it.name, owner_id=it.owner_id, is_active=is_active, last_modified=last_modified)


def survey_details(body: bytes) -> SurveyDetails:
    """Read what the survey's metadata say; its anonymity is none of it."""
    it = wire.result(body, wire.SurveyMetadata)
    return SurveyDetails(ends_at=instant(it.survey_expiration_date), anonymity=Anonymity.UNKNOWN, is_deleted=_is_set(it.deleted))


def anonymity(body: bytes) -> Anonymity:
    """Read the survey's options."""
    return _ANONYMITY[flag(wire.result(body, wire.SurveyOptions).anonymize_response)]


def brand_host(body: bytes) -> str | None:
    """Read a survey's definition. Whether its host is one to lead to is not decided here (bot/deep_links.py)."""
    told = wire.definition(body).brand_base_url
    url = _BRAND_URL.fullmatch(told) if isinstance(told, str) else None
    return url[1].lower() if url else None


def distribution(it: wire.Distribution, *, survey_id: str) -> Distribution:
    """`survey_id` is the one asked for: test mails do not name theirs (quirk Q2)."""
    headers = it.headers or wire.Headers()
    link = it.survey_link or wire.SurveyLink()
    stats = it.stats or {}
    return Distribution(
        distribution_id=it.id,
        survey_id=survey_id,
        parent_id=it.parent_distribution_id,
        owner_id=it.owner_id,
        request_type=it.request_type,
        request_status=it.request_status,
        send_date=instant(it.send_date),
        sender_name=headers.from_name,
        link_type=_LINK_TYPES.get(link.link_type or "", LinkType.UNKNOWN),
        link_expires_at=instant(link.expiration_date),
        created_at=instant(it.created_date),
        subject=_subject(headers.subject),
        stats=DistributionStats(**{name: stats.get(name) or 0 for name in _STATS}),
    )


def _subject(given: Any) -> str | None:  # noqa: ANN401 - whatever came
    return given if isinstance(given, str) and given.strip() and not _MESSAGE_ID.fullmatch(given) else None


def history_entry(it: wire.HistoryEntry) -> HistoryEntry:
    return HistoryEntry(
        contact_id=it.contact_id,
        status=it.status,
        url=personal_url(it.survey_link),
        sent_at=instant(it.sent_at),
        completed_at=instant(it.response_completed_at),
    )


def link_entry(it: wire.LinkEntry) -> LinkEntry:
    return LinkEntry(contact_id=it.contact_id, email=email(it.email), url=personal_url(it.link), expires_at=instant(it.link_expiration))


def directory(it: wire.Directory) -> Directory:
    return Directory(directory_id=it.directory_id, name=it.name, is_default=flag(it.is_default) is True)


def contact(body: bytes, *, contact_id: str) -> Contact:
    return Contact(contact_id=contact_id, email=email(wire.result(body, wire.Contact).email))


def subscription(it: wire.Subscription) -> Subscription:
    return Subscription(
        subscription_id=it.id,
        topics=it.topics,
        url=it.publication_url,
        is_encrypted=flag(it.encrypted) is True,
        successful_calls=it.successful_calls,
    )


def created(body: bytes) -> str:
    """Return the id of what was created."""
    return wire.result(body, wire.Created).id


@lru_cache(maxsize=1000)
def instant(value: wire.Date) -> datetime | None:
    """Read ISO 8601 (UTC where it names no zone) or epoch milliseconds, also as text. Raises ValueError.

    None for "no date", which every time outside of 1970-01-01 to 2200-01-01 means too. Rows of one page share most of their times.
    """
    if isinstance(value, str) and value[-1:] == "Z" and (common := _common(value)):
        return common
    text = "" if value is None else str(value).strip()
    if text in ("", "null") or text.startswith(_NO_DATE):
        return None
    try:
        at = _utc(text)
    except OverflowError:  # not even in the calendar
        return None
    return at if _EPOCH <= at <= _HORIZON else None


def flag(value: object) -> bool | None:
    """Read any of Qualtrics' truth values (quirk Q5); None for what is none."""
    match str(value).strip().lower():
        case "true" | "yes" | "on" | "1":
            return True
        case "false" | "no" | "off" | "0":
            return False
        case _:
            return None


def email(text: str | None) -> str | None:
    """Lower-case the address: people are matched by it (reference qualtrics.md 6). One with a NUL is none: PostgreSQL refuses it."""
    address = (text or "").strip().lower()
    return None if address in ("", "null") or "\0" in address else address


def personal_url(text: str | None) -> str | None:
    """Make the link https (quirk Q14), except on this very machine; None for what is no web address."""
    if text and _PLAIN_URL.fullmatch(text):
        return text
    url = (text or "").strip()
    scheme, host = _scheme_and_host(url)
    if not host or scheme not in ("http", "https"):
        return None
    return url if scheme == "https" or _is_loopback(host) else f"https{url[len(scheme) :]}"


def _common(text: str) -> datetime | None:
    """Read `2021-07-31T14:58:00Z`, as nearly all dates are written; None for whatever needs a closer look."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo is UTC and _EPOCH.year <= at.year < _HORIZON.year else None


def _utc(text: str) -> datetime:
    if text.removeprefix("-").isdecimal():
        return _EPOCH + timedelta(milliseconds=int(text))
    at = datetime.fromisoformat(text)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _scheme_and_host(url: str) -> tuple[str, str]:
    try:
        parts = urlsplit(url)
    except ValueError:  # a broken IPv6 address
        return "", ""
    return parts.scheme, parts.hostname or ""


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _is_set(deleted: object) -> bool:
    """`Deleted` is a date or a truth value; which one, and how it looks when unset, nobody recorded.

    Raises ValueError for anything else: a survey taken for deleted is not looked at again until somebody modifies it.
    """
    if (told := flag(deleted)) is not None:
        return told
    if not isinstance(deleted, str | int | None):
        raise ValueError("Deleted is neither a date nor a truth value")  # noqa: TRY004 - a body of the wrong shape, as all here
    return instant(deleted) is not None
