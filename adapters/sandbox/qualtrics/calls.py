"""One call to the simulated API: who makes it, what it may see, how its lists are paged and how it is refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from itertools import islice
from typing import Any, TypeVar
from urllib.parse import urlsplit
from uuid import uuid4

from starlette.requests import Request

from adapters.sandbox.qualtrics.faults import Faults
from adapters.sandbox.qualtrics.records import Rows, Survey, User
from adapters.sandbox.qualtrics.tenant import Tenant

Json = dict[str, Any]
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    tenant: Tenant
    request: Request
    body: bytes
    page_size: int
    #: Whom the credential acts as.
    user: User
    #: What strikes this call; `Faults()` = nothing.
    faults: Faults
    #: Whether it came to another data centre than the tenant's (quirk Q6).
    is_proxied: bool

    def part(self, name: str) -> str:
        """A part of the path, as its template names it."""
        return self.request.path_params[name]

    def number(self, name: str, otherwise: int) -> int:
        """A number of the query. Raises Refusal when it is none."""
        text = self.request.query_params.get(name, str(otherwise))
        if not text.isdecimal():
            raise Refusal(400, f"Invalid value for the parameter {name}.")
        return int(text)

    def sees(self, survey: Survey) -> bool:
        """Whether the survey is the user's own, was shared with them, or they administer the brand."""
        return self.user.is_admin or survey.owner_id == self.user.user_id or self.user.user_id in survey.shared_with

    def visible(self, survey_id: str) -> Survey | None:
        """A survey the user sees; None also when there is none."""
        survey = self.tenant.surveys.get(survey_id)
        return survey if survey and self.sees(survey) else None

    def page(
        self,
        rows: Rows[T],
        write: Callable[[T], Json],
        *,
        by: Callable[[T], str] | None = None,
        where: Callable[[T], bool] = lambda _: True,
        until: int | None = None,
    ) -> Json:
        """One page and the absolute URL of the next: by `skipToken`, the id of the page's last element, or without `by` by `offset`.

        `where` thins a page out; the next one begins where it would have begun anyway. `until` ends the list after so many rows.
        """
        total = len(rows) if until is None else min(until, len(rows))
        start = self.number("offset", 0) if by is None else self._after(rows)
        size = max(1, min(self.number("pageSize", self.page_size), self.page_size, total - start))
        listed = list(islice(rows.since(start), size)) if start < total else []
        end = start + len(listed)
        following = None
        if end < total:
            following = self._next_page(offset=end) if by is None else self._next_page(skipToken=by(listed[-1]))
        next_page = self.faults.spoiled(str(self.request.url), following)
        return {"elements": [write(row) for row in listed if where(row)], "nextPage": next_page}

    def _after(self, rows: Rows[Any]) -> int:
        token = self.request.query_params.get("skipToken")
        position = -1 if token is None else rows.position(token)
        if position is None:
            raise Refusal(400, "Invalid value for the parameter skipToken.")
        return position + 1

    def _next_page(self, **query: object) -> str:
        """A proxied call is led home, with the recorded parameters of distribution_link_collection_pagination.json."""
        url = self.request.url
        if self.is_proxied:
            home = urlsplit(self.tenant.home_url)
            url = url.replace(scheme=home.scheme, netloc=home.netloc)
            url = url.include_query_params(proxyDepth=1, proxyInfo='{"proxyDepth":1}')
        return str(url.include_query_params(**query))


class Refusal(Exception):
    """An error answer. `code` None: the body has no `errorCode`; `meta`: what else it says; `requestId` is an id, "", null or absent."""

    def __init__(
        self, status: int, message: str, code: str | None = None, *, headers: Mapping[str, str] | None = None, **meta: str | None
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.code, self.headers, self.meta = status, message, code, headers, meta


def forbidden() -> Refusal:
    """The one 403 that was recorded, for a definition; it stands for all others too."""
    return Refusal(403, "The operation is forbidden.", "QMST_2.1", requestId=new_request_id())


def missing() -> Refusal:
    """Recorded for an unknown route, without `errorCode`; it stands for records whose absence was not recorded too."""
    return Refusal(404, "The requested resource does not exist.")


def status_text(status: int) -> str:
    return f"{status} - {HTTPStatus(status).phrase}"


def new_request_id() -> str:
    return str(uuid4())
