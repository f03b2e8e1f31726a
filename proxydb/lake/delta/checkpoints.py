"""Reads Delta checkpoints: Parquet (classic, multi-part and V2 with sidecars) and V2 in JSON."""

from __future__ import annotations

import json
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from proxydb.errors import MissingExtra
from proxydb.lake.delta.commits import Action, read_json_actions
from proxydb.lake.errors import CorruptLog, MissingCommit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from proxydb.lake.delta.segment import Checkpoint

KINDS = ("protocol", "metaData", "txn", "domainMetadata", "add", "remove", "sidecar")
_BATCH_ROWS = 4096


def read_checkpoint(checkpoint: Checkpoint) -> Iterator[Action]:
    """Every action of a checkpoint; those of the sidecars of a V2 checkpoint stand where the sidecar is named.

    Raises
    ------
    proxydb.lake.errors.CorruptLog
        A file is not valid Parquet or JSON.
    proxydb.lake.errors.MissingCommit
        A sidecar is not there.
    proxydb.errors.MissingExtra
        The checkpoint is Parquet and `pyarrow` is not installed.

    References
    ----------
    Delta PROTOCOL: Checkpoints, Checkpoint Specs, Sidecar Files, Checkpoint Schema.
    """
    for file in checkpoint.files:
        for action in _read(file):
            if action.kind == "sidecar":
                yield from _read(_sidecar_file(action))
            else:
                yield action


def _read(file: Path) -> Iterator[Action]:
    return read_json_actions(file) if file.suffix == ".json" else read_parquet_actions(file)


def _sidecar_file(action: Action) -> Path:
    """Sidecars always lie in `_sidecars`; the reference may be a bare name or a whole URI."""
    name = unquote(str(action.body.get("path", ""))).rpartition("/")[2]
    file = action.file.parent / "_sidecars" / name
    if not file.is_file():
        raise MissingCommit(file, f"the sidecar that {action.file.name} names is missing: restore it from a backup")
    return file


def read_parquet_actions(file: Path) -> Iterator[Action]:
    """Every action of one Parquet file: each row holds one, in the column of its kind."""
    try:
        import pyarrow as pa  # type: ignore[import-untyped]
        import pyarrow.parquet as pq  # type: ignore[import-untyped]
    except ImportError as error:
        raise MissingExtra.named("lake", "reading the Parquet checkpoint of a Delta log") from error
    try:
        with pq.ParquetFile(file, coerce_int96_timestamp_unit="us") as parquet:
            columns = _wanted_columns(parquet)
            for batch in parquet.iter_batches(_BATCH_ROWS, columns=columns):
                yield from _batch_actions(batch, file)
    except FileNotFoundError:
        raise MissingCommit(file, "the file went away while the log was read: import again") from None
    except (pa.ArrowException, OSError) as error:
        raise CorruptLog(file, f"not a readable Parquet file, copy it again ({error})") from None


def _wanted_columns(parquet: Any) -> list[str]:
    """The leaves of the known actions; statistics as a struct only where they are not there as JSON too."""
    leaves = [parquet.schema.column(index).path for index in range(len(parquet.schema))]
    unwanted = ["add.partitionValues_parsed.", *(["add.stats_parsed."] if "add.stats" in leaves else [])]
    return [leaf for leaf in leaves if leaf.startswith(_PREFIXES) and not leaf.startswith(tuple(unwanted))]


_PREFIXES = tuple(f"{kind}." for kind in KINDS)


def _batch_actions(batch: Any, file: Path) -> Iterator[Action]:
    for kind in batch.schema.names:
        for body in batch.column(kind).drop_null().to_pylist(maps_as_pydicts="lossy"):
            yield Action(kind, _with_stats_text(body), file, None)


def _with_stats_text(body: dict[str, Any]) -> dict[str, Any]:
    """Statistics that stand only in typed columns, written as the JSON text that a commit would hold."""
    if parsed := body.pop("stats_parsed", None):
        body["stats"] = json.dumps(_without_nulls(parsed), default=_json_scalar)
    return body


def _without_nulls(value: Any) -> Any:
    """A column without a bound is left out of the JSON form; in the typed form it is a null."""
    if not isinstance(value, dict):
        return value
    return {name: _without_nulls(inner) for name, inner in value.items() if inner is not None}


def _json_scalar(value: Any) -> Any:
    """A bound of a type that JSON has no word for, in the form that Delta's writers use."""
    if isinstance(value, datetime):
        return value.isoformat(timespec="microseconds").replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)
    return str(value)
