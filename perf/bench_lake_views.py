"""Times commits and reads of a lake without and with its views: at 100,000 file actions, and at a million.

Run it with ``python perf/bench_lake_views.py``; ``--help`` lists the options.
"""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from perf import command
    from perf.lake_views import lines, postgres_sides, sqlite_sides

    groups = {
        "sqlite": partial(lines, sqlite_sides, 100_000),
        "postgres": partial(lines, postgres_sides, 100_000),
        "million": partial(lines, sqlite_sides, 1_000_000),
        "postgres-million": partial(lines, postgres_sides, 1_000_000),
    }
    sys.exit(command.main("bench_lake_views", groups))
