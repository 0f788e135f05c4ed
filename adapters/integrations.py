"""Integrations as a person writes them: tables of a TOML file, whose keys are also the switches of `surveybot integration`.

[[integrations]]
name = "People team"
base_url = "https://fra1.qualtrics.com/API/v3/"
secret_env = "PEOPLE_TEAM_TOKEN"
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainValidator, ValidationError

from adapters.settings import https_url, sentence
from bot.errors import Malformed, UserError
from bot.model import SMALLEST_GROUP, Integration
from bot.ports import Store, UnitOfWork
from bot.schedule import Every, Schedule, Window

_SPANS = ("1 min", "2 min", "5 min", "15 min", "30 min", "hourly", "4 h", "8 h", "12 h", "daily")
_CHOICES = f"must be {', '.join(_SPANS)}, `weekly on monday` (or another day) or manual"
_ID = re.compile("[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_LEAST_SECRET = 8
_ROOT = re.compile(r"https?://(?i:[a-z0-9.-]+\.qualtrics\.com|localhost|127\.0\.0\.1|\[::1\])(?::[0-9]+)?/API/v3/")


def checked_secret(text: str) -> str:
    """Return it without the line break of its file. Raises ValueError with a sentence for what cannot stand in an HTTP header."""
    text = text.strip()
    if len(text) < _LEAST_SECRET or not re.fullmatch("[!-~]+", text):
        raise ValueError(f"must be at least {_LEAST_SECRET} characters, ASCII without spaces")
    return text


def secret_in(name: str) -> str:
    """Read a secret from a file. Raises ValueError with a sentence about whatever names the file."""
    try:
        return _referred(Path(name).read_text("ascii"))
    except OSError as error:
        raise ValueError(f"names a file that cannot be read: {error.strerror}") from None
    except UnicodeError:
        raise ValueError("names a file that is no ASCII text") from None


def _id(text: str) -> str:
    if not _ID.fullmatch(text):
        raise ValueError("must be of a-z, 0-9 and - between them, 63 at most")
    return text


def _name(text: str) -> str:
    if not text.strip() or not text.isprintable():
        raise ValueError("must be one line of text")
    return text.strip()


def _base_url(url: str) -> str:
    url = https_url(url)
    if not _ROOT.fullmatch(url):  # nobody else may see the secret
        raise ValueError("must look like https://fra1.qualtrics.com/API/v3/ (your data centre in place of fra1)")
    return url


def _client_id(text: str) -> str:
    if not re.fullmatch("[!-9;-~]+", text):
        raise ValueError("must be ASCII without spaces and colons (Qualtrics, Account Settings, OAuth Client Manager)")
    return text


def _every(text: object) -> Every:
    words = " ".join(text.lower().split()) if isinstance(text, str) else ""
    if words not in {*_SPANS, "1 h", "manual"} and not words.startswith("weekly on "):
        raise ValueError(_CHOICES)
    try:
        return Every.parse(words)
    except ValueError:
        raise ValueError(_CHOICES) from None


def _window(text: object) -> Window:
    return Window.parse(text if isinstance(text, str) else "")


def _variable(name: str) -> str:
    if not os.environ.get(name):
        raise ValueError("names an environment variable that is not set (.env is not read for it)")
    return _referred(os.environ[name])


def _referred(text: str) -> str:
    try:
        return checked_secret(text)
    except ValueError as error:
        raise ValueError(f"names a secret that {error}") from None


class Entry(BaseModel):
    """One `[[integrations]]` table. What is not in it is as `bot.model` says."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)

    #: Made from the name when it is missing.
    id: Annotated[str, AfterValidator(_id)] | None = None
    name: Annotated[str, Field(max_length=100), AfterValidator(_name)]
    base_url: Annotated[str, AfterValidator(_base_url)]
    #: Of an OAuth client; without it the secret is an API token.
    client_id: Annotated[str, Field(max_length=200), AfterValidator(_client_id)] | None = None
    # Where the secret is; holds what was found there.
    secret_env: Annotated[Annotated[str, AfterValidator(_variable)] | None, Field(repr=False)] = None
    secret_file: Annotated[Annotated[str, AfterValidator(secret_in)] | None, Field(repr=False)] = None
    # With less than one a minute no command would end while somebody waits.
    requests_per_second: Annotated[float, Field(ge=0.02, le=1000)] | None = None
    requests_per_minute: Annotated[float, Field(ge=1, le=60_000)] | None = None
    timeout_seconds: Annotated[float, Field(gt=0, le=600)] | None = None
    connect_timeout_seconds: Annotated[float, Field(gt=0, le=60)] | None = None
    request_log: bool | None = None
    full_sync: Annotated[Every, PlainValidator(_every)] | None = None
    incremental_sync: Annotated[Every, PlainValidator(_every)] | None = None
    sweep: Annotated[Every, PlainValidator(_every)] | None = None
    window: Annotated[Window, PlainValidator(_window)] | None = None
    mass_closure_share: Annotated[float, Field(gt=0, le=1)] | None = None
    group_size: Annotated[int, Field(ge=SMALLEST_GROUP, le=1000)] | None = None
    people_by_status: bool | None = None
    #: Whether a new integration is paused; of a known one, `pause` and `resume` say it.
    paused: bool | None = None

    @property
    def secret(self) -> str | None:
        return self.secret_env or self.secret_file

    def integration(self) -> Integration:
        given = {key: value for key, value in self if value is not None}
        if "requests_per_second" in given:
            given["requests_per_minute"] = 60 * given["requests_per_second"]
        return Integration(
            integration_id=self.id or id_of(self.name),
            **{field: given[key] for key, field in _FIELDS.items() if key in given},
            schedule=Schedule(**{field: given[key] for key, field in _TIMES.items() if key in given}),
        )


_FIELDS = {
    "name": "name",
    "base_url": "base_url",
    "client_id": "client_id",
    "requests_per_minute": "requests_per_minute",
    "timeout_seconds": "timeout_seconds",
    "connect_timeout_seconds": "connect_timeout_seconds",
    "request_log": "keeps_request_log",
    "mass_closure_share": "mass_closure_share",
    "group_size": "group_size",
    "people_by_status": "shows_people",
    "paused": "is_paused",
}
_TIMES = {"full_sync": "full", "incremental_sync": "incremental", "sweep": "sweep", "window": "window"}
_SENTENCES = {
    "bool_type": "must be true or false",
    "extra_forbidden": "is no setting of an integration",
    "float_type": "must be a number",
    "int_type": "must be a whole number",
    "string_type": "must be text",
    "string_too_long": "must have {max_length} characters at most",
}
_LITERAL = 'a secret has no place in this file; say where it is: secret_env = "NAME" or secret_file = "/run/secrets/name"'


def id_of(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.casefold())[:63].strip("-") or "qualtrics"


def entry_of(integration: Integration) -> Mapping[str, Any]:
    """The keys that make this integration, as TOML has them; nothing the bot found out, and no secret."""
    values = {key: _whole(getattr(integration, field)) for key, field in _FIELDS.items()}
    times = {key: getattr(integration.schedule, field) for key, field in _TIMES.items()}
    words = {key: None if value is None else str(value) for key, value in times.items()}
    return {"id": integration.integration_id, **{key: value for key, value in {**values, **words}.items() if value is not None}}


def _whole(value: Any) -> Any:  # noqa: ANN401 - a field's
    """120 reads better than 120.0."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def parse(keys: Mapping[str, Any]) -> tuple[Entry | None, Sequence[tuple[str, str]]]:
    """Make an entry, or say everything that is wrong: the key and a sentence; no value is repeated."""
    wrong = [(key, f"goes without {other}") for key, other in _ONE_OF if key in keys and other in keys]
    try:
        entry = Entry.model_validate(keys)
    except ValidationError as error:
        found = [(str(it["loc"][0]), sentence(it, _SENTENCES)) for it in error.errors(include_input=False)]
        return None, sorted([*wrong, *((key, _about(key, text)) for key, text in found)])
    return (None if wrong else entry), wrong


_ONE_OF = (("requests_per_second", "requests_per_minute"), ("secret_env", "secret_file"))


def _about(key: str, text: str) -> str:
    if key in Entry.model_fields:
        return text
    if re.search("secret|token|password", key, re.IGNORECASE):
        return _LITERAL
    nearest = get_close_matches(key, Entry.model_fields, n=1)
    return f"{text}; {nearest[0]} is" if nearest else text


def read(path: Path) -> Sequence[Entry]:
    """Read a file of integrations, and the secrets it refers to. Raises UserError that lists everything that is wrong."""
    try:
        whole = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise UserError(f"The file {path} cannot be read: {error.strerror}.") from None
    except UnicodeError:
        raise UserError(f"The file {path} cannot be read: not UTF-8 text.") from None
    except tomllib.TOMLDecodeError as error:  # it tells the place and no more of the text than one character
        raise UserError(f"The file {path} is not TOML: {error}.") from None
    tables = whole.get("integrations", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):  # pyright: ignore[reportUnknownVariableType]
        raise UserError(f"The file {path} must hold [[integrations]] tables.")
    entries, wrong = _parsed(tables)  # pyright: ignore[reportUnknownArgumentType]
    strangers = [f"{key}: is no [[integrations]] table" for key in whole if key != "integrations"]
    if strangers or wrong:
        raise UserError("\n  ".join([f"The file {path} must be put right:", *strangers, *wrong]))
    return entries


def _parsed(tables: Sequence[Mapping[str, Any]]) -> tuple[Sequence[Entry], Sequence[str]]:
    entries: dict[str, Entry] = {}
    wrong: list[str] = []
    for number, table in enumerate(tables, start=1):
        called = f"integration {number}" + (f" ({table['name']!r})" if isinstance(table.get("name"), str) else "")
        entry, found = parse(table)
        wrong += [f"{called}: {key}: {text}" for key, text in found]
        if entry is not None:
            integration_id = entry.integration().integration_id
            if integration_id in entries:
                wrong.append(f"{called}: id: {integration_id} is another one's already")
            entries[integration_id] = entry
    return list(entries.values()), wrong


def written(integrations: Iterable[Integration]) -> str:
    """The file that `read` reads, without secrets."""
    return "\n".join("".join(("[[integrations]]\n", *_lines(entry_of(integration)))) for integration in integrations)


def _lines(keys: Mapping[str, Any]) -> Iterator[str]:
    """What is written here of JSON's numbers, booleans and strings is TOML's too: names are printable."""
    return (f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in keys.items())


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What became of one entry."""

    integration_id: str
    is_new: bool
    is_changed: bool
    has_secret: bool

    def __str__(self) -> str:
        became = "added" if self.is_new else "changed" if self.is_changed else "as it was"
        advice = "" if self.has_secret else f"; `surveybot integration secret {self.integration_id}` stores the secret it lacks"
        return f"{self.integration_id}: {became}{advice}"


async def apply(store: Store, entries: Sequence[Entry]) -> Sequence[Applied]:
    """Store integrations as their entries say, all or none. Of known ones the settings change, and the secret where one is given.

    Integrations that have no entry stay.
    """
    return await store.write(lambda uow: [_apply(uow, entry) for entry in entries])


def _apply(uow: UnitOfWork, entry: Entry) -> Applied:
    wanted = entry.integration()
    known = uow.integrations.get(wanted.integration_id)
    if known is None:
        uow.integrations.save(wanted)
    else:
        uow.integrations.change(known, wanted)
        if not is_connected(known):
            uow.integrations.set_paused(wanted.integration_id, is_paused=wanted.is_paused)
    stored = _stored_secret(uow, wanted.integration_id)
    is_new_secret = entry.secret is not None and entry.secret != stored
    if entry.secret is not None and is_new_secret:
        uow.integrations.set_secret(wanted.integration_id, entry.secret)
        uow.integrations.set_unauthorized(wanted.integration_id, None)
    return Applied(
        integration_id=wanted.integration_id,
        is_new=known is None,
        is_changed=uow.integrations.get(wanted.integration_id) != known or is_new_secret,
        has_secret=bool(entry.secret or stored),
    )


def is_connected(integration: Integration) -> bool:
    """False for what an upgrade from a version without integrations left: it is paused, and has neither address nor secret."""
    return bool(integration.base_url)


def _stored_secret(uow: UnitOfWork, integration_id: str) -> str | None:
    """None also for one that does not open: the file's takes its place."""
    try:
        return uow.integrations.secret(integration_id)
    except Malformed:
        return None
