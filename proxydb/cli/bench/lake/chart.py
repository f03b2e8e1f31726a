"""Draws the results as SVG: a line for each operation, a dot for each side, time on a logarithmic axis."""

from __future__ import annotations

from html import escape
from math import ceil, floor, log10
from typing import TYPE_CHECKING

from proxydb.cli.bench.lake.measured import SIDES
from proxydb.cli.bench.lake.report import duration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proxydb.cli.bench.lake.measured import Measured
    from proxydb.cli.bench.lake.report import LakeReport

# The palette of Okabe and Ito, which people with colour blindness can tell apart; shapes differ too.
_MARKS = {
    "raw": ("#D55E00", "circle"),
    "indexed": ("#E69F00", "square"),
    "cold": ("#56B4E9", "circle"),
    "warm": ("#0072B2", "diamond"),
    "delta_cold": ("#999999", "circle"),
    "delta_checkpoint": ("#666666", "square"),
    "delta_warm": ("#000000", "diamond"),
}
_LEFT, _WIDTH, _RIGHT, _ROW, _TOP, _LEGEND_ROW = 300, 640, 40, 20, 40, 18


def chart(report: LakeReport) -> str:
    """The SVG text of a report; one panel under the other, one for each system."""
    shown = [each for each in report.results if each.has("raw") or each.has("indexed")]
    times = [each.median(side) for each in shown for side in SIDES if each.has(side)] or [1.0]
    low, high = floor(log10(min(times))), max(ceil(log10(max(times))), floor(log10(min(times))) + 1)
    lines, y = [], 16 + (1 + len(SIDES)) * _LEGEND_ROW
    for system, server in report.servers.items():
        results = [each for each in shown if each.system == system]
        title = f"{server}, {report.fleet.actions:,} file actions, {report.files:,} active files in the largest table"
        lines += [f'<g transform="translate(0,{y})">', *_panel(title, results, (low, high)), "</g>"]
        y += _TOP + _ROW * len(results) + 50
    width = _LEFT + _WIDTH + _RIGHT
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{y}" viewBox="0 0 {width} {y}"'
    style = 'font-family="sans-serif" font-size="12"'
    background = f'<rect width="{width}" height="{y}" fill="white"/>'
    return "\n".join([f"{head} {style}>", background, *_legend(), *lines, "</svg>", ""])


def _legend() -> Iterator[str]:
    for place, (side, words) in enumerate(SIDES.items(), start=1):
        y = 8 + place * _LEGEND_ROW
        yield _mark(side, 20, y - 4)
        yield f'<text x="36" y="{y}">{escape(words)}</text>'


def _panel(title: str, results: list[Measured], decades: tuple[int, int]) -> Iterator[str]:
    bottom = _TOP + _ROW * len(results)
    yield f'<text x="20" y="20" font-size="14" font-weight="bold">{escape(title)}</text>'
    for decade in range(decades[0], decades[1] + 1):
        x = _place(10.0**decade, decades)
        yield f'<line x1="{x:.1f}" y1="{_TOP - 8}" x2="{x:.1f}" y2="{bottom}" stroke="#dddddd"/>'
        yield f'<text x="{x:.1f}" y="{bottom + 16}" text-anchor="middle" fill="#555555">{duration(10.0**decade)}</text>'
    for number, measured in enumerate(results):
        yield from _line(measured, _TOP + _ROW * number + 6, decades)


def _line(measured: Measured, y: int, decades: tuple[int, int]) -> Iterator[str]:
    label = escape(f"{measured.number}  {measured.title}")
    yield f'<text x="{_LEFT - 12}" y="{y + 4}" text-anchor="end">{label}</text>'
    yield f'<line x1="{_LEFT}" y1="{y}" x2="{_LEFT + _WIDTH}" y2="{y}" stroke="#eeeeee"/>'
    for side in SIDES:
        if measured.has(side):
            yield _mark(side, _place(measured.median(side), decades), y)
        elif side in measured.over:
            x = _LEFT + _WIDTH + _RIGHT - 4 - 80 * list(measured.over).index(side)
            text = f"{side} &gt; {measured.over[side]:g} s"
            yield f'<text x="{x}" y="{y + 4}" text-anchor="end" fill="{_MARKS[side][0]}" font-size="10">{text}</text>'


def _place(milliseconds: float, decades: tuple[int, int]) -> float:
    return _LEFT + _WIDTH * (log10(milliseconds) - decades[0]) / (decades[1] - decades[0])


def _mark(side: str, x: float, y: float) -> str:
    colour, shape = _MARKS[side]
    if shape == "circle":
        return f'<circle cx="{x:.1f}" cy="{y}" r="4.5" fill="{colour}" fill-opacity="0.85"/>'
    turned = f' transform="rotate(45 {x:.1f} {y})"' if shape == "diamond" else ""
    where = f'x="{x - 4:.1f}" y="{y - 4}" width="8" height="8"'
    return f'<rect {where} fill="{colour}" fill-opacity="0.85"{turned}/>'
