"""SQL that takes a value out of a JSON column by its path, in the words of either system.

SQLite reads ``->> 'name'`` as a path unless the name is plain, up to 3.45 it compares a key with the escaped text of
the document, and no path can spell a quote; so names go into a quoted path, and those that JSON escapes through
`json_each`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from proxydb.lake.statement import literal

if TYPE_CHECKING:
    from collections.abc import Sequence


def json_text(document: str, path: Sequence[str], system: str) -> str:
    """An expression for the scalar at `path`: text on Postgres, text or a number on SQLite; NULL where there is none.

    Parameters
    ----------
    document
        A column of JSON.
    path
        The keys, from the outermost inward; at least one.
    system
        ``"sqlite"`` or ``"postgresql"``.
    """
    if system == "postgresql":
        return f"({' -> '.join([document, *map(literal, path[:-1])])} ->> {literal(path[-1])})"
    if is_plain(path):
        return f"({document} ->> {literal(sqlite_path(path))})"
    for key in path:
        document = f"(SELECT value FROM json_each({document}) WHERE key = {literal(key)})"
    return document


def json_value(document: str, path: Sequence[str]) -> str:
    """An expression for the JSON at `path`, on Postgres."""
    return f"({' -> '.join([document, *map(literal, path)])})"


def json_type(document: str, path: Sequence[str], system: str) -> str:
    """An expression for the JSON type at a plain `path`, as ``jsonb_typeof`` or ``json_type`` names it."""
    if system == "postgresql":
        return f"jsonb_typeof{json_value(document, path)}"
    return f"json_type({document}, {literal(sqlite_path(path))})"


def sqlite_path(path: Sequence[str]) -> str:
    """A path of plain keys as SQLite spells it."""
    return "$" + "".join(f'."{key}"' for key in path)


def is_plain(path: Sequence[str]) -> bool:
    """Whether every key stands in JSON as it is, so that a path of SQLite can name it."""
    return all(json.dumps(key, ensure_ascii=False) == f'"{key}"' for key in path)


def partition_expressions(columns: Sequence[str], system: str) -> list[str]:
    """An expression for each partition value of a file `f`; an empty string is NULL (Delta PROTOCOL, Partition Value
    Serialization). A table without partitions has one, which is always NULL.
    """
    return [f"NULLIF({json_text('f.partition_values', [column], system)}, '')" for column in columns or ("",)]
