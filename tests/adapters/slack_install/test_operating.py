"""What an operator of many workspaces sees and need not do: each stands for itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from adapters.app import open_bot
from adapters.core import utc_now
from adapters.doctor import slack
from adapters.doctor.check import Check, Level
from adapters.sandbox.slack.faults import Status
from adapters.sandbox.slack.sender import tell_news
from bot.errors import Unavailable
from bot.messages import MemberKind
from store.engine import connect
from tests.adapters.slack.conftest import settled
from tests.adapters.slack_install.conftest import House
from tests.sides import in_slack


async def doctor(house: House) -> dict[str, Check]:
    return {check.name: check async for check in slack.seen(house.bot.core)}


async def test_the_doctor_looks_at_each_workspace_and_names_the_fix(house: House, caplog: pytest.LogCaptureFixture) -> None:
    assert (await doctor(house))["Slack"].text == "nobody has installed the app; open /slack/install of this bot's address"
    house.slack.app.optional_scopes = {"im:write"}
    house.slack.app.is_rotating = True
    await house.install("T0ACME", declined=frozenset({"im:write"}))
    for place in ("T0OTHER", "E0GRID"):
        await house.install(place)
    store, tokens = house.bot.core.store, await house.tokens("T0OTHER")
    assert tokens is not None
    over = replace(tokens, refresh="spent", expires_at=utc_now() - timedelta(hours=1))
    await store.write(lambda uow: uow.installations.renew("T0OTHER", over))

    found = await doctor(house)
    assert {name: check.level for name, check in found.items()} == {
        "Slack, E0GRID": Level.OK,
        "Slack, T0ACME": Level.FAIL,
        "Slack, T0OTHER": Level.FAIL,
    }
    assert found["Slack, T0ACME"].text.startswith(
        "the app lacks im:write; an administrator installs it again at /slack/install?team=T0ACME"
    )
    assert "installs it again at /slack/install?team=T0OTHER" in found["Slack, T0OTHER"].text

    async with open_bot(house.settings):
        told = [vars(record) for record in caplog.records if record.getMessage() == "slack.scopes_missing"]
    assert [(it["workspace"], it["scopes"], it["install_again"]) for it in told] == [("T0ACME", ["im:write"], "/slack/install?team=T0ACME")]


async def test_people_are_read_in_each_workspace_whatever_happens_in_another(house: House) -> None:
    reader, store = in_slack(house.bot).directory_reader, house.bot.core.store
    await reader.read_due()
    await house.install("T0ACME")
    await house.install("T0OTHER")
    house.slack.faults.add(Status(503), method="users.list", times=1)
    for _ in range(2):  # the second time nothing is due, and the trouble is not over
        with pytest.raises(Unavailable):
            await reader.read_due()
    emails = ("ana@acme.example", "ana@other.example")
    known = [await store.read(lambda uow, email=email: uow.members.by_email(email)) for email in emails]
    assert sorted(len(members) for members in known) == [0, 1]
    assert house.called("users.list") == 2


async def test_an_organisation_opens_a_workspace_to_the_app_and_closes_it_again(house: House) -> None:
    reader, store = in_slack(house.bot).directory_reader, house.bot.core.store
    south = house.grid.add_workspace("T0SOUTH", "South", is_open=False)
    house.grid.add_user("W0SUE", "sue", email="sue@grid.example", teams=["T0SOUTH"])
    await house.install("E0GRID")
    kinds: list[list[MemberKind]] = []
    for change in (None, house.grid.open_to_app, house.grid.close_to_app):
        if change is not None:
            change("T0SOUTH")
            south.installation = south.installation or house.slack.installations[0]  # Slack tells it in the name of the organisation
            await tell_news(house.slack)
            await settled()
        await reader.read_due()
        await store.write(lambda uow: uow.members.seen("E0GRID", ["W0SUE"], utc_now() - timedelta(minutes=5)))  # as time would
        kinds.append([member.kind for member in await store.read(lambda uow: uow.members.by_email("sue@grid.example"))])
    assert kinds == [[], [MemberKind.MEMBER], [MemberKind.DEACTIVATED]]


async def test_whoever_asks_where_the_token_does_not_open_is_answered_at_the_address_that_needs_none(house: House) -> None:
    await house.install("T0ACME")
    store, tokens = house.bot.core.store, await house.tokens("T0ACME")
    assert tokens is not None
    await store.write(lambda uow: uow.installations.renew("T0ACME", replace(tokens, expires_at=utc_now() - timedelta(hours=1))))
    in_slack(house.bot).clients.changed("T0ACME")  # a token that cannot be renewed: Slack is down for that
    house.slack.faults.add(Status(503), method="oauth.v2.access", times=None)
    answer = await house.ask(house.acme, "U0ANA")
    assert (answer.only_for, "Something went wrong on my side" in answer.text) == ("U0ANA", True)


async def test_where_a_token_does_not_open_people_are_told_that_something_went_wrong(house: House) -> None:
    """Its key was lost: the app is installed all the same, and Slack must not be asked to deliver again."""
    await house.install("T0ACME")
    engine = connect(house.settings.database_url.get_secret_value(), read_only=False, connections=1)
    with engine.begin() as connection:
        connection.execute(text("UPDATE installations SET access_token = :bad"), {"bad": b"\x04lost damaged"})
    engine.dispose()
    in_slack(house.bot).clients.changed("T0ACME")
    assert "Something went wrong on my side" in (await house.ask(house.acme, "U0ANA")).text
