"""Writes the log of a plausible Delta table, seeded, without data files: input for the demo and for benchmarks."""

from __future__ import annotations

import json
import random
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

_START = datetime(2024, 1, 1, tzinfo=UTC)
_COUNTRIES = ("AT", "BR", "CA", "DE", "FR", "IN", "JP", "NG", "US", "ZA")
_COLUMNS = [("event_id", "long"), ("event_time", "timestamp"), ("country", "string"), ("amount", "double")]
_MIB = 1024 * 1024

Actions = list[dict[str, Any]]


def write_delta_log(
    directory: str | os.PathLike[str],
    *,
    commits: int = 200,
    files_per_commit: int = 50,
    partitions: int = 30,
    seed: int = 0,
) -> Path:
    """Write `_delta_log` for a table of events, partitioned by day.

    Most commits append and record how far a stream has come; some delete rows (with deletion vectors), rewrite or
    compact files, compute statistics again, or change the schema or the properties. About one file in fifty has no
    statistics.

    Parameters
    ----------
    directory
        The table's directory; made if missing, and it must not hold a log yet.
    commits
        How many versions.
    files_per_commit
        How many files an append adds.
    partitions
        How many days the table covers.
    seed
        The same seed and sizes write the same bytes.

    Returns
    -------
    Path
        `directory`.

    Raises
    ------
    FileExistsError
        There is a log already.

    References
    ----------
    Delta PROTOCOL: Actions; Per-file Statistics; Column types in Schema Serialization Format.
    """
    log = Path(directory) / "_delta_log"
    log.mkdir(parents=True)
    table = _EventTable(random.Random(seed), commits, files_per_commit, partitions)
    for version in range(commits):
        lines = [json.dumps(action, separators=(",", ":")) for action in table.commit(version)]
        (log / f"{version:020}.json").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return Path(directory)


@dataclass
class _EventTable:
    """The state that the next commit builds on."""

    rng: random.Random
    commits: int
    files_per_commit: int
    partitions: int
    active: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    extra_columns: int = 0
    next_event: int = 0
    clock: datetime = _START

    def commit(self, version: int) -> Actions:
        """The actions of the next version, commitInfo first."""
        self.clock = max(self._day(version), self.clock) + timedelta(milliseconds=self.rng.randrange(1, 60_000))
        if version == 0:
            return [self._info("CREATE TABLE AS SELECT"), _PROTOCOL, self._metadata(), *self._appended(version)]
        [(_, operation, actions)] = self.rng.choices(_COMMIT_KINDS, weights=[kind[0] for kind in _COMMIT_KINDS])
        return [self._info(operation), *actions(self, version)]

    def append(self, version: int) -> Actions:
        """New files, and the progress of the stream that wrote them."""
        stream = {"appId": f"ingest-{version % 4}", "version": version, "lastUpdated": self._now()}
        return [{"txn": stream}, *self._appended(version)]

    def delete(self, version: int) -> Actions:
        """Rows of some files are marked as deleted: the same path with another deletion vector."""
        actions: Actions = []
        for key in self._some(self.files_per_commit // 5 + 1):
            old = self.active[key]
            vector = {
                "storageType": "u",
                "pathOrInlineDv": "".join(self.rng.choices("0123456789abcdefghijklmnop", k=20)),
                "offset": self.rng.randrange(1, 4096),
                "sizeInBytes": 36,
                "cardinality": self.rng.randrange(1, 100),
            }
            actions += [
                self._removed(key),
                self._added(old | {"deletionVector": vector, "modificationTime": self._now()}),
            ]
        return actions

    def rewrite(self, version: int) -> Actions:
        """Some files are replaced by files with other rows."""
        return [action for key in self._some(self.files_per_commit // 5 + 1) for action in self._replaced([key], True)]

    def compact(self, version: int) -> Actions:
        """The small files of one day become one file; no row changes."""
        [day_of] = self._some(1)
        day = self.active[day_of]["partitionValues"]["date"]
        small = [key for key, add in self.active.items() if add["partitionValues"]["date"] == day][
            : self.files_per_commit
        ]
        return self._replaced(small, False)

    def compute_statistics(self, version: int) -> Actions:
        """Files are added again without a remove, with the same path: only their statistics are new."""
        again = {"dataChange": False, "modificationTime": self._now()}
        return [self._added(self.active[key] | again) for key in self._some(3)]

    def evolve(self, version: int) -> Actions:
        """A new column, and the properties that say so."""
        self.extra_columns += 1
        return [self._metadata()]

    def _appended(self, version: int) -> Actions:
        return [self._added(self._file(version)) for _ in range(self.files_per_commit)]

    def _replaced(self, keys: list[tuple[str, str]], data_change: bool) -> Actions:
        """Removes of the files `keys` of one day and the add of one file in their place."""
        olds = [self.active[key] for key in keys]
        new = olds[0] | {
            "path": self._path(olds[0]["partitionValues"]["date"]),
            "size": sum(old["size"] for old in olds),
            "modificationTime": self._now(),
            "dataChange": data_change,
        }
        new.pop("deletionVector", None)
        removes = [self._removed(key, data_change) for key in keys]
        return [*removes, self._added(new)]

    def _added(self, add: dict[str, Any]) -> dict[str, Any]:
        self.active[_key(add)] = add
        return {"add": add}

    def _removed(self, key: tuple[str, str], data_change: bool = True) -> dict[str, Any]:
        old = self.active.pop(key)
        kept = {name: old[name] for name in ("path", "partitionValues", "size", "deletionVector") if name in old}
        stamp = {"deletionTimestamp": self._now(), "dataChange": data_change, "extendedFileMetadata": True}
        return {"remove": kept | stamp}

    def _file(self, version: int) -> dict[str, Any]:
        """A new file: most rows are of the current day, some came late."""
        late = 0 if self.rng.random() < 0.8 else self.rng.randrange(7)
        day = max(_START, self._day(version) - timedelta(days=late)).date().isoformat()
        return {
            "path": self._path(day),
            "partitionValues": {"date": day},
            "size": int(self.rng.lognormvariate(16, 1)) + 1024,
            "modificationTime": self._now(),
            "dataChange": True,
            **({} if self.rng.random() < 0.02 else {"stats": json.dumps(self._statistics(), separators=(",", ":"))}),
        }

    def _statistics(self) -> dict[str, Any]:
        rows = self.rng.randrange(1_000, 50_000)
        first, self.next_event = self.next_event, self.next_event + rows
        countries = sorted(self.rng.sample(_COUNTRIES, 2))
        seconds = self.rng.randrange(60, 3600)
        return {
            "numRecords": rows,
            "minValues": {
                "event_id": first,
                "event_time": _iso(self.clock),
                "country": countries[0],
                "amount": round(self.rng.uniform(0, 10), 2),
            },
            "maxValues": {
                "event_id": self.next_event - 1,
                "event_time": _iso(self.clock + timedelta(seconds=seconds)),
                "country": countries[1],
                "amount": round(self.rng.uniform(500, 1000), 2),
            },
            "nullCount": {"event_id": 0, "event_time": 0, "country": self.rng.randrange(rows // 10), "amount": 0},
        }

    def _metadata(self) -> dict[str, Any]:
        columns = [*_COLUMNS, ("date", "date"), *((f"extra_{n}", "string") for n in range(self.extra_columns))]
        fields = [{"name": name, "type": kind, "nullable": True, "metadata": {}} for name, kind in columns]
        return {
            "metaData": {
                "id": "5f0c1d2e-6d7a-4b3c-9e8f-000000000000",
                "name": "events",
                "format": {"provider": "parquet", "options": {}},
                "schemaString": json.dumps({"type": "struct", "fields": fields}),
                "partitionColumns": ["date"],
                "configuration": {"delta.enableDeletionVectors": "true", "schema.revision": str(self.extra_columns)},
                "createdTime": int(_START.timestamp() * 1000),
            }
        }

    def _info(self, operation: str) -> dict[str, Any]:
        info = {
            "timestamp": self._now(),
            "userName": f"user-{self.rng.randrange(5)}",
            "operation": operation,
            "operationParameters": {"mode": "Append"} if operation == "WRITE" else {},
            "isBlindAppend": operation == "WRITE",
            "operationMetrics": {"executionTimeMs": str(self.rng.randrange(100, 10_000))},
        }
        return {"commitInfo": info}

    def _some(self, count: int) -> list[tuple[str, str]]:
        """The keys of up to `count` active files."""
        return self.rng.sample(list(self.active), min(count, len(self.active)))

    def _day(self, version: int) -> datetime:
        return _START + timedelta(days=version * self.partitions // self.commits)

    def _path(self, day: str) -> str:
        name = uuid.UUID(int=self.rng.getrandbits(128), version=4)
        return f"date={day}/part-{self.rng.randrange(200):05}-{name}.c000.snappy.parquet"

    def _now(self) -> int:
        return int(self.clock.timestamp() * 1000)


_PROTOCOL = {
    "protocol": {
        "minReaderVersion": 3,
        "minWriterVersion": 7,
        "readerFeatures": ["deletionVectors"],
        "writerFeatures": ["deletionVectors", "appendOnly", "invariants"],
    }
}
_COMMIT_KINDS: tuple[tuple[float, str, Callable[[_EventTable, int], Actions]], ...] = (
    (0.86, "WRITE", _EventTable.append),
    (0.04, "DELETE", _EventTable.delete),
    (0.04, "MERGE", _EventTable.rewrite),
    (0.03, "OPTIMIZE", _EventTable.compact),
    (0.02, "COMPUTE STATS", _EventTable.compute_statistics),
    (0.01, "ADD COLUMNS", _EventTable.evolve),
)


def _key(add: dict[str, Any]) -> tuple[str, str]:
    vector = add.get("deletionVector")
    return add[
        "path"
    ], "" if vector is None else f"{vector['storageType']}{vector['pathOrInlineDv']}@{vector['offset']}"


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
