"""Cases of views on SQLite: what one does to a writer, and what it saves a reader, both on the plain driver."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from itertools import count
from pathlib import Path
from shutil import copy
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple

import proxydb
from perf.hot_path.case import Case, judged_line
from perf.hot_path.goals import AtMost, Faster

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perf.hot_path.case import Line

SCHEMA = """
CREATE TABLE added (
  lake INTEGER NOT NULL, version INTEGER NOT NULL, path TEXT NOT NULL, bytes INTEGER NOT NULL, day TEXT NOT NULL,
  PRIMARY KEY (lake, version, path));
CREATE INDEX added_path ON added (lake, path, version);
CREATE TABLE removed (
  lake INTEGER NOT NULL, version INTEGER NOT NULL, path TEXT NOT NULL, PRIMARY KEY (lake, version, path));
CREATE INDEX removed_path ON removed (lake, path, version);
"""

_NEWER = "n.lake = f.lake AND n.path = f.path AND n.version > f.version"
ACTIVE = (
    f"SELECT lake, path, bytes, day FROM added f WHERE NOT EXISTS (SELECT 1 FROM added n WHERE {_NEWER}) "
    f"AND NOT EXISTS (SELECT 1 FROM removed n WHERE {_NEWER})"
)

COUNTED = "SELECT lake, count(*) AS files FROM kept GROUP BY lake"


class Kept(NamedTuple):
    """A view whose cost to an insert is measured."""

    title: str
    query: str
    goal: float


_AGE = "row_number() OVER (PARTITION BY lake, path ORDER BY version DESC) AS age"
VIEWS = (
    Kept("active files", ACTIVE, 1.6),
    Kept(
        "groups: count and sum", "SELECT lake, day, count(*) AS n, sum(bytes) AS b FROM added GROUP BY lake, day", 1.5
    ),
    Kept("groups: max", "SELECT day, max(bytes) AS largest FROM added GROUP BY day", 2),
    Kept("a filter", "SELECT path, bytes FROM added WHERE day < '2024-01-15'", 1.6),
    Kept("a window", f"SELECT lake, path, version, {_AGE} FROM added", 2),
)


def lines(rounds: int, rows: int) -> Iterator[list[Line]]:
    """Every case, with a number of rows."""
    with TemporaryDirectory(prefix="proxydb-views-") as directory:
        source = Path(directory) / "source.db"
        _load(source, rows)
        bare = _opened(source, Path(directory) / "bare.db")
        for number, view in enumerate(VIEWS):
            path = Path(directory) / f"{number}.db"
            kept = _opened(source, path, view.query)
            yield _insert(view, bare, kept, rows).measure(rounds)
            if view.query == ACTIVE:
                yield [_refresh(path, bare, kept, rows // 100)]
                with proxydb.database(path) as database:
                    database.views.create("counted", COUNTED)
                yield _read(bare, kept).measure(min(rounds, 11))
            kept.close()
            path.unlink()
        bare.close()


def _load(path: Path, rows: int) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(SCHEMA)
        connection.executemany("INSERT INTO added VALUES (?, ?, ?, ?, ?)", map(_row, range(rows)))
        connection.commit()
        connection.execute("ANALYZE")


def _opened(source: Path, path: Path, query: str = "") -> Any:
    copy(source, path)
    connection = sqlite3.connect(path, isolation_level=None)
    for setting in ("journal_mode = WAL", "synchronous = NORMAL", "cache_size = -200000"):
        connection.execute(f"PRAGMA {setting}")
    if query:
        with proxydb.database(path) as database:
            database.views.create("kept", query)
    return connection


def _row(number: int) -> tuple[int, int, str, int, str]:
    day = f"2024-01-{number % 28 + 1:02d}"
    return number % 5, number // 10, f"part-{number:08d}.parquet", number * 7919 % 100_000, day


def _insert(view: Kept, bare: Any, kept: Any, rows: int) -> Case:
    numbers = count(rows + 1_000_000 * (1 + VIEWS.index(view)))
    sql = "INSERT INTO added VALUES (?, ?, ?, ?, ?)"
    return Case(
        f"insert of a row beside {view.title}",
        lambda: bare.execute(sql, _row(next(numbers))),
        lambda: kept.execute(sql, _row(next(numbers))),
        AtMost(view.goal),
        lambda: "",
        (),
    )


def _read(bare: Any, kept: Any) -> Case:
    return Case(
        "count of active files of one lake, from a view over the view",
        lambda: bare.execute(f"SELECT count(*) FROM ({ACTIVE}) WHERE lake = 3").fetchall(),
        lambda: kept.execute("SELECT files FROM counted WHERE lake = 3").fetchall(),
        Faster(200),
        lambda: _difference(kept),
        (),
    )


def _difference(kept: Any) -> str:
    expected = kept.execute(f"SELECT count(*) FROM ({ACTIVE}) WHERE lake = 3").fetchall()
    return "" if expected == kept.execute("SELECT files FROM counted WHERE lake = 3").fetchall() else "other counts"


def _refresh(path: Path, bare: Any, kept: Any, changed: int) -> Line:
    """What the view takes for a change of one row in a hundred, beside a refresh."""
    turns = [_change(kept, turn, changed) - _change(bare, turn, changed) for turn in range(5)]
    with proxydb.database(path) as database:
        started = perf_counter()
        database.views.refresh("kept")
        refreshed = perf_counter() - started
    title = f"upkeep for {changed:,} inserts, beside a refresh"
    return judged_line(title, refreshed * 1e6, median(turns) * 1e6, Faster(20))


def _change(connection: Any, turn: int, changed: int) -> float:
    first = 90_000_000 + turn * changed
    started = perf_counter()
    connection.execute("BEGIN")
    connection.executemany("INSERT INTO added VALUES (?, ?, ?, ?, ?)", map(_row, range(first, first + changed)))
    connection.execute("COMMIT")
    return perf_counter() - started
