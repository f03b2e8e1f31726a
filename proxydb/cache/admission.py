"""Which reads are worth keeping: those that cost clearly more than the check that keeping them needs."""

from __future__ import annotations

TRIALS = 3
"""How many cheap runs in a row show that a statement is not worth keeping."""

RETRIAL = 1000
"""After how many executions a statement is measured again, kept or not: data grow and shrink, parameters differ."""

FIRST_RETRIAL = 15
"""After how many answers one is measured again that is kept for runs near the threshold; each time twice as many."""

ENOUGH = 5
"""How many dear runs in a row show that a statement near the threshold is worth keeping."""

CLEAR = 10
"""Two runs in a row this many times over the threshold are enough."""

SURE = 200
"""One run this many times over the threshold is enough: an interruption hardly takes that long."""


UNUSED = 30
"""How many results in a row have to be kept and not asked for to show that a statement hardly asks the same twice."""

REST = 30
"""For how many executions such a statement is then left alone."""


class Admission:
    """What is known of the cost of one statement, from the runs that were measured.

    A single run may look dearer than it is: the first one compiles the statement and reads cold pages, any one may be
    interrupted. Nothing makes a run look cheaper, so it is the cheapest of the last runs that counts.

    Parameters
    ----------
    ratio
        A run is worth keeping when it took more than `ratio` checks.

    Attributes
    ----------
    retrial
        After how many answers from memory the statement is to be run and measured again.
    """

    __slots__ = ("_cheap_runs", "_clear_runs", "_dear_runs", "_kept_in_vain", "_ratio", "retrial")

    def __init__(self, ratio: float) -> None:
        self._ratio = ratio
        self._cheap_runs = self._dear_runs = self._clear_runs = self._kept_in_vain = 0
        self.retrial = FIRST_RETRIAL

    @property
    def in_vain(self) -> bool:
        """Whether the last results were all kept and not asked for."""
        return self._kept_in_vain >= UNUSED and self._ratio > 0

    def kept(self, *, used: bool) -> None:
        """Take note that a result is kept, and whether one was asked for since the one before it was."""
        self._kept_in_vain = 0 if used else self._kept_in_vain + 1

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
            self._dear_runs = self._clear_runs = 0
            self.retrial = FIRST_RETRIAL
            return False
        is_clear = nanoseconds > CLEAR * threshold
        self._cheap_runs = 0
        self._dear_runs += 1
        self._clear_runs = self._clear_runs + 1 if is_clear else 0
        self.retrial = RETRIAL if is_clear else min(2 * self.retrial, RETRIAL)
        return self._dear_runs >= ENOUGH or self._clear_runs > 1 or nanoseconds > SURE * threshold

    def retry(self) -> None:
        """Let the next run be measured again."""
        self._cheap_runs = TRIALS - 1
