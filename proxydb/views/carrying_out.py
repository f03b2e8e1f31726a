"""Carries out a statement about materialized views on the connection on which it was executed."""

from __future__ import annotations

from typing import Any

from proxydb.errors import ProgrammingError
from proxydb.views.api import engine_of
from proxydb.views.statements import ViewStatement, parse_statement

_OPTIONS = ("maintenance", "max_staleness")


def carry_out(connection: Any, sql: str, system: str) -> None:
    """Do what the statement says, on ``"sqlite"`` or ``"postgresql"``.

    Raises
    ------
    proxydb.errors.ProgrammingError, proxydb.errors.NotSupportedError
        It is wrong, or cannot be done; the message says what can.
    """
    statement, engine = parse_statement(sql, system), engine_of(system)
    if statement.action == "create":
        _create(engine, connection, statement)
    elif statement.action == "refresh":
        engine.refresh(connection, statement.names[0])
    else:
        for name in statement.names:
            engine.drop(connection, name, missing_ok=statement.lenient)


def _create(engine: Any, connection: Any, statement: ViewStatement) -> None:
    options = dict(statement.options)
    if unknown := sorted(set(options) - set(_OPTIONS)):
        raise ProgrammingError(f"{unknown[0]} is no option of a materialized view: choose {' or '.join(_OPTIONS)}")
    staleness = options.get("max_staleness")
    engine.create(
        connection,
        statement.names[0],
        statement.query,
        options.get("maintenance"),
        None if staleness is None else float(staleness),
        exists_ok=statement.lenient,
    )
