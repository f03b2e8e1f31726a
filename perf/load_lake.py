"""Loads the lake on SQLite and on a Postgres server of its own; the arguments of `proxydb bench load`.

``--no-postgres`` leaves Postgres out.
"""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from perf.own_server import with_postgres
    from proxydb.cli import main

    with with_postgres(sys.argv[1:]) as arguments:
        sys.exit(main(["bench", "load", *arguments]))
