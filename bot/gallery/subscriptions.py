"""Examples of the pages about what channels are told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import time, timedelta

from bot import pages
from bot.gallery.scene import HOSTILE, NOW
from bot.messages import Conversation, Readership
from bot.model import Survey
from bot.page import Form, Page
from bot.pages.reader import Reader
from bot.subjects import Described
from bot.subscribing import ZONES, Wish, parse
from bot.subscriptions import Feature, Paused, Subscription

_IT = Subscription(
    subscription_id=1,
    conversation=Conversation(workspace_id="T1", channel_id="C1"),
    subject="SV_1",
    features=frozenset({Feature.LAUNCH, Feature.CLOSING, Feature.WEEKLY}),
    creator_id="U1",
    created_at=NOW,
    zone="Europe/Berlin",
    weekday=4,
    weekly_at=time(16),
    last_post_at=NOW - timedelta(days=3),
)


def examples(reader: Reader) -> Mapping[str, Page]:
    """Name -> page."""
    one, many = _described(), _described(subject="Pulse*", features=frozenset(Feature), last_post_at=None)
    everything = _described(subject="all", features=frozenset({Feature.CLOSED}))
    offered = replace(_described(offered_at=NOW - timedelta(days=2)), survey_name=None)
    return {
        "subscribed": pages.subscribed(one, reader),
        "subscription-changed": pages.subscribed(many, reader, is_changed=True),
        "subscriptions": pages.subscription_list([one, many, everything, offered, *_paused()], 1, reader),
        "subscriptions-second-page": pages.subscription_list([one] * 30, 2, reader),
        "subscriptions-none": pages.subscription_list([], 1, reader, removed=2),
        "subscriptions-hostile-name": pages.subscription_list([replace(one, survey_name=HOSTILE, owner=HOSTILE)], 1, reader),
        "subscriptions-removal": pages.confirm_removal([one, many, everything], reader),
        "subscriptions-times": pages.channel_times(_IT, reader, is_saved=True),
        "subscribe-which": pages.which_survey([_survey(number) for number in range(1, 13)], parse("pulse closed"), reader),
        "subscribe-nothing-found": pages.no_such_survey(parse("Team pulse lunch"), reader),
        "subscribe-hostile-word": pages.no_such_survey(Wish(subject=HOSTILE), reader),
        "subscribe-unknown-feature": pages.unknown_feature(parse("SV_1 weekly:fryday@16:00"), reader),
        "subscribe-elsewhere": pages.only_in_channels(reader),
        "subscribe-nothing-of-yours": pages.nothing_to_tell_of(reader),
        **{f"subscribe-read-by-{who.name.lower()}": pages.read_along(who, reader) for who in Readership if who is not Readership.MEMBERS},
        "subscription-not-yours": pages.not_yours_to_change(reader),
        "subscription-missing": pages.not_subscribed(HOSTILE, reader),
        "subscription-gone": pages.not_subscribed("", reader),
        "channel-subscribed": pages.channel_subscribed(many, reader),
        "channel-offered": pages.channel_offered(offered, reader),
        "subscription-held": pages.posts_held(one, reader),
        **{f"subscription-paused-{why.name.lower()}": pages.subscription_paused(one, why, reader) for why in Paused},
    }


def forms(reader: Reader) -> Mapping[str, Form]:
    surveys = [_survey(number) for number in range(1, 100)]
    return {
        "subscribe-form": pages.subscription_form(surveys, Wish(subject=""), _IT, reader),
        "subscribe-form-by-name": pages.subscription_form([*surveys, _survey(100)], Wish(subject=""), _IT, reader),
        "subscription-change-form": pages.change_form(_described(), reader),
        "subscriptions-times-form": pages.times_form(_IT, ZONES, reader),
    }


def _paused() -> list[Described]:
    return [_described(paused=why) for why in (Paused.REMOVED, Paused.CREATOR_LEFT)] + [
        replace(_described(paused=Paused.NOT_ALLOWED), survey_name=None, owner=None)
    ]


def _described(**values: object) -> Described:
    it = replace(_IT, **values)  # pyright: ignore[reportArgumentType]
    name = "Employee engagement 2026" if it.subject == "SV_1" else None
    return Described(subscription=it, survey_name=name, owner="Nia Okafor", problem_share=0.125)


def _survey(number: int) -> Survey:
    return Survey(
        survey_id=f"SV_{number}", name=f"Pulse {number} " + "x" * number, owner_id="UR_1", is_active=number % 3 > 0, last_modified=NOW
    )
