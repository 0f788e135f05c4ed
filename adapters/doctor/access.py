"""Why Qualtrics does not answer an integration as it should, and what to do: each way of failing has its own sentence.

What a call failed with is told by its error and by the status of the last answer (reference qualtrics.md 1, table of errors, and 8).
"""

from __future__ import annotations

from http import HTTPStatus

from adapters.doctor.subject import Subject
from adapters.qualtrics.credentials import ClientCredentials
from adapters.qualtrics.datacentres import home, missing_scopes
from adapters.qualtrics.errors import ClientRefused, Closed, ScopesRefused
from bot.errors import Forbidden, Malformed, SurveybotError, Throttled, Unauthorized, Unavailable


async def explained(subject: Subject, error: SurveybotError) -> str:
    """Say what is wrong, and the fix. For refused OAuth credentials it asks around, which takes some seconds."""
    status = subject.lines[-1].status if subject.lines else None
    match error:
        case Forbidden():
            return "the account may not use the API; a brand administrator allows it: Admin, Users, the account, Enable API access"
        case Unauthorized() if isinstance(subject.credentials, ClientCredentials):
            return await _oauth(subject, subject.credentials, error)
        case Unauthorized():
            return _token(subject, status)
        case _:
            return _trouble(subject, error, status)


def _trouble(subject: Subject, error: SurveybotError, status: int | None) -> str:
    match error:
        case Throttled():
            lower = f"set a lower limit, if it comes again: {set_to(subject, '--requests-per-minute N')}"
            if isinstance(error, Closed):
                return f"nothing was asked: {error}; then try again, and {lower}"
            wait = "a minute" if error.retry_after is None else f"{error.retry_after:.0f} s"
            return f"Qualtrics refuses calls because of its limits (429); wait {wait}, and {lower}"
        case Unavailable() if status is None:
            limits = f"{subject.integration.connect_timeout_seconds:g} and {subject.integration.timeout_seconds:g} s"
            return f"{error}; does this machine reach {subject.host} (DNS, firewall, proxy) within the time-outs of {limits}?"
        case Unavailable():
            return f"Qualtrics itself is in trouble ({status}); nothing is to be done here, https://status.qualtrics.com tells more"
        case Malformed():
            return f"{error}: what answers at {subject.host} is not Qualtrics' API; is a proxy in between, and the base URL right?"
        case _:
            right = set_to(subject, "--base-url https://DATACENTRE.qualtrics.com/API/v3/")
            return f"{error}: the base URL does not lead to Qualtrics' API; {right}"


def set_to(subject: Subject, switch: str) -> str:
    """The command that changes a setting of the integration."""
    return f"`surveybot integration set {subject.name} {switch}`"


def _token(subject: Subject, status: int | None) -> str:
    anew = f"copy it from Qualtrics, Account Settings, Qualtrics IDs, API, then `surveybot integration secret {subject.name}`"
    if status == HTTPStatus.BAD_REQUEST:
        return f"Qualtrics got no credentials (400 ATP_2): a proxy before {subject.host} removes the header X-API-TOKEN; let it pass"
    if subject.integration.brand_id is None:
        return f"Qualtrics does not know the API token (401 DCD_7); {anew}"
    return (
        "Qualtrics does not know the API token any more (401 DCD_7): a newer one was made, which ends the older, or the account is "
        f"disabled; let the account be enabled, or make a token: {anew}"
    )


async def _oauth(subject: Subject, client: ClientCredentials, error: Unauthorized) -> str:
    if isinstance(error, ScopesRefused):
        missing = ", ".join(await missing_scopes(subject.integration.base_url, client)) or "all its scopes at once"
        return f"the OAuth client may not have {missing}; allow that in Qualtrics, OAuth Client Manager"
    root = await home(client, subject.roots)
    if root is not None and root != subject.integration.base_url:
        return f"wrong data centre: the OAuth client does not belong to {subject.host}; {set_to(subject, f'--base-url {root}')}"
    if isinstance(error, ClientRefused):
        return (
            "Qualtrics refuses the OAuth client: its id or secret is wrong, or it was revoked; look under Account Settings, Qualtrics IDs, "
            f"OAuth Client Manager, then `surveybot integration secret {subject.name} --client-id ID`"
        )
    return "Qualtrics gives the OAuth client a token and does not accept it: is the account that the client belongs to enabled?"
