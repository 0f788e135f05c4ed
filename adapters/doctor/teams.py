"""What Microsoft says to the bot's registration now, whether Teams finds the bot, and who is reached there."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterator, Mapping

from adapters.core import Core
from adapters.doctor.check import Finding, Level
from adapters.teams.graph import CATALOG, INSTALL, USERS, Graph
from adapters.teams.inbound import PATH
from adapters.teams.keys import look
from adapters.teams.registration import AppKind, Cloud, Registration
from adapters.teams.token import BotToken
from adapters.teams_side import registered
from bot import rules
from bot.errors import Gone, Unauthorized, Unavailable
from bot.installations import Offered
from bot.messages import MemberKind
from bot.ports import UnitOfWork

#: Tokens are good for so long before and after what they say.
_SKEW_SECONDS = 300
_NOT_HEARD = (
    f"nothing was heard from Teams yet; in Azure, on the bot's page: Configuration, Messaging endpoint: https://YOUR-HOST{PATH}, and "
    "Channels, Microsoft Teams; then upload the package of `surveybot manifest teams` in the Teams admin center, and add the app"
)
_TO_BE_ADDED = (
    "people are reached once they have the app: an app setup policy in the Teams admin center gives it to everybody, "
    "SURVEYBOT_TEAMS__INSTALL_FOR to those who wait for a message"
)
_GRANT = "Entra, App registrations, the bot, API permissions, Microsoft Graph, Application permissions, then Grant admin consent"
_UPLOAD = "upload the package of `surveybot manifest teams --installs-itself` in the Teams admin center"
_NO_APP = "AADSTS700016"
_ANEW = "make a new one in Entra, on the app's page, Certificates & secrets, and set SURVEYBOT_TEAMS__CLIENT_SECRET to its value"
#: What Entra's refusals mean (https://learn.microsoft.com/en-us/entra/identity-platform/reference-error-codes).
_CODES: Mapping[str, str] = {
    "AADSTS7000215": f"the secret is wrong, or is the secret's id; {_ANEW}",
    "AADSTS7000222": f"the secret has expired; {_ANEW}",
    _NO_APP: "compare SURVEYBOT_TEAMS__APP_ID and SURVEYBOT_TEAMS__TENANT_ID with the app's overview in Entra",
}
#: By what `Members.counts` calls them.
_WHY_NOT: Mapping[str, str] = {
    MemberKind.GUEST: "guests (SURVEYBOT_TEAMS__ALLOW_GUESTS lets them in)",
    MemberKind.STRANGER: "of another organisation",
    MemberKind.DEACTIVATED: "deactivated",
    "no e-mail": "whose account shows no e-mail address",
}


def questions(core: Core, cloud: Cloud) -> Iterator[tuple[str, Awaitable[Finding]]]:
    registration = registered(core.settings.teams, cloud)
    yield "Teams", _token(registration)
    yield "Teams, keys and clock", _keys(core, cloud)
    yield "Teams, endpoint", _endpoint(core)
    if core.settings.teams.install_domains:
        yield "Teams, giving the app", _gifts(core, registration)
    yield "people in Teams", _people(core)


async def _token(registration: Registration) -> Finding:
    try:
        await BotToken(registration).get()
    except Unavailable as error:
        return Level.FAIL, f"{error}; {_unreached(registration)}"
    except Unauthorized as error:
        return Level.FAIL, f"{error}; {_unknown(registration, error)}"
    return Level.OK, f"Microsoft gives the bot its token ({registration.kind}, tenant {registration.tenant_id})"


def _unreached(registration: Registration) -> str:
    if registration.kind is AppKind.MANAGED_IDENTITY:
        return "does the bot run on the Azure resource that the managed identity is assigned to?"
    return f"does this machine reach {registration.cloud.login_url}?"


def _unknown(registration: Registration, error: Unauthorized) -> str:
    if registration.kind is AppKind.MANAGED_IDENTITY:
        return "SURVEYBOT_TEAMS__APP_ID must be the client id of a managed identity that is assigned to this Azure resource"
    return next((fix for code, fix in _CODES.items() if code in str(error).split()), _CODES[_NO_APP])


async def _keys(core: Core, cloud: Cloud) -> Finding:
    """Without the keys nobody in Teams is believed, and with a wrong clock no token is."""
    try:
        keys, at = await asyncio.to_thread(look, cloud.openid_url)
    except Unavailable as error:
        return Level.FAIL, f"{error}; does this machine reach {cloud.openid_url}?"
    seconds = 0.0 if at is None else (core.clock() - at).total_seconds()
    if abs(seconds) > _SKEW_SECONDS:
        way = "ahead of" if seconds > 0 else "behind"
        return Level.FAIL, f"this machine is {abs(seconds):.0f} s {way} Microsoft: no token is believed; let NTP set its clock"
    return Level.OK, f"{keys} signing keys, and the clocks agree"


async def _endpoint(core: Core) -> Finding:
    """Whether Teams finds the bot is told by what has arrived."""
    chats = await core.store.read(lambda uow: uow.addresses.counts())
    is_heard = chats["open"] + chats["closed"] > 0
    return (Level.OK, f"Teams was heard from at {PATH}") if is_heard else (Level.WARN, _NOT_HEARD)


async def _gifts(core: Core, registration: Registration) -> Finding:
    graph, by_id = Graph(registration), core.settings.teams.catalog_id is not None
    try:
        granted = await graph.permissions()
        if INSTALL.name not in granted:
            return Level.FAIL, f"Microsoft Graph was not granted {INSTALL.name}: {_GRANT}"
        if not by_id and CATALOG.name not in granted:
            other = "or set SURVEYBOT_TEAMS__CATALOG_ID to the app's id, which the Teams admin center shows"
            return Level.FAIL, f"Microsoft Graph was not granted {CATALOG.name}: {_GRANT}; {other}"
        if not by_id:
            await graph.app()
    except Gone as error:
        return Level.FAIL, f"{error}; {_UPLOAD}"
    finally:
        await graph.aclose()
    counts = await core.store.read(lambda uow: uow.app_offers.counts())
    text = ", ".join(f"{number} {outcome}" for outcome, number in sorted(counts.items())) or "nobody was given it yet"
    if list(counts) == [Offered.REFUSED]:
        return Level.WARN, f"{text}: Graph refuses everybody, as it does for an app that does not name its registration; {_UPLOAD}"
    return Level.OK, text if USERS.name in granted else f"{text}; optional, {USERS.name}: {USERS.reason}"


async def _people(core: Core) -> Finding:
    def numbers(uow: UnitOfWork) -> tuple[Mapping[str, int], Mapping[str, int]]:
        return uow.members.counts(within=core.settings.teams.tenant_id), uow.addresses.counts()

    counts, chats = await core.store.read(numbers)
    kinds = rules.reachable_kinds(allow_guests=core.settings.teams.allow_guests)
    known = sum(counts.get(kind, 0) for kind in kinds) - counts.get("no e-mail", 0)
    said = [f"{known} are known", f"{chats['open']} have the app", f"{chats['closed']} have removed or blocked it"]
    said += [f"{chats['never added']} could not be told because they never added it"] if chats["never added"] else []
    said += [f"{counts[name]} {why}" for name, why in _WHY_NOT.items() if counts.get(name) and name not in kinds]
    if not chats["open"]:
        return Level.WARN, f"{', '.join(said)}; {_TO_BE_ADDED}"
    return Level.OK, ", ".join(said)
