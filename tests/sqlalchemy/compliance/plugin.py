"""pytest plug-in of a compliance run: repeats reads so that the suite sees answers from memory, and counts them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy.dialects.postgresql.provision  # both are imported for what they register
import sqlalchemy.dialects.sqlite.provision  # noqa: F401
from sqlalchemy import Engine, event
from sqlalchemy.testing import provision

from proxydb.executor.reading import Keeping
from tests.conformance.cpython_suite import keep_databases

if TYPE_CHECKING:
    import pytest

REPEATS = 3
"""Postgres measures the first execution, keeps the rows of the second, and answers the third from memory."""

COUNTING = "nextval("
"""What Postgres' catalog would refuse, once the statement has shown to be worth asking it."""

_databases = keep_databases()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--attach", choices=("yes", "no"), default="yes", help="attach a file as test_schema on SQLite")
    parser.addoption("--repeat-reads", action="store_true", help="run what may be kept until it is kept, and again")
    parser.addoption("--counts", help="where to write the number of statements and of hits")


def pytest_configure(config: pytest.Config) -> None:
    """What provisions a database is changed before SQLAlchemy's plug-in does it.

    The suite itself needs none of the extensions that SQLAlchemy would create, which not every server has.
    """
    hooks = provision.post_configure_engine.fns
    hooks["postgresql"] = hooks["*"]
    if config.getoption("--attach") == "no":
        hooks["sqlite"] = hooks["*"]
    if config.getoption("--repeat-reads"):
        event.listen(Engine, "do_execute", _repeated)


def _repeated(cursor: Any, statement: str, parameters: Any, _context: Any) -> bool:
    """Execute the statement; if its rows may be kept, until the cursor gives kept ones."""
    cursor.execute(statement, parameters)
    for _ in range(REPEATS - 1 if _may_be_kept(cursor, statement) else 0):
        cursor.execute(statement, parameters)
    return True


def _may_be_kept(cursor: Any, statement: str) -> bool:
    while hasattr(cursor, "_cursor"):  # that of an adapter to an asynchronous driver, or of aiosqlite
        cursor = cursor._cursor
    route = cursor.connection._context.statements.get(statement)
    return isinstance(route, Keeping) and COUNTING not in statement


def pytest_sessionfinish(session: pytest.Session) -> None:
    if output := session.config.getoption("--counts"):
        stats = [database.stats() for database in _databases]
        counts = {name: sum(getattr(each, name) for each in stats) for name in ("statements", "hits")}
        Path(output).write_text(json.dumps(counts), encoding="utf-8")
