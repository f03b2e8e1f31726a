"""The table that the cases read: metadata of 20,000 files, 400 in each of 50 tables."""

from __future__ import annotations

import json
from random import Random
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

FILES, TABLES = 20_000, 50
LISTED = FILES // TABLES

DDL = (
    "CREATE TABLE files (file_id INTEGER PRIMARY KEY, table_id BIGINT NOT NULL, path TEXT NOT NULL, "
    "size_bytes BIGINT NOT NULL, partition_value TEXT NOT NULL, stats TEXT NOT NULL)",
    "CREATE INDEX files_of_table ON files (table_id, path)",
)
INSERT = "INSERT INTO files VALUES (?, ?, ?, ?, ?, ?)"

# ? stands for the placeholder of either driver.
BY_KEY = "SELECT size_bytes FROM files WHERE file_id = ?"
OF_TABLE = "SELECT path, size_bytes, partition_value, stats FROM files WHERE table_id = ? ORDER BY path"
BY_PARTITION = "SELECT partition_value, COUNT(*), SUM(size_bytes) FROM files GROUP BY partition_value"
SCAN = "SELECT file_id, path, size_bytes FROM files WHERE changes() >= 0 LIMIT 1000"
UPDATE = "UPDATE files SET size_bytes = size_bytes + 1 WHERE file_id = ?"


def rows() -> Iterator[tuple[Any, ...]]:
    """The rows, the same each time."""
    rng = Random(1)
    for file_id in range(FILES):
        day = f"2024-{rng.randrange(1, 13):02}-{rng.randrange(1, 29):02}"
        path = f"date={day}/part-{file_id:05}-{rng.getrandbits(64):016x}.c000.snappy.parquet"
        yield file_id, file_id % TABLES, path, rng.randrange(10**6, 10**9), day, _stats(rng)


def _stats(rng: Random) -> str:
    first = rng.randrange(10**9)
    bounds = {"minValues": {"event_id": first}, "maxValues": {"event_id": first + 50_000}, "nullCount": {"event_id": 0}}
    return json.dumps({"numRecords": rng.randrange(1000, 50_000), **bounds})
