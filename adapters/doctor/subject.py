"""The integration that is being examined: its credentials, and a client that tells of each request."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from adapters.qualtrics.client import QualtricsClient
from adapters.qualtrics.credentials import Credentials
from bot.model import Integration
from bot.ports.records import RequestLine


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    integration: Integration
    credentials: Credentials
    #: Asks once: what it repeats would hide what is wrong.
    client: QualtricsClient
    #: What the client asked so far.
    lines: Sequence[RequestLine]
    clock: Callable[[], datetime]
    #: API roots to look for the home of refused credentials at.
    roots: Sequence[str]
    #: A client that may also see event subscriptions; None = push is off.
    push: QualtricsClient | None

    @property
    def name(self) -> str:
        return self.integration.integration_id

    @property
    def host(self) -> str:
        return urlsplit(self.integration.base_url).netloc
