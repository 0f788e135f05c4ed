"""How far a synchronisation is, as a bar, and how long it will take by what is left, the limits and the speed so far."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import timedelta
from time import monotonic

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from adapters.settings import Limits
from bot.syncing.sync import Progress as SyncProgress

OnProgress = Callable[[SyncProgress], None]


def seconds_left(progress: SyncProgress, elapsed_seconds: float, limits: Limits, requests_per_minute: float | None) -> float:
    """By the slowest of: this run's speed, the brand's limit and those of its endpoints, and the integration's own (None = off).

    While lists are left to be read, nobody knows what they will lead to: then it is the least it can be.
    """
    links, histories = progress.links_pages_left, progress.history_pages_left
    calls = progress.lists_left + links + histories
    rates = ((calls, limits.brand), (links, limits.links), (histories, limits.history), (calls, requests_per_minute))
    by_limits = max(60 * number / rate for number, rate in rates if rate is not None)
    return max(by_limits, calls * elapsed_seconds / progress.calls if progress.calls else 0)


def spoken(progress: SyncProgress, seconds: float) -> str:
    if progress.lists_left:
        return f"at least {_clock(seconds)} left"
    return f"about {_clock(seconds)} left" if seconds else ""


@contextmanager
def shown(console: Console, name: str, limits: Limits, requests_per_minute: float | None) -> Generator[OnProgress]:
    """Show a bar while the block runs, moved by what is given to the function it yields."""
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[lists]}"), TimeElapsedColumn())
    with Progress(*columns, TextColumn("{task.fields[left]}"), TextColumn("{task.fields[spent]}"), console=console) as bars:
        bar, began = bars.add_task(name, total=None, lists="", left="", spent=""), monotonic()

        def show(progress: SyncProgress) -> None:
            pages = progress.lists_left + progress.links_pages_left + progress.history_pages_left
            bars.update(
                bar,
                total=(progress.calls + pages) or None,
                completed=progress.calls,
                lists=f"{progress.surveys_done}/{progress.surveys} surveys",
                left=spoken(progress, seconds_left(progress, monotonic() - began, limits, requests_per_minute)),
                spent=f"{progress.calls} calls · {progress.invitations} invitations",
            )

        yield show


def _clock(seconds: float) -> str:
    return str(timedelta(seconds=round(seconds)))
