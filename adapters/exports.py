"""Files that somebody asked for in a chat, fetched with their browser: the same way for Slack and Teams, and no permission more.

The address holds who asked, for what and until when, encrypted; nothing of it is stored, and what they may see is looked up when they come.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot import exports
from bot.errors import Malformed, Unavailable
from bot.exports import Export
from bot.ports import Store
from cards import csv
from store.encryption import Keyring

_PATH = "coverage/"
#: What the keyring binds a token to: nothing that is stored is read as one.
_IDENTITY = "export"
_LONGEST_TOKEN = 2000
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Disposition": 'attachment; filename="coverage.csv"',
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Exports:
    store: Store
    clock: Callable[[], datetime]
    keyring: Keyring = field(repr=False)
    #: Where browsers reach this process, with a slash at its end.
    public_url: str

    def link(self, export: Export) -> str:
        """Return the address of a file; whoever has it can fetch it until then."""
        content = json.dumps({**asdict(export), "until": export.until.isoformat()})
        token = base64.urlsafe_b64encode(self.keyring.encrypt(content, _IDENTITY)).decode().rstrip("=")
        return f"{self.public_url}{_PATH}{token}.csv"

    def routes(self) -> list[Route]:
        return [Route(f"/{_PATH}{{token}}.csv", self._fetch, methods=["GET"])]

    async def _fetch(self, request: Request) -> Response:
        """Everything that is not to be had gets the same answer."""
        export = self._opened(request.path_params["token"])
        now = self.clock()
        try:
            table = None if export is None else await self.store.read(lambda uow: exports.table(uow, export, now))
        except Unavailable:
            return Response(status_code=HTTPStatus.SERVICE_UNAVAILABLE, headers={"Cache-Control": "no-store"})
        if table is None:
            text = "This file is not available (any more). Please ask Surveybot for it again."
            return Response(text, HTTPStatus.NOT_FOUND, {"Cache-Control": "no-store"}, media_type="text/plain")
        return Response(csv.table(table), headers=_HEADERS, media_type="text/csv")

    def _opened(self, token: str) -> Export | None:
        try:
            sealed = base64.b64decode(token + "=" * (-len(token) % 4), altchars="-_", validate=True)
            content: Any = json.loads(self.keyring.decrypt(sealed, _IDENTITY)) if len(token) <= _LONGEST_TOKEN else None
        except (binascii.Error, ValueError, Malformed):
            return None
        if content is None:
            return None
        until = datetime.fromisoformat(content["until"])
        return Export(email=content["email"], survey_id=content["survey_id"], locale=content["locale"], until=until)
