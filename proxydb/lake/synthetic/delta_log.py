"""Writes synthetic tables as `_delta_log` directories, without data files, that any reader of Delta opens."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from proxydb.lake.synthetic.table import SyntheticTable, TablePlan

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from proxydb.lake.synthetic.files import DataFile
    from proxydb.lake.synthetic.table import SyntheticCommit


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
    compact files, compute statistics again, restore an older version, or change the schema or the properties. About one
    file in fifty has no statistics.

    Parameters
    ----------
    directory
        The table's directory; made if missing, and it must not hold a log yet.
    commits
        How many versions.
    files_per_commit
        How many files an append adds on average.
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
    plan = TablePlan(commits=commits, files_per_commit=files_per_commit, days=partitions, seed=str(seed))
    return write_log(directory, SyntheticTable(plan))


def write_log(directory: str | os.PathLike[str], table: SyntheticTable) -> Path:
    """Write `_delta_log` for a synthetic table, which is gone through once; see `write_delta_log`."""
    log = Path(directory) / "_delta_log"
    log.mkdir(parents=True)
    for commit in table.commits():
        lines = [json.dumps(action, separators=(",", ":")) for action in _actions(commit)]
        (log / f"{commit.version:020}.json").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return Path(directory)


def _actions(commit: SyntheticCommit) -> Iterator[dict[str, Any]]:
    yield {"commitInfo": commit.info}
    for kind, body in commit.others:
        yield {kind: body}
    for file, data_change in commit.removes:
        yield {"remove": _removed(file, commit.timestamp, data_change)}
    for file, data_change in commit.adds:
        yield {"add": _added(file, data_change)}


def _added(file: DataFile, data_change: bool) -> dict[str, Any]:
    stats = {} if file.stats is None else {"stats": file.stats}
    return {**_shared(file), "modificationTime": file.modified, "dataChange": data_change, **stats, **_vector(file)}


def _removed(file: DataFile, timestamp: int, data_change: bool) -> dict[str, Any]:
    stamp = {"deletionTimestamp": timestamp, "dataChange": data_change, "extendedFileMetadata": True}
    return {**_shared(file), **stamp, **_vector(file)}


def _shared(file: DataFile) -> dict[str, Any]:
    return {"path": file.path, "partitionValues": json.loads(file.partition.values), "size": file.size}


def _vector(file: DataFile) -> dict[str, Any]:
    return {"deletionVector": json.loads(file.vector)} if file.vector else {}
