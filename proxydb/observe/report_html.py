"""A `ProfileReport` as one HTML page that loads nothing: style, charts and figures are all inside."""

from __future__ import annotations

from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING

from proxydb.observe.report_charts import bars, latency_chart, share_bar, small_latency_chart
from proxydb.observe.report_text import cache_outcome, counted, database, duration, heading

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proxydb.observe.report import ProfiledStatement, ProfileReport, RepeatedStatement, SlowStatement

_SHOWN = 200
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_HEADERS = ("total", "share", "calls", "mean", "p50", "p95", "p99", "rows", "cache")


def page(report: ProfileReport) -> str:
    """The page."""
    style = files("proxydb.observe").joinpath("report.css").read_text(encoding="utf-8")
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>proxydb: {escape(heading(report))}</title>\n<style>\n{style}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(_sections(report))
        + "\n</main>\n</body>\n</html>\n"
    )


def _sections(report: ProfileReport) -> Iterator[str]:
    yield "<header><h1>What the application asked of its databases</h1>"
    yield f"<p>{escape(_databases(report))}</p>{_tiles(report)}</header>"
    if report.calls:
        yield '<section><h2>Latency</h2><p>How many executions took how long; the scale doubles.</p><div class="panel">'
        yield f"{latency_chart(report.histogram)}</div></section>"
        yield _statements(report)
    yield _repeated(report)
    yield _slow(report)
    yield (
        "<footer>Texts are shown without their literals, and no parameters are kept. On SQLite, rows are counted "
        "that were fetched with fetchall and fetchmany.</footer>"
    )


def _databases(report: ProfileReport) -> str:
    names = sorted({f"{each.system} {each.namespace}" for each in report.statements})
    return (
        ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "") if names else "No statements"
    )


def _tiles(report: ProfileReport) -> str:
    tried = report.hits + report.misses
    tiles = [
        ("statements", f"{report.calls:,}", ""),
        ("in the database", duration(report.total), ""),
        ("p50", duration(report.p50), ""),
        ("p95", duration(report.p95), ""),
        ("p99", duration(report.p99), ""),
        ("processes", f"{report.processes:,}", ""),
        ("N+1 groups", f"{len(report.repeated):,}", "bad" if report.repeated else ""),
        ("errors", f"{report.errors:,}", "bad" if report.errors else ""),
    ]
    if tried:
        tiles.append(("kept reads from memory", f"{report.hits / tried:.0%}", ""))
    inside = (f'<div class="{kind}"><dt>{name}</dt><dd>{value}</dd></div>' for name, value, kind in tiles)
    return f'<dl class="tiles">{"".join(inside)}</dl>'


def _statements(report: ProfileReport) -> str:
    steps = [bar.step for bar in bars(report.histogram)]
    heads = "".join(f'<th scope="col" class="number">{name}</th>' for name in _HEADERS)
    rows = "\n".join(_row(each, report, steps[0], steps[-1]) for each in report.statements[:_SHOWN])
    left = len(report.statements) - _SHOWN
    more = f"<p>{counted(left, 'statement')} more, each with less time in all.</p>" if left > 0 else ""
    return (
        "<section><h2>Statements by total time</h2>"
        "<p>Time in the driver, fetches included; percentiles of the executions.</p>"
        '<div class="panel"><table><thead><tr><th scope="col">statement</th>'
        f'{heads}<th scope="col">latency</th></tr></thead><tbody>\n{rows}\n</tbody></table></div>{more}</section>'
    )


def _row(each: ProfiledStatement, report: ProfileReport, first: int, last: int) -> str:
    share = each.total / (report.total or 1)
    numbers = (
        duration(each.total),
        f"{share:.1%}{share_bar(share)}",
        f"{each.calls:,}",
        *map(duration, (each.mean, each.p50, each.p95, each.p99)),
        f"{each.rows:,}",
        cache_outcome(each),
    )
    errors = f' <span class="errors">{counted(each.errors, "error")}</span>' if each.errors else ""
    where = f'<span class="where">{each.kind} on {escape(database(each.namespace))}{errors}</span>'
    cells = "".join(f'<td class="number">{number}</td>' for number in numbers)
    return (
        f'<tr><th scope="row" class="statement"><code>{escape(each.fingerprint)}</code>{where}</th>'
        f"{cells}<td>{small_latency_chart(each.histogram, first, last)}</td></tr>"
    )


def _repeated(report: ProfileReport) -> str:
    if not report.repeated:
        return ""
    return (
        "<section><h2>N+1: the same statement many times from one line</h2>"
        "<p>Within one transaction or request. One statement for all rows, or executemany, takes their place.</p>"
        + "\n".join(map(_group, report.repeated[:_SHOWN]))
        + "</section>"
    )


def _group(group: RepeatedStatement) -> str:
    runs = f" in {group.runs:,} runs, at most {group.largest:,} in one" if group.runs > 1 else ""
    return (
        f'<div class="panel repeated"><strong>{group.calls:,} times</strong>{runs}, about {duration(group.seconds)}'
        f'<span class="where"><code>{escape(group.site)}</code> in <code>{escape(group.function)}</code></span>'
        f"<code>{escape(group.fingerprint)}</code></div>"
    )


def _slow(report: ProfileReport) -> str:
    if not report.slow:
        return ""
    return (
        "<section><h2>Slow statements</h2><p>The longest execution of each, with the plan that EXPLAIN tells.</p>"
        + "\n".join(map(_slow_one, report.slow[:_SHOWN]))
        + "</section>"
    )


def _slow_one(each: SlowStatement) -> str:
    plan = (
        f"<details open><summary>Plan</summary><pre>{escape(chr(10).join(each.plan))}</pre></details>"
        if each.plan
        else ""
    )
    outcome = "" if each.cache == "none" else f", {each.cache}"
    return (
        f'<div class="panel"><strong>{duration(each.seconds)}</strong>{outcome}'
        f'<span class="where"><code>{escape(each.site)}</code> on {escape(database(each.namespace))}</span>'
        f"<code>{escape(each.fingerprint)}</code>{plan}</div>"
    )
