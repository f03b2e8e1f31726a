"""A writer that proxydb knows nothing of: a plain connection that commits new versions to the demo's table."""

from __future__ import annotations

import json
from itertools import count
from typing import TYPE_CHECKING, Any

from proxydb.cli.plain_driver import open_plain
from proxydb.lake.schema import INSERTS
from proxydb.lake.statement import bind, render

if TYPE_CHECKING:
    from proxydb.cli.demo_table import DemoTable

_HEAD = "UPDATE dl_table_heads SET current_version = :version WHERE table_id = :table_id"


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
        self._system, self._ranges = table.system, table.ranges
        self._versions = count(table.ranges.versions[1] + 1)
        self._connection = open_plain(table.target)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def commit(self) -> None:
        """Commit one version."""
        version = next(self._versions)
        self._connection.execute("BEGIN")
        self._execute(INSERTS["dl_table_versions"], self._version_row(version))
        self._execute(INSERTS["dl_add_files"], self._file_row(version))
        self._execute(_HEAD, {"version": version, "table_id": self._ranges.table_id})
        self._connection.execute("COMMIT")
        self.commits += 1

    def _execute(self, text: str, values: dict[str, Any]) -> None:
        self._connection.execute(render(text, self._system), bind(text, values))

    def _version_row(self, version: int) -> dict[str, Any]:
        return {
            "table_id": self._ranges.table_id,
            "version": version,
            "committed_at": self._ranges.committed[1] + version,
            "committer": "foreign writer",
            "operation": "WRITE",
            "operation_params": "{}",
            "is_blind_append": True,
            "operation_metrics": "{}",
        }

    def _file_row(self, version: int) -> dict[str, Any]:
        partition = self._ranges.partition_values[-1:]
        return {
            "table_id": self._ranges.table_id,
            "version": version,
            "path": f"foreign-{version}.parquet",
            "dv_id": "",
            "size_bytes": 1_000_000,
            "partition_values": json.dumps(dict(zip([self._ranges.partition_column], partition, strict=False))),
            "stats": None,
            "modification_time": self._ranges.committed[1],
            "data_change": True,
        }
