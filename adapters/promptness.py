"""What a process that answers people asks of its interpreter (`python -m tests.benchmarks commands` measures it)."""

from __future__ import annotations

import gc
import sys

#: How long a thread that reads or writes tables may keep the event loop from running, in seconds; Python's own 5 ms are felt several times
#: in one answer, because each answer changes threads several times.
_SWITCH_INTERVAL_S = 0.0005


def answer_promptly() -> None:
    """To be called once, when everything is loaded: from then on no collection of garbage looks at that again, each for 0.1 s and more."""
    sys.setswitchinterval(_SWITCH_INTERVAL_S)
    gc.collect()
    gc.freeze()
