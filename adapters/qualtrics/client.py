"""Qualtrics as a source of surveys: which address answers which question, and lists read page by page."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Collection
from dataclasses import replace
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import partial
from operator import attrgetter
from types import TracebackType
from typing import Self, TypeVar

from adapters.qualtrics import translate, wire
from adapters.qualtrics.credentials import Credentials
from adapters.qualtrics.subscriptions import Subscription
from adapters.qualtrics.transport import Pacing, Transport
from bot.errors import Forbidden, Gone, Malformed
from bot.model import Contact, Directory, Distribution, HistoryEntry, LinkEntry, Survey, SurveyDetails, User
from bot.ports.records import Account, Batch, RequestLine

log = logging.getLogger(__name__)
T = TypeVar("T")
K = TypeVar("K")


class QualtricsClient:
    """A `bot.ports.SurveySource` over HTTP, and the keeper of the brand's event subscriptions."""

    def __init__(
        self,
        base_url: str,
        credentials: Credentials,
        *,
        timeout_seconds: float = 120,
        connect_timeout_seconds: float = 10,
        attempts: int = 4,
        max_pages: int = 20_000,
        pace: Pacing | None = None,
        on_request: Callable[[RequestLine], None] = lambda _: None,
    ) -> None:
        """`base_url` is the API's root, `https://{datacenter}.qualtrics.com/API/v3/`; `attempts` counts the first one too.

        `on_request` is told of every request that was sent, whatever became of it.
        """
        self._max_pages = max_pages
        self._transport = Transport(
            base_url,
            credentials,
            timeout_seconds=timeout_seconds,
            connect_timeout_seconds=connect_timeout_seconds,
            attempts=attempts,
            pace=pace,
            on_request=on_request,
        )

    @property
    def better_host(self) -> str | None:
        """The host to configure instead, once Qualtrics said that it proxies our calls (quirk Q6)."""
        return self._transport.better_host

    @property
    def calls(self) -> int:
        return self._transport.line.calls

    @property
    def server_time(self) -> datetime | None:
        """Qualtrics' clock when it gave its last answer; None when it did not tell."""
        try:
            at = parsedate_to_datetime(self._transport.line.date or "")
        except (ValueError, TypeError):
            return None
        return at if at.tzinfo else None

    async def account(self) -> Account:
        return await self._get("whoami", translate.account)

    def users(self, after: str | None = None) -> AsyncIterator[Batch[User]]:
        return self._list("users", wire.User, translate.user, attrgetter("user_id"), after)

    def surveys(self, after: str | None = None) -> AsyncIterator[Batch[Survey]]:
        return self._list("surveys", wire.Survey, translate.survey, attrgetter("survey_id"), after)

    async def survey(self, survey_id: str) -> Survey:
        path = f"survey-definitions/{survey_id}/metadata"
        survey = await self._get(path, partial(translate.survey_of_metadata, survey_id=survey_id))
        if survey is None:
            raise Gone(f"survey {survey_id} was deleted")
        return survey

    async def survey_details(self, survey_id: str) -> SurveyDetails:
        """Where the options may not be read (403), the anonymity stays unknown."""
        definition = f"survey-definitions/{survey_id}"
        details = await self._get(f"{definition}/metadata", translate.survey_details)
        try:
            return replace(details, anonymity=await self._get(f"{definition}/options", translate.anonymity))
        except Forbidden:
            return details

    async def brand_host(self, survey_id: str) -> str | None:
        return await self._get(f"survey-definitions/{survey_id}", translate.brand_host)

    def distributions(self, survey_id: str, after: str | None = None) -> AsyncIterator[Batch[Distribution]]:
        read = partial(translate.distribution, survey_id=survey_id)
        query = {"surveyId": survey_id, "pageSize": "100", "useNewPaginationScheme": "true"}
        return self._list("distributions", wire.Distribution, read, attrgetter("distribution_id"), after, **query)

    def history(self, distribution_id: str, after: str | None = None) -> AsyncIterator[Batch[HistoryEntry]]:
        path = f"distributions/{distribution_id}/history"
        return self._list(path, wire.HistoryEntry, translate.history_entry, attrgetter("contact_id"), after)

    def links(self, distribution_id: str, survey_id: str, after: str | None = None) -> AsyncIterator[Batch[LinkEntry]]:
        path = f"distributions/{distribution_id}/links"
        return self._list(path, wire.LinkEntry, translate.link_entry, attrgetter("contact_id"), after, surveyId=survey_id)

    def directories(self) -> AsyncIterator[Batch[Directory]]:
        return self._list("directories", wire.Directory, translate.directory, attrgetter("directory_id"))

    async def contact(self, directory_id: str, contact_id: str) -> Contact:
        return await self._get(f"directories/{directory_id}/contacts/{contact_id}", partial(translate.contact, contact_id=contact_id))

    def subscriptions(self) -> AsyncIterator[Batch[Subscription]]:
        """All of the brand's, other programs' too. Takes a brand administrator (reference qualtrics.md 9), as the next two do."""
        return self._list("eventsubscriptions", wire.Subscription, translate.subscription, _identity)

    async def subscribe(self, topics: str, url: str, shared_key: str) -> str:
        """Have events of `topics` sent to `url`, signed with `shared_key`; returns the subscription's id.

        Nothing stops a second one of the same kind. Raises Ambiguous when it may exist now.
        """
        body = {"topics": topics, "publicationUrl": url, "encrypt": False, "sharedKey": shared_key}
        return await self._transport.post(self._transport.addresses.below("eventsubscriptions"), body, translate.created)

    async def unsubscribe(self, subscription_id: str) -> None:
        """Raises Gone when there is none; Ambiguous when there may be none any more."""
        await self._transport.delete(self._transport.addresses.below(f"eventsubscriptions/{subscription_id}"))

    async def aclose(self) -> None:
        await self._transport.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.aclose()

    async def _get(self, path: str, read: Callable[[bytes], T]) -> T:
        return await self._transport.get(self._transport.addresses.below(path), read)

    async def _list(
        self,
        path: str,
        kind: type[K],
        read: Callable[[K], T],
        identity: Callable[[T], object],
        after: str | None = None,
        **query: str,
    ) -> AsyncIterator[Batch[T]]:
        """Follow `nextPage` to the end; a page that fails is asked for again by itself.

        A page repeats nothing of itself or of the page before; older ids are not kept, for lists are long and the store upserts.
        """
        addresses = self._transport.addresses
        url: str | None = after or addresses.below(path, **query)
        visited: set[str] = set()
        before: Collection[object] = ()
        while url:
            if url in visited or len(visited) == self._max_pages:
                raise Malformed(f"the pages of {path} do not end: {len(visited)} read")
            visited.add(url)
            page = await self._transport.get(url, partial(wire.page, kind=kind))
            items = _readable(path, page, read)
            found = {identity(item): item for item in items}
            url = addresses.following(url, page.next_page)
            new = tuple(item for key, item in found.items() if key not in before)
            yield Batch(new, page.skipped + len(page.elements) - len(items), url)
            before = found.keys()


def _readable(path: str, page: wire.Page[K], read: Callable[[K], T]) -> list[T]:
    """Read each element by itself, so that a bad one costs nothing but itself."""
    items: list[T] = []
    for element in page.elements:
        try:
            items.append(read(element))
        except wire.UNREADABLE:
            continue
    if skipped := page.skipped + len(page.elements) - len(items):
        log.warning("qualtrics.skipped", extra={"path": path, "elements": skipped})
    return items


def _identity(it: T) -> T:
    """Recordings show several subscriptions under one id (reference qualtrics.md 15), so each is itself."""
    return it
