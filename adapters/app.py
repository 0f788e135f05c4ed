"""The composition root: settings become a bot with everything it needs, opened and closed in order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from starlette.routing import Route

from adapters import integrations
from adapters.chats import Chats
from adapters.core import Clock, Core, open_core, utc_now
from adapters.settings import Settings
from adapters.slack_side import SlackSide, open_slack
from adapters.teams.registration import PUBLIC, Cloud
from adapters.teams_side import TeamsSide, open_teams
from bot.channels import announcing, posting, succession
from bot.delivering import delivery, living, reminders, settling
from bot.messages import Platform
from bot.posts import MEMORY


@dataclass(slots=True, kw_only=True)
class Bot:
    """A whole bot: what the scheduler and the web can ask of it."""

    core: Core
    #: None = the settings name no way there.
    slack: SlackSide | None
    teams: TeamsSide | None
    sender: delivery.Sender
    poster: posting.Poster
    editor: living.Editor

    @property
    def routes(self) -> Sequence[Route]:
        """What the chats, and whoever installs the app there, call."""
        return [route for side in (self.slack, self.teams) if side is not None for route in side.routes]

    async def trouble(self) -> str | None:
        """Why people in a chat are not heard now."""
        return None if self.slack is None else await self.slack.trouble()

    async def read_directories(self) -> None:
        """What goes wrong in one chat keeps the other not waiting."""
        sides = [side for side in (self.slack, self.teams) if side is not None]
        results = await asyncio.gather(*(side.directory_reader.read_due() for side in sides), return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result

    async def renew_tokens(self) -> None:
        if self.slack is not None:
            await self.slack.renew_tokens()

    async def give_app(self) -> None:
        """In Teams, to those who never added it."""
        if self.teams is not None and self.teams.installer is not None:
            await self.teams.installer.install_due()

    async def remind(self) -> None:
        """Put into the outbox who is due, and again those who could not be reached until now."""
        now = self.core.clock()
        await reminders.remind_due(self.core.store, now)
        await self.core.store.write(lambda uow: uow.outbox.reopen_reachable(self.sender.reach, now))

    async def deliver(self) -> None:
        """Send what is due until nothing is left, or what is left must wait."""
        await delivery.deliver_due(self.sender)

    async def settle(self) -> None:
        """Find out about messages whose answer was lost."""
        await settling.settle_lost(self.sender)

    async def announce(self) -> None:
        """Find out what channels and owners are to be told, and who must take over a subscription."""
        now = self.core.clock()
        await succession.review(self.core.store, now)
        await announcing.announce_due(self.core.store, self.sender.reach, now, problem_share=self.poster.problem_share)

    async def forget(self) -> None:
        """Delete what nobody is told of any more."""
        before = self.core.clock() - MEMORY
        await self.core.store.write(lambda uow: uow.subscriptions.forget_paused(before) + uow.posts.forget(before))

    async def post(self) -> None:
        """Tell channels and owners."""
        await posting.post_due(self.poster)

    async def edit(self) -> None:
        """Bring sent messages up to date."""
        await living.edit_due(self.editor)


@asynccontextmanager
async def open_bot(settings: Settings, clock: Clock = utc_now, *, cloud: Cloud = PUBLIC) -> AsyncGenerator[Bot]:
    """Open a whole bot, and apply the file of integrations if there is one. `cloud`: whom to believe to be Teams.

    Raises UserError (schema, or what is wrong with the file), Unauthorized or Unavailable (Slack does not know us, or does not answer).
    """
    async with AsyncExitStack() as stack:
        core = await stack.enter_async_context(open_core(settings, clock))
        if settings.integrations_file is not None:
            await integrations.apply(core.store, integrations.read(settings.integrations_file))
        slack = await stack.enter_async_context(open_slack(core)) if settings.slack.is_set else None
        teams = await stack.enter_async_context(open_teams(core, cloud)) if settings.teams.is_set else None
        sides = {Platform.SLACK: slack, Platform.TEAMS: teams}
        channel = Chats({platform: side.channel for platform, side in sides.items() if side is not None}, settings.reach)
        sender = delivery.Sender(store=core.store, channel=channel, clock=clock, owner=core.owner, reach=settings.reach)
        yield Bot(
            core=core,
            slack=slack,
            teams=teams,
            sender=sender,
            poster=posting.Poster(sender, settings.links.templates(), settings.problem_share),
            editor=living.Editor(store=core.store, channel=channel, clock=clock),
        )
