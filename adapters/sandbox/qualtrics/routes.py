"""What each path of the simulated API v3 answers with, page by page, and how it refuses (reference qualtrics.md 1 to 6)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from itertools import islice
from typing import TypeVar
from uuid import uuid4

from starlette.requests import Request

from adapters.sandbox.qualtrics import bodies as wire
from adapters.sandbox.qualtrics.bodies import Json
from adapters.sandbox.qualtrics.records import Directory, Distribution, Rows, Survey
from adapters.sandbox.qualtrics.tenant import Tenant

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    tenant: Tenant
    request: Request
    page_size: int

    def part(self, name: str) -> str:
        """A part of the path, as its template names it."""
        return self.request.path_params[name]

    def number(self, name: str, otherwise: int) -> int:
        """A number of the query. Raises Refusal when it is none."""
        text = self.request.query_params.get(name, str(otherwise))
        if not text.isdecimal():
            raise Refusal(400, f"Invalid value for the parameter {name}.")
        return int(text)


#: Makes the `result` of an answer's envelope, or raises Refusal.
Answer = Callable[[Call], Json]


class Refusal(Exception):
    """An error answer. `code` None: the body has no `errorCode`; `request_id` None: it has no `requestId` ("" is recorded too)."""

    def __init__(self, status: int, message: str, code: str | None = None, *, request_id: str | None = None) -> None:
        super().__init__(message)
        self.status, self.message, self.code, self.request_id = status, message, code, request_id


def status_text(status: int) -> str:
    return f"{status} - {HTTPStatus(status).phrase}"


def new_request_id() -> str:
    return str(uuid4())


def no_such_route(_call: Call) -> Json:
    """Raises Refusal, always: recorded without `errorCode`."""
    raise Refusal(404, "The requested resource does not exist.")


def _whoami(call: Call) -> Json:
    """The token is the brand admin's."""
    admin = next(user for user in call.tenant.users if user.user_type == "UT_BRANDADMIN")
    return wire.whoami(call.tenant, admin)


def _users(call: Call) -> Json:
    return _page(call, call.tenant.users, wire.user_row)


def _user(call: Call) -> Json:
    found = call.tenant.users.get(call.part("id"))
    return no_such_route(call) if found is None else wire.user(call.tenant, found)


def _surveys(call: Call) -> Json:
    return _page(call, call.tenant.surveys, wire.survey_row, where=lambda survey: survey.deleted_at is None)


def _survey(call: Call) -> Json:
    found = call.tenant.surveys.get(call.part("id"))
    if found is None or found.deleted_at:
        raise Refusal(404, "Survey not found.", "GSI_2")
    return wire.survey(call.tenant, found)


def _definition(call: Call) -> Json:
    return wire.definition(call.tenant, _defined(call))


def _options(call: Call) -> Json:
    return wire.options(_defined(call))


def _metadata(call: Call) -> Json:
    return wire.metadata(call.tenant, _defined(call, or_deleted=True))


def _defined(call: Call, *, or_deleted: bool = False) -> Survey:
    """A survey whose definition may be read; an unknown one is recorded as forbidden, not as missing. Raises Refusal."""
    found = call.tenant.surveys.get(call.part("id"))
    if found is None or not found.is_readable or (found.deleted_at and not or_deleted):
        raise Refusal(403, "The operation is forbidden.", "QMST_2.1", request_id=new_request_id())
    return found


def _distributions(call: Call) -> Json:
    """An unknown survey has an empty list; the answer to a missing `surveyId` is not recorded."""
    survey_id, wanted = _survey_id(call), call.request.query_params.get("distributionRequestType")
    survey = call.tenant.surveys.get(survey_id)
    rows = survey.distributions if survey else Rows[Distribution]()
    write = partial(wire.distribution_row, call.tenant)
    return _page(call, rows, write, by=lambda sent: sent.distribution_id, where=lambda sent: wanted in {None, sent.request_type})


def _distribution(call: Call) -> Json:
    return wire.distribution(call.tenant, _sent(call, _survey_id(call)))


def _history(call: Call) -> Json:
    sent = _sent(call)
    if sent.request_type == "TestEmail":
        message = (
            f"The email-distribution({sent.distribution_id}) has no recipients and no parent. This distribution type may be unsupported."
        )
        raise Refusal(400, message, "CP_TD_GER_NP", request_id=new_request_id())
    return _page(call, sent.recipients, partial(wire.history_row, call.tenant, sent), by=lambda row: row.contact.contact_id)


def _links(call: Call) -> Json:
    sent = _sent(call, _survey_id(call))
    return _page(call, sent.recipients, partial(wire.link_row, call.tenant, sent), by=lambda row: row.contact.contact_id)


def _survey_id(call: Call) -> str:
    survey_id = call.request.query_params.get("surveyId")
    if not survey_id:
        raise Refusal(400, "Missing required parameter: surveyId", request_id=new_request_id())
    return survey_id


def _sent(call: Call, survey_id: str | None = None) -> Distribution:
    """The distribution of the path, if it belongs to that survey. Raises Refusal: `GED_3`, recorded for `/links`."""
    try:
        found = call.tenant.distribution(call.part("id"))
    except LookupError:
        found = None
    if found is None or survey_id not in {None, found.survey_id}:
        raise Refusal(404, "Distribution not found.", "GED_3", request_id=new_request_id())
    return found


def _directories(call: Call) -> Json:
    return _page(call, call.tenant.directories, wire.directory, by=lambda found: found.directory_id)


def _contacts(call: Call) -> Json:
    return _page(call, _directory(call).contacts, wire.contact_row, by=lambda found: found.contact_id)


def _contact(call: Call) -> Json:
    found = _directory(call).contacts.get(call.part("contact"))
    return no_such_route(call) if found is None else wire.contact(found)


def _mailing_lists(call: Call) -> Json:
    return _page(call, _directory(call).lists, wire.mailing_list, by=lambda found: found.mailing_list_id)


def _listed_contacts(call: Call) -> Json:
    found = _directory(call).lists.get(call.part("list"))
    return no_such_route(call) if found is None else _page(call, found.contacts, wire.listed_contact, by=lambda contact: contact.contact_id)


def _directory(call: Call) -> Directory:
    """Raises Refusal; what Qualtrics says of an unknown directory is not recorded."""
    found = call.tenant.directories.get(call.part("id"))
    if found is None:
        raise Refusal(404, "The requested resource does not exist.")
    return found


#: Path templates below `/API/v3`, which are also the names in `Tenant.calls`.
ROUTES: dict[str, Answer] = {
    "/whoami": _whoami,
    "/users": _users,
    "/users/{id}": _user,
    "/surveys": _surveys,
    "/surveys/{id}": _survey,
    "/survey-definitions/{id}": _definition,
    "/survey-definitions/{id}/metadata": _metadata,
    "/survey-definitions/{id}/options": _options,
    "/distributions": _distributions,
    "/distributions/{id}": _distribution,
    "/distributions/{id}/history": _history,
    "/distributions/{id}/links": _links,
    "/directories": _directories,
    "/directories/{id}/contacts": _contacts,
    "/directories/{id}/contacts/{contact}": _contact,
    "/directories/{id}/mailinglists": _mailing_lists,
    "/directories/{id}/mailinglists/{list}/contacts": _listed_contacts,
}


def _page(
    call: Call,
    rows: Rows[T],
    write: Callable[[T], Json],
    *,
    by: Callable[[T], str] | None = None,
    where: Callable[[T], bool] = lambda _: True,
) -> Json:
    """One page and the absolute URL of the next: by `skipToken`, the id of the page's last element, or without `by` by `offset`.

    `where` thins a page out; the next one begins where it would have begun anyway.
    """
    start = call.number("offset", 0) if by is None else _after(call, rows)
    listed = list(islice(rows.since(start), max(1, min(call.number("pageSize", call.page_size), call.page_size))))
    end, url = start + len(listed), call.request.url
    if end >= len(rows):
        next_page = None
    else:
        next_page = str(url.include_query_params(offset=end) if by is None else url.include_query_params(skipToken=by(listed[-1])))
    return {"elements": [write(row) for row in listed if where(row)], "nextPage": next_page}


def _after(call: Call, rows: Rows[T]) -> int:
    token = call.request.query_params.get("skipToken")
    position = -1 if token is None else rows.position(token)
    if position is None:
        raise Refusal(400, "Invalid value for the parameter skipToken.")
    return position + 1
