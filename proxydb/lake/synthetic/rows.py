"""The rows of a synthetic commit: what importing its log would write, without the way through JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from proxydb.lake.delta.rows import KINDS, version_row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proxydb.lake.synthetic.files import DataFile
    from proxydb.lake.synthetic.table import SyntheticCommit

Values = tuple[Any, ...]


def rows_of(commit: SyntheticCommit) -> Iterator[tuple[str, Values]]:
    """Lake table and row, after ``table_id, version``, of everything that a commit holds."""
    yield "dl_table_versions", version_row(commit.timestamp, commit.info)
    for kind, body in commit.others:
        yield KINDS[kind].table, KINDS[kind].values(body)
    for file, data_change in commit.removes:
        yield "dl_remove_files", _removed(file, data_change, commit.timestamp)
    for file, data_change in commit.adds:
        yield "dl_add_files", _added(file, data_change)


def _added(file: DataFile, data_change: bool) -> Values:
    path, vector_id, vector, size, partition, stats, modified = file
    extra = f'{{"deletionVector":{vector}}}' if vector else None
    return path, vector_id, size, partition.values, stats, modified, data_change, extra


def _removed(file: DataFile, data_change: bool, timestamp: int) -> Values:
    path, vector_id, vector, size, partition, _, _ = file
    extra = f'{{"extendedFileMetadata":true,"deletionVector":{vector}}}' if vector else '{"extendedFileMetadata":true}'
    return path, vector_id, timestamp, size, partition.values, data_change, extra
