"""An example of every page, for previews, tests of the renderers, and whoever wants to see what people read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from bot import pages
from bot.errors import Ambiguous, Unavailable
from bot.gallery import subscriptions as gallery_subscriptions
from bot.gallery.coverage import coverage_pages
from bot.gallery.posts import gallery_of_posts
from bot.gallery.scene import HOSTILE, NOW, READER
from bot.gallery.statistics import forms_of_statistics, gallery_of_statistics
from bot.messages import Platform, Preference
from bot.model import Anonymity, Integration, Invitation, LinkType, PersonalLink, Status, Survey, SurveyDetails
from bot.pace import Backlog
from bot.page import Action, Chart, ChartKind, Form, Page, PrivatePage, Series
from bot.pages import Knowledge, Overview, Reader, messages
from bot.pages.status import status_page
from bot.ports.records import Closure, Gaps, Outcome, Run
from bot.rules import Participation, State
from bot.slash_commands import STATS
from bot.small_groups import Shown
from bot.syncing.look import Kind
from bot.syncing.status import Baseline, IntegrationStatus, JobState, JobStatus

_BACKLOG = (Backlog(workspace_id="T1", messages=10_000, takes=timedelta(minutes=44)),)
_LINK = PersonalLink(owner=1, url="https://acme.qualtrics.com/jfe/form/SV_1?Q_CHL=email&Q_DL=EMD_1_1_CGC_1")


def gallery(reader: Reader = READER) -> Mapping[str, Page | PrivatePage]:
    """Name -> page; the same at every call."""
    open_survey, chat = _example(), "Slack" if reader.slash else "Teams"
    endless = replace(_example(number=2), closes_at=None)
    states = {
        "answered": (State.ANSWERED, Status.SURVEY_FINISHED),
        "expired": (State.EXPIRED, Status.SUCCESS),
        "closed": (State.CLOSED, Status.OPENED),
    }
    return {
        "new-survey": pages.new_survey(open_survey, _LINK, reader),
        "closing-survey": pages.closing_survey(open_survey, _LINK, reader),
        **_messages(open_survey, reader),
        "my-active-surveys": pages.my_active_surveys([open_survey, endless], 1, reader),
        "my-active-surveys-second-page": pages.my_active_surveys([_example(number=n) for n in range(1, 65)], 2, reader),
        "my-active-surveys-empty": pages.my_active_surveys([], 1, reader),
        "survey-details": pages.survey_details(open_survey, _LINK, reader),
        "survey-details-without-link": pages.survey_details(open_survey, None, reader),
        **{
            f"survey-details-{name}": pages.survey_details(_example(state, status), None, reader)
            for name, (state, status) in states.items()
        },
        "survey-details-in-a-channel": pages.shared_survey_details(open_survey, reader),
        "survey-details-hostile-name": pages.survey_details(_example(name=HOSTILE), _LINK, reader),
        "handed-over": pages.handed_over(open_survey, reader),
        "not-found": pages.not_found(reader),
        "not-linked": pages.not_linked(reader),
        "not-a-member": pages.not_a_member(reader),
        "out-of-date": pages.out_of_date(reader),
        "gone-wrong": pages.apology(Unavailable(""), chat, reader),
        "answer-lost": pages.apology(Ambiguous(""), chat, reader),
        **_help(reader),
        **_homes(reader),
        "details-on-the-home-tab": pages.with_way_home(pages.survey_details(open_survey, _LINK, reader), reader),
        "found-surveys": pages.found_surveys([_example(number=2), _example(*states["answered"], number=4)], "pulse", 1, reader),
        "found-nothing": pages.found_surveys([], HOSTILE, 1, reader),
        "settings-saved": pages.settings_page(Preference(reminders=False), reader, list(Platform), is_saved=True),
        "settings-saved-by-an-owner": pages.settings_page(Preference(own_surveys=False), reader, is_saved=True, sees_numbers=True),
        "privacy": pages.privacy_page(reader),
        "privacy-of-a-survey": pages.privacy_page(reader, open_survey),
        "why": pages.why_page(open_survey, "Nia Okafor", reader),
        "form-not-opened": pages.instead_of_form(pages.search_surveys_form(reader), Action(verb="surveys.search"), reader),
        "loading": pages.loading(reader),
        "not-an-administrator": pages.not_an_administrator(reader),
        "charts": _charts(reader.zone),
        **coverage_pages(reader, HOSTILE),
        **gallery_of_posts(reader),
        **gallery_of_statistics(reader),
        **gallery_subscriptions.examples(reader),
        **_statuses(reader),
    }


def forms(reader: Reader = READER) -> Mapping[str, Form]:
    """The same for what asks."""
    return {
        "search-form": pages.search_surveys_form(reader),
        "settings-form": pages.settings_form(Preference(reminders=False), reader, list(Platform)),
        "settings-form-of-an-owner": pages.settings_form(Preference(), reader, sees_numbers=True),
        **forms_of_statistics(reader),
        **gallery_subscriptions.forms(reader),
    }


def _help(reader: Reader) -> Mapping[str, Page]:
    return {
        "help": pages.help_page(reader),
        "help-unknown-word": pages.help_page(reader, unknown="surveis"),
        "help-misspelt-word": pages.help_page(reader, unknown="setings"),
        "help-for-administrators": pages.help_page(reader, STATS),
    }


def _homes(reader: Reader) -> Mapping[str, Page]:
    shown = {
        "home": _overview(3),
        "home-without-surveys": _overview(0, Preference(new_surveys=False, reminders=False)),
        "home-before-the-first-synchronisation": _overview(0, knowledge=Knowledge.LEARNING),
        "home-not-connected": _overview(0, knowledge=Knowledge.NONE),
        "home-held-up-for-an-administrator": replace(_overview(12, knowledge=Knowledge.HELD), integrations=(3, 1), sees_numbers=True),
    }
    return {name: pages.home_page(overview, NOW, reader) for name, overview in shown.items()}


def _statuses(reader: Reader) -> Mapping[str, Page]:
    return {
        "synchronisation-status": status_page(
            [_status("main")], {"main": Baseline(surveys=42, open_invitations=Shown(120, is_about=True))}, _BACKLOG, 1, reader
        ),
        "synchronisation-status-fresh": status_page([_fresh()], {}, (), 1, reader),
        "synchronisation-status-in-trouble": status_page([_troubled(f"group-{n}") for n in range(1, 12)], {}, (), 2, reader),
    }


def _overview(surveys: int, preference: Preference | None = None, knowledge: Knowledge = Knowledge.CURRENT) -> Overview:
    asked = [_example(number=number) for number in range(1, surveys + 1)]
    return Overview(open_surveys=asked, preference=preference or Preference(), knowledge=knowledge)


def _charts(zone: str) -> Page:
    """Numbers that are drawn, and one chart more than a message may draw."""
    states, days = ("Finished", "Started", "Opened", "Not opened"), ("Mon", "Tue", "Wed", "Thu", "Fri")
    funnel = Chart(kind=ChartKind.BAR, title="Where the 120 invitations stand", labels=states, series=(Series("People", (48, 12, 25, 35)),))
    series = (Series("This year", (5, 21, 33, 41, 48)), Series("Last year", (9, 17, 28, 31, 36)))
    curve = Chart(kind=ChartKind.LINE, title="Answers so far", labels=days, series=series, x_title="Day", y_title="Answers")
    share = replace(funnel, kind=ChartKind.PIE, title="The same as shares")
    return Page(title="Employee engagement 2026", elements=(funnel, curve, share), zone=zone)


def _messages(asked: Participation, reader: Reader) -> Mapping[str, Page | PrivatePage]:
    """What sent messages turn into."""
    return {
        "message-prolonged": messages.prolonged(asked, _LINK, reader),
        "message-followed": messages.followed(asked, reader),
        "message-answered": messages.answered(asked, reader),
        "message-expired": messages.expired(asked, reader),
        "message-withdrawn": messages.withdrawn(asked, reader),
        "message-withdrawn-and-forgotten": messages.withdrawn(None, reader),
    }


def _example(
    state: State = State.OPEN, status: Status = Status.SUCCESS, *, name: str = "Employee engagement 2026", number: int = 1
) -> Participation:
    closes_at = NOW + timedelta(days=-1 if state is State.EXPIRED else number)
    survey = Survey(
        survey_id=f"SV_{number}",
        name=name if number == 1 else f"Pulse {number}",
        owner_id="UR_1",
        is_active=state is not State.CLOSED,
        last_modified=NOW,
        details=SurveyDetails(ends_at=None, anonymity=Anonymity.ANONYMIZED if number % 2 else Anonymity.UNKNOWN),
    )
    invitation = Invitation(
        integration_id="main",
        survey_id=survey.survey_id,
        distribution_id=f"EMD_{number}",
        contact_id="CID_1",
        person_id=1,
        status=status,
        mailed=True,
        sent_at=NOW - timedelta(days=2),
        completed_at=None,
        link_expires_at=closes_at,
        sender_name="People team",
        link_type=LinkType.INDIVIDUAL,
    )
    return Participation(survey=survey, state=state, invitation=invitation, closes_at=closes_at, asked_after="", asked_at=NOW)


def _status(integration_id: str, name: str = "Acme HR") -> IntegrationStatus:
    return IntegrationStatus(
        integration=Integration(integration_id=integration_id, name=name, base_url="https://fra1.qualtrics.com/API/v3/", baseline_at=NOW),
        jobs=[_job(Kind.FULL, JobState.OK), _job(Kind.INCREMENTAL, JobState.RUNNING), _job(Kind.SWEEP, JobState.OK)],
        closures=(),
        gaps=Gaps(distributions=0, rows=0),
        hints=0,
    )


def _fresh() -> IntegrationStatus:
    never = [JobStatus(kind=kind, state=JobState.NEVER, last=None, success=None, next_run=NOW) for kind in Kind]
    it = _status("main")
    return replace(it, integration=replace(it.integration, baseline_at=None), jobs=never)


def _troubled(integration_id: str) -> IntegrationStatus:
    """Everything at once."""
    it = _status(integration_id, HOSTILE)
    return replace(
        it,
        integration=replace(it.integration, baseline_at=None, is_paused=True, unauthorized_at=NOW - timedelta(hours=3)),
        jobs=[_job(Kind.FULL, JobState.VETOED), _job(Kind.INCREMENTAL, JobState.FAILED), _job(Kind.SWEEP, JobState.CUT_OFF)],
        closures=[
            Closure(survey_id="SV_1", survey_name="Pulse", distribution_id=None, is_missing=True),
            Closure(survey_id="SV_2", survey_name="Town hall", distribution_id="EMD_1", is_missing=True),
        ],
        gaps=Gaps(distributions=2, rows=17),
        hints=12,
    )


def _job(kind: Kind, state: JobState) -> JobStatus:
    success = Run(
        integration_id="main",
        kind=kind,
        started_at=NOW - timedelta(hours=1),
        finished_at=NOW - timedelta(minutes=58, seconds=48),
        outcome=Outcome.OK,
        reason="scheduled",
        surveys=42,
        distributions=96,
        invitations=12_034,
        changed=118,
        skipped=1,
        calls=131,
    )
    last = replace(success, started_at=NOW, outcome=None, error="Unavailable: GET /API/v3/surveys answered 503. " * 9)
    return JobStatus(kind=kind, state=state, last=last, success=success, next_run=NOW + timedelta(minutes=15))
