"""What a post says: drawn from what is true when it is sent, by the rights that hold then (FEATURES E3)."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime

from bot import authority, numbers, rules, subjects
from bot.channels.announcements import closes_soon, invitations, is_cut_off, milestones
from bot.channels.announcing import owner_of, preference_of
from bot.deep_links import DeepLinks
from bot.errors import Unavailable, loggable
from bot.messages import Conversation, Member, Reach
from bot.numbers import SurveyNumbers
from bot.page import Page
from bot.pages.posts import LONGEST_WEEKLY, Section, Told, Week, section, weekly
from bot.pages.reader import Reader, slash_in
from bot.pages.subscription_news import channel_offered, channel_subscribed, posts_held, subscription_paused
from bot.ports import UnitOfWork
from bot.posts import OWNER, News, Post, PostKind
from bot.subjects import Described
from bot.subscriptions import Subscription, covers

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Drawn:
    """What one post says, and where. A page is a message of its own."""

    to: Conversation | Member
    says: Section | Page
    reader: Reader


def draw(uow: UnitOfWork, post: Post, links: DeepLinks, reach: Reach, now: datetime, *, problem_share: float) -> Drawn | str:
    """Return a sentence where nothing is to be said."""
    drawing = _Drawing(uow, post.news, links, reach, now, problem_share)
    try:
        if post.news.subscription_id == OWNER:
            return drawing.for_owner()
        subscription = uow.subscriptions.get(post.news.subscription_id)
        return "the subscription was removed" if subscription is None else drawing.for_subscription(subscription)
    except Unavailable:
        raise
    except Exception as error:  # noqa: BLE001 - one that cannot be drawn must not hold up the others
        log.error("post.not_drawn", extra={"post": post.post_id, **loggable(error)})  # noqa: TRY400 - a traceback quotes data
        return f"could not be drawn: {type(error).__name__}"


@dataclass(frozen=True, slots=True)
class _Drawing:
    uow: UnitOfWork
    news: News
    links: DeepLinks
    reach: Reach
    now: datetime
    problem_share: float

    def for_owner(self) -> Drawn | str:
        member = owner_of(self.uow, self.news.survey_id, self.reach)
        found = self._seen(member)
        if member is None or isinstance(found, str):
            return found if isinstance(found, str) else "the survey's owner is not here"
        if not rules.is_owner_told(preference_of(self.uow, member.email or "")):
            return "the survey's owner has switched it off"
        reader = Reader.of(member)
        return Drawn(member, self._section(found, reader), reader)

    def for_subscription(self, subscription: Subscription) -> Drawn | str:
        creator = subjects.creator_of(self.uow, subscription)
        if self.news.kind in {PostKind.PAUSED, PostKind.HELD}:
            return self._told_in_private(subscription, creator)
        if subscription.paused is not None:
            return f"paused: {subscription.paused}"
        slash = slash_in(subscription.conversation.workspace_id)
        reader = Reader(creator.locale if creator else "en", subscription.zone, slash)
        says = self._said(subscription, creator, reader)
        return says if isinstance(says, str) else Drawn(subscription.conversation, says, reader)

    def _described(self, subscription: Subscription) -> Described:
        return subjects.describe(self.uow, subscription, self.problem_share)

    def _told_in_private(self, subscription: Subscription, creator: Member | None) -> Drawn | str:
        is_held, why = self.news.kind is PostKind.HELD, subscription.paused
        if why is None and not is_held:
            return "it goes on again"
        if creator is None or not self.reach.includes(creator):
            return "whoever subscribed is not here"
        described, reader = self._described(subscription), Reader.of(creator)
        page = subscription_paused(described, why, reader) if why else posts_held(described, reader)
        return Drawn(creator, page, reader)

    def _said(self, subscription: Subscription, creator: Member | None, reader: Reader) -> Section | Page | str:
        match self.news.kind:
            case PostKind.SUBSCRIBED:
                return channel_subscribed(self._described(subscription), reader)
            case PostKind.OFFERED:
                return channel_offered(self._described(subscription), reader)
            case PostKind.WEEKLY:
                return self._week(subscription, creator, reader)
            case _:
                found = self._seen(creator)
                return found if isinstance(found, str) else self._section(found, reader)

    def _week(self, subscription: Subscription, creator: Member | None, reader: Reader) -> Section | str:
        rights = authority.visible(self.uow, authority.proven_address(creator))
        every = self.uow.lists.listed(self.uow.lists.surveys(rights, self.now, only_open=True), self.now)
        listed = [it for it in every if covers(subscription.subject, it.survey_id, it.name)]
        if not listed:
            return "no survey is open"
        named = numbers.of_listed(self.uow, listed[:LONGEST_WEEKLY], self.now)
        return weekly(Week(surveys=listed, numbers=named), reader)

    def _seen(self, whose: Member | None) -> SurveyNumbers | str:
        integration_id = authority.may_see(self.uow, authority.proven_address(whose), self.news.survey_id)
        found = None if integration_id is None else numbers.of_survey(self.uow, integration_id, self.news.survey_id, self.now)
        if found is None:
            return "whoever is to see it is not here, or may not any more"
        return found if _is_still_so(found, self.news, self.now) else "it is not so any more"

    def _section(self, found: SurveyNumbers, reader: Reader) -> Section:
        sent = invitations(found, self.now)
        distribution = next((it for it in sent if self.news.mark.startswith(f"{it.distribution_id}:")), None)
        told = Told(news=self.news, found=found, distribution=distribution, is_cut_off=is_cut_off(found, self.now))
        return section(told, self.links, reader)


def _is_still_so(found: SurveyNumbers, news: News, now: datetime) -> bool:
    match news.kind:
        case PostKind.CLOSING:
            return closes_soon(found, news.mark, now)
        case PostKind.CLOSED | PostKind.RESULTS:
            return not found.is_open
        case PostKind.MILESTONES:
            return found.is_open and news.mark in map(str, milestones(found.numbers)[-1:])
        case _:
            return found.is_open
