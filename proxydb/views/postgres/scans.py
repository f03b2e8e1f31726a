"""Which tables a refresh reads from end to end however little was logged, for want of an index.

Postgres is asked for its plans with scans made as dear as it knows, so what is scanned then cannot be found otherwise.
Source: https://www.postgresql.org/docs/current/runtime-config-query.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proxydb.views.postgres.catalog import Record
    from proxydb.views.postgres.facts import Execute

_AVOIDED = ("enable_seqscan", "enable_hashjoin", "enable_mergejoin", "enable_material")


def scans(execute: Execute, record: Record) -> tuple[str, ...]:
    """The tables; a transaction has to be open, which is rolled back afterwards."""
    for setting in _AVOIDED:
        execute(f"SET LOCAL {setting} = off")
    found: dict[str, None] = {}
    for fold in record.folds:
        (plans,) = execute(f"EXPLAIN (VERBOSE, FORMAT JSON) {fold}").fetchone()
        for plan in plans:
            found |= dict.fromkeys(_scanned(plan["Plan"]))
    return tuple(f"{name} at each refresh" for name in found)


def _scanned(node: dict[str, Any]) -> Iterator[str]:
    kind = node["Node Type"]
    whole = kind == "Seq Scan" or (kind in ("Index Scan", "Index Only Scan") and "Index Cond" not in node)
    if whole and node["Schema"] != "proxydb":
        yield node["Relation Name"]
    for inner in node.get("Plans", ()):
        yield from _scanned(inner)
