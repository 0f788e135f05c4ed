"""`python -m tests.benchmarks [--quick] [name ...]`: take the figures and print them beside their goals. Fails only for wrong results."""

from __future__ import annotations

import argparse
import platform
from importlib import import_module

from tests.benchmarks.databases import Databases
from tests.benchmarks.measure import table

#: Modules of this folder; each has `lines(databases, *, quick)`.
NAMES = ("upsert", "sync", "tick", "drain", "page", "owners", "announcing", "limiter", "cycle", "teams", "commands")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description="Speed and memory, beside a baseline of the same run.")
    parser.add_argument("names", nargs="*", metavar="name", help=f"what to measure: {', '.join(NAMES)} (default: all)")
    parser.add_argument("--quick", action="store_true", help="small sizes, one run: checks the benchmarks; the figures mean nothing")
    options = parser.parse_args()
    if unknown := sorted(set(options.names) - set(NAMES)):
        parser.error(f"there is no {', '.join(unknown)}")
    remark = ", quick: the sizes are too small to judge anything" if options.quick else ""
    print(f"Python {platform.python_version()}, {platform.system()} {platform.machine()}{remark}")
    with Databases.open() as databases:
        for name in options.names or NAMES:
            lines = import_module(f"tests.benchmarks.{name}").lines(databases, quick=options.quick)
            print(f"\n{table(lines, is_judged=not options.quick)}", flush=True)


if __name__ == "__main__":
    main()
