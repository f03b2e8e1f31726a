"""Processes that are killed while they commit leave whole versions, and every commit that they heard of."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from typing import IO, TYPE_CHECKING

import pytest

import proxydb.lake
from tests.lake.written_logs import create

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proxydb.lake import Lake, Table

FILES, KILLS = 40, 8
# Commits forever, each time FILES files and a transaction, and says so after each.
COMMITS = f"""
import sys, proxydb.lake
table = proxydb.lake.open(sys.argv[1]).table("t")
version = table.version
while True:
    body = {{"partitionValues": {{}}, "size": 1, "modificationTime": 1, "dataChange": True}}
    adds = [{{"add": {{"path": f"{{version + 1}}-{{n}}", **body}}}} for n in range({FILES})]
    txn = {{"txn": {{"appId": "app", "version": version + 1}}}}
    version = getattr(table, sys.argv[2])([*adds, txn], version).version
    print(version, flush=True)
"""


def _killed_after(process: subprocess.Popen[str], commits: int, delay: float) -> int:
    """Kill a committing process some time after it has said that it made so many; the last version that it spoke of."""
    lines: IO[str] | None = process.stdout
    assert lines is not None
    heard = [int(lines.readline()) for _ in range(commits)]
    time.sleep(delay)
    process.send_signal(signal.SIGKILL)
    rest, _ = process.communicate()
    return max([*heard, *(int(line) for line in rest.split("\n")[:-1])])


def _broken_versions(lake: Lake, table: Table) -> Iterator[int]:
    """The versions after the first that are not there as a whole."""
    for version in range(1, table.version + 1):
        counts = [
            lake.connection.execute(f"SELECT COUNT(*) FROM {name} WHERE version = {version}").fetchone()[0]
            for name in ("dl_table_versions", "dl_add_files", "dl_txn_actions")
        ]
        if counts != [1, FILES, 1]:
            yield version


def _beyond_head(lake: Lake, table: Table) -> int:
    """How many rows belong to versions that the head has not reached."""
    return sum(
        lake.connection.execute(f"SELECT COUNT(*) FROM {name} WHERE version > {table.version}").fetchone()[0]
        for name in ("dl_table_versions", "dl_add_files", "dl_txn_actions")
    )


@pytest.mark.parametrize("method", ["commit", "commit_rebased"])
def test_a_killed_committer_leaves_whole_versions(target: str, method: str) -> None:
    """After SIGKILL at random moments no version is partly there and none that was acknowledged is missing."""
    rng = random.Random(4)
    with proxydb.lake.open(target) as lake:
        table = create(lake)
        for _ in range(KILLS // 2):
            command = [sys.executable, "-c", COMMITS, target, method]
            process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
            acknowledged = _killed_after(process, rng.randrange(1, 4), rng.random() * 0.02)
            assert table.version in (acknowledged, acknowledged + 1)
            assert (list(_broken_versions(lake, table)), _beyond_head(lake, table)) == ([], 0)
