"""What an integration's account can really see in Qualtrics, tried out: each permission with the features that need it (FEATURES A7)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from adapters import qualtrics_events
from adapters.doctor.access import explained, set_to
from adapters.doctor.check import Check, Finding, Level
from adapters.doctor.subject import Subject
from adapters.event_subscriptions import TOPICS
from adapters.qualtrics.credentials import PUSH_SCOPE
from adapters.qualtrics.subscriptions import Subscription
from bot.errors import Forbidden, Gone, SurveybotError, Unauthorized
from bot.model import Anonymity, Distribution, Survey
from bot.ports.records import Account, Batch

T = TypeVar("T")

#: For one examination.
PATIENCE_SECONDS = 30.0
#: Of a long list, so much is looked at.
_PAGES = 3
#: So many surveys are searched for a distribution to try.
_SAMPLES = 5
_SKEW_SECONDS = 60
#: Of a wait for one answer, in milliseconds.
SLOW_MS = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What a part of Qualtrics is read for, and what to do where it is forbidden."""

    #: What does not work without.
    without: str
    fix: str
    #: Nobody can be told of a survey without it.
    is_vital: bool = False


_COLLABORATE = "share the surveys with the account (Collaborate, with Distribute), or use a brand administrator's"
_DIRECTORY = "let a brand administrator allow the account to see the XM Directory and its contacts"
_ADMIN = "use a brand administrator's account, if this is wanted"

#: By the name of the examination, in the order in which they are made.
NEEDS = {
    "surveys": Need(without="no survey is known", fix=_COLLABORATE, is_vital=True),
    "survey options": Need(
        without="ends of surveys and the address of the brand stay unknown, and people read the most cautious sentence on privacy",
        fix="share the survey with the account (Collaborate, with Edit), or leave it so",
    ),
    "distributions": Need(without="no mailing of a survey is known", fix=_COLLABORATE, is_vital=True),
    "history": Need(without="whom a survey was mailed to, and who answered, stays unknown", fix=_COLLABORATE, is_vital=True),
    "links": Need(without="addresses and personal links of invited people stay unknown", fix=_COLLABORATE, is_vital=True),
    "directories": Need(without="addresses that links do not tell stay unknown", fix=_DIRECTORY),
    "contacts": Need(without="addresses that links do not tell stay unknown", fix=_DIRECTORY),
    "users": Need(without="nobody is known as an administrator, so the page `/surveys status` is shown to nobody", fix=_ADMIN),
    "push": Need(without="event subscriptions cannot be seen or changed", fix=_ADMIN),
}


async def seen(subject: Subject, *, patience_seconds: float = PATIENCE_SECONDS, slow_ms: int = SLOW_MS) -> list[Check]:
    """Examine the access, and then everything it opens. Some 20 calls."""
    sight = _Sight(subject, patience_seconds)
    access = await sight.examined("access", sight.access)
    if sight.account is None:
        return [access]
    examinations: dict[str, Callable[[], Awaitable[Finding]]] = {
        "surveys": sight.surveys,
        "survey options": sight.options,
        "distributions": sight.distributions,
        "history": sight.history,
        "links": sight.links,
        "directories": sight.directories,
        "contacts": sight.contacts,
        "users": sight.users,
        "push": sight.push,
    }
    found = [access, *[await sight.examined(name, examine) for name, examine in examinations.items()]]
    return [*found, *sight.afterwards(slow_ms)]


class _Sight:
    """One after the other: what one examination finds is the sample of the next."""

    def __init__(self, subject: Subject, patience_seconds: float) -> None:
        #: Who the credentials are; None while that is not known.
        self.account: Account | None = None
        self._subject = subject
        self._client = subject.client
        self._patience_seconds = patience_seconds
        self._samples: list[Survey] = []
        self._sent: Distribution | None = None
        self._contact_id: str | None = None
        self._directory_id: str | None = None

    async def examined(self, name: str, examine: Callable[[], Awaitable[Finding]]) -> Check:
        label = f"{self._subject.name}, {name}"
        try:
            async with asyncio.timeout(self._patience_seconds):
                return Check(label, *await examine())
        except Forbidden as error:
            if (need := NEEDS.get(name)) is None:
                return Check(label, Level.FAIL, await explained(self._subject, error))
            return Check(label, Level.FAIL if need.is_vital else Level.WARN, f"forbidden: {need.without}; {need.fix}")
        except TimeoutError:
            own = self._subject.integration.requests_per_minute
            limits = "the brand's limits" if own is None else f"the brand's limits, or its own of {own:g} a minute,"
            late = f"no answer within {self._patience_seconds:g} s: Qualtrics is slow, or {limits} are used up by other work"
            return Check(label, Level.WARN, f"{late}; try again later, `surveybot log` shows what was asked")
        except SurveybotError as error:
            return Check(label, Level.FAIL, await explained(self._subject, error))

    async def access(self) -> Finding:
        account = self.account = await self._client.account()
        text = f"brand {account.brand_id}, account {account.user_id}, data centre {account.datacenter or 'not told'}"
        if host := self._client.better_host:
            switch = set_to(self._subject, f"--base-url https://{host}/API/v3/")
            return Level.WARN, f"wrong data centre: every call to {self._subject.host} is passed on to {host}, which takes time; {switch}"
        return Level.OK, text

    async def surveys(self) -> Finding:
        found, has_more = await _some(self._client.surveys())
        if not found:
            return Level.WARN, f"none is visible; {_COLLABORATE}"
        self._samples = [survey for survey in found if survey.is_active][:_SAMPLES]
        own = sum(self.account is not None and survey.owner_id == self.account.user_id for survey in found)
        return Level.OK, f"{'the first ' if has_more else ''}{len(found)} of which {own} its own, {len(found) - own} of others"

    async def options(self) -> Finding:
        if not self._samples:
            return _untried("no active survey is visible")
        details = await self._client.survey_details(self._samples[0].survey_id)
        if details.anonymity is Anonymity.UNKNOWN:
            return Level.WARN, f"not readable: {NEEDS['survey options'].without}; {NEEDS['survey options'].fix}"
        return Level.OK, "readable"

    async def distributions(self) -> Finding:
        for survey in self._samples:
            for sent in (await _first(self._client.distributions(survey.survey_id))).items:
                if self._sent is None and sent.stats.sent and sent.request_type == "Invite":
                    self._sent = sent
        return (Level.OK, "readable") if self._samples else _untried("no active survey is visible")

    async def history(self) -> Finding:
        if self._sent is None:
            return _untried("no open survey was mailed to anybody")
        rows = (await _first(self._client.history(self._sent.distribution_id))).items
        return Level.OK, f"readable: {len(rows)} rows on the first page of {self._sent.distribution_id}"

    async def links(self) -> Finding:
        if self._sent is None:
            return _untried("no open survey was mailed to anybody")
        rows = (await _first(self._client.links(self._sent.distribution_id, self._sent.survey_id))).items
        self._contact_id = next((row.contact_id for row in rows), None)
        return Level.OK, f"readable: {sum(row.email is not None for row in rows)} of {len(rows)} with an address"

    async def directories(self) -> Finding:
        found = (await _first(self._client.directories())).items
        self._directory_id = next((one.directory_id for one in sorted(found, key=lambda one: not one.is_default)), None)
        return (Level.OK, f"{len(found)} visible") if found else (Level.WARN, f"none is visible; {_DIRECTORY}")

    async def contacts(self) -> Finding:
        if self._directory_id is None or self._contact_id is None:
            return _untried("there is no contact to look up")
        try:
            await self._client.contact(self._directory_id, self._contact_id)
        except Gone:
            return Level.OK, "readable: the one looked up is of another directory"
        return Level.OK, "readable"

    async def users(self) -> Finding:
        found, has_more = await _some(self._client.users())
        return Level.OK, f"{'the first ' if has_more else ''}{len(found)} accounts of the brand"

    async def push(self) -> Finding:
        """Without it everything is found by polling, later."""
        make = f"`surveybot push register --integration {self._subject.name} --url https://THIS-BOT`"
        if self._subject.push is None:
            return Level.OK, f"off: everything is found by polling; {make} shortens the delay to seconds"
        try:
            everything = [one async for page in self._subject.push.subscriptions() for one in page.items]
        except Unauthorized:  # of an OAuth client without this scope: it gets no token at all
            need = NEEDS["push"]
            return Level.WARN, f"forbidden: {need.without}; {need.fix}, and give an OAuth client the scope {PUSH_SCOPE}"
        return _subscribed([one for one in everything if one.url.endswith(qualtrics_events.path(self._subject.name))], make)

    def afterwards(self, slow_ms: int) -> list[Check]:
        """What all the answers together tell: clocks and speed."""
        return [
            Check(f"{self._subject.name}, {name}", *found) for name, found in (("clock", self._clock()), ("speed", self._speed(slow_ms)))
        ]

    def _clock(self) -> Finding:
        theirs = self._client.server_time
        if theirs is None:
            return _untried("Qualtrics does not tell its time")
        seconds = (self._subject.clock() - theirs).total_seconds()
        if abs(seconds) <= _SKEW_SECONDS:
            return Level.OK, "as Qualtrics'"
        way = "ahead of" if seconds > 0 else "behind"
        return Level.WARN, f"this machine is {abs(seconds):.0f} s {way} Qualtrics: reminders come at the wrong time; let NTP set its clock"

    def _speed(self, slow_ms: int) -> Finding:
        slowest = max(self._subject.lines, key=lambda line: line.duration_ms)
        told = (
            f"the slowest of {len(self._subject.lines)} answers took {slowest.duration_ms / 1000:.1f} s ({slowest.method} {slowest.path})"
        )
        if slowest.duration_ms <= slow_ms:
            return Level.OK, told
        slower = set_to(self._subject, "--timeout-seconds N")
        return (
            Level.WARN,
            f"{told}: a run takes long, and above {self._subject.integration.timeout_seconds:g} s fails; {slower} waits longer",
        )


def _subscribed(ours: Sequence[Subscription], make: str) -> Finding:
    told = "; ".join(f"{one.topics} to {one.url}, {one.successful_calls} deliveries" for one in ours)
    if not ours:
        return Level.FAIL, f"keys are stored, but Qualtrics has no subscription that leads here; {make}"
    if any(one.is_encrypted for one in ours):
        return Level.FAIL, f"encrypted, which cannot be read: {told}; remove that in Qualtrics, then {make}"
    if missing := [topic for topic in TOPICS if topic not in {one.topics for one in ours}]:
        return Level.WARN, f"nothing is told of {', '.join(missing)}; {make}"
    if not any(one.successful_calls for one in ours):
        return Level.WARN, f"nothing was delivered yet: {told}; is that URL reached from outside?"
    return Level.OK, told


def _untried(why: str) -> Finding:
    return Level.OK, f"not tried: {why}"


async def _first(batches: AsyncIterator[Batch[T]]) -> Batch[T]:
    async for batch in batches:
        return batch
    return Batch(())


async def _some(batches: AsyncIterator[Batch[T]]) -> tuple[list[T], bool]:
    """The first pages, and whether there are more."""
    found: list[T] = []
    pages = 0
    async for batch in batches:
        found += batch.items
        pages += 1
        if pages == _PAGES:
            return found, batch.next is not None
    return found, False
