"""Who is known in Slack, and why some of them cannot be written to."""

from __future__ import annotations

from collections.abc import Mapping

from adapters.core import Core
from adapters.doctor.check import Finding, Level
from bot import rules
from bot.messages import MemberKind

_NONE_YET = "the directory was not read yet, so nobody can be written to; `surveybot serve` reads it"
_NO_ADDRESSES = (
    "Slack tells nobody's e-mail address, so nobody can be matched with the surveys sent to them; "
    "the app lacks users:read.email: add that under OAuth & Permissions, then install the app again"
)
#: By what `Members.counts` calls them.
_WHY_NOT = {
    MemberKind.DEACTIVATED: "deactivated",
    MemberKind.GUEST: "guests (SURVEYBOT_SLACK__ALLOW_GUESTS lets them in)",
    MemberKind.STRANGER: "of another organisation",
    MemberKind.BOT: "bots",
    "no e-mail": "whose profile shows no e-mail address",
    "unconfirmed e-mail": "who have not confirmed their e-mail address",
}


async def people(core: Core) -> Finding:
    counts = await core.store.read(lambda uow: uow.members.counts(outside=core.settings.teams.tenant_id))
    if not any(counts.values()):
        return Level.WARN, _NONE_YET
    members = counts.get(MemberKind.MEMBER, 0)
    if members and members == counts.get("no e-mail", 0):
        return Level.FAIL, _NO_ADDRESSES
    return Level.OK, _summary(counts, allow_guests=core.settings.slack.allow_guests)


def _summary(counts: Mapping[str, int], *, allow_guests: bool) -> str:
    kinds = rules.reachable_kinds(allow_guests=allow_guests)
    unmatched = counts.get("no e-mail", 0) + counts.get("unconfirmed e-mail", 0)
    reached = sum(counts.get(kind, 0) for kind in kinds) - unmatched
    others = [f"{counts[name]} {why}" for name, why in _WHY_NOT.items() if counts.get(name) and name not in kinds]
    return f"{reached} can be written to" + (f"; not: {', '.join(others)}" if others else "")
