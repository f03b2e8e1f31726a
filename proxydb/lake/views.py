"""The views of a lake, as SQL over its tables for both systems, and the columns that are promoted out of JSON.

What is promoted keeps NULL where the log says nothing, so that a
predicate on the column finds the rows that it finds on the JSON.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from proxydb.errors import ProgrammingError
from proxydb.lake.json_paths import is_plain, json_text, json_type, json_value, partition_expressions
from proxydb.sql.tokens import quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

Part = Literal["partition", "min", "max", "nulls"]

_STATISTICS = {"min": "minValues", "max": "maxValues", "nulls": "nullCount"}
_LONGEST_NAME = 63  # bytes, after which Postgres cuts a name off


@dataclass(frozen=True, slots=True)
class Promoted:
    """A column of `active_files` that is taken out of JSON.

    Parameters
    ----------
    part
        ``"partition"`` for a partition value; ``"min"``, ``"max"`` or ``"nulls"`` for a bound or a count of NULLs
        of the statistics.
    path
        The names of the table's column in the log, from the outermost struct inward.
    numeric
        Whether a bound is a number; one of another JSON type is NULL then. Partition values are text.
    """

    part: Part
    path: tuple[str, ...]
    numeric: bool = False

    @property
    def name(self) -> str:
        """The column's name: ``min_event_id``, and ``min_device_build`` for a field of a struct."""
        return "_".join((self.part, *self.path))

    def expression(self, system: str) -> str:
        """What it is computed by, from a row `f` of `dl_add_files`."""
        if self.part == "partition":
            return partition_expressions(self.path, system)[0]
        path = [_STATISTICS[self.part], *self.path]
        value = json_text("f.stats", path, system)
        if not self.numeric and self.part != "nulls":
            return value if system == "postgresql" else f"CAST({value} AS TEXT)"
        kind = json_type("f.stats", path, system)
        if system == "postgresql":
            return f"CASE WHEN {kind} = 'number' THEN CAST({json_value('f.stats', path)} AS NUMERIC) END"
        return f"CASE WHEN {kind} IN ('integer', 'real') THEN {value} END"


@dataclass(frozen=True, slots=True)
class LakeView:
    """A view of the lake.

    Parameters
    ----------
    name
        Its name.
    sql
        Its query.
    indexes
        The columns of each index that its readers gain from, besides those on the keys by which it is kept.
    kept
        Whether its rows are kept; else it is an ordinary view, which finds them in others by their keys.
    """

    name: str
    sql: str
    indexes: tuple[tuple[str, ...], ...] = ()
    kept: bool = True


def lake_views(system: str, promoted: Sequence[Promoted] = ()) -> tuple[LakeView, ...]:
    """The views in the order in which they are made.

    Parameters
    ----------
    system
        ``"sqlite"`` or ``"postgresql"``.
    promoted
        Columns that `active_files` has besides those of the log.

    Raises
    ------
    proxydb.errors.ProgrammingError
        Two promoted columns would have the same name, or one has a name that a database cannot keep.
    """
    _check_names(promoted)
    columns = "".join(f",\n  {each.expression(system)} AS {quoted(each.name)}" for each in promoted)
    indexes = tuple(("table_id", each.name) for each in promoted)
    views = [replace(view, sql=view.sql.replace("{files}", _FILES[system])) for view in _VIEWS]
    views[0] = replace(views[0], sql=views[0].sql.replace("{promoted}", columns), indexes=indexes)
    return tuple(views)


def _check_names(promoted: Sequence[Promoted]) -> None:
    names = [each.name.lower() for each in promoted]
    for each in promoted:
        if names.count(each.name.lower()) > 1:
            raise ProgrammingError(f"two promoted columns are named {each.name}: leave one out")
        if len(each.name.encode()) > _LONGEST_NAME or not is_plain(each.path):
            raise ProgrammingError(f"{each.name!r} cannot name a column: leave it out")


# The newest action for a logical file decides; a commit holds at most one for each (Delta PROTOCOL, Action
# Reconciliation).
_NEXT = (
    "{next}.table_id = f.table_id AND {next}.path = f.path AND {next}.dv_id = f.dv_id AND {next}.version > f.version"
)
_NOTHING_NEWER = f"""
WHERE NOT EXISTS (SELECT 1 FROM dl_add_files AS a WHERE {_NEXT.format(next="a")})
  AND NOT EXISTS (SELECT 1 FROM dl_remove_files AS r WHERE {_NEXT.format(next="r")})"""

_ACTIVE_FILES = f"""
SELECT f.table_id, f.path, f.dv_id, f.version, f.size_bytes, f.partition_values, f.stats, f.modification_time,
  f.data_change, f.extra{{promoted}}
FROM dl_add_files AS f{_NOTHING_NEWER}"""

_TOMBSTONES = f"""
SELECT f.table_id, f.path, f.dv_id, f.version, f.deletion_timestamp, f.size_bytes, f.data_change
FROM dl_remove_files AS f{_NOTHING_NEWER}"""

# A file is active from the version that added it up to the one before `end_version`, which has its next action. Spans
# that have an end never change, so a commit costs only what it ends.
_ENDED_BY = f"""
SELECT f.table_id, f.path, f.dv_id, f.version AS begin_version, e.version AS end_version, f.size_bytes
FROM dl_add_files AS f JOIN {{ends}} AS e ON {_NEXT.format(next="e")}
WHERE NOT EXISTS (SELECT 1 FROM dl_add_files AS a WHERE {_NEXT.format(next="a")} AND a.version < e.version)
  AND NOT EXISTS (SELECT 1 FROM dl_remove_files AS r WHERE {_NEXT.format(next="r")} AND r.version < e.version)"""
_CLOSED_SPANS = "\nUNION ALL".join(_ENDED_BY.format(ends=table) for table in ("dl_add_files", "dl_remove_files"))

_FILE_SPANS = """
SELECT table_id, path, dv_id, version AS begin_version, CAST(NULL AS BIGINT) AS end_version, size_bytes
FROM active_files
UNION ALL
SELECT table_id, path, dv_id, begin_version, end_version, size_bytes
FROM closed_spans"""

_TXN_HEADS = """
SELECT t.table_id, t.app_id, t.version, t.txn_version, t.last_updated
FROM dl_txn_actions AS t
WHERE NOT EXISTS (
  SELECT 1 FROM dl_txn_actions AS n
  WHERE n.table_id = t.table_id AND n.app_id = t.app_id AND n.version > t.version)"""

_TOTALS = "COUNT(*) AS files, CAST(SUM(f.size_bytes) AS BIGINT) AS bytes"

# A partition has a row for each way in which its values are spelled, such as '' and null; readers add them up.
_PARTITION_STATS = f"""
SELECT f.table_id, f.partition_values, {_TOTALS}
FROM {{files}}
GROUP BY f.table_id, f.partition_values"""
_FILES = {"sqlite": "active_files AS f", "postgresql": f"dl_add_files AS f{_NOTHING_NEWER}"}

_COMMIT_ADDITIONS = f"""
SELECT f.table_id, f.version, {_TOTALS},
  COUNT(CASE WHEN f.data_change THEN 1 END) AS new_files,
  CAST(SUM(CASE WHEN f.data_change THEN f.size_bytes END) AS BIGINT) AS new_bytes
FROM dl_add_files AS f
GROUP BY f.table_id, f.version"""

_COMMIT_REMOVALS = f"""
SELECT f.table_id, f.version, {_TOTALS}
FROM dl_remove_files AS f
GROUP BY f.table_id, f.version"""

_COMMIT_STATISTICS = """
SELECT v.table_id, v.version, v.committed_at, v.operation,
  COALESCE(a.files, 0) AS files_added, COALESCE(a.bytes, 0) AS bytes_added,
  COALESCE(a.new_files, 0) AS new_files, COALESCE(a.new_bytes, 0) AS new_bytes,
  COALESCE(r.files, 0) AS files_removed, COALESCE(r.bytes, 0) AS bytes_removed
FROM dl_table_versions AS v
LEFT JOIN commit_additions AS a ON a.table_id = v.table_id AND a.version = v.version
LEFT JOIN commit_removals AS r ON r.table_id = v.table_id AND r.version = v.version"""

_TABLE_METADATA = """
SELECT t.table_id, t.name, t.location, h.current_version,
  m.schema_json, m.partition_columns, m.table_properties, m.extra,
  p.min_reader_version, p.min_writer_version, p.reader_features, p.writer_features,
  CAST((SELECT COALESCE(SUM(s.files), 0) FROM partition_stats AS s WHERE s.table_id = t.table_id) AS BIGINT) AS files,
  CAST((SELECT COALESCE(SUM(s.bytes), 0) FROM partition_stats AS s WHERE s.table_id = t.table_id) AS BIGINT) AS bytes
FROM dl_tables AS t
JOIN dl_table_heads AS h ON h.table_id = t.table_id
JOIN dl_metadata_updates AS m ON m.table_id = t.table_id
  AND m.version = (SELECT MAX(n.version) FROM dl_metadata_updates AS n WHERE n.table_id = t.table_id)
JOIN dl_protocol_updates AS p ON p.table_id = t.table_id
  AND p.version = (SELECT MAX(n.version) FROM dl_protocol_updates AS n WHERE n.table_id = t.table_id)"""

_VIEWS = (
    LakeView("active_files", _ACTIVE_FILES),
    LakeView("tombstones", _TOMBSTONES),
    LakeView("closed_spans", _CLOSED_SPANS),
    LakeView("txn_heads", _TXN_HEADS),
    LakeView("partition_stats", _PARTITION_STATS),
    LakeView("commit_additions", _COMMIT_ADDITIONS),
    LakeView("commit_removals", _COMMIT_REMOVALS),
    LakeView("file_spans", _FILE_SPANS, kept=False),
    LakeView("commit_statistics", _COMMIT_STATISTICS, kept=False),
    LakeView("table_metadata", _TABLE_METADATA, kept=False),
)
