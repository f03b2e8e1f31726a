"""Which reads are worth keeping: those that cost clearly more than the check that keeping them needs."""

from __future__ import annotations

TRIALS = 3
"""How many cheap runs in a row show that a statement is not worth keeping."""

RETRIAL = 1000
"""After how many uncached executions such a statement is tried again: data grow, parameters differ."""


SURE = 10
"""One run this many times over the threshold is enough to be kept; nearer to it, noise has to be told from cost."""


class Admission:
    """What is known of the cost of one statement, from the runs that were measured.

    A single run may look dearer than it is: the first one compiles the statement and reads cold pages, any one may be
    interrupted. So a run that is not far above the threshold counts only after another one that was above it.

    Parameters
    ----------
    ratio
        A run is worth keeping when it took more than `ratio` checks.
    """

    __slots__ = ("_cheap_runs", "_dear_runs", "_ratio")

    def __init__(self, ratio: float) -> None:
        self._ratio = ratio
        self._cheap_runs = 0
        self._dear_runs = 0

    @property
    def refused(self) -> bool:
        """Whether the statement's last runs were all cheaper than keeping them."""
        return self._cheap_runs >= TRIALS

    @property
    def promising(self) -> bool:
        """Whether the last run was dear."""
        return self._dear_runs > 0

    def measure(self, nanoseconds: int, check: int) -> bool:
        """Take note of a run that took `nanoseconds`, where a check takes `check`.

        Returns
        -------
        Whether its result is worth keeping.
        """
        threshold = self._ratio * check
        if nanoseconds <= threshold:
            self._cheap_runs += 1
            self._dear_runs = 0
            return False
        self._cheap_runs = 0
        self._dear_runs += 1
        return self._dear_runs > 2 or nanoseconds > SURE * threshold

    def retry(self) -> None:
        """Let the next run be measured again."""
        self._cheap_runs = TRIALS - 1
