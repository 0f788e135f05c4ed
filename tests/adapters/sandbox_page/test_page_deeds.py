"""What the panel makes happen, in the simulated worlds themselves."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.sandbox.slack.faults import LostAnswer, RateLimited, Status
from adapters.sandbox.slack.workspace import Json

if TYPE_CHECKING:
    from tests.adapters.sandbox_page.conftest import World

SEND = {"what": "send_survey", "name": "Pulse", "to": "", "closes_in_hours": "25"}
BUTTON = {"type": "button", "action_id": "survey.list#1", "text": {"type": "plain_text", "text": "All"}, "value": "{}"}
OPTION = {"text": {"type": "plain_text", "text": "Daily"}, "value": "d"}
LABEL = {"type": "plain_text", "text": "Field"}
FORM: Json = {
    "id": "V1",
    "type": "modal",
    "notify_on_close": True,
    "blocks": [
        {"type": "input", "block_id": "n", "label": LABEL, "element": {"type": "plain_text_input", "action_id": "name"}},
        {
            "type": "input",
            "block_id": "w",
            "label": LABEL,
            "optional": True,
            "element": {"type": "checkboxes", "action_id": "when", "options": [OPTION]},
        },
    ],
}
BLOCKS: list[Json] = [{"type": "actions", "block_id": "b", "elements": [BUTTON]}]


async def test_a_survey_is_mailed_to_everybody(world: World) -> None:
    answer = await world.do(**SEND)
    [survey] = world.tenant.surveys
    [distribution] = survey.distributions
    assert [row.contact.email for row in distribution.recipients] == ["ada@example.com", "Björn@Example.com"]
    assert distribution.expires_at == distribution.created_at + timedelta(hours=25)
    assert answer.json()["said"] == "Qualtrics mailed “Pulse” to 2 people. Surveybot soon notices."
    assert (await world.state())["tenant"]["surveys"] == [
        {"id": survey.survey_id, "name": "Pulse", "is_active": True, "sent": 2, "finished": 0}
    ]


async def test_a_survey_is_mailed_to_one_person(world: World) -> None:
    answer = await world.do(**SEND | {"to": "björn@example.com"})
    [distribution] = next(iter(world.tenant.surveys)).distributions
    assert [row.contact.email for row in distribution.recipients] == ["Björn@Example.com"]
    assert "to 1 person." in answer.json()["said"]


@pytest.mark.parametrize("status", ["Opened", "SurveyStarted", "SurveyFinished", "SurveyScreenedOut"])
async def test_somebody_moves_on(world: World, status: str) -> None:
    survey = await _sent(world)
    answer = await world.do(what="move", survey=survey, email="ada@example.com", status=status)
    [distribution] = world.tenant.survey(survey).distributions
    assert [row.status for row in distribution.recipients] == [status, "Success"]
    assert "“Pulse”" in answer.json()["said"]


async def test_a_reminder_goes_to_whom_has_not_answered(world: World) -> None:
    survey = await _sent(world)
    await world.do(what="move", survey=survey, email="ada@example.com", status="SurveyFinished")
    answer = await world.do(what="remind", survey=survey)
    _, reminder = world.tenant.survey(survey).distributions
    assert [row.contact.email for row in reminder.recipients] == ["Björn@Example.com"]
    assert answer.json()["said"] == "Qualtrics reminded 1 person of “Pulse”."


async def test_a_survey_is_closed_and_opened_again(world: World) -> None:
    survey = await _sent(world)
    await world.do(what="deactivate", survey=survey)
    assert not world.tenant.survey(survey).is_active
    await world.do(what="activate", survey=survey)
    assert world.tenant.survey(survey).is_active


async def test_time_passes(world: World) -> None:
    before = world.clock.now()
    answer = await world.do(what="advance", hours=24)
    assert timedelta(hours=24) <= world.clock.now() - before < timedelta(hours=25)
    assert answer.json()["said"] == "A day passed."


async def test_qualtrics_breaks_and_is_well_again(world: World) -> None:
    said = [(await world.do(what="qualtrics_fault", fault=fault)).json()["said"] for fault in ("429", "503")]
    assert world.tenant.faults.status == 503
    assert said == ["Qualtrics answers every call with 429, too many calls.", "Qualtrics answers every call with 503."]
    assert (await world.state())["faults"] == {
        "qualtrics_fault": "503",
        "slack_fault": "off",
        "slack_pace": "off",
        "teams_fault": "off",
        "teams_pace": "off",
    }
    await world.do(what="qualtrics_fault", fault="off")
    assert world.tenant.faults.status is None


async def test_slack_breaks_and_is_well_again(world: World) -> None:
    await world.do(what="slack_fault", fault="429")
    assert [world.workspace.faults.take("chat.postMessage") for _ in range(3)] == [RateLimited()] * 3
    await world.do(what="slack_fault", fault="down")
    assert world.workspace.faults.take("chat.postMessage") == Status(503)
    assert (await world.state())["faults"]["slack_fault"] == "down"
    await world.do(what="slack_fault", fault="off")
    assert world.workspace.faults.take("chat.postMessage") is None


async def test_slack_loses_its_answers_and_keeps_its_real_pace(world: World) -> None:
    await world.do(what="slack_fault", fault="lost")
    assert [world.workspace.faults.take("chat.update") for _ in range(2)] == [LostAnswer()] * 2
    said = [(await world.do(what="slack_pace", fault=fault)).json()["said"] for fault in ("real", "off", "real")]
    assert said[0] == "Slack now counts calls, by its real tiers."
    assert world.workspace.platform.limits is not None
    assert (await world.state())["faults"]["slack_pace"] == "real"


async def test_a_form_is_filled_in_submitted_and_closed(world: World) -> None:
    world.workspace.show_views("U1", [FORM])
    incomplete = await world.do(what="submit", user="U1", typed={"name": ""})
    assert (incomplete.status_code, "says at the fields" in incomplete.json()["error"]) == (409, True)
    assert (await world.state())["workspace"]["modal"]["errors"] == {"n": "Please complete this required field."}
    assert (await world.do(what="submit", user="U1", typed={"name": "Ada", "when": ["d"]})).json()["said"] == (
        "Slack told Surveybot what was filled in."
    )
    assert (await world.state())["workspace"]["modal"] is None
    world.workspace.show_views("U1", [FORM])
    assert (await world.do(what="close_modal", user="U1")).json()["said"] == "Slack told Surveybot that the form was closed."
    sent = [json.loads(heard["payload"]) for heard in world.bot.heard]
    assert [payload["type"] for payload in sent] == ["view_submission", "view_closed"]
    assert sent[0]["view"]["state"]["values"]["w"]["when"]["selected_options"] == [OPTION]
    assert (await world.do(what="close_modal", user="U1")).status_code == 404


@pytest.mark.parametrize(("channel", "name"), [(None, "directmessage"), ("C1", "general")])
async def test_a_command_reaches_the_bot(world: World, channel: str | None, name: str) -> None:
    answer = await world.do(what="command", user="U1", channel=channel, words="/surveys  help me ")
    assert answer.json() == {"said": "Slack told Surveybot of /surveys."}
    [heard] = world.bot.heard
    assert (heard["command"], heard["text"], heard["user_id"], heard["channel_name"]) == ("/surveys", "help me", "U1", name)


async def test_a_press_on_a_message_reaches_the_bot(world: World) -> None:
    dm = world.workspace.direct_message("U1").conversation_id
    message = world.workspace.post(dm, sender=world.workspace.bot_user_id, text="x", blocks=BLOCKS)
    answer = await world.do(what="press", user="U1", channel=dm, ts=message.ts, action="survey.list#1", block="b")
    assert answer.status_code == 200
    assert json.loads(world.bot.heard[0]["payload"])["actions"][0]["action_id"] == "survey.list#1"


async def test_a_press_on_home_reaches_the_bot(world: World) -> None:
    world.workspace.homes["U1"] = {"id": "V1", "type": "home", "blocks": BLOCKS}
    await world.do(what="press", user="U1", action="survey.list#1", block="b")
    assert json.loads(world.bot.heard[0]["payload"])["container"] == {"type": "view", "view_id": "V1"}


async def test_opening_home_reaches_the_bot(world: World) -> None:
    await world.do(what="open_home", user="U1")
    event = json.loads(world.bot.heard[0]["event"])["event"]
    assert (event["type"], event["user"], event["tab"]) == ("app_home_opened", "U1", "home")


async def test_a_bot_that_fails_is_said_to_fail(world: World) -> None:
    world.bot.status = 500
    answer = await world.do(what="open_home", user="U1")
    assert answer.json()["said"] == "Slack could not tell Surveybot that the Home tab was opened: the answer was HTTP 500."


@pytest.mark.parametrize(
    ("deed", "status", "sentence"),
    [
        ({}, 400, "required field `what`"),
        ({"what": "explode"}, 400, "explode"),
        ([1], 400, "Expected `object`"),
        (SEND | {"name": ""}, 400, "$.name"),
        (SEND | {"closes_in_hours": "soon"}, 400, "$.closes_in_hours"),
        ({"what": "advance", "hours": -1}, 400, "$.hours"),
        ({"what": "advance", "hours": 10**30}, 400, "$.hours"),
        ({"what": "move", "survey": "SV_1", "email": "a@b.example", "status": "Bored"}, 400, "Bored"),
        ({"what": "qualtrics_fault", "fault": "418"}, 400, "418"),
        ({"what": "remind", "survey": "SV_1"}, 404, "nothing was done"),
        ({"what": "deactivate", "survey": "SV_1"}, 404, "nothing was done"),
        ({"what": "move", "survey": "SV_1", "email": "ada@example.com", "status": "Opened"}, 404, "nothing was done"),
        ({"what": "command", "user": "U1", "words": "hello"}, 409, "only knows slash commands"),
        ({"what": "command", "user": "U1", "words": "/poll"}, 409, "no command /poll"),
        ({"what": "command", "user": "U1", "words": "/surveys", "channel": "C9"}, 404, "nothing was done"),
        ({"what": "command", "user": "U2", "words": "/surveys", "channel": "C1"}, 409, "not in that channel"),
        ({"what": "command", "user": "U9", "words": "/surveys"}, 409, "nobody with the id U9"),
        ({"what": "open_home", "user": "U3"}, 409, "Dee cannot use Slack: the account is deactivated."),
        ({"what": "open_home", "user": "USLACKBOT"}, 409, "the account is a bot"),
        ({"what": "press", "user": "U1", "action": "a"}, 404, "nothing was done"),
        ({"what": "press", "user": "U1", "action": "a", "channel": "C1", "ts": "1.0"}, 404, "nothing was done"),
        ({"what": "press", "user": "U1", "action": "a", "channel": "C9", "ts": "1.0"}, 404, "nothing was done"),
    ],
)
async def test_what_cannot_be_done_is_refused_with_a_sentence(world: World, deed: Any, status: int, sentence: str) -> None:
    answer = await world.browser.post("/sandbox/do", json=deed)
    assert (answer.status_code, sentence in answer.json()["error"]) == (status, True), answer.text
    assert world.bot.heard == []


async def test_somebody_who_was_not_asked_cannot_answer(world: World) -> None:
    await world.do(**SEND | {"to": "ada@example.com"})
    [survey] = world.tenant.surveys
    answer = await world.do(what="move", survey=survey.survey_id, email="björn@example.com", status="Opened")
    assert (answer.status_code, "was not asked" in answer.json()["error"]) == (409, True)


async def test_a_survey_that_was_never_mailed_has_nobody_to_remind(world: World) -> None:
    answer = await world.do(what="remind", survey=world.tenant.create_survey("Draft"))
    assert (answer.status_code, "never mailed" in answer.json()["error"]) == (409, True)


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b'{"what":"\xed\xa0\x80"}', b"[" * 9_000, b'{"x":' * 2_000, b" " * 20_000])
async def test_a_body_that_is_no_deed_is_refused(world: World, body: bytes) -> None:
    answer = await world.browser.post("/sandbox/do", content=body, headers={"content-type": "application/json"})
    assert answer.status_code in {400, 413}
    assert answer.json()["error"].endswith(".")


@settings(max_examples=60)
@given(
    st.fixed_dictionaries(
        {"what": st.sampled_from(["send_survey", "remind", "move", "activate", "advance", "slack_fault", "command", "press", "open_home"])},
        optional={
            name: st.one_of(
                st.none(),
                st.integers(),
                st.floats(allow_nan=False, allow_infinity=False),
                st.text(max_size=9),
                st.sampled_from(["U1", "C1", "/surveys", "1", "429"]),
            )
            for name in (
                "name",
                "to",
                "closes_in_hours",
                "survey",
                "email",
                "status",
                "hours",
                "fault",
                "user",
                "words",
                "channel",
                "ts",
                "action",
            )
        },
    )
)
async def test_nothing_that_is_asked_for_breaks_the_page(world: World, deed: dict[str, Any]) -> None:
    answer = await world.browser.post("/sandbox/do", json=deed)
    assert answer.status_code in {200, 400, 404, 409}
    assert set(answer.json()) == ({"said"} if answer.status_code == 200 else {"error"})


async def _sent(world: World) -> str:
    await world.do(**SEND)
    return next(iter(world.tenant.surveys)).survey_id
