"""The operations that `deltalake` can be asked for too: how it is asked, and what of the lake's rows it answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from posixpath import basename
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from proxydb.lake.snapshot import parsed

if TYPE_CHECKING:
    from proxydb.lake import ParameterRanges

Rows = list[tuple[Any, ...]]
Ask = Callable[[Any, "ParameterRanges", dict[str, Any]], Rows]


@dataclass(frozen=True, slots=True)
class DeltaQuestion:
    """A question to an open `DeltaTable`.

    Parameters
    ----------
    ask
        Answers it, given the `DeltaTable`, the ranges of the table in the lake, and the parameters by name.
    same
        Makes of the lake's rows what `ask` answers, in any order.
    """

    ask: Ask
    same: Callable[[Rows], Rows]


def _adds(opened: Any) -> Any:
    import pyarrow  # type: ignore[import-untyped]

    return pyarrow.RecordBatchReader.from_stream(opened.get_add_actions(flatten=True)).read_all()


def _listed(opened: Any, ranges: ParameterRanges, values: dict[str, Any]) -> Rows:
    adds = _adds(opened)
    names = ("path", "size_bytes", "modification_time", "num_records")
    return list(zip(*(adds[name].to_pylist() for name in names), strict=True))


def _as_listed(rows: Rows) -> Rows:
    return [(row[0], row[2], row[5], (parsed(row[4]) or {}).get("numRecords")) for row in rows]


def _count(opened: Any, ranges: ParameterRanges, values: dict[str, Any]) -> Rows:
    return [(len(_adds(opened)),)]


def _count_and_bytes(opened: Any, ranges: ParameterRanges, values: dict[str, Any]) -> Rows:
    import pyarrow.compute  # type: ignore[import-untyped]

    sizes = _adds(opened)["size_bytes"]
    return [(len(sizes), pyarrow.compute.sum(sizes).as_py())]


def _pruned(predicate: str) -> Ask:
    """Files that may hold a row of a predicate, in the form of `DeltaTable.file_uris`."""

    def ask(opened: Any, ranges: ParameterRanges, values: dict[str, Any]) -> Rows:
        columns = {
            "partition": ranges.partition_column,
            "number": ranges.statistics_column,
            "time": ranges.timestamp_column,
            "nullable": ranges.nullable_column,
        }
        named = {f"{name}_column": column for name, column in columns.items()}
        return [
            (basename(uri),) for uri in opened.file_uris(file_pruning_predicate=predicate.format(**named, **values))
        ]

    return ask


def _base_names(rows: Rows) -> Rows:
    return [(basename(unquote(row[0])),) for row in rows]


def _by_partition(opened: Any, ranges: ParameterRanges, values: dict[str, Any]) -> Rows:
    adds, column = _adds(opened), f"partition.{ranges.partition_column}"
    if "threshold" in values:
        import pyarrow.compute

        adds = adds.filter(pyarrow.compute.less(adds["size_bytes"], values["threshold"]))
    groups = adds.group_by(column).aggregate([("size_bytes", "count"), ("size_bytes", "sum")]).to_pylist()
    least = 2 if "threshold" in values else 1
    found = ((group[column], group["size_bytes_count"], group["size_bytes_sum"]) for group in groups)
    return [(None if value is None else str(value), count, size) for value, count, size in found if count >= least]


def _history(opened: Any, ranges: ParameterRanges, values: dict[str, Any]) -> Rows:
    return [(entry["version"], entry["timestamp"], entry["operation"]) for entry in opened.history(20)]


def _schema(opened: Any, ranges: ParameterRanges, values: dict[str, Any]) -> Rows:
    metadata = opened.metadata()
    columns = [field.name for field in opened.schema().fields]
    return [(columns, metadata.partition_columns, sorted(metadata.configuration.items()))]


def _as_schema(rows: Rows) -> Rows:
    schema, partitions, properties, _ = map(parsed, rows[0])
    return [([field["name"] for field in schema["fields"]], partitions, sorted(properties.items()))]


def _protocol(opened: Any, ranges: ParameterRanges, values: dict[str, Any]) -> Rows:
    protocol = opened.protocol()
    features = (sorted(found or ()) for found in (protocol.reader_features, protocol.writer_features))
    return [(protocol.min_reader_version, protocol.min_writer_version, *features)]


def _as_protocol(rows: Rows) -> Rows:
    return [(*row[:2], *(sorted(parsed(features)) for features in row[2:])) for row in rows]


def _as_they_are(rows: Rows) -> Rows:
    return rows


_AT_VERSION = frozenset({"04", "04c"})

QUESTIONS = {
    "01": DeltaQuestion(lambda opened, ranges, values: [(opened.version(),)], _as_they_are),
    "02": DeltaQuestion(_listed, _as_listed),
    "03": DeltaQuestion(_count_and_bytes, _as_they_are),
    "04": DeltaQuestion(_listed, _as_listed),
    "04c": DeltaQuestion(_count, _as_they_are),
    "06": DeltaQuestion(_schema, _as_schema),
    "07": DeltaQuestion(_protocol, _as_protocol),
    "08": DeltaQuestion(_pruned("{partition_column} = '{partition}'"), _base_names),
    "09": DeltaQuestion(_pruned("{partition_column} BETWEEN '{low}' AND '{high}'"), _base_names),
    "10": DeltaQuestion(_pruned("{number_column} = {number}"), _base_names),
    "11": DeltaQuestion(
        _pruned("{time_column} >= '{time_low}.000Z' AND {time_column} <= '{time_high}.999Z'"), _base_names
    ),
    "12": DeltaQuestion(_pruned("{partition_column} = '{partition}' AND {nullable_column} IS NULL"), _base_names),
    "13": DeltaQuestion(_pruned("{number_column} >= {least}"), _base_names),
    "14": DeltaQuestion(_history, lambda rows: [(row[0], row[1], row[3]) for row in rows]),
    "16": DeltaQuestion(_by_partition, _as_they_are),
    "17": DeltaQuestion(
        lambda opened, ranges, values: [
            (version,) for version in [opened.transaction_version(values["app_id"])] if version is not None
        ],
        lambda rows: [(row[0],) for row in rows],
    ),
    "18": DeltaQuestion(_by_partition, _as_they_are),
}


def version_asked(number: str, values: dict[str, Any]) -> int | None:
    """The version at which the table has to be opened; None for the newest."""
    return values["version"] if number in _AT_VERSION else None
