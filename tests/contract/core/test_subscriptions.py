"""Channels are subscribed by those who may see the surveys, and left by anybody in them; nobody learns what is not theirs."""

from __future__ import annotations

from datetime import time
from pathlib import Path

import pytest

from bot import actions
from bot.messages import Conversation
from bot.page import Action, Checkboxes, Input, Select
from bot.pages.reader import Reader
from bot.ports import Store
from bot.subscriptions import Feature, Paused
from tests.contract.core.channels import HERE, Channel, buttons, said

DEFAULT = "closing launch results"


@pytest.fixture
def database_url(tmp_path: Path, migrated_sqlite: bytes) -> str:
    """SQLite alone: what is asked of the tables here, `test_succession` and `tests/contract/store` ask of both databases."""
    path = tmp_path / "surveybot.db"
    path.write_bytes(migrated_sqlite)
    return f"sqlite:///{path}"


@pytest.fixture
async def channel(store: Store) -> Channel:
    return await Channel(store).open()


async def test_what_is_named_is_in_force_and_nothing_else_and_the_channel_is_told_who_subscribed_it(channel: Channel) -> None:
    page = await channel.types("ola", "subscribe Team pulse")
    for part in ("Surveys: Team pulse", "when sent out; 24 hours before closing; the final numbers", "Subscribed by: Ola Owner"):
        assert part in said(page)
    assert await channel.in_force() == {"SV_pulse": DEFAULT}
    channel.wait(minutes=1)
    await channel.types("ola", 'subscribe "team PULSE" weekly:friday@16:00 closed')
    assert await channel.in_force() == {"SV_pulse": "closed weekly"}
    channel.wait(minutes=1)
    page = await channel.types("ola", "subscribe SV_pulse")
    assert await channel.in_force() == {"SV_pulse": "closed weekly"}, "where nothing is named, all stays as it is"
    assert "Weekly post: Friday at 16:00 (Europe/Berlin)" in said(page)
    assert await channel.news() == [("subscribed", "SV_pulse")] * 2, "the channel is told of what changes"
    page = await channel.types("ola", "subscribe SV_pulse delivery-problems")
    assert "when 10% of invitations or more do not arrive" in said(page), "as the settings say"
    await channel.types("ola", "subscribe SV_pulse delivery-problems@5%")
    page = await channel.types("ola", "list")
    assert "when 5% of invitations or more do not arrive" in said(page)
    (it,) = await channel.subscriptions()
    assert (it.creator_id, it.zone, it.weekday, it.weekly_at) == ("ola", "Europe/Berlin", 4, time(16))


@pytest.mark.parametrize(
    ("typed", "subject"),
    [
        ("SV_pulse", "SV_pulse"),
        ("SV_over", "SV_over"),
        ("team", "SV_pulse"),
        ("pulse", "SV_pulse"),
        ("Product launch", "SV_launch"),
        ("Old", "SV_over"),
        ("ALL", "all"),
        ("*", "all"),
        ("Team*", "Team*"),
    ],
)
async def test_a_survey_is_found_by_id_by_name_and_by_a_part_of_it_among_those_they_may_see(
    channel: Channel, typed: str, subject: str
) -> None:
    await channel.types("ola", f"subscribe {typed}")
    assert await channel.in_force() == {subject: DEFAULT}


async def test_where_several_may_be_meant_they_choose(channel: Channel) -> None:
    page = await channel.types("adm", "subscribe pulse weekly:friday")
    assert "2 surveys may be meant by “pulse”. Which one?" in said(page)
    assert await channel.in_force() == {}
    await channel.presses("adm", page, "Subscribe", 1)
    assert await channel.in_force() == {"SV_pulse": "weekly"}
    assert (await channel.subscriptions())[0].weekday == 4


async def test_a_survey_of_somebody_else_and_one_that_never_was_look_the_same(channel: Channel) -> None:
    answers = [said(await channel.types("ola", f"subscribe {word} launch")) for word in ("SV_secret", "SV_nonsense", "Board", "Nobody")]
    assert {text.replace(word, "…") for text, word in zip(answers, ("SV_secret", "SV_nonsense", "Board", "Nobody"), strict=True)} == {
        answers[0].replace("SV_secret", "…")
    }
    assert await channel.in_force() == {}


@pytest.mark.parametrize("text", ["subscribe SV_pulse", "subscribe SV_nonsense", "subscribe all", "subscribe x*", "subscribe"])
@pytest.mark.parametrize(("who", "title"), [("emp", "For survey owners"), ("gus", "For members only"), ("far", "For members only")])
async def test_who_may_see_no_survey_subscribes_to_none_and_learns_nothing(channel: Channel, text: str, who: str, title: str) -> None:
    page = await channel.types(who, text)
    assert page.title == title
    assert "pulse" not in said(page).casefold()
    assert await channel.in_force() == {}


async def test_what_is_not_understood_is_named_with_what_it_may_have_meant(channel: Channel) -> None:
    page = await channel.types("ola", "subscribe SV_pulse lunch")
    assert "“lunch”" in said(page)
    assert "Did you mean launch?" in said(page)
    assert "Did you mean closed?" in said(await channel.types("ola", "subscribe Team pulse closd"))
    assert "weekly:fryday" in said(await channel.types("ola", "subscribe Team pulse weekly:fryday"))
    assert await channel.in_force() == {}


async def test_outside_of_channels_everything_points_to_one(channel: Channel) -> None:
    for text in ("subscribe all", "subscribe", "unsubscribe all", "list", "settings"):
        assert (await channel.types("ola", text, None)).title == "Please ask in a channel", text
    for verb in sorted(verb for verb in {**actions.VIEWS, **actions.FORMS, **actions.COMMANDS} if verb.startswith("subscription")):
        page = await channel.does("ola", Action(verb=verb, data={"subscription": "1", "what": "all", "features": "weekly"}), None)
        assert page.title in {"Please ask in a channel", "Not yours to change"}, verb
    assert await channel.in_force() == {}


async def test_what_is_missing_is_asked_for_by_a_form_that_knows_what_was_said(channel: Channel) -> None:
    form = await channel.form("ola", Action(verb="subscription.new", data={"what": "weekly closed"}))
    survey, features, weekday, at = form.elements
    assert isinstance(survey, Select)
    assert [option.label for option in survey.options] == ["All surveys that I may see", "Product launch", "Team pulse", "Old pulse"]
    assert isinstance(features, Checkboxes)
    assert (features.chosen, isinstance(weekday, Select), isinstance(at, Select)) == (("closed", "weekly"), True, True)
    await channel.submits("ola", form, what="SV_launch", features="weekly results", weekday="4", weekly_at="16:00")
    assert await channel.in_force() == {"SV_launch": "results weekly"}
    (subscription,) = await channel.subscriptions()
    assert (subscription.weekday, subscription.weekly_at) == (4, time(16))
    await channel.submits("ola", form, what="SV_secret", features="weekly")
    assert await channel.in_force() == {"SV_launch": "results weekly"}


@pytest.mark.parametrize("verb", ["subscription.add", "subscription.remove", "subscription.drop"])
@pytest.mark.parametrize("data", [{}, {"what": " "}, {"what": "", "features": "weekly"}, {"what": "“ ”"}])
async def test_who_names_nothing_changes_nothing(channel: Channel, verb: str, data: dict[str, str]) -> None:
    await channel.types("ola", "subscribe Team pulse")
    await channel.does("ola", Action(verb=verb, data=data))
    assert await channel.in_force() == {"SV_pulse": DEFAULT}


async def test_where_there_are_too_many_surveys_to_list_a_name_is_asked_for(channel: Channel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.pages.subscribing.MOST_CHOICES", 2)
    form = await channel.form("ola", Action(verb="subscription.new"))
    assert isinstance(form.elements[0], Input)
    await channel.submits("ola", form, what="Product launch", features="closed")
    assert await channel.in_force() == {"SV_launch": "closed"}


@pytest.mark.parametrize(
    ("verb", "data", "fields"),
    [
        ("subscription.add", {"what": "SV_1", "features": ""}, ["features"]),
        ("subscription.add", {"what": " ", "features": "closed"}, ["what"]),
        ("subscription.add", {"what": "SV_1", "features": "closed"}, []),
        ("subscription.change", {"features": " "}, ["features"]),
        ("subscriptions.save_times", {"works_from": "17:00", "works_until": "09:00"}, ["works_until"]),
        ("subscriptions.save_times", {"works_from": "08:00", "works_until": "09:00"}, []),
    ],
)
def test_what_a_form_lacks_is_complained_about_at_its_field(verb: str, data: dict[str, str], fields: list[str]) -> None:
    assert list(actions.complaints(Action(verb=verb, data=data), Reader("en", "UTC"))) == fields


async def test_everybody_in_the_channel_sees_and_removes_what_it_is_subscribed_to(channel: Channel) -> None:
    await channel.types("ola", "subscribe Team pulse closed")
    await channel.types("max", "subscribe Board only")
    await channel.types("adm", "subscribe all weekly")
    page = await channel.types("emp", "list")
    for part in ("Team pulse", "Board only", "All surveys that Ada Admin may see", "Subscribed by: Max Moss", "Last post: none yet"):
        assert part in said(page)
    page = await channel.presses("emp", page, "Remove")
    assert "1 subscription was removed." in said(page)
    assert await channel.in_force() == {"SV_secret": DEFAULT, "all": "weekly"}
    elsewhere = Conversation(workspace_id="T1", channel_id="C2")
    assert "not subscribed" in said(await channel.types("emp", "list", elsewhere))
    number = (await channel.subscriptions())[0].subscription_id
    await channel.does("emp", Action(verb="subscription.drop", data={"subscriptions": str(number)}), elsewhere)
    assert len(await channel.in_force()) == 2
    assert (await channel.types("gus", "list")).title == "For members only"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("unsubscribe SV_pulse", {"SV_launch", "Team*"}),
        ("unsubscribe product LAUNCH", {"SV_pulse", "Team*"}),
        ("unsubscribe “team pulse”", {"SV_launch", "Team*"}),
        ("unsubscribe team*", {"SV_launch", "SV_pulse"}),
        ("unsubscribe launch", {"SV_pulse", "Team*"}),
        ("unsubscribe nothing like it", {"SV_launch", "SV_pulse", "Team*"}),
    ],
)
async def test_one_is_removed_by_whatever_names_it(channel: Channel, text: str, left: set[str]) -> None:
    for subject in ("SV_pulse", "SV_launch", "Team*"):
        await channel.types("ola", f"subscribe {subject}")
    page = await channel.types("ola", text)
    assert set(await channel.in_force()) == left
    assert page.title == ("Nothing to change" if len(left) == 3 else "Subscriptions")


@pytest.mark.parametrize(("text", "count"), [("unsubscribe all", 3), ("unsubscribe *pulse*", 2), ("unsubscribe PULSE", 2)])
async def test_several_are_removed_only_once_that_was_confirmed(channel: Channel, text: str, count: int) -> None:
    for subject in ("SV_pulse", "SV_launch", "SV_over"):
        await channel.types("ola", f"subscribe {subject}")
    page = await channel.types("emp", text)
    assert page.title == "Remove them all?"
    assert len(await channel.in_force()) == 3
    page = await channel.presses("emp", page, f"Remove {count} subscriptions")
    assert f"{count} subscriptions were removed." in said(page)
    assert len(await channel.in_force()) == 3 - count


async def test_its_creator_and_the_brands_administrators_change_it_and_nobody_else(channel: Channel) -> None:
    await channel.types("ola", "subscribe Team pulse")
    page = await channel.types("ola", "list")
    (change,) = [button for button in buttons(page) if button.label == "Change"]
    for who in ("emp", "max"):
        assert (await channel.does(who, change.action)).title == "Not yours to change"
        await channel.does(who, Action(verb="subscription.change", data={**change.action.data, "features": "weekly"}))
    assert await channel.in_force() == {"SV_pulse": DEFAULT}
    for who, feature in (("ola", "closed"), ("adm", "weekly")):
        form = await channel.form(who, change.action)
        answer = await channel.submits(who, form, features=feature, weekday="2", weekly_at="08:00")
        assert said(answer).startswith("Subscribed\nChanged.")
        assert await channel.in_force() == {"SV_pulse": feature}
    (subscription,) = await channel.subscriptions()
    assert (subscription.creator_id, subscription.weekday) == ("ola", 2), "whose rights count stays"


async def test_administrators_change_what_is_of_many_surveys_where_some_are_of_their_brand(channel: Channel) -> None:
    await channel.types("ola", "subscribe Team* closed")
    (subscription,) = await channel.subscriptions()
    data = {"subscription": str(subscription.subscription_id), "features": "weekly"}
    for who, features in (("max", "closed"), ("adm", "weekly")):
        await channel.does(who, Action(verb="subscription.change", data=data))
        assert await channel.in_force() == {"Team*": features}


async def test_the_times_of_the_channel_hold_for_everything_it_is_subscribed_to(channel: Channel) -> None:
    assert (await channel.types("ola", "settings")).title == "Subscriptions", "there is nothing yet that they could hold for"
    await channel.types("ola", "subscribe Team pulse weekly")
    await channel.types("max", "subscribe Board only weekly:friday@16:00@Asia/Tokyo")
    assert "Time zone: Asia/Tokyo" in said(await channel.types("emp", "settings"))
    edit = Action(verb="subscriptions.edit_times")
    assert (await channel.does("emp", edit)).title == "Not yours to change"
    form = await channel.form("ola", edit)
    times = {"zone": "Europe/Rome", "weekday": "3", "weekly_at": "10:00", "works_from": "08:00", "works_until": "16:00"}
    await channel.does("emp", Action(verb=form.action.verb, data=times))
    page = await channel.submits("ola", form, **times)
    for part in ("Time zone: Europe/Rome", "Weekly post: Thursday at 10:00", "Working hours: Monday to Friday, 08:00 to 16:00"):
        assert part in said(page)
    found = {(it.zone, it.weekday, it.weekly_at, it.works_from, it.works_until) for it in await channel.subscriptions()}
    assert found == {("Europe/Rome", 3, time(10), time(8), time(16))}
    await channel.submits("ola", form, zone="Nowhere/Land", weekday="9", weekly_at="x")
    assert {it.zone for it in await channel.subscriptions()} == {"Europe/Rome"}


async def test_a_name_is_not_told_any_more_once_its_creator_may_not_see_the_survey(channel: Channel) -> None:
    await channel.types("max", "subscribe Board only")
    await channel.store.write(lambda uow: (uow.users.forget_listed("main"), uow.users.remove_unlisted("main")))
    page = await channel.types("emp", "list")
    assert "Board" not in said(page)
    assert "A survey (SV_secret) that max@acme.example may not see any more" in said(page)


async def test_what_was_paused_is_posted_again_once_its_creator_says_so(channel: Channel) -> None:
    await channel.types("ola", "subscribe Team pulse")
    (subscription,) = await channel.subscriptions()
    await channel.store.write(lambda uow: uow.subscriptions.pause(subscription.subscription_id, Paused.REMOVED))
    page = await channel.types("emp", "list")
    assert "Paused: I am not in the channel" in said(page)
    assert (await channel.presses("emp", page, "Post again")).title == "Not yours to change"
    channel.wait(minutes=1)
    for _ in range(2):
        await channel.presses("ola", page, "Post again")
    assert [it.paused for it in await channel.subscriptions()] == [None]
    assert await channel.news() == [("subscribed", "SV_pulse")] * 2, "at first it may not have been told who subscribed it"
    assert subscription.conversation == HERE
    assert Feature.LAUNCH in subscription.features
