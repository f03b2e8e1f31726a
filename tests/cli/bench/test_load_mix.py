"""The mix, the skew, and how durations add up."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

import proxydb.lake
from proxydb.cli.bench.load.latencies import Latencies
from proxydb.cli.bench.load.mix import LONG_TAIL, PHASES, READS, Skew, requests
from proxydb.cli.bench.load.order import Order, slots
from proxydb.lake.synthetic import Fleet, load_fleet


def ranges() -> tuple[proxydb.lake.ParameterRanges, ...]:
    """Those of a small fleet."""
    with proxydb.lake.open(":memory:") as lake:
        load_fleet(lake, Fleet(300))
        return tuple(table.parameter_ranges() for table in lake.tables())


def test_shares_are_those_of_the_mix() -> None:
    """All shares together are a hundred, and what is drawn follows them."""
    drawn = Counter(each.number for each in requests(Random(1), "sqlite", ranges(), 5000, long_tail=False))
    assert (sum(READS.values()), sum(LONG_TAIL.values())) == (100, 100)
    assert all(abs(drawn[number] / 50 - share) < 3 for number, share in READS.items())


def test_the_long_tail_hardly_repeats() -> None:
    """Nearly every read differs from all before it."""
    asked = requests(Random(1), "sqlite", ranges(), 300, long_tail=True)
    assert len({(each.sql, each.parameters) for each in asked}) > 0.98 * len(asked)


def test_the_largest_table_is_asked_most() -> None:
    """Tables are chosen by Zipf's law."""
    rng = Random(1)
    drawn = Counter(Skew(10).choose(rng) for _ in range(5000))
    assert drawn[0] / drawn[9] == pytest.approx(10**1.1, rel=0.4)


def test_phases() -> None:
    """The phases are all of the time, and the sides take turns in being first."""
    assert sum(phase.share for phase in PHASES) == pytest.approx(1)
    assert [(slot.side, slot.phase.name) for slot in slots(2)][:: len(PHASES) * 2] == [
        ("raw", "steady"),
        ("proxied", "steady"),
    ]


def test_percentiles() -> None:
    """They are exact to some percent, and add up over processes."""
    one, other = Latencies(), Latencies()
    for n in range(1, 1001):
        (one if n % 2 else other).add(n * 1_000_000)
    one.merge(other)
    assert (len(one), one.percentile(0.5), one.percentile(0.99)) == (
        1000,
        pytest.approx(500, rel=0.03),
        pytest.approx(990, rel=0.03),
    )


def test_no_durations() -> None:
    """Without any a percentile is 0."""
    assert Latencies().percentile(0.5) == 0


def test_an_order_crosses_processes() -> None:
    """It is the same after the way through text."""
    order = Order("t", "sqlite", "b", "r", 1, 2, 3, 4, 5, 6, 7, 8, 0.5, True, 9)
    assert Order.from_json(order.to_json()) == order
