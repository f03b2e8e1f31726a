"""The drop-in for sqlite3 loads nothing that takes long before it is needed."""

from __future__ import annotations

import subprocess
import sys

HEAVY = ("asyncio", "psycopg", "sqlalchemy", "sqlglot", "sqlparse", "structlog")
SCRIPT = f"import sys, proxydb.sqlite3; print([name for name in {HEAVY!r} if name in sys.modules])"


def test_heavy_modules_come_later() -> None:
    """An event loop, a parser, a logger or another driver is imported by whoever uses it first."""
    assert subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True).stdout == "[]\n"
