"""A `ProfileReport` as text for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from proxydb.observe.report import ProfiledStatement, ProfileReport, RepeatedStatement, SlowStatement

SHOWN = 15
_LONGEST = 100
_PLAN_LINES = 12
_LARGE = 999.5  # from here on three digits would be written with an exponent
_HEADERS = ("total", "share", "calls", "p50", "p95", "p99", "rows", "cache", "statement")


def text(report: ProfileReport) -> str:
    """The report in lines of at most some 160 characters."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: ProfileReport) -> Iterator[str]:
    yield heading(report)
    if report.statements:
        yield ""
        yield from _table([_HEADERS, *(_cells(each, report) for each in report.statements[:SHOWN])])
        yield from _more(len(report.statements), "statements")
    if report.repeated:
        yield from ("", "N+1: the same statement many times from one line, within one transaction or request")
        yield from map(_repeated, report.repeated[:SHOWN])
        yield from _more(len(report.repeated), "groups")
    if report.slow:
        yield from ("", "Slow statements, the longest execution of each")
        for each in report.slow[:SHOWN]:
            yield from _slow(each)
        yield from _more(len(report.slow), "statements")


def heading(report: ProfileReport) -> str:
    """What there was, in one line."""
    if not report.calls:
        return "no statements"
    parts = [
        counted(report.calls, "statement"),
        f"{duration(report.total)} in the database",
        f"p50 {duration(report.p50)}, p95 {duration(report.p95)}, p99 {duration(report.p99)}",
        counted(report.processes, "process", "processes"),
    ]
    if report.errors:
        parts.insert(1, counted(report.errors, "error"))
    if report.hits or report.misses:
        parts.append(f"{report.hits / (report.hits + report.misses):.0%} of kept reads from memory")
    return ", ".join(parts)


def counted(number: int, one: str, many: str = "") -> str:
    """A number with its noun."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def duration(seconds: float) -> str:
    """A duration with three digits that say something."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            number = seconds / size
            return f"{number:.3g} {unit}" if number < _LARGE else f"{number:,.0f} {unit}"
    return f"{seconds * 1e9:.0f} ns"


def cache_outcome(statement: ProfiledStatement) -> str:
    """How many executions were answered from memory; a dash where none was tried."""
    tried = statement.hits + statement.misses
    return f"{statement.hits / tried:.0%} hit" if tried else "-"


def database(namespace: str) -> str:
    """The last part of a database's name, which tells it from others on a narrow screen."""
    return namespace.rstrip("/").rpartition("/")[2] or namespace


def cut(words: str, longest: int = _LONGEST) -> str:
    """A text that fits into a line."""
    return words if len(words) <= longest else words[: longest - 1] + "…"


def _cells(each: ProfiledStatement, report: ProfileReport) -> tuple[str, ...]:
    return (
        duration(each.total),
        f"{each.total / (report.total or 1):.1%}",
        f"{each.calls:,}",
        duration(each.p50),
        duration(each.p95),
        duration(each.p99),
        f"{each.rows:,}",
        cache_outcome(each),
        cut(each.fingerprint) + (f"  ({counted(each.errors, 'error')})" if each.errors else ""),
    )


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """The last column is text, the others are numbers."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join([*(cell.rjust(width) for cell, width in zip(row[:-1], widths, strict=False)), row[-1]])


def _repeated(group: RepeatedStatement) -> str:
    runs = f" in {group.runs:,} runs, at most {group.largest:,}" if group.runs > 1 else ""
    return (
        f"  {group.calls:,}x{runs}, {duration(group.seconds)}  {group.site} {group.function}  {cut(group.fingerprint)}"
    )


def _slow(each: SlowStatement) -> Iterator[str]:
    outcome = "" if each.cache == "none" else f" ({each.cache})"
    yield f"  {duration(each.seconds)}{outcome}  {each.site}  {cut(each.fingerprint)}"
    yield from (f"      {cut(line, 150)}" for line in each.plan[:_PLAN_LINES])


def _more(number: int, what: str) -> Iterator[str]:
    if number > SHOWN:
        yield f"  and {number - SHOWN:,} {what} more"
