"""Everything the browser page can make happen: each a value parsed from JSON, done to the simulated worlds, answered with a sentence."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated, Literal, assert_never

from msgspec import Meta, Struct

from adapters.sandbox.clock import SandboxClock
from adapters.sandbox.page.slack_channels import ChangeChannel, change_channel
from adapters.sandbox.page.teams_deeds import (
    ChangeApp,
    Look,
    PressCard,
    Say,
    TeamsDeed,
    TeamsFault,
    TeamsHand,
    TeamsPace,
    break_teams,
    pace_teams,
)
from adapters.sandbox.qualtrics.faults import Faults
from adapters.sandbox.qualtrics.status import WAITING
from adapters.sandbox.qualtrics.tenant import Tenant
from adapters.sandbox.slack.faults import LostAnswer, RateLimited
from adapters.sandbox.slack.forms import IncompleteForm
from adapters.sandbox.slack.limits import Limits
from adapters.sandbox.slack.sender import Acknowledgement, SlackSender
from adapters.sandbox.slack.workspace import UserKind, Workspace
from bot.errors import UserError
from bot.slash_commands import SLASH_COMMANDS

#: The slash commands of our manifest; Slack itself refuses all others.
COMMANDS = tuple(command.name for command in SLASH_COMMANDS.values())

_SPANS = {1: "An hour", 24: "A day", 168: "A week"}
_Hours = Annotated[int, Meta(ge=1, le=24 * 60)]


class SendSurvey(Struct, tag_field="what", tag="send_survey"):
    """Mail a new survey to one address, to a mailing list by its id, or with `to` empty to everybody on the main list."""

    name: Annotated[str, Meta(min_length=1, max_length=100)]
    to: Annotated[str, Meta(max_length=200)]
    closes_in_hours: _Hours


class Remind(Struct, tag_field="what", tag="remind"):
    survey: str


class Move(Struct, tag_field="what", tag="move"):
    """Somebody opens, starts, finishes...: their invitation gets this delivery status."""

    survey: str
    email: str
    status: Literal["Opened", "SurveyStarted", "SurveyFinished", "SurveyScreenedOut"]


class Answer(Struct, tag_field="what", tag="answer"):
    """So many who were asked and have not answered finish it."""

    survey: str
    count: Annotated[int, Meta(ge=1, le=1000)]


class Deactivate(Struct, tag_field="what", tag="deactivate"):
    survey: str


class Activate(Struct, tag_field="what", tag="activate"):
    survey: str


class Advance(Struct, tag_field="what", tag="advance"):
    hours: _Hours


class QualtricsFault(Struct, tag_field="what", tag="qualtrics_fault"):
    fault: Literal["off", "429", "503"]


class SlackFault(Struct, tag_field="what", tag="slack_fault"):
    """`lost`: calls take effect, and their answers never arrive."""

    fault: Literal["off", "429", "down", "lost"]


class SlackPace(Struct, tag_field="what", tag="slack_pace"):
    """Whether Slack holds the bot to its rate limits."""

    fault: Literal["off", "real"]


class Command(Struct, tag_field="what", tag="command"):
    """Type a slash command; without a channel, in the direct message with the bot."""

    user: str
    words: Annotated[str, Meta(max_length=1000)]
    channel: str | None = None


class Press(Struct, tag_field="what", tag="press"):
    """Press a button, or choose an option, of a message, or without channel and ts of the open modal or the Home view."""

    user: str
    action: str
    block: str | None = None
    channel: str | None = None
    ts: str | None = None
    chosen: str | None = None


class Submit(Struct, tag_field="what", tag="submit"):
    """Submit the open modal with what was typed and chosen, by action id."""

    user: str
    typed: dict[str, str | list[str]]


class CloseModal(Struct, tag_field="what", tag="close_modal"):
    user: str


class OpenHome(Struct, tag_field="what", tag="open_home"):
    user: str


_Trouble = QualtricsFault | SlackFault | SlackPace | TeamsFault | TeamsPace
_InSlack = Command | Press | OpenHome | Submit | CloseModal | ChangeChannel
_InQualtrics = SendSurvey | Remind | Move | Answer | Deactivate | Activate
_FAULTS = ("qualtrics_fault", "slack_fault", "slack_pace", "teams_fault", "teams_pace")
Deed = _InQualtrics | Advance | _Trouble | _InSlack | TeamsDeed


@dataclass(slots=True, kw_only=True)
class Hand:
    """Does deeds."""

    tenant: Tenant
    workspace: Workspace
    sender: SlackSender
    clock: SandboxClock
    #: None: there is no Teams here.
    teams: TeamsHand | None = None
    #: How long each day of a longer time stands still, for the bot to do what is due on it; in real time.
    day_seconds: float = 0
    #: What is out of order now, in the words of the deeds of these names.
    faults: dict[str, str] = field(default_factory=lambda: dict.fromkeys(_FAULTS, "off"))

    async def do(self, deed: Deed) -> str:
        """Do it and return a sentence saying what happened.

        Raises UserError when it cannot be done, LookupError when it names something that is not there.
        """
        match deed:
            case Command() | Press() | OpenHome() | Submit() | CloseModal() | ChangeChannel():
                return await self._in_slack(deed)
            case SendSurvey() | Remind() | Move() | Answer() | Activate() | Deactivate():
                return self._in_qualtrics(deed)
            case Advance():
                await self._pass(deed.hours)
                return f"{_SPANS.get(deed.hours, f'{deed.hours} hours')} passed."
            case QualtricsFault() | SlackFault() | SlackPace() | TeamsFault() | TeamsPace():
                return self._break(deed)
            case Say() | PressCard() | Look() | ChangeApp():
                return await self._teams.do(deed)
            case _:
                assert_never(deed)

    @property
    def _teams(self) -> TeamsHand:
        if self.teams is None:
            raise UserError("There is no Teams in this sandbox.")
        return self.teams

    async def _pass(self, hours: int) -> None:
        for left in range(hours, 0, -24):
            self.clock.advance(timedelta(hours=min(left, 24)))
            await asyncio.sleep(self.day_seconds if left > 24 else 0)

    def _in_qualtrics(self, deed: _InQualtrics) -> str:
        match deed:
            case SendSurvey():
                return self._send(deed)
            case Remind():
                return self._remind(deed)
            case Move():
                return self._move(deed)
            case Answer():
                return self._answer(deed)
            case Activate():
                self.tenant.activate(deed.survey)
                return f"“{self.tenant.survey(deed.survey).name}” takes answers again."
            case Deactivate():
                self.tenant.deactivate(deed.survey)
                return f"“{self.tenant.survey(deed.survey).name}” is closed: it takes no more answers."
            case _:
                assert_never(deed)

    def _send(self, deed: SendSurvey) -> str:
        list_id = deed.to if self.tenant.directories[0].lists.get(deed.to) else None
        emails = [deed.to] if deed.to and not list_id else None
        life = timedelta(hours=deed.closes_in_hours)
        sent = self.tenant.send_survey(name=deed.name, emails=emails, list_id=list_id, expires_in=life)
        return f"Qualtrics mailed “{deed.name}” to {_people(len(self.tenant.distribution(sent).recipients))}. Surveybot soon notices."

    def _remind(self, deed: Remind) -> str:
        survey = self.tenant.survey(deed.survey)
        invites = [each.distribution_id for each in survey.distributions if each.request_type == "Invite"]
        if not invites:
            raise UserError(f"“{survey.name}” was never mailed to anybody, so nobody can be reminded. Send it first.")
        reminder = self.tenant.distribution(self.tenant.remind(invites[-1]))
        return f"Qualtrics reminded {_people(len(reminder.recipients))} of “{survey.name}”."

    def _move(self, deed: Move) -> str:
        survey = self.tenant.survey(deed.survey)
        try:
            self.tenant.move(deed.email, deed.survey, deed.status)
        except LookupError as error:
            raise UserError(f"{deed.email} was not asked to answer “{survey.name}”. Choose another person or survey.") from error
        done = {"Opened": "opened the mail of", "SurveyStarted": "started", "SurveyFinished": "finished"}
        return f"{deed.email} {done.get(deed.status, 'was screened out of')} “{survey.name}”."

    def _answer(self, deed: Answer) -> str:
        survey = self.tenant.survey(deed.survey)
        waiting = [(each, row) for each in survey.distributions for row in each.recipients if row.status in WAITING]
        for distribution, row in waiting[: deed.count]:
            self.tenant.change(distribution, row, "SurveyFinished")
        return f"{_people(min(deed.count, len(waiting)))} finished “{survey.name}”."

    def _break(self, deed: _Trouble) -> str:
        match deed:
            case QualtricsFault():
                self.faults["qualtrics_fault"], name = deed.fault, "Qualtrics"
                self.tenant.faults = Faults(status=None if deed.fault == "off" else int(deed.fault), retry_after=1)
            case SlackFault():
                self.faults["slack_fault"], name = deed.fault, "Slack"
                self._break_slack(deed.fault)
            case SlackPace():
                self.faults["slack_pace"], name = deed.fault, "Slack"
                self.workspace.platform.limits = Limits() if deed.fault == "real" else None
                return "Slack now counts calls, by its real tiers." if deed.fault == "real" else "Slack takes calls at any pace."
            case TeamsFault():
                self.faults["teams_fault"] = deed.fault
                return break_teams(self._teams.window.client.tenant, deed)
            case TeamsPace():
                self.faults["teams_pace"] = deed.fault
                return pace_teams(self._teams.window.client.tenant, deed)
            case _:
                assert_never(deed)
        words = {
            "off": "works",
            "429": "answers every call with 429, too many calls",
            "503": "answers every call with 503",
            "lost": "does what it is asked, but its answers get lost",
        }
        return f"{name} {words.get(deed.fault, 'is down')}."

    def _break_slack(self, fault: str) -> None:
        faults = self.workspace.faults
        faults.clear()
        faults.down = fault == "down"
        if fault == "429":
            faults.add(RateLimited(), times=None)
        if fault == "lost":
            faults.add(LostAnswer(), times=None)

    async def _in_slack(self, deed: _InSlack) -> str:
        self._require_active(deed.user)
        match deed:
            case Command():
                return await self._command(deed)
            case Press():
                pressed = await self.sender.press(
                    deed.user,
                    action_id=deed.action,
                    block_id=deed.block,
                    channel_id=deed.channel,
                    ts=deed.ts,
                    chosen=deed.chosen,
                )
                return _heard(pressed, "of the press")
            case OpenHome():
                return _heard(await self.sender.open_home(deed.user), "that the Home tab was opened")
            case Submit():
                return await self._submit(deed)
            case ChangeChannel():
                return await change_channel(self.workspace, self.sender, deed)
            case CloseModal():
                closed = await self.sender.close(deed.user)
                return "The form is closed." if closed is None else _heard(closed, "that the form was closed")
            case _:
                assert_never(deed)

    async def _submit(self, deed: Submit) -> str:
        try:
            return _heard(await self.sender.submit(deed.user, deed.typed), "what was filled in")
        except IncompleteForm as error:
            self.workspace.view_errors[deed.user] = error.errors
            self.workspace.changed()
            raise UserError("Slack does not submit the form yet: it says at the fields what is missing.") from error

    async def _command(self, deed: Command) -> str:
        command, _, text = deed.words.strip().partition(" ")
        if not command.startswith("/"):
            raise UserError("This sandbox only knows slash commands. Try /surveys.")
        if command not in COMMANDS:
            raise UserError(f"Slack knows no command {command} here. Try {COMMANDS[0]}.")
        channel = deed.channel or self.workspace.direct_message(deed.user).conversation_id
        if deed.user not in self.workspace.conversations[channel].members:
            raise UserError("This person is not in that channel. Choose another one.")
        return _heard(await self.sender.command(deed.user, channel, command, text.strip()), f"of {command}")

    def _require_active(self, user_id: str) -> None:
        user = self.workspace.users.get(user_id)
        if user is None:
            raise UserError(f"There is nobody with the id {user_id} in this Slack workspace. Choose somebody from the list.")
        if user.kind in {UserKind.DEACTIVATED, UserKind.BOT}:
            raise UserError(f"{user.name} cannot use Slack: the account is {_account(user.kind)}. Choose somebody else.")


def _heard(answer: Acknowledgement, what: str) -> str:
    match answer.error:
        case None:
            return f"Slack told Surveybot {what}."
        case "operation_timeout":
            return f"Slack told Surveybot {what}, but had no answer within three seconds."
        case "dispatch_failed":
            return (
                f"Slack could not tell Surveybot {what}: {f'the answer was HTTP {answer.status}' if answer.status else 'nobody listens'}."
            )
        case _:
            assert_never(answer.error)


def _account(kind: UserKind) -> str:
    return "a bot" if kind is UserKind.BOT else "deactivated"


def _people(count: int) -> str:
    return "1 person" if count == 1 else f"{count} people"
