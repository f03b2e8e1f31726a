"""The sides that are compared on one database: the plain driver without and with indexes, and proxydb."""

from __future__ import annotations

from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Any, Self

import proxydb
from proxydb import Config
from proxydb.cli.bench.lake.timing import limited, timed
from proxydb.cli.plain_driver import AUTOCOMMIT, driver_error, open_plain

if TYPE_CHECKING:
    from types import TracebackType

    from proxydb.cli.bench.places import Place

CONFIG = Config(cache_bytes=2 * 2**30, cache_entry_bytes=2**30, slow_ms=0)
"""Room for the largest list at a million file actions; everything else as it is by default."""
RUNS_UNTIL_KEPT = 5

Rows = list[tuple[Any, ...]]


class Statement:
    """A statement with parameters, run on a connection."""

    __slots__ = ("_cursor", "_parameters", "_sql")

    def __init__(self, connection: Any, sql: str, parameters: Any) -> None:
        self._cursor = connection.cursor()
        self._sql = sql
        self._parameters = parameters

    def __call__(self) -> Rows:
        rows: Rows = self._cursor.execute(self._sql, self._parameters).fetchall()
        return rows


class Sides:
    """The connections of one place, open until the block ends.

    Parameters
    ----------
    place
        The databases.
    limit
        Seconds after which a statement is given up.
    """

    def __init__(self, place: Place, limit: float) -> None:
        self._stack = ExitStack()
        self._system = place.system
        self._limit = limit
        self._plain = {
            "raw": self._stack.enter_context(closing(open_plain(place.plain))),
            "indexed": self._stack.enter_context(closing(open_plain(place.indexed))),
        }
        self.proxied = self._stack.enter_context(
            closing(proxydb.connect(place.plain, config=CONFIG, **AUTOCOMMIT[place.system]))
        )
        if place.system == "sqlite":
            for connection in (*self._plain.values(), self.proxied):
                connection.execute("PRAGMA synchronous = NORMAL")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @property
    def plain(self) -> dict[str, Any]:
        """The connections of the plain driver by side."""
        return self._plain

    def first_run(self, side: str, sql: str, parameters: Any) -> None:
        """Run a statement on a plain side, not to be timed; `TimeLimit` when it takes too long."""
        connection = self._plain[side]
        with limited(connection, self._system, self._limit, driver_error(self._system)):
            Statement(connection, sql, parameters)()

    def plain_run(self, side: str, sql: str, parameters: Any) -> tuple[Rows, float]:
        """Rows, and the time in ms."""
        return timed(Statement(self._plain[side], sql, parameters))

    def cold_run(self, sql: str, parameters: Any) -> tuple[Rows, float]:
        """Through proxydb right after its cache was emptied: run, and kept where that is worth the while."""
        self.proxied.proxydb.cache.clear()
        return timed(Statement(self.proxied, sql, parameters), repeatable=False)

    def warm_run(self, sql: str, parameters: Any) -> tuple[Rows, float]:
        """Through proxydb, after it has had the opportunity to keep the rows."""
        statement, stats = Statement(self.proxied, sql, parameters), self.proxied.proxydb.stats
        for _ in range(RUNS_UNTIL_KEPT):
            before = stats().hits
            statement()
            if stats().hits > before:
                break
        return timed(statement)
