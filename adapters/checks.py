"""`surveybot check`: can this installation do its work, and what did it fail to do? One result a question."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from adapters.app import Core, open_core, open_slack
from adapters.settings import Settings
from adapters.slack.directory import workspace_of
from adapters.slack.scopes import missing_scopes
from bot.errors import SurveybotError, Throttled, Unauthorized, Unavailable, UserError
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
        return Check(name, ok=False, text=f"{error}{_advice(name, error)}")


def _advice(name: str, error: SurveybotError) -> str:
    return next((f"; {advice}" for asked, kind, advice in _ADVICE if asked == name and isinstance(error, kind)), "")


#: What to do about a kind of error: the first that fits. A `UserError` says so itself.
_ADVICE: Sequence[tuple[str, type[SurveybotError], str]] = (
    ("database", Unavailable, "is it running, and is SURVEYBOT_DATABASE_URL right?"),
    ("Qualtrics", Unauthorized, "SURVEYBOT_QUALTRICS__API_TOKEN must be of an account that may use the API"),
    ("Qualtrics", Throttled, "wait a minute"),
    ("Qualtrics", Unavailable, "does this machine reach SURVEYBOT_QUALTRICS__BASE_URL, and is that your data centre?"),
    ("Qualtrics", SurveybotError, "SURVEYBOT_QUALTRICS__BASE_URL does not lead to Qualtrics' API"),
    ("Slack", Unauthorized, "copy SURVEYBOT_SLACK__BOT_TOKEN anew from the Slack app page, OAuth & Permissions"),
    ("Slack", Throttled, "wait a minute"),
    ("Slack", Unavailable, "does this machine reach SURVEYBOT_SLACK__API_URL?"),
)


async def _database(settings: Settings) -> str:
    if not await asyncio.to_thread(migrations.is_current, settings.database_url.get_secret_value()):
        raise UserError("the schema is not this version's; run `surveybot db upgrade`")
    return "reachable, schema is current"


async def _qualtrics(core: Core) -> str:
    account = await core.source.account()
    text = f"brand {account.brand_id}, account {account.user_id}, data centre {account.datacenter or 'not told'}"
    if core.source.better_host:
        text += f"; faster with SURVEYBOT_QUALTRICS__BASE_URL=https://{core.source.better_host}/API/v3/"
    return text


async def _slack(core: Core) -> str:
    async with open_slack(core.settings) as client:
        workspace, missing = await workspace_of(client), await missing_scopes(client)
    if missing:
        raise UserError(f"the app lacks {', '.join(missing)}; add that under OAuth & Permissions, then install the app again")
    return f"workspace {workspace}"


async def _runs(core: Core) -> str:
    runs = await core.store.read(lambda uow: uow.runs.latest(core.settings.qualtrics.integration_id))
    if failed := [run for run in runs if run.outcome == "failed"]:
        raise UserError("; ".join(f"the last {run.kind} run failed: {run.error}" for run in failed))
    told = (f"{run.kind} of {run.started_at:%Y-%m-%d %H:%M} UTC: {run.outcome or 'running, or cut off'}" for run in runs)
    return "; ".join(told) or "never ran; `surveybot sync` runs it now"


async def _people(core: Core) -> str:
    counts = await core.store.read(lambda uow: uow.members.counts())
    return ", ".join(f"{number} {kind}" for kind, number in sorted(counts.items()) if number) or "directory not read yet"


async def _messages(core: Core) -> str:
    """What became of them. Those that failed are told, but are no fault of today: nothing would ever make this check succeed again."""
    counts = await core.store.read(lambda uow: uow.outbox.counts())
    reasons = await core.store.read(lambda uow: uow.outbox.reasons())
    text = ", ".join(f"{number} {state}" for state, number in sorted(counts.items())) or "none yet"
    return text + "".join(f"\n        {number} x {reason}" for reason, number in sorted(reasons.items()))
