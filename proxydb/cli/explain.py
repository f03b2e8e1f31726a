"""Show what proxydb makes of a statement, which is not executed.

Prints its fingerprint, what it reads and writes, whether its result may be kept, and if not, why.
"""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from textwrap import indent
from typing import TYPE_CHECKING, Any

import proxydb
from proxydb.cli.plain_driver import open_plain
from proxydb.dbapi.connect import parse_target
from proxydb.errors import TargetError

if TYPE_CHECKING:
    import argparse

    from proxydb.explanation import Explanation

_LONGEST_FORMATTED = 20_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `proxydb explain`."""
    parser.add_argument("sql", metavar="SQL", help="one statement, with the driver's placeholders (? or %%s)")
    parser.add_argument("--target", required=True, help="the database: a SQLite file, sqlite:///… or postgresql://…")
    parser.add_argument(
        "--param",
        action="append",
        default=[],
        metavar="VALUE",
        help="a parameter, as JSON (1, 1.5, null, true, '\"1\"') or as plain text; repeat it in order",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: argparse.Namespace) -> int:
    """Explain one statement."""
    check_file(arguments.target)
    with proxydb.database(arguments.target) as database:
        explanation = database.explain(arguments.sql, tuple(map(_value, arguments.param)))
    print(json.dumps(explanation.to_dict(), indent=2) if arguments.json else readable(explanation))
    return 0


def check_file(target: str) -> None:
    """SQLite would make a new empty file where there is none, and look into a file only when it needs a table.

    Raises
    ------
    proxydb.errors.TargetError
        The target is a SQLite file that is not there.
    sqlite3.DatabaseError
        It is there and holds no database.
    """
    where = parse_target(target)
    if where.system == "sqlite":
        if not where.uri and where.address != ":memory:" and not Path(where.address).is_file():
            raise TargetError(f"there is no SQLite database at {where.address!r}")
        with closing(open_plain(target)) as connection:
            connection.execute("PRAGMA schema_version")


def readable(explanation: Explanation) -> str:
    """The explanation with its SQL laid out for people."""
    return str(replace(explanation, sql=indent("\n" + _laid_out(explanation.sql), "  ")))


def _laid_out(sql: str) -> str:
    """The statement in lines; as it is when it is very long or sqlparse refuses it."""
    import sqlparse

    if len(sql) > _LONGEST_FORMATTED:
        return sql
    try:
        return sqlparse.format(sql, reindent=True).strip()
    except sqlparse.exceptions.SQLParseError:
        return sql


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
