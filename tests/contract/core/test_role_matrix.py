"""Whoever asks whatever of statistics and subscriptions learns of surveys that are theirs, and not even that others exist."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import pytest

from bot import actions
from bot.messages import Conversation, Member, MemberKind, Platform, Reach, Readership, Request, Surface
from bot.model import DistributionStats, User
from bot.page import Action, Form, Page, PrivatePage
from bot.ports import UnitOfWork
from tests.contract.core.conftest import Life
from tests.unit.core.examples import NOW, a_distribution, a_survey, an_integration

#: What shows a person their own surveys, settings and help alone; other tests hold that.
PERSONAL = frozenset(
    (
        *("home.show", "surveys.list", "surveys.find", "surveys.search", "survey.show", "survey.handover", "survey.why"),
        *("message.show", "privacy.show", "help.show", "settings.show", "settings.edit", "settings.save"),
    )
)
VERBS = sorted({*actions.VIEWS, *actions.FORMS, *actions.COMMANDS} - PERSONAL)

ADMIN, OWNER, OTHER, FRIEND, OUTSIDER, EMPLOYEE = (f"{name}@acme.example" for name in ("admin", "owner", "other", "friend", "out", "ana"))
MEMBER = Member(workspace_id="T1", user_id="U1", kind=MemberKind.MEMBER, email=None)
#: Who asks, and which surveys are theirs to see. Those without rights have the address of somebody who has all.
ROLES: Mapping[str, tuple[Member, frozenset[str]]] = {
    "brand admin": (replace(MEMBER, email=ADMIN), frozenset({"SV_mine", "SV_theirs"})),
    "owner": (replace(MEMBER, email=OWNER), frozenset({"SV_mine"})),
    "other owner": (replace(MEMBER, email=OTHER), frozenset({"SV_theirs"})),
    "collaborator": (replace(MEMBER, email=FRIEND), frozenset({"SV_mine"})),
    "outsider": (replace(MEMBER, email=OUTSIDER), frozenset({"SV_elsewhere"})),
    "employee": (replace(MEMBER, email=EMPLOYEE), frozenset()),
    "guest": (replace(MEMBER, email=ADMIN, kind=MemberKind.GUEST), frozenset()),
    "stranger": (replace(MEMBER, email=ADMIN, kind=MemberKind.STRANGER), frozenset()),
    "bot": (replace(MEMBER, email=ADMIN, kind=MemberKind.BOT), frozenset()),
    "deactivated": (replace(MEMBER, email=ADMIN, kind=MemberKind.DEACTIVATED), frozenset()),
    "unconfirmed": (replace(MEMBER, email=ADMIN, has_unconfirmed_email=True), frozenset()),
    "without an address": (MEMBER, frozenset()),
}
#: By survey, the integration that sees it and its owner.
SURVEYS = {"SV_mine": ("main", "UR_owner"), "SV_theirs": ("main", "UR_other"), "SV_elsewhere": ("other", "UR_out")}
NOWHERE = "SV_nowhere"
_CHANNEL = Conversation(workspace_id="T1", channel_id="C1")


def fill(uow: UnitOfWork) -> None:
    """Each survey has words of its own in its name, its owner's name, and its mail's sender and subject: its canaries."""
    for name, brand in {"main": "acme", "other": "other"}.items():
        uow.integrations.save(an_integration(name, shows_people=True))
        uow.integrations.set_brand(name, brand)
    users = {"UR_owner": OWNER, "UR_other": OTHER}
    named = [User(user_id=user_id, email=email, first_name=f"Canary-{user_id}") for user_id, email in users.items()]
    uow.users.save("main", [*named, User(user_id="UR_admin", email=ADMIN, user_type="UT_BRANDADMIN")])
    uow.users.save("other", [User(user_id="UR_out", email=OUTSIDER, first_name="Canary-UR_out", user_type="UT_BRANDADMIN")])
    for survey_id, (integration_id, owner_id) in SURVEYS.items():
        uow.surveys.save(integration_id, [a_survey(survey_id=survey_id, name=f"Canary {survey_id}", owner_id=owner_id)], NOW)
        distribution = a_distribution(
            distribution_id=f"EMD_{survey_id}",
            survey_id=survey_id,
            subject=f"Canary-subject-{survey_id}",
            sender_name=f"Canary-sender-{survey_id}",
            stats=DistributionStats(sent=50, finished=25),
        )
        uow.distributions.save(integration_id, [distribution])
    uow.grants.share("SV_mine", uow.people.ids([FRIEND, EMPLOYEE])[FRIEND], NOW)


def canaries(survey_id: str) -> Iterator[str]:
    integration_id, owner_id = SURVEYS[survey_id]
    yield from (f"Canary {survey_id}", f"Canary-subject-{survey_id}", f"Canary-sender-{survey_id}", f"Canary-{owner_id}")
    yield f"EMD_{survey_id}"
    if integration_id == "other":
        yield "other.qualtrics.com"


async def answered(life: Life, member: Member, verb: str, survey_id: str, surface: Surface, *, readership: Readership | None = None) -> str:
    """Everything the answer holds, the id that was asked for left out: it is the asker's own word. In a channel without subscriptions."""
    data = {"survey": survey_id, "distribution": f"EMD_{survey_id}", "words": survey_id, "what": survey_id}
    conversation = _CHANNEL if surface is Surface.SHARED else None
    if verb in actions.COMMANDS:
        await life.store.write(_forget_subscriptions)
    request = Request(member=member, action=Action(verb=verb, data=data), surface=surface, conversation=conversation, readership=readership)
    page: Page | PrivatePage | Form = await actions.handle(life.store, request, life.now, reach=Reach(guests=frozenset({Platform.SLACK})))
    return repr(page).replace(survey_id, "SV_asked")


def _forget_subscriptions(uow: UnitOfWork) -> None:
    uow.subscriptions.remove([each.subscription_id for each in uow.subscriptions.of_conversation(_CHANNEL)])


def test_every_verb_has_been_thought_of() -> None:
    """A new one is tried by whoever is in the matrix, unless it is put among what is personal."""
    assert {*actions.VIEWS, *actions.FORMS, *actions.COMMANDS} > PERSONAL
    assert {"stats.list", "stats.survey", "stats.distribution", "stats.coverage", "sync.status", "subscription.add"} < set(VERBS)


@pytest.mark.parametrize("role", ROLES)
async def test_nobody_learns_what_is_not_theirs_nor_that_it_exists(life: Life, role: str) -> None:
    member, theirs = ROLES[role]
    await life.store.write(fill)
    await life.store.write(lambda uow: uow.members.save([member]))
    for surface in (Surface.PRIVATE, Surface.SHARED):
        for verb in VERBS:
            nowhere = await answered(life, member, verb, NOWHERE, surface)
            for survey_id in SURVEYS:
                answer = await answered(life, member, verb, survey_id, surface)
                if survey_id not in theirs:
                    assert answer == nowhere, f"{verb} tells the {role} of {survey_id}"
                told = [word for other in SURVEYS.keys() - theirs for word in canaries(other) if word in answer]
                assert told == [], f"{verb} tells the {role}"


@pytest.mark.parametrize("role", ROLES)
async def test_where_others_read_along_nobody_subscribes_and_the_answer_is_the_same_whatever_was_named(life: Life, role: str) -> None:
    member, _ = ROLES[role]
    await life.store.write(fill)
    await life.store.write(lambda uow: uow.members.save([member]))
    for readership in (Readership.OUTSIDERS, Readership.GUESTS, Readership.UNKNOWN):
        for verb in ("subscription.add", "subscription.resume", "subscription.take_over"):
            named = (*SURVEYS, NOWHERE)
            said = {await answered(life, member, verb, each, Surface.SHARED, readership=readership) for each in named}
            assert len(said) == 1
            assert "Canary" not in said.pop()
            assert await life.store.read(lambda uow: uow.subscriptions.all()) == []


@pytest.mark.parametrize("role", ROLES)
async def test_everybody_sees_what_is_theirs_and_who_has_nothing_is_told_why(life: Life, role: str) -> None:
    member, theirs = ROLES[role]
    await life.store.write(fill)
    await life.store.write(lambda uow: uow.members.save([member]))
    for survey_id in SURVEYS:
        answer = await answered(life, member, "stats.survey", survey_id, Surface.PRIVATE)
        assert ("Canary SV_asked" in answer) == (survey_id in theirs)
        assert survey_id in theirs or "title='Nothing to show'" in answer or "title='For members only'" in answer or not member.email
        subscribed = await answered(life, member, "subscription.add", survey_id, Surface.SHARED)
        assert ("Canary SV_asked" in subscribed) == (survey_id in theirs)
    listed = await answered(life, member, "stats.list", NOWHERE, Surface.PRIVATE)
    assert {survey_id for survey_id in SURVEYS if f"Canary {survey_id}" in listed} == theirs
    home = await answered(life, member, "home.show", NOWHERE, Surface.HOME)
    assert ("stats.list" in home) == bool(theirs)
    status = await answered(life, member, "sync.status", NOWHERE, Surface.PRIVATE)
    assert ("Nightly sweep" in status) == (role in {"brand admin", "outsider"})
