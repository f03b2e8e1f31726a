"""proxydb needs no SQLAlchemy, until its dialects are asked for."""

from __future__ import annotations

import subprocess
import sys

WITHOUT = """
import sys
sys.modules["sqlalchemy"] = None
import proxydb, proxydb.sqlite3, proxydb.psycopg
try:
    import proxydb.sqlalchemy
except proxydb.errors.MissingExtra as error:
    print(error)
"""


def test_without_sqlalchemy() -> None:
    """Where it is not installed everything else can be imported, and the dialects name the extra."""
    done = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True, check=True)
    assert done.stdout == "proxydb.sqlalchemy needs an optional dependency: pip install 'proxydb[sqlalchemy]'\n"
