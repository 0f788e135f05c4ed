"""What people read."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import pages
from bot.gallery import gallery
from bot.messages import Member, MemberKind
from bot.model import Anonymity, LinkType, PersonalLink, Status
from bot.page import Action, Button, Buttons, Entry, Facts, Moment, Note, Notice, Page, Phrase, PrivatePage, Respond, Strong, Text, phrase
from bot.pages import PAGE_SIZE, Reader
from bot.pages.sendings import funnel
from bot.pages.trend import answers_over_time
from bot.rules import Participation
from bot.small_groups import protect
from bot.trend import Point
from tests.unit.core.examples import DAY, NOW, a_survey, an_invitation, asked

READER = Reader(locale="en", zone="Europe/Berlin")
LINK = PersonalLink(owner=1, url="https://acme.qualtrics.com/jfe/form/SV_1?Q_DL=secret")


def words(page: Page | PrivatePage) -> str:
    """Everything a page says, without its buttons."""
    said = [page.title]
    for element in page.elements:
        match element:
            case Text(found) | Note(found) | Notice(_, found):
                said.append(flat(found))
            case Facts(facts):
                said += [f"{name}: {flat(value)}" for name, value in facts]
            case Entry(title=title, detail=detail):
                said.append(f"{title}: {flat(detail)}")
            case _:
                pass
    return "\n".join(said)


def flat(found: Phrase) -> str:
    return "".join(part if isinstance(part, str) else part.text if isinstance(part, Strong) else part.at.isoformat() for part in found)


def buttons(page: Page | PrivatePage) -> list[Button]:
    return [button for element in page.elements if isinstance(element, Buttons) for button in element.buttons if isinstance(button, Button)]


def responds(page: Page | PrivatePage) -> list[Respond]:
    return [element for element in page.elements if isinstance(element, Respond)]


@pytest.mark.parametrize("draw", [pages.new_survey, pages.closing_survey])
def test_a_notification_names_survey_deadline_and_privacy_and_has_one_respond_button(draw: object) -> None:
    page = draw(asked(), LINK, READER)  # type: ignore[operator]
    said = words(page)
    assert "Engagement" in said
    assert f"Closes: {(NOW + 7 * DAY).isoformat()}" in said
    assert "Privacy:" in said
    assert [respond.link for respond in responds(page)] == [LINK]
    assert page.owner == 1


def test_the_invitation_names_its_sender() -> None:
    assert "People team has sent you a survey: Engagement" in words(pages.new_survey(asked(), LINK, READER))
    nameless = asked(None, an_invitation(sender_name=None))
    assert "Your organisation has sent you a survey" in words(pages.new_survey(nameless, LINK, READER))


@pytest.mark.parametrize(
    ("anonymity", "link_type", "sentence"),
    [
        (Anonymity.ANONYMIZED, LinkType.INDIVIDUAL, "stored without your name. The survey's owner can see whether"),
        (Anonymity.IDENTIFIED, LinkType.INDIVIDUAL, "may see your answers with your name"),
        (Anonymity.UNKNOWN, LinkType.INDIVIDUAL, "may see your answers with your name"),
        (Anonymity.ANONYMIZED, LinkType.ANONYMOUS, "answers are stored without names"),
        (Anonymity.IDENTIFIED, LinkType.ANONYMOUS, "may still identify you"),
        (Anonymity.UNKNOWN, LinkType.UNKNOWN, "may see your answers with your name"),
    ],
)
def test_the_privacy_line_is_the_most_cautious_one_where_settings_are_unknown(
    anonymity: Anonymity, link_type: LinkType, sentence: str
) -> None:
    participation = asked(a_survey(anonymity=anonymity), an_invitation(link_type=link_type))
    assert sentence in words(pages.new_survey(participation, LINK, READER))


def test_a_survey_whose_details_were_never_read_gets_the_cautious_privacy_line() -> None:
    assert "with your name" in words(pages.new_survey(asked(a_survey(details=None)), LINK, READER))


def many(number: int) -> list[Participation]:
    return [asked(a_survey(survey_id=f"SV_{n}", name=f"Pulse {n}")) for n in range(number)]


@pytest.mark.parametrize(
    ("number", "page", "first", "shown", "turns"),
    [
        (1, 1, "Pulse 0", 1, []),
        (PAGE_SIZE, 1, "Pulse 0", PAGE_SIZE, []),
        (PAGE_SIZE + 1, 1, "Pulse 0", PAGE_SIZE, ["2"]),
        (PAGE_SIZE + 1, 2, "Pulse 20", 1, ["1"]),
        (3 * PAGE_SIZE, 2, "Pulse 20", PAGE_SIZE, ["1", "3"]),
        (3 * PAGE_SIZE, 99, "Pulse 40", PAGE_SIZE, ["2"]),
        (3 * PAGE_SIZE, 0, "Pulse 0", PAGE_SIZE, ["2"]),
    ],
)
def test_the_list_shows_20_a_page_and_turns_to_pages_that_exist(number: int, page: int, first: str, shown: int, turns: list[str]) -> None:
    drawn = pages.my_active_surveys(many(number), page, READER)
    entries = [element for element in drawn.elements if isinstance(element, Entry)]
    assert (entries[0].title, len(entries)) == (first, shown)
    assert [button.action.data["page"] for button in buttons(drawn)] == turns


def test_the_list_counts_in_the_right_number() -> None:
    assert "1 survey is waiting" in words(pages.my_active_surveys(many(1), 1, READER))
    assert "2 surveys are waiting" in words(pages.my_active_surveys(many(2), 1, READER))


def test_an_entry_says_when_it_closes_who_sent_it_and_leads_to_its_details() -> None:
    endless = asked(a_survey(name=" "), an_invitation(link_expires_at=None))
    entry = pages.my_active_surveys([endless], 1, READER).elements[1]
    assert isinstance(entry, Entry)
    assert (entry.title, flat(entry.detail)) == ("Untitled survey", "No end date · from People team")
    assert entry.button.action == Action(verb="survey.show", data={"survey": "SV_1"})
    assert entry.button.spoken == "Details of Untitled survey"


@pytest.mark.parametrize("page", gallery().values(), ids=list(gallery()))
def test_what_a_button_is_called_aloud_begins_with_what_is_written_on_it(page: Page | PrivatePage) -> None:
    assert [button.label for button in buttons(page) if not (button.spoken or button.label).startswith(button.label)] == []


def test_the_empty_list_says_so_and_offers_help() -> None:
    page = pages.my_active_surveys([], 1, READER)
    assert "no surveys to answer right now" in words(page)
    assert [button.action.verb for button in buttons(page)] == ["surveys.search", "help.show"]


def test_details_of_an_open_survey_hold_the_facts_and_the_way_to_answer() -> None:
    page = pages.survey_details(asked(), LINK, READER)
    for part in ("From: People team", f"Sent: {(NOW - DAY).isoformat()}", "Closes: ", "Status: Delivered, not opened yet", "Privacy:"):
        assert part in words(page)
    assert responds(page) == [Respond(label="Respond in Qualtrics", link=LINK)]


def test_an_open_survey_without_a_link_points_to_the_mail() -> None:
    page = pages.survey_details(asked(None, an_invitation(sent_at=None)), None, READER)
    assert "Use the link in the e-mail" in words(page)
    assert "Sent: not known" in words(page)
    assert not responds(page)


@pytest.mark.parametrize(
    ("status", "values", "sentence"),
    [
        ("SurveyFinished", {}, "Thank you"),
        ("Success", {"link_expires_at": NOW}, "time to answer is over"),
        ("SessionExpired", {}, "time to answer is over"),
    ],
)
def test_what_can_no_longer_be_answered_has_no_respond_button(status: str, values: dict[str, object], sentence: str) -> None:
    page = pages.survey_details(asked(None, an_invitation(status=status, **values)), LINK, READER)
    assert sentence in words(page)
    assert not responds(page)
    shared = pages.shared_survey_details(asked(None, an_invitation(status=status, **values)), READER)
    assert "survey.handover" not in [button.action.verb for button in buttons(shared)]


def test_a_closed_survey_says_so() -> None:
    assert "has been closed" in words(pages.survey_details(asked(a_survey(is_active=False)), None, READER))


def test_shared_details_hand_the_link_over_instead_of_showing_it() -> None:
    page = pages.shared_survey_details(asked(), READER)
    assert [button.action.verb for button in buttons(page)] == ["survey.handover", "privacy.show", "survey.why", "surveys.list"]
    assert "Status: Delivered" in words(page)


@pytest.mark.parametrize("status", list(Status))
def test_every_status_has_words_of_its_own(status: Status) -> None:
    said = [pages.status_words(other, READER) for other in Status]
    assert said.count(pages.status_words(status, READER)) == 1


def test_a_status_qualtrics_added_since_reads_as_unknown() -> None:
    assert pages.status_words("SomethingNew", READER) == "Unknown"


def test_help_repeats_the_word_that_was_not_understood() -> None:
    assert "I do not know “surveis”" in words(pages.help_page(READER, unknown="surveis"))
    assert "I do not know" not in words(pages.help_page(READER))


def test_a_private_page_refuses_the_link_of_somebody_else() -> None:
    with pytest.raises(ValueError, match="owner"):
        PrivatePage(owner=2, title="x", elements=(Respond(label="Respond", link=LINK),))


def test_a_personal_link_shows_in_no_representation() -> None:
    assert "secret" not in repr(pages.new_survey(asked(), LINK, READER))


def test_the_reader_is_the_member_and_an_unknown_locale_reads_english() -> None:
    ana = Member(workspace_id="T1", user_id="U1", kind=MemberKind.MEMBER, email=None, zone="Asia/Tokyo", locale="tlh-QO")
    reader = Reader.of(ana)
    assert reader == Reader(locale="tlh-QO", zone="Asia/Tokyo")
    assert reader.say("Help") == "Help"


def test_every_gallery_page_has_a_title_words_and_its_readers_zone() -> None:
    for name, page in gallery().items():
        assert page.title, name
        assert page.elements, name
        assert page.zone == "Europe/Berlin", name


@given(st.text(alphabet=st.characters(exclude_characters="{}")))
def test_a_phrase_keeps_every_word_and_puts_values_in_their_place(text: str) -> None:
    moment = Moment(NOW + timedelta(hours=1))
    expected: Phrase = (text, moment, text) if text else (moment,)
    assert phrase(text + "{when}" + text, when=moment) == expected


def test_a_phrase_without_a_value_is_an_error() -> None:
    with pytest.raises(KeyError):
        phrase("Closes {when}")


def test_charts_draw_what_is_shown_and_no_zero_for_what_is_not() -> None:
    def drawn(finished: int) -> list[tuple[tuple[str, ...], tuple[float, ...]]]:
        return [(it.labels, it.series[0].values) for it in funnel(protect(100, {"opened": 30, "finished": finished}, 5), READER)]

    assert drawn(11) == [(("Sent", "Opened", "Completed"), (100, 30, 10))]
    assert drawn(4) == [(("Sent", "Opened"), (100, 30))]
    assert list(funnel(protect(100, {"opened": 4, "finished": 4}, 5), READER)) == []
    points = [Point(day=date(2026, 11, day), numbers=protect(100, {"finished": day}, 5)) for day in (3, 4, 9, 10)]
    assert [(it.labels, it.series[0].values) for it in answers_over_time(points, READER)] == [(("9 Nov", "10 Nov"), (5, 10))]
    assert list(answers_over_time(points[:3], READER)) == []
