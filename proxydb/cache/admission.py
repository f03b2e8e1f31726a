"""Which reads are worth keeping: those that cost clearly more than the check that keeping them needs."""

from __future__ import annotations

TRIALS = 3
"""How many cheap runs in a row show that a statement is not worth keeping."""

RETRIAL = 1000
"""After how many uncached executions such a statement is tried again: data grow, parameters differ."""


class Admission:
    """What is known of the cost of one statement, from the runs that were measured.

    Parameters
    ----------
    ratio
        A run is worth keeping when it took more than `ratio` checks.
    """

    __slots__ = ("_cheap_runs", "_ratio")

    def __init__(self, ratio: float) -> None:
        self._ratio = ratio
        self._cheap_runs = 0

    @property
    def refused(self) -> bool:
        """Whether the statement's last runs were all cheaper than keeping them."""
        return self._cheap_runs >= TRIALS

    def measure(self, nanoseconds: int, check: int) -> bool:
        """Take note of a run that took `nanoseconds`, where a check takes `check`; whether its result is worth keeping."""
        worthwhile = nanoseconds > self._ratio * check
        self._cheap_runs = 0 if worthwhile else self._cheap_runs + 1
        return worthwhile

    def retry(self) -> None:
        """Let the next run be measured again."""
        self._cheap_runs = TRIALS - 1
