"""One pure function a page: what people read, and nothing about how Slack or Teams draw it."""

from bot.pages.asked import status_words
from bot.pages.distribution import distribution_data
from bot.pages.explanations import help_page, privacy_page, why_page
from bot.pages.home import Knowledge, Overview, home_page
from bot.pages.notifications import closing_survey, new_survey
from bot.pages.reader import Reader
from bot.pages.refusals import (
    apology,
    instead_of_form,
    loading,
    no_numbers,
    not_a_member,
    not_an_administrator,
    not_found,
    not_linked,
    out_of_date,
)
from bot.pages.settings import settings_form, settings_page
from bot.pages.statistics import found_numbers, open_surveys, search_numbers_form, survey_results
from bot.pages.status import status_page
from bot.pages.subscribing import (
    change_form,
    no_such_survey,
    not_subscribed,
    not_yours_to_change,
    nothing_to_tell_of,
    only_in_channels,
    read_along,
    subscription_form,
    unknown_feature,
    which_survey,
)
from bot.pages.subscription_news import channel_offered, channel_subscribed, posts_held, subscription_paused
from bot.pages.subscriptions import channel_times, confirm_removal, subscribed, subscription_list, times_form
from bot.pages.surveys import (
    PAGE_SIZE,
    found_surveys,
    handed_over,
    my_active_surveys,
    search_surveys_form,
    shared_survey_details,
    survey_details,
)
from bot.pages.ways import with_way_home

__all__ = [
    "PAGE_SIZE",
    "Knowledge",
    "Overview",
    "Reader",
    "apology",
    "change_form",
    "channel_offered",
    "channel_subscribed",
    "channel_times",
    "closing_survey",
    "confirm_removal",
    "distribution_data",
    "found_numbers",
    "found_surveys",
    "handed_over",
    "help_page",
    "home_page",
    "instead_of_form",
    "loading",
    "my_active_surveys",
    "new_survey",
    "no_numbers",
    "no_such_survey",
    "not_a_member",
    "not_an_administrator",
    "not_found",
    "not_linked",
    "not_subscribed",
    "not_yours_to_change",
    "nothing_to_tell_of",
    "only_in_channels",
    "open_surveys",
    "out_of_date",
    "posts_held",
    "privacy_page",
    "read_along",
    "search_numbers_form",
    "search_surveys_form",
    "settings_form",
    "settings_page",
    "shared_survey_details",
    "status_page",
    "status_words",
    "subscribed",
    "subscription_form",
    "subscription_list",
    "subscription_paused",
    "survey_details",
    "survey_results",
    "times_form",
    "unknown_feature",
    "which_survey",
    "why_page",
    "with_way_home",
]
