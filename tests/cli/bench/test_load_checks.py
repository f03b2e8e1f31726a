"""The load test notices what it must not miss: stale reads, rows of no version, locks."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from random import Random
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

import proxydb.lake
from proxydb.cli.bench.load.board import Board
from proxydb.cli.bench.load.checks import REPLAYED, digest, replayed_wrongly
from proxydb.cli.bench.load.lock_errors import is_lock_error
from proxydb.cli.bench.load.mix import Request
from proxydb.cli.bench.load.order import Sample, slots
from proxydb.cli.bench.load.reader import Reader
from proxydb.cli.bench.load.writer import Writer
from proxydb.cli.plain_driver import open_plain
from proxydb.lake import OPERATIONS
from proxydb.lake.synthetic import Fleet, load_fleet

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SLOTS = slots(1)


class Remembering:
    """A cursor of a broken proxy: it answers everything from its first answer."""

    def __init__(self, cursor: Any) -> None:
        self._cursor = cursor
        self._rows: dict[Any, Any] = {}

    def cursor(self) -> Remembering:
        return self

    def execute(self, sql: str, parameters: Any) -> Remembering:
        self._asked = sql, parameters
        if self._asked not in self._rows:
            self._rows[self._asked] = self._cursor.execute(sql, parameters).fetchall()
        return self

    def fetchall(self) -> Any:
        return self._rows[self._asked]


@pytest.fixture
def lake(target: str) -> Iterator[proxydb.lake.Lake]:
    """A lake with a small fleet, on a connection of the plain driver."""
    with closing(open_plain(target)) as connection:
        opened = proxydb.lake.open(connection)
        load_fleet(opened, Fleet(200))
        yield opened


@pytest.fixture
def board(lake: proxydb.lake.Lake, tmp_path: Path) -> Board:
    """A board on which every table of the lake has its version."""
    made = Board(tmp_path / "board", 1, len(lake.tables()))
    for place, table in enumerate(lake.tables()):
        made.begin(place, table.version)
    return made


def request(lake: proxydb.lake.Lake, number: str) -> Request:
    """An operation on the first table."""
    [operation] = [each for each in OPERATIONS if each.number == number]
    ranges = lake.tables()[0].parameter_ranges()
    return Request(number, 0, operation.statement(lake.system, ranges), operation.parameters(ranges, Random(1)))


def committed(lake: proxydb.lake.Lake, board: Board, commits: int) -> Writer:
    """A writer that has committed to the first table."""
    writer = Writer(0, {"raw": lake.tables(), "proxied": lake.tables()}, 1.0, board, SLOTS)
    for _ in range(commits):
        writer.commit(SLOTS[0], 0, writer._append)
    return writer


@pytest.mark.parametrize("number", ["01", "14"])
@pytest.mark.parametrize(("broken", "violations"), [(False, 0), (True, 1)])
def test_a_stale_version(lake: proxydb.lake.Lake, board: Board, number: str, broken: bool, violations: int) -> None:
    """A read that begins after a commit and shows the version before it is a violation; a right one is none."""
    connection = Remembering(lake.connection.cursor()) if broken else lake.connection
    reader = Reader(0, 1, {"raw": connection, "proxied": connection}, [request(lake, number)], board, SLOTS)
    reader.read(SLOTS[1])
    committed(lake, board, 1)
    reader.read(SLOTS[1])
    counts = reader.counts[SLOTS[1].side, SLOTS[1].phase.name]
    assert (len(counts.reads), counts.checked, len(counts.violations)) == (2, 2, violations)


@pytest.mark.parametrize("number", sorted(REPLAYED))
def test_rows_of_no_version(lake: proxydb.lake.Lake, board: Board, number: str) -> None:
    """A sample has the rows of one of its versions; with other rows, or only versions that lack them, it is wrong."""
    ranges = lake.tables()[0].parameter_ranges()
    asked = request(lake, number)
    rows = lake.connection.execute(asked.sql, asked.parameters).fetchall()
    head = lake.tables()[0].version
    right = Sample("proxied", number, 0, asked.parameters, digest(rows), head - 1, head)
    wrong = right._replace(digest=digest([*rows, ("one more",)]))
    told = [replayed_wrongly(each, lake.connection, lake.system, ranges) for each in (right, wrong)]
    assert (told[0], str(told[1]).endswith(f"no version from {head - 1} to {head} has these rows")) == (None, True)


def test_a_stale_list(lake: proxydb.lake.Lake, board: Board) -> None:
    """The rows from before a commit are wrong for a read that began after it."""
    asked, ranges = request(lake, "02"), lake.tables()[0].parameter_ranges()
    before = lake.connection.execute(asked.sql, asked.parameters).fetchall()
    committed(lake, board, 2)
    stale = Sample("proxied", "02", 0, asked.parameters, digest(before), board.floor(0), board.ceiling(0))
    assert replayed_wrongly(stale, lake.connection, lake.system, ranges) is not None


@pytest.mark.parametrize("kind", ["append", "rewrite", "delete", "optimize", "schema"])
def test_each_kind_of_write(lake: proxydb.lake.Lake, board: Board, kind: str) -> None:
    """It commits one version, which the board then has as the floor."""
    writer, before = committed(lake, board, 2), lake.tables()[0].version
    writer.commit(SLOTS[0], 0, getattr(writer, f"_{kind}"))
    assert (lake.tables()[0].version, board.floor(0)) == (before + 1, before + 1)


def test_a_writer_that_was_beaten_tries_again(lake: proxydb.lake.Lake, board: Board, monkeypatch: Any) -> None:
    """A conflict is counted, and the commit is made on the version of the winner."""
    writer, table = committed(lake, board, 0), lake.tables()[0]
    before, versions = table.version, iter([table.version - 1])
    monkeypatch.setattr(type(table), "version", property(lambda self: next(versions, before)))
    writer.commit(SLOTS[0], 0, writer._append)
    counts = writer.counts[SLOTS[0].side, SLOTS[0].phase.name]
    assert (counts.conflicts, len(counts.commits), board.floor(0)) == (1, 1, before + 1)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (sqlite3.OperationalError("database is locked"), True),
        (sqlite3.OperationalError("no such table: t"), False),
        (psycopg.errors.DeadlockDetected("deadlock detected"), True),
        (psycopg.errors.UndefinedTable("no such table"), False),
    ],
)
def test_lock_errors(error: Exception, expected: bool) -> None:
    """What both drivers say when locks stand in the way, and when something else does."""
    assert is_lock_error(error) is expected
