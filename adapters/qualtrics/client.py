"""Qualtrics as a source of surveys: which address answers which question, and lists read page by page."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from dataclasses import replace
from functools import partial
from operator import attrgetter
from types import TracebackType
from typing import Self, TypeVar

from adapters.qualtrics import translate, wire
from adapters.qualtrics.transport import Transport
from bot.errors import Forbidden, Malformed
from bot.model import Contact, Directory, Distribution, HistoryEntry, LinkEntry, Survey, SurveyDetails, User
from bot.ports import Account, Batch

log = logging.getLogger(__name__)
T = TypeVar("T")


class QualtricsClient:
    """A `bot.ports.SurveySource` over HTTP."""

    def __init__(
        self,
        base_url: str,
        token: str,
        *,
        timeout_seconds: float = 120,
        connect_timeout_seconds: float = 10,
        attempts: int = 4,
        max_pages: int = 20_000,
    ) -> None:
        """`base_url` is the API's root, `https://{datacenter}.qualtrics.com/API/v3/`; `attempts` counts the first one too.

        Raises ValueError for a token that cannot stand in an HTTP header.
        """
        self._max_pages = max_pages
        self._transport = Transport(
            base_url, token, timeout_seconds=timeout_seconds, connect_timeout_seconds=connect_timeout_seconds, attempts=attempts
        )

    @property
    def better_host(self) -> str | None:
        """The host to configure instead, once Qualtrics said that it proxies our calls (quirk Q6)."""
        return self._transport.better_host

    async def account(self) -> Account:
        return await self._get("whoami", translate.account)

    def users(self) -> AsyncIterator[Batch[User]]:
        return self._list("users", translate.user, attrgetter("user_id"))

    def surveys(self) -> AsyncIterator[Batch[Survey]]:
        return self._list("surveys", translate.survey, attrgetter("survey_id"))

    async def survey_details(self, survey_id: str) -> SurveyDetails:
        """Where the options may not be read (403), the anonymity stays unknown."""
        definition = f"survey-definitions/{survey_id}"
        details = await self._get(f"{definition}/metadata", translate.survey_details)
        try:
            return replace(details, anonymity=await self._get(f"{definition}/options", translate.anonymity))
        except Forbidden:
            return details

    def distributions(self, survey_id: str) -> AsyncIterator[Batch[Distribution]]:
        read = partial(translate.distribution, survey_id=survey_id)
        query = {"surveyId": survey_id, "pageSize": "100", "useNewPaginationScheme": "true"}
        return self._list("distributions", read, attrgetter("distribution_id"), **query)

    def history(self, distribution_id: str) -> AsyncIterator[Batch[HistoryEntry]]:
        return self._list(f"distributions/{distribution_id}/history", translate.history_entry, attrgetter("contact_id"))

    def links(self, distribution_id: str, survey_id: str) -> AsyncIterator[Batch[LinkEntry]]:
        return self._list(f"distributions/{distribution_id}/links", translate.link_entry, attrgetter("contact_id"), surveyId=survey_id)

    def directories(self) -> AsyncIterator[Batch[Directory]]:
        return self._list("directories", translate.directory, attrgetter("directory_id"))

    async def contact(self, directory_id: str, contact_id: str) -> Contact:
        return await self._get(f"directories/{directory_id}/contacts/{contact_id}", partial(translate.contact, contact_id=contact_id))

    async def aclose(self) -> None:
        await self._transport.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.aclose()

    async def _get(self, path: str, read: Callable[[bytes], T]) -> T:
        return await self._transport.get(self._transport.url(path), read)

    async def _list(self, path: str, read: Callable[[bytes], T], identity: Callable[[T], str], **query: str) -> AsyncIterator[Batch[T]]:
        """Follow `nextPage` to the end; a page that fails is asked for again by itself.

        A page repeats nothing of itself or of the page before; older ids are not kept, for lists are long and the store upserts.
        """
        url = self._transport.url(path, **query)
        visited: set[str] = set()
        before: Collection[str] = ()
        while url:
            if url in visited or len(visited) == self._max_pages:
                raise Malformed(f"the pages of {path} do not end: {len(visited)} read")
            visited.add(url)
            page = await self._transport.get(url, wire.page)
            items = _readable(path, page.elements, read)
            found = {identity(item): item for item in items}
            yield Batch(tuple(item for key, item in found.items() if key not in before), len(page.elements) - len(items))
            before = found.keys()
            url = self._transport.next_url(url, page.next_page)


def _readable(path: str, elements: Sequence[bytes], read: Callable[[bytes], T]) -> list[T]:
    """Read each element by itself, so that a bad one costs nothing but itself."""
    items: list[T] = []
    for element in elements:
        try:
            items.append(read(element))
        except wire.UNREADABLE:
            continue
    if skipped := len(elements) - len(items):
        log.warning("qualtrics.skipped", extra={"path": path, "elements": skipped})
    return items
