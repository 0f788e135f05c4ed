"""Every limit that our cards keep to, named once: Slack's, then Teams'. Lengths count Unicode code points.

Sources of Slack's: reference slack.md 2, which joins the doc comments of `@slack/types` 3.2.0, the validators of `slack_sdk` 3.47.0 and
https://docs.slack.dev/reference/block-kit.
"""

from __future__ import annotations

from typing import Final

# https://docs.slack.dev/reference/block-kit/blocks: "up to 50 blocks in each message, and 100 blocks in modals or Home tabs"
MESSAGE_BLOCKS: Final = 50
HOME_BLOCKS: Final = 100
MODAL_BLOCKS: Final = 100

# chat.postMessage cuts at 40,000 and asks for less than 4,000: https://docs.slack.dev/reference/methods/chat.postMessage
MESSAGE_TEXT: Final = 4_000

# `TextObject.text`, and with it section and context: 1 to 3,000
TEXT: Final = 3_000
# `HeaderBlock.text`, plain_text alone
HEADER: Final = 150
# `SectionBlock.fields`: items, and the text of each
FIELDS: Final = 10
FIELD: Final = 2_000
# `ActionsBlock.elements`
ACTIONS: Final = 25

# `Button`: text, accessibility_label, value, url
BUTTON: Final = 75
SPOKEN: Final = 75
VALUE: Final = 2_000
URL: Final = 3_000
# `action_id` of any element, unique in its message or view
ACTION_ID: Final = 255

# `ModalView`: title, submit, close; private_metadata
MODAL_WORDS: Final = 24
METADATA: Final = 3_000
# `InputBlock`: label and hint; what a `PlainTextInput` takes
LABEL: Final = 2_000
INPUT: Final = 3_000
# `Option`: text, value; how many a `StaticSelect` and `Checkboxes` have
OPTION: Final = 75
OPTION_VALUE: Final = 150
SELECT_OPTIONS: Final = 100
CHECKBOXES: Final = 10

# https://docs.slack.dev/reference/block-kit/blocks/data-visualization-block; where its copies disagree, the smaller number
CHARTS: Final = 2
CHART_TITLE: Final = 50
CHART_SERIES: Final = 6
CHART_SEGMENTS: Final = 6
CHART_LABELS: Final = 20
CHART_LABEL: Final = 20
AXIS_TITLE: Final = 50

# Ours: emphasised names beyond this are cut; every limit of a text that holds one is larger.
STRONG: Final = 300

# Teams takes 100 KB a message, counted as UTF-16 (https://learn.microsoft.com/en-us/microsoftteams/platform/bots/how-to/format-your-bot-messages);
# 28 KB is what forwards and older clients take. Counted as UTF-8 JSON, which keeps the message below 100 KB of UTF-16, too.
TEAMS_CARD_BYTES: Final = 28_000
# Of the activity's `summary` and the card's `fallbackText`.
TEAMS_TEXT: Final = 2_000
# Ours: Teams names none, and cuts what it does not show.
TEAMS_PHRASE: Final = 3_000
TEAMS_TITLE: Final = 300
TEAMS_FACT: Final = 1_000
TEAMS_BUTTON: Final = 75
TEAMS_LABEL: Final = 150
TEAMS_URL: Final = 3_000
# The vendor's renderer draws five actions a row: `maxActions` of https://learn.microsoft.com/en-us/adaptive-cards/rendering-cards/host-config
TEAMS_ACTIONS: Final = 5
