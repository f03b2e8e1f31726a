"""Times writes without and with materialized views beside each other, and reads from a view beside its query.

Run it with ``python perf/bench_views.py``; ``--help`` lists the options, such as ``--rows 1000000`` for a million
actions on SQLite. The views of a lake have a benchmark of their own, ``perf/bench_lake_views.py``.
"""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from perf import command
    from perf.views import postgres_cases, sqlite_cases

    groups = {"sqlite": sqlite_cases.lines, "postgres": lambda rounds, _: postgres_cases.lines(rounds)}
    sys.exit(command.main("bench_views", groups, rows=100_000))
