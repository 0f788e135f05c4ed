"""The JSON of Qualtrics' API v3 as it really comes: the fields this project reads, typed as loosely as recordings differ.

Field names and nullability: reference qualtrics.md 1 to 6. Fields that are not read are not named, so their drift cannot hurt.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Generic, Literal, TypeVar

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

#: PostgreSQL stores no text with this character.
_NUL = b"\\u0000"

T = TypeVar("T")


class Problem(msgspec.Struct, rename="camel"):
    error_code: str | None = None


class Meta(msgspec.Struct, rename="camel"):
    request_id: str | None = None
    #: "Request proxied. For faster response times, use this host instead: az1.qualtrics.com" (quirk Q6).
    notice: str | None = None
    error: Problem | None = None


class _Elements(msgspec.Struct, Generic[T], rename="camel"):
    elements: list[T]
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


class SurveySummary(msgspec.Struct):
    """The same answer read as a whole survey; its ids do not follow the case rule."""

    name: str = msgspec.field(name="SurveyName")
    owner_id: Id = msgspec.field(name="SurveyOwnerID")
    #: `Active`, `Inactive`, `Pending`, `LibBlock`, `Deactive` or `Temporary` (reference qualtrics.md 3).
    status: str = msgspec.field(name="SurveyStatus")
    last_modified: Date = msgspec.field(name="LastModified", default=None)
    deleted: Any = msgspec.field(name="Deleted", default=None)


class SurveyOptions(msgspec.Struct, rename="pascal"):
    """One of some hundred options; another one is the survey's password (quirk Q13), so this body is never shown."""

    anonymize_response: Any = None


class SurveyDefinition(msgspec.Struct):
    """Everything else, megabytes at times and a password among it (quirk Q13), is passed over."""

    brand_base_url: Any = msgspec.field(name="BrandBaseURL", default=None)


class Headers(msgspec.Struct, rename="camel"):
    from_name: str | None = None
    #: May be the id of a library's message instead.
    subject: Any = None


class SurveyLink(msgspec.Struct, rename="camel"):
    expiration_date: Date = None
    link_type: str | None = None


class Distribution(msgspec.Struct, rename="camel"):
    id: Id
    owner_id: Id
    request_type: str
    request_status: str
    parent_distribution_id: Id | None = None
    created_date: Date = None
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


class Subscription(msgspec.Struct, rename="camel"):
    id: Id
    topics: str
    publication_url: str
    encrypted: Any = False
    successful_calls: int = 0


class Created(msgspec.Struct):
    id: Id


class AccessToken(msgspec.Struct):
    """RFC 6749 5.1, as far as it is read."""

    access_token: Annotated[str, msgspec.Meta(pattern=r"\A[!-~]{1,16384}\Z")]
    #: Peers read one hour (reference qualtrics.md 8).
    expires_in: Annotated[float, msgspec.Meta(ge=1)] = 3600


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list."""

    elements: list[T]
    #: Elements that could not be read.
    skipped: int
    next_page: str | None


def page(body: bytes, kind: type[T]) -> Page[T]:
    """Read a page at once, or, where that fails, each element by itself, so that a bad one costs nothing but itself.

    Raises one of UNREADABLE when it is no page at all.
    """
    if _NUL not in body:
        try:
            it = _pages(kind).decode(body).result
            return Page(it.elements, 0, it.next_page)
        except UNREADABLE:
            pass  # read below with more patience
    raw = _read(_read(_whole(body), _Envelope).result, _Elements[msgspec.Raw])
    elements = [it for it in (_element(each, kind) for each in raw.elements) if it is not None]
    return Page(elements, len(raw.elements) - len(elements), raw.next_page)


def result(body: bytes, kind: type[T]) -> T:
    """Return what stands in the envelope's `result`; raises one of UNREADABLE."""
    return _read(_read(_whole(body), _Envelope).result, kind)


def definition(body: bytes) -> SurveyDefinition:
    """As `result`, at once: `_whole` takes half a second for a long one."""
    return _read(body, _DefinitionEnvelope).result


def meta(body: bytes) -> Meta:
    """Return the envelope's `meta`, an empty one when there is none that can be read. Never raises."""
    try:
        return _META.decode(body).meta
    except UNREADABLE:
        return Meta()


def access_token(body: bytes) -> AccessToken:
    """Return what the token endpoint grants; raises one of UNREADABLE."""
    return _read(body, AccessToken)


def oauth_error(body: bytes) -> str | None:
    """Return the token endpoint's error code (RFC 6749 5.2), None when there is none that can be read. Never raises."""
    try:
        return _read(body, _OAuthProblem).error
    except UNREADABLE:
        return None


def _element(raw: msgspec.Raw, kind: type[T]) -> T | None:
    """None for one that cannot be read."""
    if _NUL in bytes(raw):
        return None
    try:
        return _read(raw, kind)
    except UNREADABLE:
        return None


def _whole(body: bytes) -> bytes:
    """Turn lone surrogates into NULs: as wrong in one text, but msgspec would refuse the whole body for them."""
    return _ESCAPE.sub(lambda escape: rb"\u0000" if escape[1] else escape[0], body)


class _Envelope(msgspec.Struct):
    result: msgspec.Raw


class _MetaEnvelope(msgspec.Struct):
    meta: Meta


class _DefinitionEnvelope(msgspec.Struct):
    result: SurveyDefinition


class _PageEnvelope(msgspec.Struct, Generic[T]):
    result: _Elements[T]


class _OAuthProblem(msgspec.Struct):
    error: Literal["invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type", "invalid_scope"]


@cache
def _pages(kind: type[Any]) -> msgspec.json.Decoder[_PageEnvelope[Any]]:
    return msgspec.json.Decoder(_PageEnvelope[kind], strict=False)


#: Compiled once: `meta` is read of every answer.
_META = msgspec.json.Decoder(_MetaEnvelope, strict=False)


def _read(raw: bytes | msgspec.Raw, kind: type[T]) -> T:
    """Decode; texts like "0" count as numbers (quirk Q5)."""
    return msgspec.json.decode(raw, type=kind, strict=False)
