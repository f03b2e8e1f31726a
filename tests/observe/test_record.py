"""`Tally` counts executions, and its histogram tells percentiles to within its buckets' width."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxydb.observe.record import PENDING, Tally, bucket_middle, bucket_of, counted, merged, percentile

EIGHTH = 1 / 8
DURATIONS = st.integers(0, 10**12)
SHARES = st.sampled_from([0.01, 0.5, 0.9, 0.95, 0.99, 1.0])


def _tally(*durations: int) -> Tally:
    tally = Tally()
    for nanoseconds in durations:
        tally.add(nanoseconds)
    return tally


@given(DURATIONS)
def test_bucket_is_narrow(nanoseconds: int) -> None:
    """The middle of a bucket is within an eighth of every duration in it."""
    assert bucket_middle(bucket_of(nanoseconds)) == pytest.approx(nanoseconds, rel=EIGHTH, abs=0.5)


@given(DURATIONS, DURATIONS)
def test_buckets_are_in_order(one: int, other: int) -> None:
    """A longer duration is in the same bucket or a later one."""
    assert bucket_of(min(one, other)) <= bucket_of(max(one, other))


@pytest.mark.parametrize("nanoseconds", range(4))
def test_smallest_durations(nanoseconds: int) -> None:
    """Durations that a clock can hardly tell apart have a bucket as well."""
    assert bucket_middle(bucket_of(nanoseconds)) == nanoseconds


@given(DURATIONS)
def test_tally_and_buckets_agree(nanoseconds: int) -> None:
    """A tally counts a duration in the bucket that `bucket_of` names."""
    tally = _tally(nanoseconds)
    tally.settle()
    assert tally.buckets == {bucket_of(nanoseconds): 1}


@given(st.lists(DURATIONS, min_size=1, max_size=60), SHARES)
def test_percentile(durations: list[int], share: float) -> None:
    """A percentile is within an eighth of the exact one."""
    rank = next(place for place in range(len(durations)) if place + 1 >= share * len(durations))
    exact = sorted(durations)[rank] / 1e9
    assert _tally(*durations).percentile(share) == pytest.approx(exact, rel=EIGHTH, abs=1e-9)


def test_percentile_of_nothing() -> None:
    """Without executions a percentile is nothing."""
    assert percentile({}, 0.5) == 0.0


@given(st.lists(DURATIONS, max_size=20))
def test_calls_and_total(durations: list[int]) -> None:
    """A tally knows how many executions there were and how long they took together."""
    tally = merged([_tally(*durations)])
    assert (len(durations), sum(durations)) == (tally.calls, tally.total)


@given(st.lists(st.lists(DURATIONS, max_size=10), max_size=5))
def test_merged_tallies(connections: list[list[int]]) -> None:
    """The sum of tallies has the histogram of all executions."""
    everything = [nanoseconds for durations in connections for nanoseconds in durations]
    expected = _tally(*everything)
    expected.settle()
    assert merged(_tally(*durations) for durations in connections).buckets == expected.buckets


@given(st.lists(st.one_of(DURATIONS, st.just("read"), st.just("settle"))))
def test_pending_durations(walk: list[Any]) -> None:
    """Whenever somebody else reads a tally, every duration is counted once."""
    tally, durations = Tally(), [each for each in walk if isinstance(each, int)]
    for number, each in enumerate(walk):
        if each == "settle":
            tally.settle()
        elif each == "read":
            seen = [each for each in walk[:number] if isinstance(each, int)]
            copy = merged([tally])
            assert (copy.calls, copy.total) == (len(seen), sum(seen))
        else:
            tally.add(each)
    assert (tally.calls, merged([tally]).total) == (len(durations), sum(durations))


def test_pending_is_bounded() -> None:
    """However often a statement is executed, few durations are kept by themselves."""
    assert len(_tally(*range(3 * PENDING)).pending) <= PENDING


@pytest.mark.parametrize("counter", ["hits", "misses", "errors", "rows", "total"])
def test_merged_counters(counter: str) -> None:
    """Every counter is added up."""
    one, other = Tally(), Tally()
    setattr(one, counter, 3)
    setattr(other, counter, 4)
    assert getattr(merged([one, other]), counter) == 7


def test_merged_slowest() -> None:
    """The slowest execution is the slowest of all."""
    one, other = Tally(), Tally()
    one.slowest, other.slowest = 3, 4
    assert merged([one, other]).slowest == 4


def test_merging_changes_one_side_only() -> None:
    """What was added to another tally stays as it was."""
    one, other = _tally(5), _tally(7, 9)
    one.merge(other)
    assert (one.calls, other.calls) == (3, 2)


@given(st.lists(st.integers(0, 40) | st.integers(0, 10**12)))
def test_counted_together(durations: list[int]) -> None:
    """Many durations fall into the same buckets together as one by one, and their list stays as it is."""
    before = durations.copy()
    assert dict(counted(durations)) == Counter(map(bucket_of, durations))
    assert durations == before
