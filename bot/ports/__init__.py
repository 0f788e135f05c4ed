"""What the core asks of the outside, as protocols. Adapters and `store/` implement them; nothing else crosses the border.

Errors are those of `bot/errors.py`. Network ports are async; the store is not: a unit of work is a plain function that runs as one
transaction in a thread, so no network call can ever stand inside a transaction.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Protocol, TypeVar

from bot.installations import AppOffers, Installations, OAuthStates
from bot.listed import Lists
from bot.messages import Conversation, Member, MessageRef, Readership
from bot.model import (
    Contact,
    Directory,
    Distribution,
    HistoryEntry,
    LinkEntry,
    Survey,
    SurveyDetails,
    User,
)
from bot.page import Page, PrivatePage
from bot.ports.outbox import Outbox, Sent, Tellings
from bot.ports.records import (
    Account,
    Batch,
)
from bot.ports.repositories import (
    Addresses,
    DirectoryReadings,
    Distributions,
    Grants,
    Inbox,
    Integrations,
    Invitations,
    Members,
    People,
    Preferences,
    Surveys,
    Users,
)
from bot.ports.workings import Figures, Leases, Pictures, Pools, Positions, Refreshes, Requests, Runs
from bot.posts import Posts
from bot.standings import Standings
from bot.subscriptions import Subscriptions
from bot.trend import Counts

T = TypeVar("T")


class SurveySource(Protocol):
    """Qualtrics, read only. Lists come page by page, in Qualtrics' order; a page repeats nothing of itself or of the page before.

    `after` is the `Batch.next` of an earlier reading of the same list. Every method may raise Unavailable (after its own retries),
    Unauthorized, Gone, Rejected or Malformed. Pages yielded before an error are good.
    """

    @property
    def calls(self) -> int:
        """How many requests were made since this source was opened, repetitions included."""
        ...

    async def account(self) -> Account: ...
    def users(self, after: str | None = None) -> AsyncIterator[Batch[User]]: ...
    def surveys(self, after: str | None = None) -> AsyncIterator[Batch[Survey]]: ...
    async def survey(self, survey_id: str) -> Survey:
        """One survey as the list would tell it. Raises Gone for a deleted one."""
        ...

    async def survey_details(self, survey_id: str) -> SurveyDetails: ...
    async def brand_host(self, survey_id: str) -> str | None:
        """Where the brand's own web pages are, as this survey's whole definition tells; None when it tells no `https://` host.

        A name that looks like one, in small letters, and may lead anywhere. A definition can have megabytes: ask for one, not for all.
        """
        ...

    def distributions(self, survey_id: str, after: str | None = None) -> AsyncIterator[Batch[Distribution]]: ...
    def history(self, distribution_id: str, after: str | None = None) -> AsyncIterator[Batch[HistoryEntry]]: ...
    def links(self, distribution_id: str, survey_id: str, after: str | None = None) -> AsyncIterator[Batch[LinkEntry]]: ...
    def directories(self) -> AsyncIterator[Batch[Directory]]: ...
    async def contact(self, directory_id: str, contact_id: str) -> Contact: ...


class Channel(Protocol):
    """A chat platform's way to one person, and to the places that people share, in any workspace the bot is installed in."""

    async def turn(self, member: Member) -> None:
        """Wait until one more message may be sent to this member, as all processes together keep to what the platform allows.

        Raises Throttled while the platform has asked for a pause.
        """
        ...

    async def send(self, member: Member, page: Page | PrivatePage, key: str | None = None) -> MessageRef:
        """Send a direct message, once; it carries `key`, for `find`.

        Raises Throttled (not sent; wait), Unavailable (not sent; try again), Ambiguous (perhaps sent), Gone or Rejected (never will be),
        Unauthorized (our own access is broken).
        """
        ...

    async def post(self, conversation: Conversation, page: Page, key: str) -> MessageRef:
        """Say something once in a shared place, in no thread, when it is its turn; it carries `key`, but cannot be looked for.

        Raises as `send` does. What says that nothing can be posted there: Gone (archived, deleted), ShutOut (the bot is not in it),
        Forbidden (it may not write there).
        """
        ...

    async def readership(self, conversation: Conversation) -> Readership:
        """Look who reads along in a shared place now, when it is its turn; may be repeated.

        Raises Throttled, Unavailable, Unauthorized (look later), and what `post` would for a dead end: Gone, ShutOut.
        """
        ...

    async def find(self, member: Member, key: str, since: datetime) -> MessageRef | None:
        """Look for a message that carries `key`, sent after `since`. None = it is not there.

        Raises Forbidden where the bot may not read its own conversations, and everything `send` does but Ambiguous.
        """
        ...

    async def edit_turn(self, member: Member) -> None:
        """As `turn`, for edits: they have a pace of their own, and hold up no message."""
        ...

    async def edit(self, message: MessageRef, member: Member, page: Page | PrivatePage, key: str) -> None:
        """Replace what a message shows, without a notification; may be repeated. Raises as `find` does; Gone, Rejected: it never can."""
        ...


class UnitOfWork(Protocol):
    """One transaction."""

    @property
    def integrations(self) -> Integrations: ...
    @property
    def users(self) -> Users: ...
    @property
    def grants(self) -> Grants: ...
    @property
    def lists(self) -> Lists: ...
    @property
    def installations(self) -> Installations: ...
    @property
    def oauth_states(self) -> OAuthStates: ...
    @property
    def surveys(self) -> Surveys: ...
    @property
    def distributions(self) -> Distributions: ...
    @property
    def people(self) -> People: ...
    @property
    def preferences(self) -> Preferences: ...
    @property
    def invitations(self) -> Invitations: ...
    @property
    def outbox(self) -> Outbox: ...
    @property
    def sent(self) -> Sent: ...
    @property
    def members(self) -> Members: ...
    @property
    def addresses(self) -> Addresses: ...
    @property
    def app_offers(self) -> AppOffers: ...
    @property
    def directory_readings(self) -> DirectoryReadings: ...
    @property
    def subscriptions(self) -> Subscriptions: ...
    @property
    def posts(self) -> Posts: ...
    @property
    def counts(self) -> Counts: ...
    @property
    def pools(self) -> Pools: ...
    @property
    def tellings(self) -> Tellings: ...
    @property
    def standings(self) -> Standings: ...
    @property
    def inbox(self) -> Inbox: ...
    @property
    def runs(self) -> Runs: ...
    @property
    def positions(self) -> Positions: ...
    @property
    def pictures(self) -> Pictures: ...
    @property
    def leases(self) -> Leases: ...
    @property
    def refreshes(self) -> Refreshes: ...
    @property
    def requests(self) -> Requests: ...
    @property
    def figures(self) -> Figures: ...


class Store(Protocol):
    """The bot's memory. The only ways in are these two; both commit on return and roll back on any exception."""

    async def read(self, work: Callable[[UnitOfWork], T]) -> T:
        """Run `work` on a consistent snapshot; it must not write. Many at once."""
        ...

    async def write(self, work: Callable[[UnitOfWork], T]) -> T:
        """Run `work` as one write transaction. Writers of this process queue in one thread. Raises Unavailable when the database is."""
        ...
