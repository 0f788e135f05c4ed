"""`surveybot check`: can this installation do its work, and what did it fail to do? One result a question."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from adapters.app import Core, open_core, open_slack
from adapters.settings import Settings
from adapters.slack.directory import workspace_of
from bot.errors import SurveybotError
from bot.messages import DeliveryState
from store import migrations


@dataclass(frozen=True, slots=True)
class Check:
    name: str
    ok: bool
    text: str


async def run_checks(settings: Settings) -> Sequence[Check]:
    """Ask everything; without a usable database nothing else can be asked."""
    database = await _ask("database", lambda: _database(settings))
    if not database.ok:
        return [database]
    async with open_core(settings) as core:
        asks: Mapping[str, Callable[[Core], Awaitable[str]]] = {
            "Qualtrics": _qualtrics,
            "Slack": _slack,
            "synchronisation": _runs,
            "people in Slack": _people,
            "messages": _messages,
        }
        return [database, *[await _ask(name, lambda ask=ask: ask(core)) for name, ask in asks.items()]]


async def _ask(name: str, ask: Callable[[], Awaitable[str]]) -> Check:
    try:
        return Check(name, ok=True, text=await ask())
    except SurveybotError as error:
        return Check(name, ok=False, text=str(error))


async def _database(settings: Settings) -> str:
    if not await asyncio.to_thread(migrations.is_current, settings.database_url.get_secret_value()):
        raise SurveybotError("the schema is not this version's; run `surveybot db upgrade`")
    return "reachable, schema is current"


async def _qualtrics(core: Core) -> str:
    account = await core.source.account()
    return f"brand {account.brand_id}, account {account.user_id}, data centre {account.datacenter or 'not told'}"


async def _slack(core: Core) -> str:
    async with open_slack(core.settings) as client:
        return f"workspace {await workspace_of(client)}"


async def _runs(core: Core) -> str:
    runs = await core.store.read(lambda uow: uow.runs.latest(core.settings.qualtrics.integration_id))
    if not runs:
        return "never ran; `surveybot sync` runs it now"
    if failed := [run for run in runs if run.outcome == "failed"]:
        raise SurveybotError("; ".join(f"the last {run.kind} run failed: {run.error}" for run in failed))
    return "; ".join(f"{run.kind} of {run.started_at:%Y-%m-%d %H:%M} UTC: {run.outcome or 'running'}" for run in runs)


async def _people(core: Core) -> str:
    counts = await core.store.read(lambda uow: uow.members.counts())
    return ", ".join(f"{number} {kind}" for kind, number in sorted(counts.items())) or "directory not read yet"


async def _messages(core: Core) -> str:
    counts = await core.store.read(lambda uow: uow.outbox.counts())
    reasons = await core.store.read(lambda uow: uow.outbox.reasons())
    text = ", ".join(f"{number} {state}" for state, number in sorted(counts.items())) or "none yet"
    text += "".join(f"\n        {number} x {reason}" for reason, number in sorted(reasons.items()))
    if counts.get(DeliveryState.FAILED) or counts.get(DeliveryState.UNKNOWN):
        raise SurveybotError(text)
    return text
