"""What channels and owners are told of surveys: from the first sending to the final numbers, each thing once, whatever happens between."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.channels import succession
from bot.channels.announcing import announce_due
from bot.channels.posting import Poster, post_due
from bot.deep_links import DeepLinks
from bot.errors import Ambiguous, Forbidden, Gone, Rejected, ShutOut, SurveybotError, Throttled, Unavailable
from bot.messages import DeliveryState, MemberKind, Place, Preference
from bot.page import Chart
from bot.posts import News, PostKind
from bot.subscriptions import Feature, Paused
from bot.syncing.sync import Kind
from cards.plain import plain_text
from tests.contract.core.conftest import OLGA, Channels, facts
from tests.unit.core.examples import NOW


async def test_a_survey_is_followed_from_its_first_sending_to_its_final_numbers(channels: Channels) -> None:
    """Milestones only the highest that was reached, the closing notice 24 hours before the end, each once."""
    life = channels.life
    await channels.subscribe(Feature.LAUNCH, Feature.MILESTONES, Feature.CLOSING, Feature.CLOSED, Feature.RESULTS)
    channels.send(days=4)
    assert await channels.look() == ["Survey sent"]
    assert ("Sent to", "100 or more") in facts(channels.newest())
    life.wait(days=1)
    channels.count(finished=24, opened=60)
    assert await channels.look() == []
    life.wait(days=1)
    channels.count(finished=60)
    assert await channels.look() == ["Milestone reached"]
    assert "have reached 50%" in plain_text(channels.newest())
    life.wait(hours=23)
    assert await channels.look() == []
    life.wait(hours=1)
    assert await channels.look() == ["Active survey stats"]
    closing = channels.newest()
    assert ("Answered", "60 or more of 100 or more") in facts(closing)
    assert [chart.title for chart in closing.elements if isinstance(chart, Chart)] == ["From sent to completed", "Answers over time"]
    assert "/responses/#/surveys/SV_1" in str(closing.elements)
    life.wait(hours=25)
    assert await channels.tell() == [], "the counts of its last day are not read yet"
    channels.count(finished=83)
    assert await channels.look() == ["Final numbers"], "which say that it is closed"
    assert ("Completed", "80 or more") in facts(channels.newest())
    life.wait(days=1)
    assert await channels.look() == []
    assert await channels.states(PostKind.MILESTONES) == {DeliveryState.SENT, DeliveryState.SKIPPED}
    found = await life.store.read(lambda uow: uow.subscriptions.all())
    assert found[0].last_post_at == NOW + timedelta(days=4, hours=1)


async def test_what_was_before_the_subscription_or_the_first_synchronisation_is_never_told(channels: Channels) -> None:
    life = channels.life
    channels.send()
    channels.count(finished=30, bounced=40)
    await life.sync()
    life.wait(hours=1)
    await channels.subscribe(Feature.LAUNCH, Feature.MILESTONES, Feature.DELIVERY_PROBLEMS, Feature.CLOSED)
    assert await channels.look() == []
    channels.count(finished=50)
    assert await channels.look() == ["Milestone reached"]
    life.wait(days=7)
    assert await channels.look() == ["Survey closed"]
    await channels.subscribe(channel="C2")
    assert await channels.look() == [], "it was over before"


async def test_what_is_sent_in_the_second_of_subscribing_is_told_though_qualtrics_tells_whole_seconds(channels: Channels) -> None:
    channels.send()
    channels.life.wait(milliseconds=900)
    await channels.subscribe(Feature.LAUNCH)
    assert await channels.look() == ["Survey sent"]


async def test_a_moved_deadline_is_told_again_only_when_it_moved_by_more_than_a_day(channels: Channels) -> None:
    life = channels.life
    await channels.subscribe(Feature.CLOSING)
    channels.send(days=3)
    await channels.look()
    life.wait(days=2)
    assert await channels.look() == ["Active survey stats"]

    def prolong(**span: float) -> None:
        sent = life.source.sent["EMD_1"]
        assert sent.link_expires_at is not None
        life.source.sent["EMD_1"] = replace(sent, link_expires_at=sent.link_expires_at + timedelta(**span))

    prolong(hours=20)
    life.wait(hours=21)
    assert await channels.look() == []
    prolong(days=2)
    life.wait(days=1, hours=23)
    assert await channels.look() == ["Active survey stats"]


async def test_a_closing_notice_comes_before_the_weekend_and_to_the_owner_in_private(channels: Channels) -> None:
    """The survey ends on Monday at nine: the day before is a Sunday. The owner needs no subscription."""
    life = channels.life
    await channels.subscribe(Feature.CLOSING)
    channels.send(days=7)  # to Monday, 9:30 UTC
    life.now = NOW + timedelta(days=4, hours=6, minutes=29)
    assert await channels.look() == []
    life.wait(minutes=1)  # Friday, 17:00 in Berlin; she works by UTC
    assert await channels.look() == ["Active survey stats"]
    assert life.channel.sent == []
    life.wait(hours=1)
    assert await channels.look() == []
    assert [(who, page.title) for who, page in life.channel.sent] == [("olga", "Active survey stats")]
    assert await channels.look() == []
    assert len(life.channel.sent) == 1


@pytest.mark.parametrize("choice", [Preference(own_surveys=False), Preference(place=Place.NOWHERE)])
async def test_an_owner_who_does_not_want_to_be_told_is_not_though_they_chose_so_at_the_last_moment(
    channels: Channels, choice: Preference
) -> None:
    life = channels.life
    channels.send(days=1.5)
    await life.sync()
    life.wait(hours=12)
    await announce_due(life.store, life.sender.reach, life.now)
    await life.store.write(lambda uow: uow.preferences.save(uow.people.ids(["olga@acme.example"])["olga@acme.example"], choice, life.now))
    assert await channels.tell() == []
    assert await channels.states() == {DeliveryState.SKIPPED}
    assert life.channel.sent == []


async def test_problems_are_told_once_and_again_when_they_have_doubled(channels: Channels) -> None:
    """From the share on that the subscription names, else the settings."""
    await channels.subscribe(Feature.DELIVERY_PROBLEMS)
    named = await channels.subscribe(Feature.DELIVERY_PROBLEMS, channel="C2")
    await channels.life.store.write(lambda uow: uow.subscriptions.add(replace(named, problem_share=0.6)))
    channels.send()
    assert await channels.look() == []
    channels.count(bounced=12)
    assert await channels.look() == ["Delivery problems"]
    assert ("Bounced", "10 or more") in facts(channels.newest())
    channels.count(bounced=19)
    assert await channels.look() == []
    channels.count(bounced=22)
    assert await channels.look() == ["Delivery problems"]


async def test_a_weekly_post_is_one_message_for_all_surveys_and_none_where_nothing_is_open(channels: Channels) -> None:
    life = channels.life
    await channels.subscribe(Feature.WEEKLY, subject="Pulse*")
    life.wait(days=7)
    assert await channels.look() == []
    for number in range(1, 13):
        channels.send(f"SV_{number}", f"EMD_{number}", days=30)
    life.wait(days=7)
    assert await channels.look() == ["Your surveys this week"]
    assert "12 surveys are open." in plain_text(channels.newest())
    assert "2 more are not shown here." in plain_text(channels.newest())
    life.wait(days=6)
    assert await channels.look() == []


async def test_nobody_is_told_what_the_creator_may_not_see_when_it_is_sent(channels: Channels) -> None:
    """Rights are looked up again when the post is drawn."""
    life = channels.life
    await channels.subscribe(creator="eve")
    await channels.subscribe(channel="C2")
    channels.send()
    await life.sync()
    await announce_due(life.store, life.sender.reach, life.now)
    life.source.user_list = (replace(OLGA, is_active=False),)
    await life.sync(Kind.FULL)
    assert await channels.tell() == []
    assert await channels.states() == {DeliveryState.SKIPPED}


async def test_what_two_subscriptions_of_a_channel_say_is_said_once(channels: Channels) -> None:
    await channels.subscribe(Feature.LAUNCH)
    await channels.subscribe(Feature.LAUNCH, subject="all")
    channels.send()
    channels.send("SV_2", "EMD_2")
    assert await channels.look() == ["News of your surveys"]
    assert plain_text(channels.newest()).count("Pulse SV_1 has been sent.") == 1
    assert plain_text(channels.newest()).count("Pulse SV_2 has been sent.") == 1


async def test_nor_is_it_said_twice_where_their_turns_are_apart(channels: Channels, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.channels.posting._AT_ONCE", 1)
    await channels.subscribe(Feature.LAUNCH)
    await channels.subscribe(Feature.LAUNCH, channel="C2")
    await channels.subscribe(Feature.LAUNCH, subject="all")
    channels.send()
    assert await channels.look() == ["Survey sent", "Survey sent"]
    assert {channel_id for channel_id, _ in channels.life.channel.posted} == {"C1", "C2"}


@pytest.mark.parametrize(
    ("error", "why"), [(Gone("archived"), Paused.ARCHIVED), (ShutOut("removed"), Paused.REMOVED), (Forbidden("no"), Paused.FORBIDDEN)]
)
async def test_a_dead_end_pauses_the_channel_and_its_creator_is_told_once_in_private(
    channels: Channels, error: SurveybotError, why: Paused
) -> None:
    life = channels.life
    made = await channels.subscribe()
    channels.send(days=30)
    life.channel.post_errors.append(error)
    assert await channels.look() == []
    found = await life.store.read(lambda uow: uow.subscriptions.get(made.subscription_id))
    assert found is not None
    assert found.paused is why
    assert [(who, page.title) for who, page in life.channel.sent] == [("olga", "Subscription paused")]
    channels.count(finished=50)
    assert await channels.look() == []
    await life.store.write(lambda uow: uow.subscriptions.resume(made.subscription_id))
    assert await channels.look() == [], "the milestone was reached while it was paused"
    channels.count(finished=80)
    assert await channels.look() == ["Milestone reached"]
    assert len(life.channel.sent) == 1


async def test_a_post_is_repeated_when_it_was_not_sent_and_never_when_nobody_knows(channels: Channels) -> None:
    life = channels.life
    await channels.subscribe()
    channels.send(days=30)
    life.channel.post_errors.append(Throttled("429", retry_after=30))
    assert await channels.look() == []
    assert await channels.tell() == []
    life.wait(seconds=31)
    assert await channels.tell() == ["Survey sent"]
    channels.count(finished=50)
    life.channel.post_errors.append(Ambiguous("lost"))
    assert await channels.look() == []
    life.wait(minutes=10)
    assert await channels.look() == []
    assert await channels.states(PostKind.MILESTONES) == {DeliveryState.UNKNOWN, DeliveryState.SKIPPED}
    channels.send("SV_1", "EMD_2", days=30)
    life.channel.post_errors.append(Rejected("too long"))
    channels.count(finished=90)
    assert await channels.look() == []
    assert await channels.look() == []


async def test_after_an_outage_only_the_highest_milestone_is_told(channels: Channels) -> None:
    life = channels.life
    await channels.subscribe(Feature.MILESTONES)
    channels.send(days=30)
    for finished in (30, 60, 80):
        channels.count(finished=finished)
        life.channel.post_errors.append(Unavailable("down"))
        assert await channels.look() == []
    life.channel.post_errors.clear()
    life.wait(hours=1)
    assert await channels.tell() == ["Milestone reached"]
    assert "have reached 75%" in plain_text(channels.newest())
    assert await channels.states() == {DeliveryState.SENT, DeliveryState.SKIPPED}


async def test_after_an_outage_what_would_read_the_same_is_told_once(channels: Channels) -> None:
    life = channels.life
    await channels.subscribe(Feature.WEEKLY, Feature.DELIVERY_PROBLEMS)
    channels.send(days=30)
    for bounced in (12, 25):
        channels.count(bounced=bounced)
        life.channel.post_errors.append(Unavailable("down"))
        assert await channels.look() == []
        life.wait(days=7)
    life.channel.post_errors.clear()
    assert await channels.tell() == ["News of your surveys"]
    said = plain_text(channels.newest())
    assert (said.count("Delivery problems"), said.count("Your surveys this week")) == (1, 1)


class _Killed(BaseException):
    """The process ends here."""


async def test_a_process_killed_anywhere_loses_nothing_and_nothing_is_said_twice(channels: Channels) -> None:
    """Before the call another process sends it; during it nobody knows, and nobody repeats it. Two at once say it once."""
    life = channels.life
    await channels.subscribe(Feature.LAUNCH)
    for number in (1, 2):
        channels.send(f"SV_{number}", f"EMD_{number}", days=30)
    await life.sync()
    await asyncio.gather(*(announce_due(life.store, life.sender.reach, life.now) for _ in range(3)))
    begun = await life.store.write(lambda uow: uow.posts.claim(life.now, owner="killed", lease=timedelta(seconds=120), limit=9))
    assert len(begun) == 1
    assert await channels.tell() == []
    life.wait(minutes=3)
    await asyncio.gather(*(post_due(channels.poster) for _ in range(3)))
    assert [page.title for _, page in life.channel.posted] == ["Survey sent"]

    await channels.subscribe(Feature.LAUNCH, subject="all", channel="C2")
    channels.send("SV_3", "EMD_3", days=30)
    life.channel.post_errors.append(_Killed())  # pyright: ignore[reportArgumentType] - a process is not killed by an Exception
    with pytest.raises(_Killed):
        await channels.look()
    life.wait(minutes=3)
    assert await channels.look() == []
    assert DeliveryState.UNKNOWN in await channels.states(PostKind.LAUNCH)


async def test_a_channel_is_told_who_subscribed_it_and_asked_to_take_over_when_they_have_left(channels: Channels) -> None:
    life = channels.life
    made = await channels.subscribe()
    subscribed = News(kind=PostKind.SUBSCRIBED, subscription_id=made.subscription_id, mark="1")
    await life.store.write(lambda uow: uow.posts.add([subscribed], life.now, is_told=True))
    assert await channels.tell() == ["New subscription"]
    await life.join("olga", kind=MemberKind.DEACTIVATED)
    channels.send(days=1)
    await succession.review(life.store, life.now)
    assert await channels.look() == ["Who takes this over?"]
    life.wait(days=15)
    await succession.review(life.store, life.now)
    assert await channels.look() == []
    assert life.channel.sent == [], "nobody is left to be told, neither of the pause nor of the end of her survey"


async def test_trouble_with_one_message_is_no_trouble_for_the_others(channels: Channels) -> None:
    """What is due elsewhere in a workspace waits while it is in trouble; what breaks, or cannot be drawn, ends alone."""
    life = channels.life
    for channel in ("C1", "C2"):
        await channels.subscribe(Feature.LAUNCH, Feature.MILESTONES, channel=channel)
    channels.send(days=30)
    await life.sync()
    life.channel.post_errors.append(Throttled("429", retry_after=30))
    sender = life.sender
    await announce_due(life.store, sender.reach, life.now)
    await post_due(Poster(sender, DeepLinks()))
    assert life.channel.posted == []
    life.wait(seconds=31)
    life.channel.post_errors.append(ValueError("a bug"))
    assert await channels.tell() == ["Survey sent"]
    channels.count(finished=50)
    await life.sync()
    await announce_due(life.store, sender.reach, life.now)
    await post_due(Poster(life.sender, DeepLinks(results="ftp://nowhere")))
    assert await channels.states(PostKind.LAUNCH) == {DeliveryState.SENT, DeliveryState.UNKNOWN}
    assert await channels.states(PostKind.MILESTONES) == {DeliveryState.SKIPPED}
