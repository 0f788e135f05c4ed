"""Structured logs: one JSON object a line, or coloured text on a terminal. Event name and ids; never a token, address, link or body."""

from __future__ import annotations

import logging
import sys
from typing import Literal

import stamina.instrumentation
import structlog

LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR"]

#: What libraries say at lower levels holds requests and bodies, and in them tokens, addresses and personal links. APScheduler warns
#: whenever a job is still busy at its next time, which is how short intervals are meant to work; urllib3 warns with whole paths, which in
#: Microsoft Graph name people.
QUIET = {
    **dict.fromkeys(("aiohttp", "alembic", "asyncio", "httpcore", "httpx", "slack_bolt", "slack_sdk", "sqlalchemy"), logging.WARNING),
    **dict.fromkeys(("msal", "msrest", "requests_oauthlib"), logging.WARNING),
    **dict.fromkeys(("apscheduler", "urllib3"), logging.ERROR),
}


def configure(level: LogLevel, *, colour: bool | None = None) -> None:
    """Send every log record of the process to standard error. `colour` None = when it is a terminal."""
    pretty = sys.stderr.isatty() if colour is None else colour
    # Plain, because the coloured traceback shows local variables, and with them tokens and links.
    console = structlog.dev.ConsoleRenderer(colors=True, exception_formatter=structlog.dev.plain_traceback)
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.stdlib.ExtraAdder(),
            structlog.processors.TimeStamper(fmt="iso", utc=True),
        ],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            *(() if pretty else (structlog.processors.format_exc_info,)),
            console if pretty else structlog.processors.JSONRenderer(),
        ],
    )
    handler = logging.StreamHandler()
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name, least in QUIET.items():
        logging.getLogger(name).setLevel(least)
    stamina.instrumentation.set_on_retry_hooks(())  # by default every repetition is printed on standard output, arguments and all
