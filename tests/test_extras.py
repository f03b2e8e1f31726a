"""Without an optional dependency each door that needs it names the extra that installs it."""

from __future__ import annotations

import subprocess
import sys

import pytest

AWAITED = """
import asyncio, proxydb.aio
async def work():
    async with proxydb.aio.connect({target!r}):
        pass
asyncio.run(work())
"""


@pytest.mark.parametrize(
    ("hidden", "extra", "door"),
    [
        ("psycopg", "postgres", "import proxydb.psycopg"),
        ("psycopg", "postgres", "import proxydb; proxydb.connect('postgresql://me@host/name')"),
        ("psycopg", "postgres", "import proxydb; proxydb.database('dbname=name')"),
        ("psycopg", "postgres", "import proxydb.lake; proxydb.lake.open('dbname=name')"),
        ("psycopg", "postgres", AWAITED.format(target="dbname=name")),
        ("psycopg", "postgres", "from sqlalchemy import create_engine; create_engine('postgresql+proxydb://')"),
        ("aiosqlite", "aio", "import proxydb.aiosqlite"),
        ("aiosqlite", "aio", AWAITED.format(target=":memory:")),
        ("django", "django", "import proxydb.django.sqlite3.base"),
        ("django", "django", "import proxydb.django.postgresql.base"),
        ("sqlalchemy", "sqlalchemy", "import proxydb.sqlalchemy.sqlite"),
        ("sqlalchemy", "sqlalchemy", "import proxydb.sqlalchemy.postgresql"),
    ],
)
def test_the_extra_is_named(hidden: str, extra: str, door: str) -> None:
    """The error is a `MissingExtra` with the command that helps."""
    code = f"import sys; sys.modules[{hidden!r}] = None\n{door}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    last = done.stderr.strip().rpartition("\n")[2]
    assert last.startswith("proxydb.errors.MissingExtra: ")
    assert last.endswith(f"pip install 'proxydb[{extra}]'")
