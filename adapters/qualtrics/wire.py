"""The JSON of Qualtrics' API v3 as it really comes: the fields this project reads, typed as loosely as recordings differ.

Field names and nullability: reference qualtrics.md 1 to 6. Fields that are not read are not named, so their drift cannot hurt.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, TypeVar

import msgspec

#: What reading somebody else's JSON may raise: wrong shape, invalid UTF-8 or a value without meaning, absurd nesting.
UNREADABLE = (msgspec.DecodeError, ValueError, RecursionError)

#: Ids stand in URLs, logs and keys; nothing but Qualtrics' own alphabet may.
Id = Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9_-]{1,100}\Z")]
#: A date in one of the ways `translate.instant` knows.
Date = str | int | None
Count = Annotated[int, msgspec.Meta(ge=0, lt=2**31)]

#: One escape in JSON: a surrogate pair, half of one alone (the group), or any other.
_ESCAPE = re.compile(rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.DOTALL)

T = TypeVar("T")


class Problem(msgspec.Struct, rename="camel"):
    error_code: str | None = None


class Meta(msgspec.Struct, rename="camel"):
    request_id: str | None = None
    #: "Request proxied. For faster response times, use this host instead: az1.qualtrics.com" (quirk Q6).
    notice: str | None = None
    error: Problem | None = None


class Page(msgspec.Struct, rename="camel"):
    elements: list[msgspec.Raw]
    #: Missing, null, "" and placeholder words all occur on a last page (quirk Q7).
    next_page: str | None = None


class WhoAmI(msgspec.Struct, rename="camel"):
    brand_id: Id
    user_id: Id
    datacenter: str | None = None


class User(msgspec.Struct, rename="camel"):
    id: Id
    email: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    user_type: str | None = None
    account_status: str | None = None


class Survey(msgspec.Struct, rename="camel"):
    id: Id
    name: str
    owner_id: Id
    is_active: Any
    last_modified: Date = None


class SurveyMetadata(msgspec.Struct, rename="pascal"):
    survey_expiration_date: Date = None
    deleted: Any = None


class SurveyOptions(msgspec.Struct, rename="pascal"):
    """One of some hundred options; another one is the survey's password (quirk Q13), so this body is never shown."""

    anonymize_response: Any = None


class Headers(msgspec.Struct, rename="camel"):
    from_name: str | None = None


class SurveyLink(msgspec.Struct, rename="camel"):
    expiration_date: Date = None
    link_type: str | None = None


class Distribution(msgspec.Struct, rename="camel"):
    id: Id
    owner_id: Id
    request_type: str
    request_status: str
    parent_distribution_id: Id | None = None
    send_date: Date = None
    headers: Headers | None = None
    survey_link: SurveyLink | None = None
    stats: dict[str, Count | None] | None = None


class HistoryEntry(msgspec.Struct, rename="camel"):
    contact_id: Id
    status: str
    survey_link: str | None = None
    sent_at: Date = None
    response_completed_at: Date = None


class LinkEntry(msgspec.Struct, rename="camel"):
    contact_id: Id
    email: str | None = None
    link: str | None = None
    link_expiration: Date = None


class Directory(msgspec.Struct, rename="camel"):
    directory_id: Id
    name: str | None = None
    is_default: Any = False


class Contact(msgspec.Struct, rename="camel"):
    email: str | None = None


def page(body: bytes) -> Page:
    """Return one page of a list, its elements still unread; raises one of UNREADABLE."""
    return result(body, Page)


def result(body: bytes, kind: type[T]) -> T:
    """Return what stands in the envelope's `result`; raises one of UNREADABLE."""
    return _read(_read(_whole(body), _Envelope).result, kind)


def element(raw: bytes | msgspec.Raw, kind: type[T]) -> T:
    """Return one element of a list; raises one of UNREADABLE."""
    if b"\\u0000" in bytes(raw):
        raise ValueError("PostgreSQL stores no text with NUL characters")
    return _read(raw, kind)


def meta(body: bytes) -> Meta:
    """Return the envelope's `meta`, an empty one when there is none that can be read. Never raises."""
    try:
        return _read(body, _MetaEnvelope).meta
    except UNREADABLE:
        return Meta()


def _whole(body: bytes) -> bytes:
    """Turn lone surrogates into NULs: as wrong in one text, but msgspec would refuse the whole body for them."""
    return _ESCAPE.sub(lambda escape: rb"\u0000" if escape[1] else escape[0], body)


class _Envelope(msgspec.Struct):
    result: msgspec.Raw


class _MetaEnvelope(msgspec.Struct):
    meta: Meta


def _read(raw: bytes | msgspec.Raw, kind: type[T]) -> T:
    """Decode; texts like "0" count as numbers (quirk Q5)."""
    return msgspec.json.decode(raw, type=kind, strict=False)
