"""Whether a read is one that the database could have answered between its call and its return.

Some operations give the newest version themselves, and every one of those reads is held against the floor. Others are
functions of the active files: some of those are asked again at the end, at every version that they may have seen.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from proxydb.lake import OPERATIONS, queries
from proxydb.lake.statement import bind, marker_names

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxydb.cli.bench.load.order import Sample
    from proxydb.lake import ParameterRanges

Rows = list[tuple[Any, ...]]

# Operation → the newest version of its table that the rows tell.
VERSION_TOLD: dict[str, Callable[[Rows], int]] = {
    "01": lambda rows: int(rows[0][0]),
    "14": lambda rows: int(rows[0][0]),
}
REPLAYED = frozenset(
    operation.number
    for operation in OPERATIONS
    if queries.ACTIVE_AT_HEAD in operation.sql and operation.number not in ("02n", "20")
)
"""Operations on the active files at the head, which can be asked about any version."""


def digest(rows: Rows) -> str:
    """What tells rows, in whatever order they come."""
    return hashlib.sha256("\n".join(sorted(map(repr, rows))).encode("utf-8", "surrogatepass")).hexdigest()


def replayed_wrongly(sample: Sample, connection: Any, system: str, ranges: ParameterRanges) -> str | None:
    """Ask a read again at each version that it may have seen; what is wrong when no answer is the same.

    Parameters
    ----------
    sample
        The read.
    connection, system
        A connection of the plain driver, while nobody writes.
    ranges
        Those of the table, from which the read's statement was made.
    """
    for version in range(sample.floor, sample.ceiling + 1):
        sql, parameters = _at_version(sample, system, ranges, version)
        if digest(connection.execute(sql, parameters).fetchall()) == sample.digest:
            return None
    asked = f"{sample.side} {sample.number} of table {sample.table} with {sample.parameters}"
    return f"{asked}: no version from {sample.floor} to {sample.ceiling} has these rows"


def _at_version(sample: Sample, system: str, ranges: ParameterRanges, version: int) -> tuple[str, tuple[Any, ...]]:
    """The statement and its parameters, asked about an older version."""
    [at_head] = [each for each in OPERATIONS if each.number == sample.number]
    at_version = replace(at_head, sql=at_head.sql.replace(queries.ACTIVE_AT_HEAD, queries.ACTIVE_AT_VERSION))
    values = dict(zip(marker_names(at_head.sql), sample.parameters, strict=True))
    return at_version.statement(system, ranges), bind(at_version.sql, {**values, "version": version})
