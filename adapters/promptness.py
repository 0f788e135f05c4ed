"""What a process that answers people asks of its interpreter (`python -m tests.benchmarks commands` measures it)."""

from __future__ import annotations

import gc


def answer_promptly() -> None:
    """To be called once, when everything is loaded: from then on no collection of garbage looks at that again, each for 0.1 s and more."""
    gc.collect()
    gc.freeze()
