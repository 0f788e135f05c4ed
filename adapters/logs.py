"""Structured logs: one JSON object a line, or coloured text on a terminal. Event name and ids; never a token, address, link or body."""

from __future__ import annotations

import logging
import sys

import structlog

#: What libraries say at lower levels holds requests and bodies, and in them tokens, addresses and personal links. stamina tells every
#: single repetition, and APScheduler whenever a job is still busy at its next time, which is how short intervals are meant to work.
_LEVELS = {
    **dict.fromkeys(("aiohttp", "alembic", "asyncio", "httpcore", "httpx", "slack_bolt", "slack_sdk", "sqlalchemy"), logging.WARNING),
    **dict.fromkeys(("apscheduler", "stamina"), logging.ERROR),
}


def configure(level: str, *, colour: bool | None = None) -> None:
    """Send every log record of the process, structlog's own too, to standard error. `colour` None = when it is a terminal."""
    pretty = sys.stderr.isatty() if colour is None else colour
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    # Plain, because the coloured traceback shows local variables, and with them tokens and links.
    console = structlog.dev.ConsoleRenderer(colors=True, exception_formatter=structlog.dev.plain_traceback)
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            *(() if pretty else (structlog.processors.format_exc_info,)),
            console if pretty else structlog.processors.JSONRenderer(),
        ],
    )
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    handler = logging.StreamHandler()
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name, least in _LEVELS.items():
        logging.getLogger(name).setLevel(least)
