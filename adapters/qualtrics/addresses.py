"""Which address is asked, whether it may see the credentials, and how it is named in logs."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from functools import lru_cache
from urllib.parse import urlencode

import httpx

from bot.errors import Malformed

log = logging.getLogger(__name__)
#: The only parts of a path that are shown as they are.
_WORDS = frozenset({"contacts", "directories", "distributions", "eventsubscriptions", "history", "links", "metadata", "oauth2"}).union(
    {"options", "survey-definitions", "surveys", "token", "users", "whoami"}
)
#: How Qualtrics writes its ids; whatever else stands in a path could be data.
_ID = re.compile("[A-Z]{2,6}_[A-Za-z0-9-]{1,40}")
#: No path that is asked for is longer.
_MAX_SEGMENTS = 8


class Addresses:
    """Those below `base_url`, and those Qualtrics' own pages point to."""

    def __init__(self, base_url: str) -> None:
        self._base = httpx.URL(f"{base_url.rstrip('/')}/")
        #: At the root of the host, not below the API (reference qualtrics.md 8).
        self.token_endpoint = self._base.join("/oauth2/token")

    def below(self, path: str, **query: str) -> str:
        return f"{self._base}{path}?{urlencode(query)}" if query else f"{self._base}{path}"

    def following(self, page_url: str, reference: str | None) -> str | None:
        """Resolve `nextPage` against the page it stands in; None on the last page. Raises Malformed when it leads nowhere safe."""
        if not reference:
            return None
        if not re.search("[/?]", reference):  # "string_or_null" and the like, from mocks and documentation
            log.warning("qualtrics.odd_next_page", extra={"taken_as": "the last page"})
            return None
        page = _parsed(page_url)
        try:
            return str(self.checked(reference if re.match("https?://", reference) else page.join(reference)))
        except (httpx.InvalidURL, ValueError):  # never chained: it quotes the answer
            raise Malformed(f"{where('GET', page)}: nextPage is no URL") from None

    def checked(self, url: httpx.URL | str) -> httpx.URL:
        """Raises Malformed for what is no URL, or is not Qualtrics': the credentials stay here."""
        try:
            target = _parsed(url) if isinstance(url, str) else url
        except (httpx.InvalidURL, ValueError):
            raise Malformed("a position in a list is no URL") from None
        if not self._may_see_token(target):
            raise Malformed(f"{where('GET', target)} is not on a Qualtrics host: the token stays here")
        return target

    def template(self, url: httpx.URL) -> str:
        """Return the path below the API's root, `/distributions/{id}/history`, to pace and log by: neither ids nor data get through."""
        path = url.path.removeprefix(self._base.path.rstrip("/"))
        return _shown(path, lambda _: "{id}")

    def _may_see_token(self, url: httpx.URL) -> bool:
        """Allow the configured origin and https Qualtrics hosts, judged by the bytes that will be dialled."""
        if url.userinfo:
            return False
        if (url.scheme, url.raw_host, url.port) == (self._base.scheme, self._base.raw_host, self._base.port):
            return True
        return url.scheme == "https" and url.port is None and bool(re.fullmatch(rb"([a-z0-9-]{1,63}\.){1,3}qualtrics\.com", url.raw_host))


@lru_cache(maxsize=100)
def _parsed(url: str) -> httpx.URL:
    """Addresses of pages are long, parsing looks at every letter, and each is met several times."""
    return httpx.URL(url)


def where(method: str, url: httpx.URL) -> str:
    """Name a request in errors: with its ids, and without the query, which is not the log's affair."""
    root, api, path = url.path.partition("/API/v3/")
    return f"{method} {api.rstrip('/')}{_shown(path if api else root, str)}"


def _shown(path: str, show_id: Callable[[str], str]) -> str:
    segments = path.strip("/").split("/")[:_MAX_SEGMENTS]
    return "".join(f"/{it if it in _WORDS else show_id(it) if _ID.fullmatch(it) else '{...}'}" for it in segments)
