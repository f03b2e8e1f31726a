"""A view that a query reads → its query, as a derived table."""

from __future__ import annotations

from proxydb.sql.parse import parse_query
from proxydb.sql.tokens import quoted


def put_in_views(sql: str, schema: str, name: str, query: str) -> str:
    """A query of Postgres in which a view's own query stands where its name stood.

    Parameters
    ----------
    sql
        The query.
    schema, name
        The view; names without a schema mean it, too.
    query
        What the view shows.
    """
    done, parts = 0, []
    for table in parse_query(sql, "postgresql").tables:
        if table.name in (name, name.lower()) and table.schema in ("", schema):
            alias = "" if table.aliased else f" AS {quoted(table.alias)}"
            parts += [sql[done : table.start], f"({query}\n){alias}"]
            done = table.end
    return "".join([*parts, sql[done:]])
