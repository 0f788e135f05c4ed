"""What the browser page can make happen in Teams."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal, assert_never

import httpx
from msgspec import Meta, Struct

from adapters.sandbox.teams.limits import Throttle
from adapters.sandbox.teams.tenant import Fault, Hang, LostAnswer, Tenant, Trouble, refusal
from adapters.sandbox.teams.window import Window
from bot.errors import UserError

#: Longer than the bot waits for an answer.
_HANG_SECONDS = 20.0


class Say(Struct, tag_field="what", tag="teams_say"):
    """Write into a chat; a bot in a shared place hears what begins with @Surveybot."""

    user: str
    chat: str
    words: Annotated[str, Meta(min_length=1, max_length=1000)]


class PressCard(Struct, tag_field="what", tag="teams_press"):
    """Press a button of a card with what was typed and chosen in it, by the inputs' ids."""

    user: str
    chat: str
    message: str
    action: dict[str, Any]
    typed: dict[str, str] = {}


class Look(Struct, tag_field="what", tag="teams_look"):
    """Have a card before one's eyes: one that can be drawn anew is."""

    user: str
    chat: str
    message: str


class ChangeApp(Struct, tag_field="what", tag="teams_app"):
    """Add Surveybot to a chat, remove it, block it in the personal chat, or let it write again."""

    user: str
    chat: str
    change: Literal["add", "remove", "block", "unblock"]


class TeamsFault(Struct, tag_field="what", tag="teams_fault"):
    """`lost`: calls take effect, and their answers never arrive; `hang`: they are answered after longer than anybody waits."""

    fault: Literal["off", "429", "500", "502", "lost", "hang"]


class TeamsPace(Struct, tag_field="what", tag="teams_pace"):
    """Whether Teams holds the bot to its rate limits."""

    fault: Literal["off", "real"]


TeamsDeed = Say | PressCard | Look | ChangeApp

_TROUBLES: dict[str, Trouble] = {
    "429": Fault(429, {"error": {"code": "Throttled", "message": "..."}}, retry_after_s=2),
    "500": refusal(500, "ServiceError"),
    "502": Fault(502),
    "lost": LostAnswer(),
    "hang": Hang(_HANG_SECONDS),
}
_WORDS = {
    "off": "works",
    "429": "answers every call with 429, too many calls",
    "500": "answers every call with 500",
    "502": "answers every call with 502",
    "lost": "does what it is asked, but its answers get lost",
    "hang": "lets every call hang",
}


def break_teams(tenant: Tenant, deed: TeamsFault) -> str:
    tenant.trouble = _TROUBLES.get(deed.fault)
    return f"Teams {_WORDS[deed.fault]}."


def pace_teams(tenant: Tenant, deed: TeamsPace) -> str:
    tenant.throttle = Throttle() if deed.fault == "real" else None
    return "Teams now counts calls, by its real limits." if tenant.throttle else "Teams takes calls at any pace."


@dataclass(frozen=True, slots=True)
class TeamsHand:
    """Does deeds in Teams. Raises as `adapters.sandbox.page.deeds.Hand` does."""

    window: Window

    async def do(self, deed: TeamsDeed) -> str:
        if deed.user not in self.window.client.tenant.people:
            raise UserError(f"There is nobody with the id {deed.user} in this tenant of Teams. Choose somebody from the list.")
        try:
            match deed:
                case Say():
                    return _heard(await self.window.say(deed.user, deed.words.strip(), deed.chat))
                case PressCard():
                    return await self._press(deed)
                case Look():
                    await self.window.look(deed.user, deed.chat, deed.message)
                    return "Teams asked Surveybot to draw the card anew."
                case ChangeApp():
                    return await self._change(deed)
                case _:
                    assert_never(deed)
        except httpx.TransportError:
            return "Teams could not tell Surveybot: nobody listens, or nobody answered in time."

    async def _press(self, deed: PressCard) -> str:
        answer = await self.window.press(deed.user, deed.chat, deed.message, deed.action, deed.typed)
        if answer is not None and answer.sentence:
            return f"Teams shows: “{answer.sentence}”"
        return "Teams told Surveybot of the press."

    async def _change(self, deed: ChangeApp) -> str:
        match deed.change:
            case "add":
                await self.window.add_app(deed.user, deed.chat)
                return "Surveybot was added."
            case "remove":
                await self.window.remove_app(deed.user, deed.chat)
                return "Surveybot was removed: nothing it sends here arrives."
            case "block" | "unblock":
                self.window.block(deed.user, is_blocked=deed.change == "block")
                return "Surveybot is blocked, and is not told." if deed.change == "block" else "Surveybot may write again."


def _heard(answered: httpx.Response | None) -> str:
    if answered is None:
        return "Teams tells Surveybot nothing where it was not added, and among others only what begins with @Surveybot."
    if answered.is_success:
        return "Teams told Surveybot what was written."
    return f"Teams could not tell Surveybot: the answer was HTTP {answered.status_code}."
