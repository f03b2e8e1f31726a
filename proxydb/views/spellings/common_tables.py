"""A common table expression that is used once → a derived table where it is used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxydb.sql.parse import parse_query
from proxydb.sql.tokens import QUOTED, locate, quoted
from proxydb.views.obstacle import Obstacle

if TYPE_CHECKING:
    from proxydb.views.spellings.query import Query


def put_in_common_tables(query: Query) -> str | None:
    """The query without the last of its common tables; None where it has none.

    Raises
    ------
    Obstacle
        It is recursive, has a list of columns, or is not used exactly once.
    """
    tokens = locate(query.sql, query.system)
    if tokens[0][0].text != "with":
        return None
    if tokens[1][0].text == "recursive":
        raise Obstacle("it is recursive")
    last = _last(query)
    name, body, start, end = last
    main = query.sql[end:].strip()
    used = [
        table
        for table in parse_query(main, query.system).tables
        if not table.schema and _folded(query, main[table.start : table.end]) == name
    ]
    if len(used) != 1:
        raise Obstacle(
            f"its common table {name} is used {len(used)} times: write it as a view of its own, or keep the view"
        )
    [table] = used
    alias = "" if table.aliased else f" AS {quoted(name)}"
    before = query.sql[:start].rstrip().removesuffix(",") if start else ""
    return f"{before} {main[: table.start]}({body}){alias}{main[table.end :]}".strip()


def _last(query: Query) -> tuple[str, str, int, int]:
    """The name and the query of the last common table, where its entry begins, or 0 if it is the first, and its end."""
    tokens = locate(query.sql, query.system)
    place, entry = 1, 0
    while True:
        name, started = tokens[place], tokens[place][1] if entry else 0
        place += 1
        if tokens[place][0].text != "as":
            raise Obstacle(f"its common table {name[0].text} has a list of columns")
        while tokens[place][0].text != "(":
            place += 1
        opened, depth = place, 0
        while True:
            depth += (tokens[place][0].text == "(") - (tokens[place][0].text == ")")
            if not depth:
                break
            place += 1
        if tokens[place + 1][0].text != ",":
            body = query.sql[tokens[opened][2] : tokens[place][1]]
            return _folded(query, name[0].text), body, started, tokens[place][2]
        place, entry = place + 2, entry + 1


def _folded(query: Query, text: str) -> str:
    token = locate(text, query.system)[0][0]
    if token.kind == QUOTED:
        return text[1:-1] if query.system == "postgresql" else text[1:-1].lower()
    return text.lower()
