"""`ProfileReport`: what an application's processes have executed, added up from their snapshots."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from proxydb.observe.record import Tally, merged, percentile
from proxydb.observe.repeats import Group
from proxydb.sql.fingerprint import fingerprint_id

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Mapping

VERSION = 1
"""Of the JSON form; it grows when a field changes its meaning or goes."""


@dataclass(frozen=True, slots=True)
class ProfiledStatement:
    """What the executions of one statement have come to.

    Parameters
    ----------
    system, namespace
        ``"sqlite"`` or ``"postgresql"``, and the database's name without secrets.
    fingerprint, id
        The text without its literals, and sixteen hexadecimal digits that stand for it.
    kind
        ``"read"``, ``"write"``, ``"ddl"``, ``"transaction"``, ``"session"`` or ``"other"``.
    calls, errors, rows
        Executions; those that raised; rows that were fetched.
    hits, misses
        Answers from memory, and reads that were run in order to be kept.
    slow
        Executions over the threshold of the slow log.
    total, mean, p50, p95, p99
        Seconds: the sum, fetches included; its share of one execution; percentiles of the executions.
    histogram
        How many executions each bucket holds, as pairs of its number (four to each doubling of nanoseconds) and theirs.
    """

    system: str
    namespace: str
    fingerprint: str
    id: str
    kind: str
    calls: int
    errors: int
    rows: int
    hits: int
    misses: int
    slow: int
    total: float
    mean: float
    p50: float
    p95: float
    p99: float
    histogram: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class RepeatedStatement:
    """A statement that was executed many times from one line within one transaction or request.

    Parameters
    ----------
    system, namespace, fingerprint
        As in `ProfiledStatement`.
    site, function
        The line of the application, as ``file:line``, and the function that it is in.
    runs
        How many transactions or requests did so.
    calls, largest
        Executions in all of them, and in the one that had most.
    seconds
        What so many executions of the statement take, by its mean.
    """

    system: str
    namespace: str
    fingerprint: str
    site: str
    function: str
    runs: int
    calls: int
    largest: int
    seconds: float


@dataclass(frozen=True, slots=True)
class SlowStatement:
    """The longest execution of a statement that went over the threshold of the slow log.

    Parameters
    ----------
    system, namespace, fingerprint
        As in `ProfiledStatement`.
    seconds
        What it took.
    cache
        ``"miss"``, ``"hit"``, ``"fetch"`` (its rows took long, not its execution) or ``"none"``.
    site
        The line of the application, as ``file:line``.
    plan
        The lines of EXPLAIN, without literals; empty for writes, and where there was no telling.
    """

    system: str
    namespace: str
    fingerprint: str
    seconds: float
    cache: str
    site: str
    plan: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ProfileReport:
    """What an application has executed.

    Parameters
    ----------
    processes
        How many of its processes have used a database.
    calls, errors, hits, misses
        Of all statements.
    total, p50, p95, p99
        Seconds in the database, the sum and percentiles.
    statements
        The largest total first.
    repeated
        N+1 groups, the most executions first.
    slow
        The longest first.
    histogram
        As in `ProfiledStatement`, for all statements.
    """

    processes: int
    calls: int
    errors: int
    hits: int
    misses: int
    total: float
    p50: float
    p95: float
    p99: float
    statements: tuple[ProfiledStatement, ...]
    repeated: tuple[RepeatedStatement, ...]
    slow: tuple[SlowStatement, ...]
    histogram: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, snapshots: Iterable[Mapping[str, Any]]) -> ProfileReport:
        """Add up the snapshots of processes, as `Profile.snapshot` gives them."""
        snapshots = list(snapshots)
        tallies = _added(snapshots)
        everything = merged(tally for tally, _ in tallies.values())
        statements = [_statement(key, tally, kind) for key, (tally, kind) in tallies.items()]
        means = {(each.system, each.namespace, each.fingerprint): each.mean for each in statements}
        return cls(
            processes=len({snapshot["pid"] for snapshot in snapshots if snapshot["statements"]}),
            calls=everything.calls,
            errors=everything.errors,
            hits=everything.hits,
            misses=everything.misses,
            total=everything.total / 1e9,
            **_percentiles(everything),
            statements=tuple(sorted(statements, key=lambda each: each.total, reverse=True)),
            repeated=_repeated(snapshots, means),
            slow=_slow(snapshots),
            histogram=tuple(sorted(everything.buckets.items())),
        )

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values, ready for JSON."""
        return {"version": VERSION, **asdict(self)}

    def to_json(self) -> str:
        """The same as a JSON text."""
        return json.dumps(self.to_dict(), indent=2) + "\n"

    def to_html(self) -> str:
        """The same as a page that needs nothing but itself."""
        from proxydb.observe.report_html import page

        return page(self)

    def __str__(self) -> str:
        """The same as text for people."""
        from proxydb.observe.report_text import text

        return text(self)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the report into a file: as HTML, JSON or text, by the suffix of its name.

        Raises
        ------
        ValueError
            The suffix is none of ``.html``, ``.json`` and ``.txt``.
        """
        Path(path).write_text(writer_for(path)(self), encoding="utf-8")


_WRITERS: dict[str, Callable[[ProfileReport], str]] = {
    ".html": ProfileReport.to_html,
    ".json": ProfileReport.to_json,
    ".txt": str,
}


def writer_for(path: str | os.PathLike[str]) -> Callable[[ProfileReport], str]:
    """What turns a report into the kind of text that the name of a file asks for.

    Raises
    ------
    ValueError
        The name's suffix is not known.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in _WRITERS:
        raise ValueError(f"the name of a report ends in {', '.join(_WRITERS)}, not in {suffix or 'nothing'}")
    return _WRITERS[suffix]


def _percentiles(tally: Tally) -> dict[str, float]:
    return {f"p{share}": percentile(tally.buckets, share / 100) for share in (50, 95, 99)}


def _added(snapshots: list[Mapping[str, Any]]) -> dict[tuple[str, str, str], tuple[Tally, str]]:
    found: dict[tuple[str, str, str], tuple[Tally, str]] = {}
    for snapshot in snapshots:
        for one in snapshot["statements"]:
            found.setdefault(_key(one), (Tally(), one["kind"]))[0].merge(Tally.from_dict(one))
    return found


def _key(values: Mapping[str, Any]) -> tuple[str, str, str]:
    return values["system"], values["namespace"], values["fingerprint"]


def _statement(key: tuple[str, str, str], tally: Tally, kind: str) -> ProfiledStatement:
    system, namespace, fingerprint = key
    return ProfiledStatement(
        system,
        namespace,
        fingerprint,
        fingerprint_id(fingerprint),
        kind,
        calls=tally.calls,
        errors=tally.errors,
        rows=tally.rows,
        hits=tally.hits,
        misses=tally.misses,
        slow=tally.slow,
        total=tally.total / 1e9,
        mean=tally.total / 1e9 / (tally.calls or 1),
        **_percentiles(tally),
        histogram=tuple(sorted(tally.buckets.items())),
    )


def _repeated(
    snapshots: list[Mapping[str, Any]], means: Mapping[tuple[str, str, str], float]
) -> tuple[RepeatedStatement, ...]:
    found: dict[Group, list[int]] = {}
    for each in (each for snapshot in snapshots for each in snapshot["groups"]):
        sums = found.setdefault(Group(*_key(each), each["site"], each["function"]), [0, 0, 0])
        sums[0] += each["runs"]
        sums[1] += each["calls"]
        sums[2] = max(sums[2], each["largest"])
    groups = [
        RepeatedStatement(*group, runs, calls, largest, calls * means.get(group[:3], 0.0))
        for group, (runs, calls, largest) in found.items()
    ]
    return tuple(sorted(groups, key=lambda group: group.calls, reverse=True))


def _slow(snapshots: list[Mapping[str, Any]]) -> tuple[SlowStatement, ...]:
    longest: dict[tuple[str, str, str], SlowStatement] = {}
    for event in (event for snapshot in snapshots for event in snapshot["slow"]):
        key = (event["db.system.name"], event["db.namespace"], event["db.query.text"])
        seconds = event["db.client.operation.duration"]
        if key not in longest or seconds > longest[key].seconds:
            longest[key] = SlowStatement(*key, seconds, event["cache"], event["call_site"], tuple(event["plan"]))
    return tuple(sorted(longest.values(), key=lambda one: one.seconds, reverse=True))
