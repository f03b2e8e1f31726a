"""`Stats`: a snapshot of what a database's statements and its cache have done."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from proxydb.observe.record import merged
from proxydb.sql.fingerprint import fingerprint_id

if TYPE_CHECKING:
    from proxydb.observe.record import Tally


@dataclass(frozen=True, slots=True)
class StatementStats:
    """What the executions of one fingerprint have come to.

    Parameters
    ----------
    fingerprint
        The text without its literals.
    id
        Sixteen hexadecimal digits that stand for it.
    kind
        ``"read"``, ``"write"``, ``"ddl"``, ``"transaction"``, ``"session"`` or ``"other"``.
    calls, hits, misses, errors
        Executions; those answered from memory; those that could have filled it; those that raised.
    rows
        Rows given: on SQLite those fetched with `fetchall` and `fetchmany`, on Postgres those that the driver received.
    total, p50, p95, p99
        Seconds: the sum, fetches included, and percentiles of the executions.
    """

    fingerprint: str
    id: str
    kind: str
    calls: int
    hits: int
    misses: int
    errors: int
    rows: int
    total: float
    p50: float
    p95: float
    p99: float


@dataclass(frozen=True, slots=True)
class Stats:
    """What a database's statements and its cache have done.

    Parameters
    ----------
    statements
        Executions of all statements.
    hits, misses
        Reads answered from memory, and reads that were run in order to fill it.
    bypasses
        Reads that went past the cache for a reason of the moment, by reason.
    fills, evictions
        Results stored, and results that made room for others.
    entries, bytes, capacity
        Results in memory now, the bytes that they take, and the bytes that they may take.
    p50, p95, p99
        Percentiles over all executions, in seconds.
    by_fingerprint
        The same for each fingerprint, the largest total first.
    """

    statements: int
    hits: int
    misses: int
    bypasses: dict[str, int]
    fills: int
    evictions: int
    entries: int
    bytes: int
    capacity: int
    p50: float
    p95: float
    p99: float
    by_fingerprint: tuple[StatementStats, ...] = field(repr=False)

    @property
    def hit_rate(self) -> float:
        """Hits among hits and misses; 0.0 without either."""
        tried = self.hits + self.misses
        return self.hits / tried if tried else 0.0

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values, ready for JSON."""
        return {**asdict(self), "hit_rate": self.hit_rate}


def collect(recorder: Any, cache: Any) -> Stats:
    """Add up what a recorder's connections have counted, and what their cache holds."""
    tallies: dict[str, tuple[Tally, str]] = recorder.tallies()
    total = merged(tally for tally, _ in tallies.values())
    each = [_of_one(fingerprint, kind, tally) for fingerprint, (tally, kind) in tallies.items() if tally.calls]
    return Stats(
        statements=total.calls,
        hits=total.hits,
        misses=total.misses,
        bypasses=dict(recorder.bypasses()),
        fills=cache.fills,
        evictions=cache.evictions,
        entries=len(cache),
        bytes=cache.size,
        capacity=cache.capacity,
        p50=total.percentile(0.50),
        p95=total.percentile(0.95),
        p99=total.percentile(0.99),
        by_fingerprint=tuple(sorted(each, key=lambda one: one.total, reverse=True)),
    )


def _of_one(fingerprint: str, kind: str, tally: Tally) -> StatementStats:
    return StatementStats(
        fingerprint=fingerprint,
        id=fingerprint_id(fingerprint),
        kind=kind,
        calls=tally.calls,
        hits=tally.hits,
        misses=tally.misses,
        errors=tally.errors,
        rows=tally.rows,
        total=tally.total / 1e9,
        p50=tally.percentile(0.50),
        p95=tally.percentile(0.95),
        p99=tally.percentile(0.99),
    )
