"""Settings: environment variables (and an optional `.env` file), read once, every problem told at once before anything starts."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, DotEnvSettingsSource, EnvSettingsSource, SettingsConfigDict
from sqlalchemy.exc import ArgumentError

from adapters.logs import LogLevel
from adapters.qualtrics import pacing
from adapters.teams.registration import AppKind
from bot.deep_links import DEFAULT, DeepLinks, checked_template
from bot.errors import UserError
from bot.messages import Platform, Reach
from bot.subscriptions import PROBLEM_SHARE
from store.encryption import Keyring
from store.engine import connect

PREFIX = "SURVEYBOT_"
_LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN = rf"{_LABEL}(?:\.{_LABEL})+"
_URL = re.compile(
    rf"(?P<scheme>https?)://(?P<host>{_LABEL}(?:\.{_LABEL})*|\[::1\])(?::(?P<port>[0-9]{{1,5}}))?(?:/[a-z0-9._/-]*)?",
    re.ASCII | re.IGNORECASE,
)
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
_HIGHEST_PORT = 65535


def https_url(url: str) -> str:
    """Return the address with a slash at its end. Raises ValueError with a sentence."""
    parts = _URL.fullmatch(url)
    is_private = parts is not None and (parts["scheme"].lower() == "https" or parts["host"].lower() in _LOOPBACK)
    if parts is None or not is_private or int(parts["port"] or 0) > _HIGHEST_PORT:
        raise ValueError("must be an https:// address, without user name and query (http:// on this machine only)")
    return url.rstrip("/") + "/"


def _keys(keys: SecretStr) -> SecretStr:
    Keyring.parse(keys.get_secret_value())
    return keys


def _database(url: SecretStr) -> SecretStr:
    """What SQLAlchemy says of a wrong URL can quote its password."""
    try:
        connect(url.get_secret_value(), read_only=True, connections=1)
    except (ArgumentError, ValueError):
        raise ValueError("must be sqlite:///path/to/file.db or postgresql://user:password@host/database") from None
    return url


def _secret(where: str, *, least: int, prefix: str = "") -> AfterValidator:
    """A secret from `where`, of `least` characters that can stand in an HTTP header."""

    def check(secret: SecretStr) -> SecretStr:
        text = secret.get_secret_value()
        if not text.startswith(prefix):
            raise ValueError(f"must begin with {prefix} ({where})")
        if len(text) < least or not re.fullmatch("[!-~]+", text):
            raise ValueError(f"must be at least {least} characters, ASCII without spaces ({where})")
        return secret

    return AfterValidator(check)


def _client_id(text: str) -> str:
    if not re.fullmatch(r"[0-9]+\.[0-9]+", text):
        raise ValueError("must be two numbers with a dot between (Slack app page, Basic Information, Client ID)")
    return text


def _workspaces(text: str) -> str:
    if not re.fullmatch(r"any|[TE][A-Z0-9]+(, ?[TE][A-Z0-9]+)*", text):
        raise ValueError("must be ids of workspaces (T...) and organisations (E...) with commas between, or the word any")
    return text


def _guid(text: str) -> str:
    """In small letters, as Microsoft sends them."""
    if not re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", text.lower()):
        raise ValueError("must look like 00000000-0000-0000-0000-000000000000 (Azure portal, the bot's page, Configuration)")
    return text.lower()


def _domains(text: str) -> str:
    if not re.fullmatch(rf"{_DOMAIN}(, ?{_DOMAIN})*", text.lower()):
        raise ValueError("must be domains with commas between, such as acme.example,acme.org")
    return text.lower()


def _each(domains: str | None) -> frozenset[str]:
    return frozenset(re.split(", ?", domains)) if domains else frozenset()


#: In seconds; 30 days at most.
Interval = Annotated[float, Field(gt=0, le=2_592_000)]


_BotToken = Annotated[SecretStr, _secret("Slack app page, OAuth & Permissions, Bot User OAuth Token", least=16, prefix="xoxb-")]
_ClientId = Annotated[str, AfterValidator(_client_id)]
_ClientSecret = Annotated[SecretStr, _secret("Slack app page, Basic Information, Client Secret", least=16)]
_SigningSecret = Annotated[SecretStr, _secret("Slack app page, Basic Information, Signing Secret", least=16)]
_AppToken = Annotated[SecretStr, _secret("Slack app page, Basic Information, App-Level Tokens", least=16, prefix="xapp-")]


class Slack(BaseModel):
    """One workspace by its bot token, or all that install the app by OAuth; `_together` says which of these belong together."""

    bot_token: _BotToken | None = None
    client_id: _ClientId | None = None
    client_secret: _ClientSecret | None = None
    #: Who may install the app: their people's e-mail addresses are believed.
    workspaces: Annotated[str, AfterValidator(_workspaces)] | None = None
    signing_secret: _SigningSecret | None = None
    #: With it the bot hears of everything by Socket Mode.
    app_token: _AppToken | None = None
    api_url: Annotated[str, AfterValidator(https_url)] = "https://slack.com/api/"
    allow_guests: bool = False
    #: Whether numbers are posted to channels that guests read, too; where other organisations do, they never are.
    allow_guests_in_channels: bool = False
    sends_per_second: Annotated[float, Field(gt=0, le=20)] = 3

    @property
    def is_set(self) -> bool:
        return self.bot_token is not None or self.client_id is not None

    def may_install(self, workspace_id: str) -> bool:
        return self.workspaces == "any" or workspace_id in re.split(", ?", self.workspaces or "")


_Guid = Annotated[str, AfterValidator(_guid)]
_AzureSecret = Annotated[SecretStr, _secret("Azure portal, App registrations, Certificates & secrets, the secret's value", least=16)]


class Teams(BaseModel):
    """The bot's registration in Azure, for the people of one tenant.

    Whose tokens are believed cannot be set: it follows from Microsoft's public cloud, and from the sandbox's in the sandbox.
    """

    app_id: _Guid | None = None
    tenant_id: _Guid | None = None
    kind: AppKind = AppKind.SINGLE_TENANT
    #: None for a managed identity.
    client_secret: _AzureSecret | None = None
    allow_guests: bool = False
    #: As in Slack.
    allow_guests_in_channels: bool = False
    #: In channels and group chats answer where it was asked, by messages that only whoever asked sees; the app package must allow it.
    targeted_answers: bool = False
    #: Teams takes 50 calls from a bot in a tenant (reference teams.md 2.6), and edits take as many again.
    sends_per_second: Annotated[float, Field(gt=0, le=50)] = 25
    #: Whose addresses are of these domains is given the app, should a message wait for them (adapters/teams/installer.py).
    install_for: Annotated[str, AfterValidator(_domains)] | None = None
    #: Of the app in the organisation's catalogue; None = it is looked up.
    catalog_id: _Guid | None = None

    @property
    def is_set(self) -> bool:
        return self.app_id is not None

    @property
    def install_domains(self) -> frozenset[str]:
        return _each(self.install_for)


class Schedule(BaseModel):
    """How often things happen that belong to no integration."""

    directory: Interval = 86400
    reminders: Interval = 60
    delivery: Interval = 2
    #: How soon a job that broke is tried again, where its own interval is longer.
    retry: Interval = 300


#: Requests a minute.
Rate = Annotated[int, Field(gt=0, le=1_000_000)]
_ENDPOINTS = {"history": "/distributions/{id}/history", "links": "/distributions/{id}/links", "subscriptions": "/eventsubscriptions"}


class Limits(BaseModel):
    """What one Qualtrics brand may ask for in a minute, shared by its integrations (FEATURES A3)."""

    brand: Rate = pacing.DEFAULT.brand
    history: Rate = pacing.DEFAULT.endpoints[_ENDPOINTS["history"]]
    links: Rate = pacing.DEFAULT.endpoints[_ENDPOINTS["links"]]
    subscriptions: Rate = pacing.DEFAULT.endpoints[_ENDPOINTS["subscriptions"]]

    def paced(self) -> pacing.Limits:
        endpoints = {path: getattr(self, name) for name, path in _ENDPOINTS.items()}
        return pacing.Limits(brand=self.brand, endpoints={**pacing.DEFAULT.endpoints, **endpoints})


_Template = Annotated[str, AfterValidator(checked_template)]


class Links(BaseModel):
    """Where Qualtrics' own pages are; `bot.deep_links` says what may stand in the templates."""

    results: _Template = DEFAULT.results
    distributions: _Template = DEFAULT.distributions
    builder: _Template = DEFAULT.builder
    #: Outside qualtrics.com, what Qualtrics may name as a brand's.
    hosts: Annotated[str, AfterValidator(_domains)] | None = None

    def templates(self) -> DeepLinks:
        return DeepLinks(hosts=_each(self.hosts), results=self.results, distributions=self.distributions, builder=self.builder)


class Settings(BaseModel):
    """Everything that can be set. `load` reads it from the environment; whoever makes one by hand depends on no environment."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    slack: Slack = Slack()
    teams: Teams = Teams()
    #: `name:base64 of 32 bytes`, several joined by commas; the first encrypts, all decrypt.
    encryption_keys: Annotated[SecretStr, AfterValidator(_keys)]
    database_url: Annotated[SecretStr, AfterValidator(_database)] = SecretStr("sqlite:///surveybot.db")
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=_HIGHEST_PORT)] = 8080
    #: Where browsers reach this process, for files to take along; None = there are none.
    public_url: Annotated[str, AfterValidator(https_url)] | None = None
    log_level: LogLevel = "INFO"
    schedule: Schedule = Schedule()
    limits: Limits = Limits()
    links: Links = Links()
    #: TOML (adapters/integrations.py), applied whenever `serve` starts.
    integrations_file: Path | None = None
    #: Whoever asks for `/metrics` must send it: `Authorization: Bearer ...`; None = there is no such address.
    metrics_token: Annotated[SecretStr, _secret("this makes one: openssl rand -hex 16", least=16)] | None = None
    #: From this share of invitations that do not arrive on channels are told of problems, where their subscription names no other.
    problem_share: Annotated[float, Field(gt=0, le=1)] = PROBLEM_SHARE
    #: How many integrations are read at the same time, over all processes (FEATURES B3).
    sync_jobs: Annotated[int, Field(ge=1, le=100)] = 3

    @staticmethod
    def load(env_file: Path = Path(".env")) -> Settings:
        """Read `SURVEYBOT_SLACK__BOT_TOKEN` and so on: sections and names are joined by two underscores, empty values count as missing.

        Raises UserError that lists every missing, wrong or misspelt variable; it repeats no value.
        """
        try:
            given = _given(env_file)
            problems = [*_not_ours(given), *_together(given)]
            settings, wrong = _read(env_file)
        except (OSError, UnicodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
            raise UserError(f"The file {env_file} cannot be read: {why}.") from None
        if settings is None or problems:
            lines = ["These settings must be put right before Surveybot can start:", *sorted(problems + wrong)]
            raise UserError("\n  ".join(lines))
        return settings

    @property
    def reach(self) -> Reach:
        chats = {Platform.SLACK: self.slack, Platform.TEAMS: self.teams}
        connected = {platform: chat for platform, chat in chats.items() if chat.is_set}
        guests = frozenset(platform for platform, chat in connected.items() if chat.allow_guests)
        return Reach(platforms=frozenset(connected), guests=guests, tenant_id=self.teams.tenant_id)

    def sends_per_minute(self, workspace_id: str) -> float:
        chat = self.teams if workspace_id == self.teams.tenant_id else self.slack
        return 60 * chat.sends_per_second

    @property
    def keyring(self) -> Keyring:
        return Keyring.parse(self.encryption_keys.get_secret_value())


class _Environment(Settings, BaseSettings):
    """Without decoding, a section that is given as one value is a wrong value among others; as broken JSON it would end in a traceback."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="__", env_ignore_empty=True, enable_decoding=False, extra="ignore"
    )


_SECTIONS: Mapping[str, type[BaseModel]] = {"SLACK": Slack, "TEAMS": Teams, "SCHEDULE": Schedule, "LIMITS": Limits, "LINKS": Links}
#: Every variable there is, without the prefix.
_VARIABLES = sorted(
    {name.upper() for name in Settings.model_fields} - _SECTIONS.keys()
    | {f"{section}__{name.upper()}" for section, model in _SECTIONS.items() for name in model.model_fields}
)
#: How alike a name must be to one of ours to be a misspelt one. Others are not ours: Kubernetes sets `SURVEYBOT_SERVICE_HOST` and the
#: like where a service is called surveybot (https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables).
_ALIKE = 0.7
#: What belongs to an integration now.
_MOVED = re.compile(r"QUALTRICS(__.*)?|SCHEDULE__(FULL|INCREMENTAL)_SYNC")
#: What to say instead of pydantic's words, by its error types; it fills the limits in.
_SENTENCES = {
    "bool_parsing": "must be true or false",
    "enum": "must be {expected}",
    "float_parsing": "must be a number",
    "greater_than": "must be more than {gt:.10g}",
    "greater_than_equal": "must be {ge:.10g} or more",
    "int_parsing": "must be a whole number",
    "less_than_equal": "must be {le:.10g} or less",
    "literal_error": "must be {expected}",
    "missing": "is missing",
    "model_type": "is a section; set what is in it, joined by two underscores",
    "string_type": "is missing",  # only something below it was given: SLACK__BOT_TOKEN__X
    "value_error": "{error}",
}
_HOW_TO_MAKE = {"ENCRYPTION_KEYS": ' (this makes one: echo "k1:$(openssl rand -base64 32)")'}


def sentence(problem: ErrorDetails, others: Mapping[str, str] = MappingProxyType({})) -> str:
    """Say what is wrong with a value without repeating it; `others` go before this module's sentences."""
    sentences = {**_SENTENCES, **others}
    return sentences.get(problem["type"], "is not valid").format_map(problem.get("ctx", {}))


def _given(env_file: Path) -> Mapping[str, str]:
    """What is set, by upper-cased name."""
    sources = (DotEnvSettingsSource(_Environment, env_file=env_file), EnvSettingsSource(_Environment))
    return {name.upper(): value or "" for source in sources for name, value in source.env_vars.items()}


def _not_ours(names: Iterable[str]) -> list[str]:
    names = {name.removeprefix(PREFIX) for name in names if name.startswith(PREFIX)}.difference(_VARIABLES)
    moved = {name for name in names if _MOVED.fullmatch(name)}
    nearest = {name: get_close_matches(name, _VARIABLES, n=1, cutoff=_ALIKE) for name in names - moved}
    return [
        *(f"{PREFIX}{name}: is no setting any more; integrations are added with `surveybot integration add` now" for name in moved),
        *(f"{PREFIX}{name}: is no setting; {PREFIX}{meant[0]} is" for name, meant in nearest.items() if meant),
    ]


def _together(given: Mapping[str, str]) -> Iterator[str]:
    """What is missing of the ways to chats that were begun, and what contradicts them."""
    is_slack = any(f"{PREFIX}SLACK__{name}" in given for name in (*_SLACK_WAYS, "SIGNING_SECRET", "APP_TOKEN"))
    is_teams = any(name.startswith(f"{PREFIX}TEAMS__") for name in given)
    if is_slack:
        yield from _slack_together(given)
    if is_teams:
        yield from _teams_together(given)
    if not (is_slack or is_teams):
        yield f"{PREFIX}SLACK__BOT_TOKEN, {PREFIX}TEAMS__APP_ID: one of them is needed, for Slack or for Microsoft Teams (README says how)"


_SLACK_WAYS = ("BOT_TOKEN", "CLIENT_ID", "CLIENT_SECRET", "WORKSPACES")


def _slack_together(given: Collection[str]) -> Iterator[str]:
    token, client_id, client_secret, workspaces, signing_secret, app_token = (
        f"{PREFIX}SLACK__{name}" for name in (*_SLACK_WAYS, "SIGNING_SECRET", "APP_TOKEN")
    )
    oauth = [name for name in (client_id, client_secret, workspaces) if name in given]
    if token in given:
        yield from (f"{name}: is for many workspaces, {token} for one; set one of the two ways only" for name in oauth)
    elif oauth:
        yield from (f"{name}: is missing" for name in (client_id, client_secret) if name not in given)
        if workspaces not in given:
            yield f"{workspaces}: is missing (the ids of those that may install the app, as T0123ABC,E0123ABC)"
    else:
        yield f"{token}: is missing (for many workspaces set {client_id} and {client_secret} instead)"
    if signing_secret not in given and app_token not in given:
        yield f"{signing_secret}: is missing (for Socket Mode set {app_token} instead)"


def _teams_together(given: Mapping[str, str]) -> Iterator[str]:
    app_id, tenant_id, kind, client_secret = (f"{PREFIX}TEAMS__{name}" for name in ("APP_ID", "TENANT_ID", "KIND", "CLIENT_SECRET"))
    yield from (f"{name}: is missing" for name in (app_id, tenant_id) if name not in given)
    is_managed = given.get(kind) == AppKind.MANAGED_IDENTITY
    if is_managed and client_secret in given:
        yield f"{client_secret}: a managed identity has none; remove it, or set {kind} to {AppKind.SINGLE_TENANT}"
    elif not is_managed and client_secret not in given:
        yield f"{client_secret}: is missing (for a managed identity set {kind} to {AppKind.MANAGED_IDENTITY} instead)"


def _read(env_file: Path) -> tuple[Settings | None, list[str]]:
    try:
        return _Environment(_env_file=env_file), []  # pyright: ignore[reportCallIssue] - values come from the environment
    except ValidationError as error:
        return None, [line for problem in error.errors(include_input=False) for line in _lines(problem)]


def _lines(problem: ErrorDetails) -> Iterator[str]:
    kind, name = problem["type"], "__".join(str(part).upper() for part in problem["loc"])
    yield f"{PREFIX}{name}: {sentence(problem)}{_HOW_TO_MAKE.get(name, '') if kind == 'missing' else ''}"
