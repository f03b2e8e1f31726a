"""Finds the active files that may hold a row of a predicate: the database leaves out most, the rest is asked here."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from proxydb.lake import queries
from proxydb.lake.errors import PredicateError
from proxydb.lake.pruning.conditions import Described, condition, of_partitions
from proxydb.lake.pruning.evaluate import FileFacts, holds
from proxydb.lake.pruning.expression import Expression
from proxydb.lake.pruning.render import Renderer
from proxydb.lake.snapshot import File, file_of_row, parsed

if TYPE_CHECKING:
    from datetime import tzinfo

    from proxydb.lake.pruning.conditions import Condition
    from proxydb.lake.session import Session

# Every active file is judged where it lies: it may hold no row by its partition values (0) or by its statistics (1),
# surely may hold one (2), or has to be looked at more closely (3). Only those that may are read whole. The counts stand
# in each row, and alone in one row when nothing is kept.
_PRUNE = """
WITH judged AS (
SELECT f.version, f.path, f.dv_id,
  CASE WHEN ({partitions}) IS FALSE THEN 0 ELSE {verdict} END AS verdict{active}
)
SELECT counts.by_partition, counts.by_statistics, f.verdict,
  f.path, f.dv_id, f.size_bytes, CAST(f.partition_values AS TEXT), CAST(f.stats AS TEXT), f.modification_time,
  f.data_change, f.version, f.extra
FROM (
  SELECT COUNT(CASE WHEN verdict = 0 THEN 1 END) AS by_partition,
    COUNT(CASE WHEN verdict = 1 THEN 1 END) AS by_statistics
  FROM judged
) AS counts
LEFT JOIN (
  SELECT j.verdict, a.* FROM judged AS j
  JOIN dl_add_files AS a ON a.table_id = :table_id AND a.version = j.version AND a.path = j.path AND a.dv_id = j.dv_id
  WHERE j.verdict > 1
) AS f ON TRUE"""

_ASKED_ONCE = "CASE ({may_hold}) WHEN FALSE THEN 1 WHEN TRUE THEN 2 ELSE 3 END"
_ASKED_TWICE = "CASE WHEN ({may_hold}) IS FALSE THEN 1 WHEN ({surely}) IS TRUE THEN 2 ELSE 3 END"


@dataclass(frozen=True, slots=True)
class PruneReport:
    """What became of the active files of a table.

    Parameters
    ----------
    total
        How many there are.
    kept
        How many may hold a row of the predicate.
    pruned_by_partition, pruned_by_statistics
        How many cannot: by their partition values alone, or only together with their statistics.
    kept_unknown
        How many of those kept are there only because nothing is known: what the log says neither excludes them nor
        shows that the predicate reaches into their span of values.
    """

    total: int
    kept: int
    pruned_by_partition: int
    pruned_by_statistics: int
    kept_unknown: int


@dataclass(frozen=True, slots=True)
class PrunedFiles:
    """The files that a reader has to open for a predicate.

    Parameters
    ----------
    version
        The version of the table.
    files
        Its files that may hold a row of the predicate, sorted by path and deletion-vector id.
    report
        What became of the others.
    """

    version: int
    files: tuple[File, ...]
    report: PruneReport


def understood(predicate: str | Expression) -> Expression:
    """The expression of a predicate, parsed if it is SQL.

    Raises
    ------
    proxydb.lake.errors.PredicateError
        The SQL cannot be parsed.
    TypeError
        It is neither.
    """
    if isinstance(predicate, str):
        from proxydb.lake.pruning.parse import parse_predicate  # sqlglot takes a while to import

        return parse_predicate(predicate)
    if isinstance(predicate, Expression):
        return predicate
    raise TypeError(f"a predicate is a SQL string or an expression of col(), not {type(predicate).__name__}")


def named_zone(name: str) -> tzinfo:
    """The time zone of an IANA name.

    Raises
    ------
    proxydb.lake.errors.PredicateError
        There is no such zone.
    """
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise PredicateError(f"{name!r} is no time zone of this machine: pass an IANA name or a tzinfo") from error


def described_at(
    session: Session, table_id: int, version: int, zone: tzinfo = UTC, nan_free: bool = False
) -> Described:
    """What has to be known of a table at a version that exists."""
    [row] = session.rows(queries.METADATA_AT_VERSION, table_id=table_id, version=version)
    schema, partition_columns = map(parsed, row[:2])
    return Described(schema, partition_columns, zone, nan_free)


def prune(session: Session, table_id: int, version: int, expression: Expression, table: Described) -> PrunedFiles:
    """The files of a version that exists for a predicate; `table` tells of that version."""
    asked = condition(expression, table)
    by_partition = of_partitions(asked)
    rows = _candidates(session, table_id, version, asked, by_partition)
    counts = Counter({_BY_PARTITION: rows[0][0], _BY_STATISTICS: rows[0][1]})
    kept = []
    for sure, row in ((row[2] == 2, row[3:]) for row in rows if row[2] is not None):
        verdict = _MAY_HOLD if sure else _verdict(asked, by_partition, FileFacts(row[3], row[4]))
        counts[verdict] += 1
        if verdict in (_MAY_HOLD, _UNKNOWN):
            kept.append(file_of_row(row))
    kept.sort(key=lambda file: (file.path, file.deletion_vector_id))
    report = PruneReport(counts.total(), len(kept), counts[_BY_PARTITION], counts[_BY_STATISTICS], counts[_UNKNOWN])
    return PrunedFiles(version, tuple(kept), report)


_BY_PARTITION, _BY_STATISTICS, _MAY_HOLD, _UNKNOWN = "by partition", "by statistics", "may hold", "unknown"


def _verdict(asked: Condition, by_partition: Condition, facts: FileFacts) -> str:
    held = holds(asked, facts)
    if held is False:
        return _BY_PARTITION if holds(by_partition, facts) is False else _BY_STATISTICS
    return _MAY_HOLD if held else _UNKNOWN


def _candidates(
    session: Session, table_id: int, version: int, asked: Condition, by_partition: Condition
) -> list[tuple[Any, ...]]:
    """The files that the database cannot leave out, each after how many it could."""
    values: dict[str, Any] = {}
    weak, strong = (
        Renderer(session.system, values, compares_text=session.compares_utf8, surely=surely) for surely in (False, True)
    )
    partitions, may_hold, surely = weak.sql(by_partition), weak.sql(asked), strong.sql(asked)
    verdict = _ASKED_ONCE if may_hold == surely else _ASKED_TWICE
    text = _PRUNE.format(
        partitions=partitions,
        verdict=verdict.format(may_hold=may_hold, surely=surely),
        active=queries.ACTIVE_AT_VERSION,
    )
    return session.rows(text, table_id=table_id, version=version, **values)
