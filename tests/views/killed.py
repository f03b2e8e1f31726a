"""A process that does something with views and is killed in the middle: ``killed.py FILE STATEMENTS ACTION``."""

from __future__ import annotations

import os
import signal
import sqlite3
import sys

from proxydb.views.sqlite import engine

QUERY = "SELECT g, count(*) AS n, max(x) AS x FROM t GROUP BY g"


def main() -> None:
    """Do it; after so many statements, those of triggers among them, the process is no more."""
    path, left, action = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    connection = sqlite3.connect(path, isolation_level=None)

    def count(_statement: str) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)

    connection.set_trace_callback(count)
    if action == "create":
        engine.create(connection, "v", QUERY, "immediate", None)
    elif action == "refresh":
        engine.refresh(connection, "v")
    else:
        connection.execute("UPDATE t SET g = g || 'x', x = x + 1")
    print("done")


if __name__ == "__main__":
    main()
