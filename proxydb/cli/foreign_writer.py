"""A writer that proxydb knows nothing of: a plain connection that commits new versions to the demo's table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import proxydb.lake
from proxydb.cli.plain_driver import open_plain

if TYPE_CHECKING:
    from proxydb.cli.demo_table import DemoTable


class ForeignWriter:
    """Appends one file in each commit, to the newest partition.

    Parameters
    ----------
    table
        The table.

    Attributes
    ----------
    commits
        How many commits it has made.
    """

    def __init__(self, table: DemoTable) -> None:
        self.commits = 0
        self._ranges = table.ranges
        self._connection = open_plain(table.target)
        lake = proxydb.lake.open(self._connection)
        [self._table] = [each for each in lake.tables() if each.table_id == table.ranges.table_id]

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def commit(self) -> None:
        """Commit one version."""
        head = self._table.version
        self._table.commit([self._info(head + 1), self._file(head + 1)], head)
        self.commits += 1

    def _info(self, version: int) -> dict[str, Any]:
        timestamp = self._ranges.committed[1] + version
        said = {"timestamp": timestamp, "userName": "foreign writer", "operation": "WRITE", "isBlindAppend": True}
        return {"commitInfo": said}

    def _file(self, version: int) -> dict[str, Any]:
        partition = self._ranges.partition_values[-1:]
        values = dict(zip([self._ranges.partition_column], partition, strict=False))
        path, modified = f"foreign-{version}.parquet", self._ranges.committed[1]
        body = {"path": path, "partitionValues": values, "size": 1_000_000, "modificationTime": modified}
        return {"add": {**body, "dataChange": True}}
