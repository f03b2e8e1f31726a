"""The lake's tables are made once, by whoever comes first, and newer ones are left alone."""

from __future__ import annotations

import subprocess
import sys
from typing import IO

import pytest

import proxydb
import proxydb.lake
from proxydb.lake.schema import DEFINITIONS, SCHEMA_VERSION

OPENS = "import sys, proxydb.lake; print(flush=True); sys.stdin.read(); proxydb.lake.open(sys.argv[1]).close()"


def test_every_table_is_made(lake: proxydb.lake.Lake) -> None:
    """An empty database gets all tables of the lake."""
    counts = [lake.connection.execute(f"SELECT COUNT(*) FROM {table.name}").fetchone()[0] for table in DEFINITIONS]
    assert counts == [1] + [0] * (len(DEFINITIONS) - 1)


def test_importing_the_lake_imports_no_parser() -> None:
    """sqlglot and pyarrow wait until they are needed."""
    code = "import sys, proxydb.lake; print([name for name in ('sqlglot', 'pyarrow') if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True).stdout == b"[]\n"


def test_a_second_opening_changes_nothing(target: str) -> None:
    """Opening a lake again finds the tables of the first time."""
    proxydb.lake.open(target).close()
    with proxydb.lake.open(target) as lake:
        assert lake.connection.execute("SELECT version FROM dl_schema_version").fetchone()[0] == SCHEMA_VERSION


def test_a_newer_schema_is_refused(target: str) -> None:
    """Tables of a newer proxydb are not touched, and the error says what to do."""
    with proxydb.lake.open(target) as lake:
        lake.connection.execute("UPDATE dl_schema_version SET version = 99")
    with pytest.raises(proxydb.lake.errors.SchemaTooNew, match="schema version 99, this proxydb knows 2: upgrade"):
        proxydb.lake.open(target)


def test_processes_may_open_at_once(target: str) -> None:
    """Several processes that open an empty database at the same time all succeed."""
    command = [sys.executable, "-c", OPENS, target]
    processes = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(6)]
    for process in processes:
        _pipe(process.stdout).readline()
    for process in processes:
        _pipe(process.stdin).close()
    for process in processes:
        _pipe(process.stdout).close()
    assert [process.wait(timeout=60) for process in processes] == [0] * 6


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    assert stream is not None
    return stream
