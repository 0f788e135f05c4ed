"""What the browser shows once somebody installed the app, or did not: two small pages that load nothing and run nothing."""

from __future__ import annotations

import base64
import hashlib
import html
from collections.abc import Sequence

from adapters.slack.scopes import missing, optional_missing
from bot.installations import Installation
from bot.slash_commands import SURVEYS

_STYLE = "body{font:17px/1.5 system-ui,sans-serif;max-width:38rem;margin:12vh auto;padding:0 1rem}code{background:#8883;padding:0 .2em}"
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
#: The address of the second page holds a code, so nothing is told of it to anybody.
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Content-Type": "text/html; charset=utf-8",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
#: Bolt's reasons, and Slack's own where people meet it.
REASONS = {
    "access_denied": "You did not allow it in Slack, so nothing was installed.",
    "invalid_browser": "This page belongs to an installation that was begun in another browser, or without cookies.",
    "invalid_state": "This installation was begun more than ten minutes ago, or was finished already.",
    "missing_code": "Slack did not say that the installation was allowed.",
    "invalid_code": "Slack did not confirm the installation.",
    "uninvited": "This Surveybot serves other workspaces. Its operator can add this one; until then please remove the app in Slack again.",
    "storage_error": "Surveybot could not keep the installation. Its operator finds the cause in its log.",
}


def installed(installation: Installation, again: str) -> str:
    name = html.escape(installation.name)
    steps = [
        f"In Slack, open <b>Surveybot</b> under Apps, or type <code>{SURVEYS.name}</code>: you see the surveys that were sent to you.",
        "Colleagues need to do nothing. Whoever is sent a survey gets a direct message.",
        "Whoever looks after this Surveybot sees with <code>surveybot doctor</code> whether all is well.",
    ]
    if lacking := missing(installation.scopes):
        steps.append(f"It was not granted {_listed(lacking)}, and does not work without; <a href='{again}'>install it again</a>.")
    if left_out := optional_missing(installation.scopes):
        steps.append(f"Left out, and that is fine: {_listed(left_out)}.")
    items = "".join(f"<li>{step}</li>" for step in steps)
    return _page(f"Surveybot is installed in {name}", f"<p>Next:</p><ol>{items}</ol>")


def failed(reason: str, again: str) -> str:
    sentence = REASONS.get(reason, "Slack answered something unexpected.")
    return _page("Surveybot was not installed", f"<p>{sentence}</p><p><a href='{again}'>Begin again</a></p>")


def _listed(scopes: Sequence[str]) -> str:
    return ", ".join(f"<code>{html.escape(scope)}</code>" for scope in scopes)


def _page(title: str, body: str) -> str:
    head = f"<meta charset='utf-8'><meta name='viewport' content='width=device-width'><title>{title}</title><style>{_STYLE}</style>"
    return f"<!doctype html><html lang='en'><head>{head}</head><body><h1>{title}</h1>{body}</body></html>"
