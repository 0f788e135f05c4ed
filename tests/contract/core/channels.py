"""A brand with surveys of two owners, people in its chat, and a channel where they ask."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot import actions
from bot.messages import Conversation, Member, MemberKind, Readership, Request, Surface
from bot.model import BRAND_ADMIN, Survey, User
from bot.page import Action, Button, Buttons, Entry, Form, Page, PrivatePage
from bot.ports import Store, UnitOfWork
from bot.posts import OWNER
from bot.slash_commands import parse
from bot.subscriptions import Subscription
from tests.unit.core.examples import NOW, an_integration
from tests.unit.core.test_pages import words

HERE = Conversation(workspace_id="T1", channel_id="C1")
#: Ola owns these; Max the others.
OLAS = {"SV_pulse": "Team pulse", "SV_launch": "Product launch", "SV_over": "Old pulse"}
MAXS = {"SV_secret": "Board only", "SV_max": "Max' own pulse"}


@dataclass
class Channel:
    """People ask in a channel; time is in the test's hands."""

    store: Store
    now: datetime = NOW
    #: Who reads along there, as it was seen when somebody asked.
    readership: Readership | None = None
    members: dict[str, Member] = field(default_factory=dict[str, Member])

    async def open(self) -> Channel:
        kinds = {"gus": MemberKind.GUEST, "far": MemberKind.STRANGER}
        for name in ("ola", "max", "adm", "emp", "gus", "far"):
            kind = kinds.get(name, MemberKind.MEMBER)
            self.members[name] = Member(
                workspace_id="T1", user_id=name, kind=kind, email=f"{name}@acme.example", zone="Europe/Berlin", locale="en"
            )
        await self.store.write(self._fill)
        return self

    def _fill(self, uow: UnitOfWork) -> None:
        uow.integrations.save(an_integration("main"))
        names = {"ola": ("Ola", "Owner"), "max": ("Max", "Moss"), "adm": ("Ada", "Admin"), "gus": ("Gus", "Guest"), "far": ("Fay", "Far")}
        users = [
            User(
                user_id=f"UR_{name}",
                email=f"{name}@acme.example",
                first_name=first,
                last_name=last,
                user_type=BRAND_ADMIN if name == "adm" else None,
            )
            for name, (first, last) in names.items()
        ]
        uow.users.save("main", users)
        surveys = [_survey(survey_id, name, "UR_ola") for survey_id, name in OLAS.items()]
        uow.surveys.save("main", surveys + [_survey(survey_id, name, "UR_max") for survey_id, name in MAXS.items()], NOW)
        uow.members.save(list(self.members.values()))

    async def does(self, who: str, action: Action, where: Conversation | None = HERE) -> Page | Form:
        request = Request(member=self.members[who], action=action, surface=Surface.SHARED, conversation=where, readership=self.readership)
        page = await actions.handle(self.store, request, self.now)
        assert not isinstance(page, PrivatePage)
        return page

    async def types(self, who: str, text: str, where: Conversation | None = HERE) -> Page:
        page = await self.does(who, parse("/survey-stats", text), where)
        assert isinstance(page, Page), page
        return page

    async def form(self, who: str, action: Action) -> Form:
        page = await self.does(who, action)
        assert isinstance(page, Form), page
        return page

    async def submits(self, who: str, form: Form, **said: str) -> Page:
        page = await self.does(who, Action(verb=form.action.verb, data={**said, **form.action.data}))
        assert isinstance(page, Page), page
        return page

    async def presses(self, who: str, page: Page, label: str, number: int = 0) -> Page:
        pressed = [button for button in buttons(page) if button.label == label][number]
        answer = await self.does(who, pressed.action)
        assert isinstance(answer, Page), answer
        return answer

    async def subscriptions(self, where: Conversation = HERE) -> list[Subscription]:
        return list(await self.store.read(lambda uow: uow.subscriptions.of_conversation(where)))

    async def in_force(self) -> dict[str, str]:
        """What this channel is told, by subject."""
        return {each.subject: " ".join(sorted(each.features)) for each in await self.subscriptions()}

    async def news(self) -> list[tuple[str, str]]:
        """What the channel and the creator of its subscriptions are told about these: kind and subject."""
        known = {each.subscription_id: each.subject for each in await self.subscriptions()}
        found = await self.store.read(lambda uow: uow.posts.list(100))
        told = sorted(found, key=lambda post: post.post_id)
        return [(post.news.kind.value, known.get(post.news.subscription_id, "")) for post in told if post.news.subscription_id != OWNER]

    def wait(self, **span: float) -> None:
        self.now += timedelta(**span)


def buttons(page: Page) -> list[Button]:
    found: list[Button] = []
    for element in page.elements:
        if isinstance(element, Buttons):
            found += [button for button in element.buttons if isinstance(button, Button)]
        if isinstance(element, Entry):
            found.append(element.button)
    return found


def said(page: Page) -> str:
    return words(page)


def _survey(survey_id: str, name: str, owner_id: str) -> Survey:
    return Survey(survey_id=survey_id, name=name, owner_id=owner_id, is_active=survey_id != "SV_over", last_modified=NOW)
