"""One pure function a page: what people read, and nothing about how Slack or Teams draw it."""

from bot.pages.asked import status_words
from bot.pages.explanations import help_page
from bot.pages.notifications import closing_survey, new_survey
from bot.pages.reader import Reader
from bot.pages.refusals import not_a_member, not_found, not_linked, out_of_date
from bot.pages.status import status_page
from bot.pages.surveys import PAGE_SIZE, handed_over, my_active_surveys, shared_survey_details, survey_details

__all__ = [
    "PAGE_SIZE",
    "Reader",
    "closing_survey",
    "handed_over",
    "help_page",
    "my_active_surveys",
    "new_survey",
    "not_a_member",
    "not_found",
    "not_linked",
    "out_of_date",
    "shared_survey_details",
    "status_page",
    "status_words",
    "survey_details",
]
