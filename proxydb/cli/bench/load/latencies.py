"""Durations in logarithmic buckets, which add up over threads and processes."""

from __future__ import annotations

from collections import Counter
from math import log2

_PER_DOUBLING = 32
"""Buckets for each doubling: a percentile is exact to about one percent."""


class Latencies:
    """Durations.

    Parameters
    ----------
    buckets
        How many durations each bucket holds.
    """

    def __init__(self, buckets: dict[int, int] | None = None) -> None:
        self.buckets = Counter(buckets or {})

    def __len__(self) -> int:
        return self.buckets.total()

    def add(self, nanoseconds: int) -> None:
        """Count a duration."""
        self.buckets[int(log2(nanoseconds or 1) * _PER_DOUBLING)] += 1

    def merge(self, other: Latencies) -> None:
        """Count all of another's."""
        self.buckets.update(other.buckets)

    def percentile(self, share: float) -> float:
        """The duration in ms that `share` of all do not exceed; 0 when there are none."""
        left = share * len(self)
        for bucket, count in sorted(self.buckets.items()):
            left -= count
            if left <= 0:
                return float(2 ** ((bucket + 0.5) / _PER_DOUBLING)) / 1e6
        return 0.0
