"""Finds the columns that a predicate names in a table's schema."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from proxydb.lake.errors import PredicateError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proxydb.lake.pruning.expression import Path

Kind = Literal["integer", "double", "float", "decimal", "string", "date", "timestamp", "timestamp_ntz", "boolean"]

_KINDS: dict[str, Kind] = {
    **dict.fromkeys(("byte", "short", "integer", "long"), "integer"),
    "double": "double",
    "float": "float",
    "string": "string",
    "date": "date",
    "timestamp": "timestamp",
    "timestamp_ntz": "timestamp_ntz",
    "boolean": "boolean",
}
_DECIMAL = re.compile(r"decimal\(\s*(\d+)\s*,\s*-?\d+\s*\)|decimal")
# Strings that do not compare byte by byte: those with a collation, and those that are padded.
_OTHER_ORDER = ("__COLLATIONS", "collations")
_PADDED = ("__CHAR_VARCHAR_TYPE_STRING", "char(")


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Parameters
    ----------
    path
        Its names in the log, from the outermost struct inward.
    kind
        What its values are; None where they have no order that is known here.
    digits
        How many digits a decimal has at most; 0 for other kinds.
    is_partition
        Whether it is a partition column.
    """

    path: Path
    kind: Kind | None
    digits: int
    is_partition: bool


def find_column(schema: dict[str, Any], partition_columns: Sequence[str], path: Path) -> Column:
    """The column that a predicate names, exactly or else, where only one fits, in other letter case.

    Parameters
    ----------
    schema
        The parsed Delta schema.
    partition_columns
        The names of the partition columns.
    path
        The names in the predicate.

    Raises
    ------
    proxydb.lake.errors.PredicateError
        There is no such column; the message lists names that are near.

    References
    ----------
    Delta PROTOCOL: Schema Serialization Format, Column Mapping.
    """
    physical: list[str] = []
    described: dict[str, Any] = {}
    kind: Any = schema
    for name in path:
        described = _field(kind, name, path)
        metadata, kind = described.get("metadata") or {}, described["type"]
        physical.append(str(metadata.get("delta.columnMapping.physicalName", name_of(described))))
    found, digits = _kind(kind, described.get("metadata") or {})
    return Column(tuple(physical), found, digits, len(path) == 1 and name_of(described) in partition_columns)


def name_of(described: dict[str, Any]) -> str:
    """The logical name of a field of a schema."""
    return str(described["name"])


def _field(struct: Any, name: str, path: Path) -> dict[str, Any]:
    fields: list[dict[str, Any]] = struct.get("fields", []) if isinstance(struct, dict) else []
    exact = [field for field in fields if field["name"] == name]
    if len(found := exact or [field for field in fields if field["name"].lower() == name.lower()]) == 1:
        return found[0]
    spelled = ".".join(path)
    if found:
        raise PredicateError(f"{spelled!r} could be any of {', '.join(repr(name_of(field)) for field in found)}")
    names = [name_of(field) for field in fields]
    near = difflib.get_close_matches(name, names, cutoff=0.5) or names[:5]
    there_is = f"; there is {', '.join(map(repr, near))}" if near else ""
    raise PredicateError(f"the table has no column {spelled!r}{there_is}")


def _kind(kind: Any, metadata: dict[str, Any]) -> tuple[Kind | None, int]:
    if not isinstance(kind, str):
        return None, 0
    if decimal := _DECIMAL.fullmatch(kind):
        return "decimal", int(decimal[1] or 10)
    if kind == "string" and _has_other_order(metadata):
        return None, 0
    if kind == "double" and "delta.typeChanges" in metadata:
        return "float", 0  # older files may hold, and describe, numbers of 32 bits (Delta PROTOCOL, Type Widening)
    return _KINDS.get(kind), 0


def _has_other_order(metadata: dict[str, Any]) -> bool:
    marker, padded = _PADDED
    return any(name in metadata for name in _OTHER_ORDER) or str(metadata.get(marker, "")).startswith(padded)
