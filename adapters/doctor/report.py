"""Everything the doctor looks at, in order; no failure hides another one."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Awaitable, Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from adapters import integrations
from adapters.backlog import told, waiting
from adapters.connections import credentials
from adapters.core import Clock, Core, open_core, utc_now
from adapters.doctor import buttons, jobs, sight, slack, teams
from adapters.doctor.check import Check, Finding, Level
from adapters.doctor.people import people
from adapters.doctor.subject import Subject
from adapters.qualtrics.credentials import PUSH_SCOPE
from adapters.qualtrics.datacentres import roots
from adapters.settings import Settings
from adapters.teams.registration import PUBLIC, Cloud
from bot.errors import Malformed, SurveybotError, Unavailable
from bot.model import Integration
from bot.ports import UnitOfWork
from bot.ports.records import RequestLine
from bot.syncing.status import status
from store import migrations, rotation

_SKEW_SECONDS = 60
_DAY = timedelta(hours=24)
#: A message that is due is sent within seconds, unless nobody sends.
_LAG = timedelta(minutes=15)


async def report(settings: Settings, clock: Clock = utc_now, *, cloud: Cloud = PUBLIC) -> Sequence[Check]:
    """Ask everything; without a usable database nothing else can be asked. `cloud` as `adapters.app.open_bot` has it."""
    database = await _examined("database", _database(settings))
    if database.level is Level.FAIL:
        return [database]
    async with open_core(settings, clock) as core:
        return [database, *await _of_core(core, cloud)]


async def _of_core(core: Core, cloud: Cloud) -> Sequence[Check]:
    checks = [await _examined("database clock", _database_clock(core)), await _examined("encryption keys", _keys(core.settings))]
    if core.settings.integrations_file is not None:
        checks.append(await _examined("integrations file", _file(core.settings.integrations_file)))
    known = await core.store.read(lambda uow: uow.integrations.all())
    if not known:
        checks.append(Check("integrations", Level.FAIL, "there is none; `surveybot integration add` adds one"))
    for integration in known:
        checks += [*await _live(core, integration), buttons.seen(core.settings.links.templates(), integration)]
    checks += await core.store.read(lambda uow: _remembered(uow, core.clock(), core.jobs.retry))
    checks += await _of_chats(core, cloud)
    return [*checks, await _examined("messages", _messages(core)), await _examined("channel posts", _posts(core))]


async def _of_chats(core: Core, cloud: Cloud) -> Sequence[Check]:
    """Of those that the settings name: nobody is told of another."""
    checks = [check async for check in slack.seen(core)]
    if core.settings.slack.is_set:
        checks.append(await _examined("people in Slack", people(core)))
    if core.settings.teams.is_set:
        checks += [await _examined(name, asking) for name, asking in teams.questions(core, cloud)]
    return checks


async def _examined(name: str, asking: Awaitable[Finding]) -> Check:
    try:
        return Check(name, *await asking)
    except SurveybotError as error:
        return Check(name, Level.FAIL, str(error))


async def _database(settings: Settings) -> Finding:
    try:
        is_current = await asyncio.to_thread(migrations.is_current, settings.database_url.get_secret_value())
    except Unavailable as error:
        return Level.FAIL, f"{error}; is it running, and is SURVEYBOT_DATABASE_URL right?"
    if not is_current:
        return Level.FAIL, "the schema is not this version's; run `surveybot db upgrade`"
    return Level.OK, "reachable, schema is current"


async def _database_clock(core: Core) -> Finding:
    """Leases and shared limits go by the database's clock, deadlines by this machine's."""
    theirs = await core.store.read(lambda uow: uow.figures.clock())
    seconds = (core.clock() - theirs).total_seconds()
    if abs(seconds) <= _SKEW_SECONDS:
        return Level.OK, "as this machine's"
    return Level.WARN, f"it and this machine's clock are {abs(seconds):.0f} s apart; let NTP set both"


async def _keys(settings: Settings) -> Finding:
    counts = await asyncio.to_thread(rotation.count, settings.database_url.get_secret_value())
    first, *others = settings.keyring.key_ids
    if lost := {key_id: number for key_id, number in counts.items() if key_id not in {first, *others}}:
        return Level.FAIL, f"{_told(lost)}, which SURVEYBOT_ENCRYPTION_KEYS lacks; put it back there, behind the others"
    if old := {key_id: number for key_id, number in counts.items() if key_id != first}:
        return Level.OK, f"{_told(old)}; `surveybot keys rotate` lets it go"
    return Level.OK, f"everything that is stored is encrypted with {first}"


def _told(counts: Mapping[str, int]) -> str:
    return "; ".join(f"{number} rows are encrypted with the key {key_id}" for key_id, number in sorted(counts.items()))


async def _file(path: Path) -> Finding:
    """It is applied when the bot starts; what is wrong with it would prevent that."""
    return Level.OK, f"{len(integrations.read(path))} integrations, as `surveybot serve` would store them"


async def _live(core: Core, integration: Integration) -> Sequence[Check]:
    """What Qualtrics says to its credentials now."""
    name = integration.integration_id
    try:
        secret, push_keys = await core.store.read(lambda uow: (uow.integrations.secret(name), uow.integrations.push_keys(name)))
    except Malformed as error:
        fix = (
            f"put the key it was made with into SURVEYBOT_ENCRYPTION_KEYS, behind the others, or run `surveybot integration secret {name}`"
        )
        return [Check(f"{name}, secret", Level.FAIL, f"the stored one does not open ({error}); {fix}")]
    if secret is None:
        return [Check(f"{name}, secret", Level.FAIL, f"none is stored; `surveybot integration secret {name}` stores one")]
    lines: list[RequestLine] = []
    async with AsyncExitStack() as stack:
        opened = partial(core.connections.unstored, integration, secret, attempts=1, on_request=lines.append)
        subject = Subject(
            integration=integration,
            credentials=credentials(integration, secret),
            client=await stack.enter_async_context(opened()),
            lines=lines,
            clock=core.clock,
            roots=roots(integration.base_url),
            push=await stack.enter_async_context(opened(PUSH_SCOPE)) if push_keys else None,
        )
        return await sight.seen(subject)


def _remembered(uow: UnitOfWork, now: datetime, retry: timedelta) -> Sequence[Check]:
    statuses: defaultdict[str, dict[int | None, int]] = defaultdict(dict)
    for (integration_id, http_status), number in uow.requests.statuses(now - _DAY).items():
        statuses[integration_id][http_status] = number
    return [check for it in status(uow, now, retry=retry) for check in jobs.remembered(it, statuses[it.integration.integration_id], now)]


async def _posts(core: Core) -> Finding:
    """What became of what was to be told to channels and owners; skipped is what nobody asked for, or what was no longer so."""
    counts: Counter[str] = Counter()
    for (_, state), number in (await core.store.read(lambda uow: uow.posts.counts())).items():
        counts[state] += number
    return Level.OK, ", ".join(f"{number} {state}" for state, number in sorted(counts.items())) or "none yet"


async def _messages(core: Core) -> Finding:
    """What became of them. Those that failed are told, but are no fault of today: nothing would ever make this check succeed again."""
    counts, reasons, oldest_due = await core.store.read(lambda uow: (uow.outbox.counts(), uow.outbox.reasons(), uow.outbox.oldest_due()))
    text = ", ".join(f"{number} {state}" for state, number in sorted(counts.items())) or "none yet"
    backlog = await waiting(core)
    text += f". {told(backlog)}" if backlog else ""
    text += "".join(f"\n        {number} x {reason}" for reason, number in sorted(reasons.items()))
    lag = core.clock() - oldest_due if oldest_due else timedelta()
    if lag > _LAG + max((it.takes for it in backlog), default=timedelta()):
        minutes = lag // timedelta(minutes=1)
        return Level.FAIL, f"the oldest waits for {minutes} minutes; is `surveybot serve` running, and does it reach the chat? {text}"
    return Level.OK, text
