"""What importing the drop-in costs a process that has to import `sqlite3` anyway."""

from __future__ import annotations

import subprocess
import sys
from statistics import median
from typing import TYPE_CHECKING

from perf.hot_path.case import judged_line
from perf.hot_path.goals import Extra

if TYPE_CHECKING:
    from perf.hot_path.case import Line

RUNS = 15
_TIMED = "import time; start = time.perf_counter(); import {module}; print((time.perf_counter() - start) * 1e6)"


def line() -> Line:
    """Both imports in turns, each in a new interpreter."""
    runs = [(_microseconds("sqlite3"), _microseconds("proxydb.sqlite3")) for _ in range(RUNS)]
    raw, proxied = (median(side) for side in zip(*runs, strict=True))
    return judged_line("import proxydb.sqlite3", raw, proxied, Extra(60_000))


def _microseconds(module: str) -> float:
    done = subprocess.run(
        [sys.executable, "-c", _TIMED.format(module=module)], capture_output=True, text=True, check=True
    )
    return float(done.stdout)
