"""Charts of a report, as inline SVG: they need no script, and say in words what they show."""

from __future__ import annotations

from collections import Counter
from html import escape
from typing import TYPE_CHECKING, NamedTuple

from proxydb.observe.record import bucket_middle
from proxydb.observe.report_text import counted, duration

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_WIDTH, _HEIGHT, _FOOT = 720, 180, 22
_SMALL_WIDTH, _SMALL_HEIGHT = 90, 18
_STEPS_IN_ONE = 2
"""A bar holds so many of the histogram's steps, of which four make a doubling."""


class Bar(NamedTuple):
    """One bar of a histogram.

    Parameters
    ----------
    step
        Its place.
    start, end
        The durations between which it lies, in seconds.
    calls
        How many executions it stands for.
    """

    step: int
    start: float
    end: float
    calls: int


def bars(histogram: Sequence[tuple[int, int]]) -> list[Bar]:
    """The histogram's buckets, two in a bar, from the first that is not empty to the last."""
    calls: Counter[int] = Counter()
    for bucket, count in histogram:
        calls[bucket // _STEPS_IN_ONE] += count
    if not calls:
        return []
    steps = range(min(calls), max(calls) + 1)
    return [Bar(step, _edge(step), _edge(step + 1), calls[step]) for step in steps]


def _edge(step: int) -> float:
    """Where a bar begins, in seconds."""
    bucket = step * _STEPS_IN_ONE
    return (bucket_middle(bucket) + bucket_middle(bucket - 1)) / 2e9 if bucket else 0.0


def latency_chart(histogram: Sequence[tuple[int, int]]) -> str:
    """How many executions took how long: a bar for each half of a doubling."""
    shown = bars(histogram)
    if not shown:
        return ""
    width, highest = _WIDTH / len(shown), max(bar.calls for bar in shown)
    drawn = "".join(_bar(place, bar, width, highest) for place, bar in enumerate(shown))
    axis = "".join(_tick(place, bar, width) for place, bar in _ticks(shown))
    said = f"{counted(sum(bar.calls for bar in shown), 'execution')} between {_range(shown[0], shown[-1])}"
    return (
        f'<svg class="chart" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="Latency: {escape(said)}">'
        f'{drawn}<line class="axis" x1="0" x2="{_WIDTH}" y1="{_HEIGHT - _FOOT}" y2="{_HEIGHT - _FOOT}"/>{axis}</svg>'
    )


def _bar(place: int, bar: Bar, width: float, highest: int) -> str:
    if not bar.calls:
        return ""
    height = max(2.0, (_HEIGHT - _FOOT - 8) * bar.calls / highest)
    top = _HEIGHT - _FOOT - height
    shape = f'x="{place * width + 1:.1f}" y="{top:.1f}" width="{max(1.0, width - 2):.1f}" height="{height:.1f}" rx="2"'
    return f'<rect class="bar" {shape}><title>{_range(bar, bar)}: {counted(bar.calls, "execution")}</title></rect>'


def _range(first: Bar, last: Bar) -> str:
    return f"{duration(first.start)} and {duration(last.end)}"


def _ticks(shown: Sequence[Bar]) -> Iterator[tuple[int, Bar]]:
    """At most eight bars whose beginning is written under them."""
    every = max(1, -(-len(shown) // 8))
    return ((place, bar) for place, bar in enumerate(shown) if place % every == 0)


def _tick(place: int, bar: Bar, width: float) -> str:
    return f'<text class="tick" x="{place * width + 1:.1f}" y="{_HEIGHT - 6}">{duration(bar.start)}</text>'


def small_latency_chart(histogram: Sequence[tuple[int, int]], first: int, last: int) -> str:
    """The same in a table's cell, on an axis from step `first` to step `last` that all rows share."""
    width = _SMALL_WIDTH / (last - first + 1)
    shown = bars(histogram)
    highest = max((bar.calls for bar in shown), default=1)
    drawn = "".join(
        f'<rect x="{(bar.step - first) * width:.1f}" y="{_SMALL_HEIGHT - height:.1f}" '
        f'width="{max(1.0, width - 0.5):.1f}" height="{height:.1f}"/>'
        for bar in shown
        if bar.calls
        for height in [max(1.5, _SMALL_HEIGHT * bar.calls / highest)]
    )
    said = f"between {_range(shown[0], shown[-1])}" if shown else "none"
    box = f'viewBox="0 0 {_SMALL_WIDTH} {_SMALL_HEIGHT}" width="{_SMALL_WIDTH}" height="{_SMALL_HEIGHT}"'
    return f'<svg class="small" {box} role="img" aria-label="latency {said}">{drawn}</svg>'


def share_bar(share: float) -> str:
    """A bar that is `share` (0 to 1) of a cell's width; the number beside it says the same."""
    return (
        '<svg class="share" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="rest" width="100" height="6" rx="2"/>'
        f'<rect class="bar" width="{share * 100:.2f}" height="6" rx="2"/></svg>'
    )
