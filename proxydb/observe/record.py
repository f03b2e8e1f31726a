"""What one connection remembers of one statement: how often, how long, with what outcome.

A tally belongs to one connection, which one thread uses at a time, so nothing is locked; readers add tallies up.
A statement only notes how long it took: sorting durations into the histogram is done for many at once, which the
processor does faster than for one after each statement, when it has just been busy with other things.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

PENDING = 255
"""How many durations may be pending."""

_STEPS = 4  # buckets in each doubling: a percentile is told to within an eighth of itself


def bucket_of(nanoseconds: int) -> int:
    """The histogram bucket of a duration: four to each doubling, as in a high-dynamic-range histogram."""
    exponent = nanoseconds.bit_length()
    return (exponent << 2) | (nanoseconds >> (exponent - 3) & 3) if exponent > 2 else nanoseconds


def counted(durations: list[int]) -> Iterator[tuple[int, int]]:
    """The buckets that `durations` fall into, each with how many do: sorted, they need one look for each bucket."""
    ascending, start = sorted(durations), 0
    while start < len(ascending):
        bucket = bucket_of(ascending[start])
        end = bisect_left(ascending, _bucket_end(bucket), start)
        yield bucket, end - start
        start = end


def _bucket_end(bucket: int) -> int:
    """The shortest duration that is too long for a bucket, in nanoseconds."""
    exponent, step = bucket >> 2, bucket & 3
    return (_STEPS + step + 1) << (exponent - 3) if exponent > 2 else bucket + 1


def bucket_middle(bucket: int) -> float:
    """The duration in the middle of a bucket, in nanoseconds."""
    exponent, step = bucket >> 2, bucket & 3
    return (_STEPS + step + 0.5) * 2.0 ** (exponent - 3) if exponent > 2 else float(bucket)


_SUMS = ("hits", "misses", "errors", "rows", "slow")


class Tally:
    """Counters and a latency histogram of one statement.

    Attributes
    ----------
    pending
        Durations in nanoseconds that are in neither of the next two yet.
    buckets
        How many durations fell into each histogram bucket.
    total
        Nanoseconds of all of them.
    slow, slowest
        How many took longer than the threshold of the slow log, and the nanoseconds of the longest of them.
    hits, misses, errors, rows
        Answers from the cache, runs that could have filled it, statements that raised, rows that were fetched.
    """

    __slots__ = ("buckets", "errors", "hits", "misses", "pending", "rows", "slow", "slowest", "total")

    def __init__(self) -> None:
        self.pending: list[int] = []
        self.buckets: dict[int, int] = {}
        self.total = 0
        self.slow = 0
        self.slowest = 0
        self.hits = 0
        self.misses = 0
        self.errors = 0
        self.rows = 0

    @property
    def calls(self) -> int:
        """How often the statement was executed."""
        return sum(self.buckets.values()) + len(self.pending)

    def add(self, nanoseconds: int) -> None:
        """Count one execution."""
        self.pending.append(nanoseconds)
        if len(self.pending) > PENDING:
            self.settle()

    def settle(self) -> None:
        """Sort what is pending into the histogram."""
        buckets, total = dict(self.buckets), self.total + sum(self.pending)
        for bucket, count in counted(self.pending):
            buckets[bucket] = buckets.get(bucket, 0) + count
        self.buckets, self.total, self.pending = buckets, total, []  # at once, for whoever reads meanwhile

    def merge(self, other: Tally) -> None:
        """Add what another connection has counted, and may be counting."""
        buckets, total, pending = other.buckets, other.total, other.pending
        for bucket, count in list(buckets.items()):
            self.buckets[bucket] = self.buckets.get(bucket, 0) + count
        self.total += total
        self.pending += pending
        self.settle()
        for name in _SUMS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.slowest = max(self.slowest, other.slowest)

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values; the buckets as pairs, since JSON's keys are texts."""
        self.settle()
        sums = {name: getattr(self, name) for name in _SUMS}
        return {**sums, "total": self.total, "slowest": self.slowest, "buckets": sorted(self.buckets.items())}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Tally:
        """What `to_dict` gave; other keys are left alone."""
        tally = cls()
        for name in (*_SUMS, "total", "slowest"):
            setattr(tally, name, values[name])
        tally.buckets = dict(values["buckets"])
        return tally

    def percentile(self, share: float) -> float:
        """The duration that `share` (0 to 1) of the executions do not exceed, in seconds; 0.0 without executions."""
        self.settle()
        return percentile(self.buckets, share)


def percentile(buckets: dict[int, int], share: float) -> float:
    """The duration at `share` (0 to 1) of a histogram, in seconds; 0.0 when it is empty."""
    wanted, seen = share * sum(buckets.values()), 0
    for bucket in sorted(buckets):
        seen += buckets[bucket]
        if seen >= wanted:
            return bucket_middle(bucket) / 1e9
    return 0.0


def merged(tallies: Iterable[Tally]) -> Tally:
    """The sum of several tallies."""
    total = Tally()
    for tally in tallies:
        total.merge(tally)
    return total
