"""Times commits and reads of a lake without and with its views, on SQLite, at a hundred thousand and a million actions.

Run it with ``python perf/bench_lake_views.py``; ``--help`` lists the options.
"""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from perf import command
    from perf.lake_views import lines

    sys.exit(command.main("bench_lake_views", {"100k": partial(lines, 100_000), "1m": partial(lines, 1_000_000)}))
