"""How a figure is taken: in a fresh process, interleaved with what it is compared with, as the median; and how it is shown."""

from __future__ import annotations

import resource
import statistics
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

#: Figures by name, all taken by one process in one go.
Figures = Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """What the judged number should be; shown beside it, never enforced."""

    at_least: float | None = None
    at_most: float | None = None

    def __str__(self) -> str:
        return f">= {self.at_least:,.4g}" if self.at_least is not None else f"<= {self.at_most:,.4g}"

    def is_met(self, number: float) -> bool:
        return (self.at_least is None or number >= self.at_least) and (self.at_most is None or number <= self.at_most)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the table. `ratio` is against `baseline`; the goal judges the ratio, or the figure where there is no baseline."""

    what: str
    database: str = ""
    figure: float
    unit: str
    baseline: str = ""
    ratio: float | None = None
    goal: Goal | None = None

    def cells(self, *, is_judged: bool) -> tuple[str, ...]:
        number = self.figure if self.ratio is None else self.ratio
        verdict = "" if self.goal is None or not is_judged else "met" if self.goal.is_met(number) else "MISSED"
        ratio = "" if self.ratio is None else f"{self.ratio:,.3g} x"
        return (self.what, self.database, f"{rounded(self.figure)} {self.unit}", self.baseline, ratio, str(self.goal or ""), verdict)


def rounded(number: float) -> str:
    return f"{number:,.0f}" if abs(number) >= 100 else f"{number:.3g}"


def fresh(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a module's function in a new interpreter and return what it returns; its exceptions are raised here."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(work, *args, **kwargs).result()


def medians(runs: int, ways: Mapping[str, Callable[[], Figures]]) -> dict[str, dict[str, float]]:
    """Take every way's figures `runs` times, one way after the other, so that what disturbs this machine disturbs all of them."""
    taken: dict[str, list[Figures]] = {name: [] for name in ways}
    for number in range(1, runs + 1):
        for name, take in ways.items():
            print(f"  {name}, run {number} of {runs}", file=sys.stderr, flush=True)
            taken[name].append(take())
    return {name: {key: statistics.median(run[key] for run in all_runs) for key in all_runs[0]} for name, all_runs in taken.items()}


def peak_mib() -> float:
    """The most memory this process ever had.

    Linux hands `ru_maxrss` on from the parent through `exec`, so the kernel's own mark of this address space is read instead.
    """
    if sys.platform == "linux":
        status = Path("/proc/self/status").read_text().splitlines()
        return int(next(line.split()[1] for line in status if line.startswith("VmHWM:"))) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def table(lines: Iterable[Line], *, is_judged: bool) -> str:
    """Lay the lines out in columns; the last one says whether the goal was met."""
    header = ("measure", "database", "figure", "baseline", "ratio", "goal", "")
    rows: Sequence[Sequence[str]] = [header, *(line.cells(is_judged=is_judged) for line in lines)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)
