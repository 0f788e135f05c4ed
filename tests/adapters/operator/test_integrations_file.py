"""A file of integrations is read whole or told what is wrong with it; applying it again changes nothing, and nothing found out is lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.integrations import Applied, Entry, apply, read, written
from bot.errors import UserError
from bot.model import Integration
from bot.schedule import Every, Schedule, Window
from store.unit_of_work import SqlStore
from tests.unit.core.examples import an_integration

CANARY = "c4n4ry"
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
URL = "https://fra1.qualtrics.com/API/v3/"
HTTPS = "must be an https:// address, without user name and query (http:// on this machine only)"
CHOICES = "must be 1 min, 2 min, 5 min, 15 min, 30 min, hourly, 4 h, 8 h, 12 h, daily, `weekly on monday` (or another day) or manual"
LITERAL = 'a secret has no place in this file; say where it is: secret_env = "NAME" or secret_file = "/run/secrets/name"'
ID = "must be of a-z, 0-9 and - between them, 63 at most"
CLIENT = "must be ASCII without spaces and colons (Qualtrics, Account Settings, OAuth Client Manager)"
DATA_CENTRE = "must look like https://fra1.qualtrics.com/API/v3/ (your data centre in place of fra1)"

WRONG = [
    ("id", '"Main"', ID),
    ("id", '"-main"', ID),
    ("id", '""', ID),
    ("id", f'"{"a" * 64}"', ID),
    ("id", "7", "must be text"),
    ("name", '" "', "must be one line of text"),
    ("name", '"two\\nlines"', "must be one line of text"),
    ("name", f'"{"a" * 101}"', "must have 100 characters at most"),
    ("base_url", f'"http://{CANARY}.qualtrics.com/API/v3/"', HTTPS),
    ("base_url", f'"https://me:{CANARY}@fra1.qualtrics.com/API/v3/"', HTTPS),
    ("base_url", f'"https://{CANARY}.qualtrics.com/"', DATA_CENTRE),
    ("base_url", '"https://evil.example/API/v3/"', DATA_CENTRE),
    ("base_url", '"https://evilqualtrics.com/API/v3/"', DATA_CENTRE),
    ("base_url", '"https://fra1.qualtrics.com.evil.example/API/v3/"', DATA_CENTRE),
    ("client_id", f'"{CANARY}:x"', CLIENT),
    ("client_id", '""', CLIENT),
    ("secret", f'"{CANARY}"', LITERAL),
    ("api_token", f'"{CANARY}"', LITERAL),
    ("client_secret", f'"{CANARY}"', LITERAL),
    ("password", f'"{CANARY}"', LITERAL),
    ("secret_env", f'"{CANARY}"', "names an environment variable that is not set (.env is not read for it)"),
    ("secret_env", '"SHORT"', "names a secret that must be at least 8 characters, ASCII without spaces"),
    ("secret_file", f'"/no/such/{CANARY}"', "names a file that cannot be read: No such file or directory"),
    ("requests_per_second", "0", "must be 0.02 or more"),
    ("requests_per_minute", "0.4", "must be 1 or more"),
    ("requests_per_minute", "nan", "must be 60000 or less"),
    ("requests_per_minute", f'"{CANARY}"', "must be a number"),
    ("timeout_seconds", "601", "must be 600 or less"),
    ("connect_timeout_seconds", "-1", "must be more than 0"),
    ("request_log", '"yes"', "must be true or false"),
    ("full_sync", '"3 h"', CHOICES),
    ("full_sync", '"weekly on holiday"', CHOICES),
    ("incremental_sync", "15", CHOICES),
    ("sweep", '"30 s"', CHOICES),
    ("window", '"22-06"', "must be like `22:00-06:00 Europe/Berlin`"),
    ("window", "22:00:00", "must be like `22:00-06:00 Europe/Berlin`"),
    ("mass_closure_share", "0", "must be more than 0"),
    ("mass_closure_share", "1.5", "must be 1 or less"),
    ("group_size", "4", "must be 5 or more"),
    ("group_size", "5.5", "must be a whole number"),
    ("paused", "1", "must be true or false"),
    ("timeout_second", "1", "is no setting of an integration; timeout_seconds is"),
    ("zzz", "1", "is no setting of an integration"),
]


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the file refers to is there."""
    monkeypatch.setenv("SHORT", "short")
    monkeypatch.setenv("TOKEN", "canary-token-1")
    (tmp_path / "token").write_text("canary-token-2\n")
    return tmp_path / "integrations.toml"


def table(**values: str) -> str:
    keys = {"name": '"Main"', "base_url": f'"{URL}"', **values}
    return "[[integrations]]\n" + "".join(f"{key} = {value}\n" for key, value in keys.items())


def entries(file: Path, text: str) -> Sequence[Entry]:
    file.write_text(text, "utf-8")
    return read(file)


def refusal(file: Path) -> list[str]:
    with pytest.raises(UserError) as refused:
        read(file)
    assert CANARY not in str(refused.value)
    return str(refused.value).splitlines()


@pytest.mark.parametrize(("key", "value", "sentence"), WRONG, ids=range(len(WRONG)))
def test_a_wrong_value_is_told_with_its_integration_and_key_and_is_not_repeated(file: Path, key: str, value: str, sentence: str) -> None:
    file.write_text(table(**{key: value}), "utf-8")
    head, line = refusal(file)
    assert head == f"The file {file} must be put right:"
    assert line.startswith("  integration 1")
    assert line.endswith(f": {key}: {sentence}")


def test_all_problems_of_all_integrations_are_told_at_once(file: Path) -> None:
    first = table(name='"One"', timeout_seconds="0", full_sync='"never"')
    token = f'"{file.with_name("token")}"'
    second = table(requests_per_second="1", requests_per_minute="60", secret_env='"TOKEN"', secret_file=token)
    same = table(name='"Two"') + table(id='"two"')
    file.write_text(f"version = 1\n{first}{second}[[integrations]]\n{same}", "utf-8")
    assert refusal(file)[1:] == [
        "  version: is no [[integrations]] table",
        f"  integration 1 ('One'): full_sync: {CHOICES}",
        "  integration 1 ('One'): timeout_seconds: must be more than 0",
        "  integration 2 ('Main'): requests_per_second: goes without requests_per_minute",
        "  integration 2 ('Main'): secret_env: goes without secret_file",
        "  integration 3: base_url: is missing",
        "  integration 3: name: is missing",
        "  integration 5 ('Main'): id: two is another one's already",
    ]


@pytest.mark.parametrize(
    ("content", "end"),
    [
        (b"\xff", "cannot be read: not UTF-8 text."),
        (f'[[integrations]]\nname = "{CANARY}'.encode(), "is not TOML: Unterminated string (at end of document)."),
        (b"integrations = 1", "must hold [[integrations]] tables."),
        (b"integrations = [1]", "must hold [[integrations]] tables."),
    ],
)
def test_a_file_that_is_something_else_is_one_sentence(file: Path, content: bytes, end: str) -> None:
    file.write_bytes(content)
    (line,) = refusal(file)
    assert line.startswith(f"The file {file} ")
    assert line.endswith(end)


def test_a_file_that_is_not_there_is_one_sentence(file: Path) -> None:
    assert refusal(file) == [f"The file {file} cannot be read: No such file or directory."]


@pytest.mark.parametrize(
    "url",
    ["https://Fra1.Qualtrics.com/API/v3", "https://a.b.qualtrics.com/API/v3/", "http://127.0.0.1:8080/API/v3/", "http://[::1]/API/v3/"],
)
def test_qualtrics_hosts_and_this_machine_may_see_the_secret(file: Path, url: str) -> None:
    (entry,) = entries(file, table(base_url=f'"{url}"'))
    assert entry.base_url == url.rstrip("/") + "/"


def test_what_is_left_out_is_as_the_model_says(file: Path) -> None:
    file.write_text(table(name='"Acme Inc. (Europe)"'))
    (entry,) = read(file)
    assert entry.integration() == Integration(integration_id="acme-inc-europe", name="Acme Inc. (Europe)", base_url=URL)
    assert entry.secret is None


def test_every_key_is_heard(file: Path) -> None:
    token = file.with_name("token")
    keys = {"id": '"hq"', "client_id": '"client"', "secret_file": f'"{token}"', "requests_per_second": "2", "timeout_seconds": "5"}
    times = {"full_sync": '"Weekly on Monday"', "incremental_sync": '"manual"', "sweep": '"hourly"', "window": '"22:00-06:00 Asia/Tokyo"'}
    rest = {"connect_timeout_seconds": "1.5", "request_log": "false", "mass_closure_share": "1", "paused": "true"}
    shown = {"group_size": "8", "people_by_status": "true"}
    file.write_text(table(**keys, **times, **rest, **shown))
    (entry,) = read(file)
    assert entry.secret == "canary-token-2"
    assert "canary" not in repr(entry)
    assert entry.integration() == Integration(
        integration_id="hq",
        name="Main",
        base_url=URL,
        client_id="client",
        requests_per_minute=120,
        timeout_seconds=5,
        connect_timeout_seconds=1.5,
        keeps_request_log=False,
        schedule=Schedule(
            full=Every.parse("weekly on monday"),
            incremental=Every(),
            sweep=Every.parse("1 h"),
            window=Window.parse("22:00-06:00 Asia/Tokyo"),
        ),
        mass_closure_share=1,
        group_size=8,
        shows_people=True,
        is_paused=True,
    )


_EVERY = st.sampled_from(["1 min", "30 min", "hourly", "12 h", "daily", "weekly on sunday", "manual"]).map(Every.parse)
_SCHEDULES = st.builds(
    Schedule, full=_EVERY, incremental=_EVERY, sweep=_EVERY, window=st.sampled_from([None, Window.parse("00:00-23:59 UTC")])
)
_NAMES = st.text(min_size=1, max_size=100).map(str.strip).filter(lambda text: text and text.isprintable())


@given(
    st.builds(
        Integration,
        integration_id=st.from_regex("[a-z0-9]([a-z0-9-]{0,9}[a-z0-9])?", fullmatch=True),
        name=_NAMES,
        base_url=st.just(URL),
        client_id=st.none() | st.from_regex("[!-9;-~]{1,20}", fullmatch=True),
        requests_per_minute=st.none() | st.floats(1, 60_000),
        timeout_seconds=st.floats(0.1, 600),
        connect_timeout_seconds=st.floats(0.1, 60),
        keeps_request_log=st.booleans(),
        schedule=_SCHEDULES,
        mass_closure_share=st.floats(0.001, 1),
        group_size=st.integers(5, 1000),
        shows_people=st.booleans(),
        is_paused=st.booleans(),
    )
)
def test_what_is_written_is_read_back_the_same(tmp_path_factory: pytest.TempPathFactory, integration: Integration) -> None:
    file = tmp_path_factory.mktemp("written") / "integrations.toml"
    other = replace(integration, integration_id="other")
    file.write_text(written([integration, other]), "utf-8")
    assert [entry.integration() for entry in read(file)] == [integration, other]


async def test_applied_again_nothing_changes_and_a_changed_file_changes_its_settings_alone(file: Path, store: SqlStore) -> None:
    main, branch = await apply(store, entries(file, table(secret_env='"TOKEN"') + table(id='"branch"')))
    assert main == Applied(integration_id="main", is_new=True, is_changed=True, has_secret=True)
    assert branch == Applied(integration_id="branch", is_new=True, is_changed=True, has_secret=False)
    assert str(main) == "main: added"
    assert str(branch) == "branch: added; `surveybot integration secret branch` stores the secret it lacks"
    stored = await store.read(lambda u: u.integrations.all())
    assert [str(it).partition(";")[0] for it in await apply(store, read(file))] == ["main: as it was", "branch: as it was"]
    assert await store.read(lambda u: u.integrations.all()) == stored

    def find_out(u: Any) -> None:
        u.integrations.set_brand("main", "acme")
        u.integrations.set_baseline("main", NOW)
        u.integrations.set_unauthorized("main", NOW)
        u.integrations.set_paused("main", is_paused=True)

    await store.write(find_out)
    assert [str(it) for it in await apply(store, entries(file, table(timeout_seconds="5", paused="false")))] == ["main: changed"]
    changed = an_integration(timeout_seconds=5, brand_id="acme", baseline_at=NOW, unauthorized_at=NOW, is_paused=True)
    assert await store.read(lambda u: u.integrations.all()) == [an_integration("branch"), changed]
    assert await store.read(lambda u: u.integrations.secret("main")) == "canary-token-1"


async def test_a_new_secret_is_given_another_try(file: Path, store: SqlStore) -> None:
    await apply(store, entries(file, table(secret_env='"TOKEN"')))
    await store.write(lambda u: u.integrations.set_unauthorized("main", NOW))
    await apply(store, read(file))
    assert await store.read(lambda u: u.integrations.get("main")) == an_integration(unauthorized_at=NOW)
    assert [it.is_changed for it in await apply(store, entries(file, table(secret_file=f'"{file.with_name("token")}"')))] == [True]
    assert await store.read(lambda u: u.integrations.get("main")) == an_integration()
    assert await store.read(lambda u: u.integrations.secret("main")) == "canary-token-2"


async def test_what_an_older_version_left_is_taken_over_and_read(file: Path, store: SqlStore) -> None:
    left = replace(an_integration(), base_url="", is_paused=True)
    await store.write(lambda u: u.integrations.save(left))
    await store.write(lambda u: u.integrations.set_baseline("main", NOW))
    await apply(store, entries(file, table(secret_env='"TOKEN"')))
    assert await store.read(lambda u: u.integrations.get("main")) == an_integration(baseline_at=NOW)
