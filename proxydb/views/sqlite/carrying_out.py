"""Carries out a statement about materialized views on a SQLite connection."""

from __future__ import annotations

from typing import Any

from proxydb.errors import ProgrammingError
from proxydb.views.sqlite import engine
from proxydb.views.statements import ViewStatement, parse_statement

_OPTIONS = ("maintenance", "max_staleness")


def carry_out(connection: Any, sql: str) -> None:
    """Do what the statement says.

    Raises
    ------
    proxydb.errors.ProgrammingError, proxydb.errors.NotSupportedError
        It is wrong, or cannot be done; the message says what can.
    """
    statement = parse_statement(sql, "sqlite")
    if statement.action == "create":
        _create(connection, statement)
    elif statement.action == "refresh":
        engine.refresh(connection, statement.names[0])
    else:
        for name in statement.names:
            engine.drop(connection, name, missing_ok=statement.lenient)


def _create(connection: Any, statement: ViewStatement) -> None:
    options = dict(statement.options)
    if unknown := sorted(set(options) - set(_OPTIONS)):
        raise ProgrammingError(f"{unknown[0]} is no option of a materialized view: choose {' or '.join(_OPTIONS)}")
    staleness = options.get("max_staleness")
    engine.create(
        connection,
        statement.names[0],
        statement.query,
        options.get("maintenance", "immediate"),
        None if staleness is None else float(staleness),
        exists_ok=statement.lenient,
    )
