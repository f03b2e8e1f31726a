"""Checkpoints in Parquet and JSON, with and without sidecars, sound and broken."""

from __future__ import annotations

import sys
import uuid
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from proxydb.errors import MissingExtra
from proxydb.lake import errors
from tests.lake.real_tables import CHECKPOINT, facts, facts_by_deltalake
from tests.lake.written_logs import METADATA, PROTOCOL, add, commit_file, write_commit, write_log

if TYPE_CHECKING:
    from pathlib import Path

    from proxydb.lake import Lake

SIDECAR = "part-0.parquet"


def _checkpoint_only(table: Path) -> Path:
    """Removes every commit up to the checkpoint; returns the checkpoint."""
    for version in range(CHECKPOINT + 1):
        commit_file(table / "_delta_log", version).unlink()
    return table / "_delta_log" / f"{CHECKPOINT:020}.checkpoint.parquet"


def _as_v2(classic: Path, suffix: str) -> Path:
    """Writes a checkpoint again as a UUID-named V2 one with its file actions in a sidecar."""
    rows = pq.read_table(classic)
    (classic.parent / "_sidecars").mkdir()
    files = [name for name in rows.schema.names if name in ("add", "remove")]
    pq.write_table(rows.select(files), classic.parent / "_sidecars" / SIDECAR)
    others = [name for name in rows.schema.names if name not in ("add", "remove", "sidecar")]
    actions = [
        {kind: body}
        for row in rows.select(others).to_pylist(maps_as_pydicts="strict")
        for kind, body in row.items()
        if body is not None
    ]
    actions += [{"checkpointMetadata": {"version": CHECKPOINT}}, {"sidecar": {"path": SIDECAR, "sizeInBytes": 1}}]
    classic.unlink()
    written = write_commit(classic.parent, CHECKPOINT, actions)
    target = classic.parent / f"{CHECKPOINT:020}.checkpoint.{uuid.UUID(int=7)}.{suffix}"
    if suffix == "json":
        return written.rename(target)
    written.unlink()
    kept = [row for row in rows.select(others).to_pylist(maps_as_pydicts="strict") if any(row.values())]
    schema = pa.schema([*rows.select(others).schema, ("sidecar", pa.struct([("path", pa.string())]))])
    pq.write_table(pa.Table.from_pylist([*kept, {"sidecar": {"path": SIDECAR}}], schema), target)
    return target


@pytest.mark.parametrize("suffix", ["json", "parquet"])
def test_a_v2_checkpoint_brings_its_sidecars(own_table: Path, sqlite_lake: Lake, suffix: str) -> None:
    """A UUID-named checkpoint with sidecars holds what the classic one holds."""
    expected = facts_by_deltalake(own_table, CHECKPOINT)
    _as_v2(_checkpoint_only(own_table), suffix)
    assert expected == facts(sqlite_lake.import_delta(own_table).snapshot(CHECKPOINT))


def test_a_missing_sidecar_is_named(own_table: Path, sqlite_lake: Lake) -> None:
    """A checkpoint whose sidecar is gone is refused with the sidecar's name."""
    v2 = _as_v2(_checkpoint_only(own_table), "json")
    (v2.parent / "_sidecars" / SIDECAR).unlink()
    with pytest.raises(errors.MissingCommit, match=r"part-0\.parquet: the sidecar that .* names is missing"):
        sqlite_lake.import_delta(own_table)


@pytest.mark.parametrize("keep", [0, 100, 1000])
def test_a_truncated_checkpoint_is_refused(own_table: Path, sqlite_lake: Lake, keep: int) -> None:
    """A Parquet file that was cut off is refused by name, and nothing is imported."""
    checkpoint = _checkpoint_only(own_table)
    checkpoint.write_bytes(checkpoint.read_bytes()[:keep])
    with pytest.raises(errors.CorruptLog, match=r"checkpoint\.parquet: not a readable Parquet file"):
        sqlite_lake.import_delta(own_table)
    assert sqlite_lake.tables() == ()


def test_a_damaged_page_is_refused(own_table: Path, sqlite_lake: Lake) -> None:
    """Bytes changed in the middle of a checkpoint are noticed when the page is read."""
    checkpoint = _checkpoint_only(own_table)
    content = bytearray(checkpoint.read_bytes())
    content[4:400] = bytes(396)
    checkpoint.write_bytes(content)
    with pytest.raises(errors.CorruptLog, match="not a readable Parquet file"):
        sqlite_lake.import_delta(own_table)


def test_a_checkpoint_that_repeats_itself_is_refused(own_table: Path, lake: Lake) -> None:
    """The same file twice in a checkpoint is refused, and nothing is imported."""
    checkpoint = _checkpoint_only(own_table)
    rows = pq.read_table(checkpoint)
    pq.write_table(pa.concat_tables([rows, rows]), checkpoint)
    with pytest.raises(errors.CorruptLog, match="holds the same file, txn or domain twice"):
        lake.import_delta(own_table)
    assert lake.tables() == ()


def test_statistics_in_typed_columns_become_json(tmp_path: Path, sqlite_lake: Lake) -> None:
    """A checkpoint that has statistics only as a struct gives the JSON form, without the empty bounds."""
    bounds = {"day": date(2024, 1, 2), "at": datetime(2024, 1, 2, tzinfo=UTC), "price": Decimal("1.50"), "none": None}
    parsed = {"numRecords": 3, "minValues": bounds}
    body = {name: value for name, value in add("a")["add"].items() if name != "partitionValues"}
    rows = [PROTOCOL, METADATA, {"add": body | {"stats_parsed": parsed, "partitionValues_parsed": {"p": 1}}}]
    log = write_log(tmp_path / "t") / "_delta_log"
    pq.write_table(_table_with_maps(rows), log / f"{0:020}.checkpoint.parquet")
    expected = {"numRecords": 3, "minValues": {"day": "2024-01-02", "at": "2024-01-02T00:00:00.000000Z", "price": 1.5}}
    assert sqlite_lake.import_delta(tmp_path / "t").snapshot().files[0].stats == expected


def _table_with_maps(rows: list[dict[str, Any]]) -> pa.Table:
    """Rows as a checkpoint's columns; `format` and `configuration` are left out, their empty maps have no type."""
    kept = {"id", "schemaString", "partitionColumns"}
    trimmed = [
        {
            kind: {name: value for name, value in body.items() if kind != "metaData" or name in kept}
            for kind, body in row.items()
        }
        for row in rows
    ]
    return pa.Table.from_pylist([dict.fromkeys(("protocol", "metaData", "add")) | row for row in trimmed])


def test_without_pyarrow_the_extra_is_named(
    own_table: Path, sqlite_lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Parquet checkpoint that is needed asks for the extra that reads it."""
    _checkpoint_only(own_table)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtra, match=r"pip install 'proxydb\[lake\]'"):
        sqlite_lake.import_delta(own_table)


def test_without_pyarrow_json_commits_are_read(
    real_table: Path, sqlite_lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A log whose commits are all there needs no Parquet reader."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert sqlite_lake.import_delta(real_table).version == 15
