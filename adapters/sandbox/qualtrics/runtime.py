"""A survey as its respondent sees it: one small page that starts on opening and finishes with its button."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from html import escape

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from adapters.sandbox.qualtrics.links import parse_key
from adapters.sandbox.qualtrics.records import Distribution, Recipient, Survey
from adapters.sandbox.qualtrics.status import FINISHED
from adapters.sandbox.qualtrics.tenant import Tenant

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_STYLE = """:root{color-scheme:light dark}body{font:1.1rem/1.5 system-ui,sans-serif;max-width:40rem;margin:3rem auto;padding:0 1rem;
overflow-wrap:anywhere}button{font:inherit;padding:.6rem 1.4rem}"""


def survey_page(tenant: Tenant) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint of `/jfe/form/{survey}`: GET starts the survey for the link's owner, POST finishes it."""

    async def respond(request: Request) -> Response:
        tenant.settle()
        visit = _find(tenant, request.path_params["survey"], request.query_params.get("Q_DL"))
        if visit is None:
            return _html("Survey link not found", "<p>This link is not valid. Please check the address.</p>", status=404)
        refusal = _refusal(tenant, visit)
        if refusal:
            return _html(visit.survey.name, f"<p>{escape(refusal)}</p>")
        if request.method == "POST":
            visit.finish(tenant)
            return _html(
                visit.survey.name, "<p>We thank you for your time spent taking this survey.<br>Your response has been recorded.</p>"
            )
        visit.start(tenant)
        return _html(visit.survey.name, f'{visit.greeting()}<form method="post"><button type="submit">Submit</button></form>')

    return respond


def owners_page(tenant: Tenant) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint of `/responses/{survey}`: where a survey's owner would look after it."""

    async def respond(request: Request) -> Response:
        survey = tenant.surveys.get(request.path_params["survey"])
        if survey is None:
            return _html("Not found", "<p>There is no such survey.</p>", status=404)
        return _html(survey.name, "<p>In Qualtrics, its owner finds its distributions and responses here. The simulated one ends here.</p>")

    return respond


@dataclass(frozen=True, slots=True, kw_only=True)
class _Visit:
    """Somebody at a survey's door: with a personal link, or (`invited` is None) with the anonymous one."""

    survey: Survey
    invited: tuple[Distribution, Recipient] | None

    def start(self, tenant: Tenant) -> None:
        if self.invited:
            tenant.change(*self.invited, "SurveyStarted")

    def finish(self, tenant: Tenant) -> None:
        if self.invited:
            tenant.change(*self.invited, "SurveyFinished")
        else:
            tenant.answer_anonymously(self.survey.survey_id)

    def greeting(self) -> str:
        if self.invited is None:
            return "<p>Your answer is not connected with your name.</p>"
        return f"<p>You are answering as <bdi>{escape(self.invited[1].contact.first_name or 'an invited person')}</bdi>.</p>"


def _find(tenant: Tenant, survey_id: str, key: str | None) -> _Visit | None:
    survey = tenant.surveys.get(survey_id)
    if survey is None or key is None:
        return None if survey is None else _Visit(survey=survey, invited=None)
    distribution_id, lookup_id = parse_key(key) or ("", "")
    distribution = survey.distributions.get(distribution_id)
    rows = distribution.recipients if distribution and distribution.deleted_at is None else ()
    row = next((row for row in rows if row.contact.lookup_id == lookup_id), None)
    kept = distribution.recipients.get(row.contact.contact_id) if distribution and row else None
    return _Visit(survey=survey, invited=(distribution, kept)) if distribution and kept else None


def _refusal(tenant: Tenant, visit: _Visit) -> str | None:
    """Why no answer is taken; None when one is. An individual link works once."""
    now, survey = tenant.clock(), visit.survey
    if not survey.is_active or survey.deleted_at or (survey.ends_at and survey.ends_at <= now):
        return "This survey is closed. Thank you for your interest, but it is not currently active."
    if visit.invited is None:
        return None
    distribution, row = visit.invited
    if row.status in FINISHED:
        return "You have already completed this survey. Thank you."
    if row.status == "SessionExpired" or (distribution.expires_at and distribution.expires_at <= now):
        return "This survey has expired: the link is no longer valid."
    return None


def _html(title: str, body: str, *, status: int = 200) -> Response:
    """A whole page; `title` is escaped here, `body` is markup already."""
    name = escape(title.strip()) or "Untitled survey"
    page = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta name="robots" content="noindex"><title>{name}</title><style>{_STYLE}</style></head>'
        f'<body><main><h1 dir="auto">{name}</h1>{body}</main></body></html>'
    )
    return HTMLResponse(page, status, _HEADERS)
