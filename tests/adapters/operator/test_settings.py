"""Settings are read once; whatever is wrong with them is told in one go, a line each, without a value."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from adapters.qualtrics import pacing
from adapters.settings import Settings, Slack, https_url
from adapters.slack_access import told
from bot.errors import UserError
from tests.adapters.operator.conftest import GOOD, IN_TEAMS, Shell
from tests.conftest import KEY

CANARY = "c4n4ry"
HTTPS = "must be an https:// address, without user name and query (http:// on this machine only)"
BOT_TOKEN = "(Slack app page, OAuth & Permissions, Bot User OAuth Token)"
SIGNING = "must be at least 16 characters, ASCII without spaces (Slack app page, Basic Information, Signing Secret)"
DATABASE = "must be sqlite:///path/to/file.db or postgresql://user:password@host/database"
FORM = "`id:key`, the id of letters, digits, - and _, the key 32 bytes in base64 (`openssl rand -base64 32`)"
MOVED = "is no setting any more; integrations are added with `surveybot integration add` now"
LEVEL = "must be 'DEBUG', 'INFO', 'WARNING' or 'ERROR'"

GUID = "00000000-0000-0000-0000-000000000000 (Azure portal, the bot's page, Configuration)"
AZURE = "must be at least 16 characters, ASCII without spaces (Azure portal, App registrations, Certificates & secrets, the secret's value)"

WRONG = [
    ("SLACK__BOT_TOKEN", f"xoxp-{CANARY}-user-token", f"must begin with xoxb- {BOT_TOKEN}"),
    ("SLACK__BOT_TOKEN", "xoxb-c4n4ry", f"must be at least 16 characters, ASCII without spaces {BOT_TOKEN}"),
    ("SLACK__SIGNING_SECRET", CANARY, SIGNING),
    ("SLACK__API_URL", f"http://slack.com/{CANARY}/", HTTPS),
    ("SLACK__ALLOW_GUESTS", CANARY, "must be true or false"),
    ("SLACK__ALLOW_GUESTS_IN_CHANNELS", CANARY, "must be true or false"),
    ("SLACK__API_URL", f"{CANARY}.slack.com/api/", HTTPS),
    ("SLACK__API_URL", f"https://me:{CANARY}@slack.com/api/", HTTPS),
    ("SLACK__API_URL", f"https://slack.com/api/?token={CANARY}", HTTPS),
    ("SLACK__API_URL", f"https://slack.com:{CANARY}/api/", HTTPS),
    ("SLACK__API_URL", "https://slack.com:65536/api/", HTTPS),
    ("SLACK__API_URL", f"https://{CANARY}..com/api/", HTTPS),
    ("SLACK__API_URL", f"https://{CANARY * 11}.com/api/", HTTPS),
    ("SLACK__API_URL", f"https://[::1]{CANARY}/api/", HTTPS),
    ("SLACK__API_URL", f"https://\u2102{CANARY}.com/api/", HTTPS),
    ("SLACK__SENDS_PER_SECOND", "nan", "must be 20 or less"),
    ("TEAMS__APP_ID", CANARY, f"must look like {GUID}"),
    ("TEAMS__TENANT_ID", f"{CANARY}.onmicrosoft.com", f"must look like {GUID}"),
    ("TEAMS__KIND", CANARY, "must be 'SingleTenant', 'UserAssignedMSI' or 'MultiTenant'"),
    ("TEAMS__CLIENT_SECRET", CANARY, AZURE),
    ("TEAMS__SENDS_PER_SECOND", "51", "must be 50 or less"),
    ("TEAMS__INSTALL_FOR", f"@{CANARY}", "must be domains with commas between, such as acme.example,acme.org"),
    ("TEAMS__CATALOG_ID", CANARY, f"must look like {GUID}"),
    ("TEAMS__APPID", CANARY, "is no setting; SURVEYBOT_TEAMS__APP_ID is"),
    ("SCHEDULE__DELIVERY", "-1", "must be more than 0"),
    ("SCHEDULE__DIRECTORY", "inf", "must be 2592000 or less"),
    ("SCHEDULE", CANARY, "is a section; set what is in it, joined by two underscores"),
    ("SLACK", f'{{"bot_token": "{CANARY}"', "is a section; set what is in it, joined by two underscores"),
    ("LIMITS__HISTORY", "0", "must be more than 0"),
    ("LIMITS__BRAND", "2.5", "must be a whole number"),
    ("LIMITS__DISTRIBUTIONS", CANARY, "is no setting; SURVEYBOT_LINKS__DISTRIBUTIONS is"),
    ("LINKS__BUILDER", CANARY, "must be an https:// address in which {host}, {survey} and {distribution} may stand"),
    ("METRICS_TOKEN", f"{CANARY}-short", "must be at least 16 characters, ASCII without spaces (this makes one: openssl rand -hex 16)"),
    ("SYNC_JOBS", "0", "must be 1 or more"),
    ("PROBLEM_SHARE", "10", "must be 1 or less"),
    ("INTEGRATION_FILE", CANARY, "is no setting; SURVEYBOT_INTEGRATIONS_FILE is"),
    ("QUALTRICS__API_TOKEN", CANARY, MOVED),
    ("QUALTRICS__TOKEN", CANARY, MOVED),
    ("QUALTRICS", CANARY, MOVED),
    ("SCHEDULE__FULL_SYNC", CANARY, MOVED),
    ("SCHEDULE__INCREMENTAL_SYNC", CANARY, MOVED),
    ("ENCRYPTION_KEYS", CANARY, f"encryption key 1 does not have the form {FORM}"),
    ("ENCRYPTION_KEYS", f"{KEY},second:{CANARY}#", f"encryption key 2 is not base64; the form is {FORM}"),
    ("ENCRYPTION_KEYS", "first:YzRuNHJ5", f"encryption key 1 has 6 bytes instead of 32; the form is {FORM}"),
    ("ENCRYPTION_KEYS", f"{KEY},{KEY}", "two encryption keys have the same id"),
    ("DATABASE_URL", f"mysql://me:{CANARY}@host/name", DATABASE),
    ("DATABASE_URL", CANARY, DATABASE),
    ("DATABASE_URL", "sqlite://", DATABASE),
    ("DATABASE_URL", f"postgresql://me:{CANARY}", DATABASE),
    ("PORT", "65536", "must be 65535 or less"),
    ("PORT", "-1", "must be 0 or more"),
    ("PORT", CANARY, "must be a whole number"),
    ("PORT", "9" * 5000, "is not valid"),
    ("LOG_LEVEL", CANARY, LEVEL),
    ("SLACK__BOT_TOKN", CANARY, "is no setting; SURVEYBOT_SLACK__BOT_TOKEN is"),
    ("SLACK_BOT_TOKEN", CANARY, "is no setting; SURVEYBOT_SLACK__BOT_TOKEN is"),
    ("ENCRYPTION_KEY", CANARY, "is no setting; SURVEYBOT_ENCRYPTION_KEYS is"),
]
NO_WAY = "is missing (for many workspaces set SURVEYBOT_SLACK__CLIENT_ID and SURVEYBOT_SLACK__CLIENT_SECRET instead)"
HEAD = "These settings must be put right before Surveybot can start:"


@pytest.mark.parametrize(("name", "value", "line"), WRONG, ids=range(len(WRONG)))
def test_a_wrong_value_is_told_by_exactly_its_line(shell: Shell, name: str, value: str, line: str) -> None:
    shell.set(GOOD | IN_TEAMS)
    shell.set({f"SURVEYBOT_{name}": value})
    assert _problems() == [HEAD, f"  SURVEYBOT_{name}: {line}"]


def test_all_problems_are_told_at_once_and_no_value(shell: Shell) -> None:
    wrong = {name: (value, line) for name, value, line in WRONG if name not in {"SLACK", "SCHEDULE"}}
    shell.set({f"SURVEYBOT_{name}": value for name, (value, _) in wrong.items()})
    problems = _problems()
    assert problems == [HEAD, *sorted(f"  SURVEYBOT_{name}: {line}" for name, (_, line) in wrong.items())]
    assert CANARY not in "".join(problems)


def test_missing_settings_are_named_and_the_key_with_the_command_that_makes_one(shell: Shell) -> None:
    shell.set({"SURVEYBOT_SLACK__BOT_TOKEN": "", "SURVEYBOT_SLACK__SIGNING_SECRET": GOOD["SURVEYBOT_SLACK__SIGNING_SECRET"]})
    assert _problems() == [
        HEAD,
        '  SURVEYBOT_ENCRYPTION_KEYS: is missing (this makes one: echo "k1:$(openssl rand -base64 32)")',
        f"  SURVEYBOT_SLACK__BOT_TOKEN: {NO_WAY}",
    ]


_ONE = {name: GOOD[f"SURVEYBOT_SLACK__{name}"] for name in ("BOT_TOKEN", "SIGNING_SECRET")}
_OAUTH = {"CLIENT_ID": "1.2", "CLIENT_SECRET": f"{CANARY}-0123456789", "WORKSPACES": "T0ACME, E0GRID"}
_SOCKET = {"APP_TOKEN": f"xapp-{CANARY}-0123456789"}
_SIGNED = {"SIGNING_SECRET": GOOD["SURVEYBOT_SLACK__SIGNING_SECRET"]}


def test_only_the_named_workspaces_may_install_the_app_and_without_names_none() -> None:
    named = Slack.model_validate({"workspaces": "T0ACME, E0GRID"})
    assert [named.may_install(it) for it in ("T0ACME", "E0GRID", "T0", "", "any")] == [True, True, False, False, False]
    assert Slack.model_validate({"workspaces": "any"}).may_install("T0")
    assert not Slack().may_install("T0")


@pytest.mark.parametrize(
    "slack",
    [_ONE, _OAUTH | _SIGNED, {"BOT_TOKEN": _ONE["BOT_TOKEN"]} | _SOCKET, _OAUTH | _SOCKET, _ONE | _SOCKET],
    ids=["token", "oauth", "token, socket", "oauth, socket", "token, socket, signed"],
)
def test_each_way_to_slack_is_enough(shell: Shell, slack: dict[str, str]) -> None:
    shell.set(GOOD | {"SURVEYBOT_SLACK__BOT_TOKEN": "", "SURVEYBOT_SLACK__SIGNING_SECRET": ""})
    shell.set({f"SURVEYBOT_SLACK__{name}": value for name, value in slack.items()})
    assert CANARY not in repr(Settings.load())


@pytest.mark.parametrize(
    ("slack", "lines"),
    [
        (
            _ONE | _OAUTH,
            [
                "CLIENT_ID: is for many workspaces, SURVEYBOT_SLACK__BOT_TOKEN for one; set one of the two ways only",
                "CLIENT_SECRET: is for many workspaces, SURVEYBOT_SLACK__BOT_TOKEN for one; set one of the two ways only",
                "WORKSPACES: is for many workspaces, SURVEYBOT_SLACK__BOT_TOKEN for one; set one of the two ways only",
            ],
        ),
        (
            {"CLIENT_ID": "1.2"} | _SIGNED,
            [
                "CLIENT_SECRET: is missing",
                "WORKSPACES: is missing (the ids of those that may install the app, as T0123ABC,E0123ABC)",
            ],
        ),
        (
            _OAUTH | _SIGNED | {"WORKSPACES": "acme.slack.com"},
            ["WORKSPACES: must be ids of workspaces (T...) and organisations (E...) with commas between, or the word any"],
        ),
        (
            _OAUTH | _SIGNED | {"CLIENT_ID": CANARY},
            ["CLIENT_ID: must be two numbers with a dot between (Slack app page, Basic Information, Client ID)"],
        ),
        (_OAUTH, ["SIGNING_SECRET: is missing (for Socket Mode set SURVEYBOT_SLACK__APP_TOKEN instead)"]),
        (_SIGNED, [f"BOT_TOKEN: {NO_WAY}"]),
        (_ONE | {"APP_TOKEN": CANARY}, ["APP_TOKEN: must begin with xapp- (Slack app page, Basic Information, App-Level Tokens)"]),
    ],
    ids=["both", "half", "names", "odd", "unsigned", "neither", "token"],
)
def test_a_way_to_slack_that_is_not_whole_is_told(shell: Shell, slack: dict[str, str], lines: list[str]) -> None:
    shell.set(GOOD | {"SURVEYBOT_SLACK__BOT_TOKEN": "", "SURVEYBOT_SLACK__SIGNING_SECRET": ""})
    shell.set({f"SURVEYBOT_SLACK__{name}": value for name, value in slack.items()})
    assert _problems() == [HEAD, *(f"  SURVEYBOT_SLACK__{line}" for line in lines)]


_NO_SLACK = dict.fromkeys(("SURVEYBOT_SLACK__BOT_TOKEN", "SURVEYBOT_SLACK__SIGNING_SECRET"), "")
_APP, _TENANT, _SECRET = (f"SURVEYBOT_TEAMS__{name}" for name in ("APP_ID", "TENANT_ID", "CLIENT_SECRET"))
_MANAGED = {"SURVEYBOT_TEAMS__KIND": "UserAssignedMSI"}
_MULTI = {"SURVEYBOT_TEAMS__KIND": "MultiTenant"}


@pytest.mark.parametrize("teams", [{}, {_SECRET: ""} | _MANAGED, _MULTI], ids=["secret", "managed", "multi"])
@pytest.mark.parametrize("is_alone", [True, False])
def test_teams_is_enough_and_goes_beside_slack(shell: Shell, teams: dict[str, str], *, is_alone: bool) -> None:
    shell.set(GOOD | IN_TEAMS | teams | (_NO_SLACK if is_alone else {}))
    settings = Settings.load()
    assert (settings.slack.is_set, settings.teams.is_set) == (not is_alone, True)
    assert settings.teams.app_id == IN_TEAMS[_APP].lower()
    assert [settings.sends_per_minute(it) for it in (IN_TEAMS[_TENANT], "T0ACME")] == [1500, 180]
    assert CANARY not in repr(settings)


@pytest.mark.parametrize(
    ("teams", "lines"),
    [
        ({_APP: ""}, ["APP_ID: is missing"]),
        ({_TENANT: ""}, ["TENANT_ID: is missing"]),
        ({_SECRET: ""}, ["CLIENT_SECRET: is missing (for a managed identity set SURVEYBOT_TEAMS__KIND to UserAssignedMSI instead)"]),
        (_MANAGED, ["CLIENT_SECRET: a managed identity has none; remove it, or set SURVEYBOT_TEAMS__KIND to SingleTenant"]),
    ],
)
def test_a_way_to_teams_that_is_not_whole_is_told(shell: Shell, teams: dict[str, str], lines: list[str]) -> None:
    shell.set(GOOD | _NO_SLACK | IN_TEAMS | teams)
    assert _problems() == [HEAD, *(f"  SURVEYBOT_TEAMS__{line}" for line in lines)]


def test_a_switch_for_teams_alone_is_no_way_to_teams(shell: Shell) -> None:
    shell.set(GOOD | {"SURVEYBOT_TEAMS__INSTALL_FOR": "acme.example"})
    assert [line.split(":")[0].strip() for line in _problems()[1:]] == sorted([_APP, _TENANT, _SECRET])


def test_one_chat_is_needed(shell: Shell) -> None:
    shell.set(GOOD | _NO_SLACK)
    assert _problems() == [
        HEAD,
        "  SURVEYBOT_SLACK__BOT_TOKEN, SURVEYBOT_TEAMS__APP_ID: one of them is needed, for Slack or for Microsoft Teams (README says how)",
    ]


def test_a_name_below_a_value_is_no_value(shell: Shell) -> None:
    shell.set({**GOOD, "SURVEYBOT_SLACK__BOT_TOKEN": "", "SURVEYBOT_SLACK__BOT_TOKEN__X": CANARY})
    assert _problems() == [
        HEAD,
        "  SURVEYBOT_SLACK__BOT_TOKEN: is missing",
        f"  SURVEYBOT_SLACK__BOT_TOKEN: {NO_WAY}",
        "  SURVEYBOT_SLACK__BOT_TOKEN__X: is no setting; SURVEYBOT_SLACK__BOT_TOKEN is",
    ]


def test_good_settings_are_read_whatever_kubernetes_sets_beside_them(shell: Shell) -> None:
    shell.set(GOOD)
    shell.set({"SURVEYBOT_SERVICE_HOST": "10.0.0.1", "SURVEYBOT_PORT_8080_TCP": "tcp://10.0.0.1:8080", "SURVEYBOT_SERVICE_PORT": "8080"})
    shell.set({"surveybot_schedule__delivery": "0.5", "SURVEYBOT_LIMITS__HISTORY": "30"})
    settings = Settings.load()
    assert settings.limits.paced().endpoints == {**pacing.DEFAULT.endpoints, "/distributions/{id}/history": 30}
    assert settings.limits.paced().brand == pacing.DEFAULT.brand
    assert told(settings.slack.bot_token) == "xoxb-canary-slack-token"
    assert settings.schedule.delivery == 0.5
    assert settings.port == 8080
    assert "canary" not in repr(settings)
    assert settings.keyring.decrypt(settings.keyring.encrypt("link", "row"), "row") == "link"


@pytest.mark.parametrize("url", ["http://localhost:8400/api", "http://127.0.0.1/api/", "http://[::1]:1/api/", "HTTPS://x.y/api"])
def test_plain_http_is_for_this_machine_and_a_slash_ends_the_address(url: str) -> None:
    assert https_url(url) == url.rstrip("/") + "/"


def test_the_environment_goes_before_the_file(shell: Shell) -> None:
    lines = [f"{name}={value}" for name, value in GOOD.items()]
    (shell.folder / ".env").write_text("\n".join([*lines, "SURVEYBOT_PORT=1", "SURVEYBOT_HOST=::"]))
    shell.set({"SURVEYBOT_PORT": "2"})
    assert (Settings.load().port, Settings.load().host) == (2, "::")


def test_what_the_file_misspells_is_told_too(shell: Shell) -> None:
    shell.set(GOOD)
    (shell.folder / ".env").write_text(f"SURVEYBOT_LOGLEVEL={CANARY}\nOTHER={CANARY}\n")
    assert _problems() == [HEAD, "  SURVEYBOT_LOGLEVEL: is no setting; SURVEYBOT_LOG_LEVEL is"]


def test_a_file_that_is_no_text_is_one_sentence(shell: Shell) -> None:
    shell.set(GOOD)
    (shell.folder / ".env").write_bytes(b"\xff\xfeSURVEYBOT_PORT=1")
    assert _problems() == ["The file .env cannot be read: not UTF-8 text."]


def test_a_file_that_may_not_be_read_is_one_sentence(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root may read everything, so the refusal is the operating system's only in name."""
    shell.set(GOOD)
    (shell.folder / ".env").write_text("SURVEYBOT_PORT=1")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", refuse)
    assert _problems() == ["The file .env cannot be read: Permission denied."]


def test_settings_made_by_hand_do_not_depend_on_the_environment(shell: Shell) -> None:
    """The demo's do not, whatever the operator has set for the real bot."""
    shell.set({"SURVEYBOT_PORT": "wrong", "SURVEYBOT_HOST": "10.0.0.1", "SURVEYBOT_SLACK__ALLOW_GUESTS": "true"})
    slack = Slack(bot_token=_secret("xoxb-0123456789abcdef"), signing_secret=_secret())
    settings = Settings(slack=slack, encryption_keys=_secret(KEY))
    assert (settings.host, settings.port, settings.slack.allow_guests) == ("127.0.0.1", 8080, False)


def _problems() -> list[str]:
    with pytest.raises(UserError) as raised:
        Settings.load(Path(".env"))
    assert raised.value.__cause__ is None
    return str(raised.value).splitlines()


def _secret(text: str = "0123456789abcdef") -> SecretStr:
    return SecretStr(text)
