"""Which labels are explained: what changed between two states of a database, as far as this process knows."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from proxydb.drivers.base import EVERYTHING

if TYPE_CHECKING:
    from collections.abc import Callable


class History:
    """The labels of one database, with the tables that the commits of this process changed.

    A label is an integer that grows with every commit. Where one commit of ours, and no other, leads from a label to
    the next, only the tables that it wrote have changed; any other step changes everything.

    Parameters
    ----------
    schema_version
        Tells the schema's version number; asked when something unexplained changed the database, before anybody
        else learns of the new label, since the tables that a statement reads may be others now.

    Attributes
    ----------
    generation
        Grows with every change of the schema; what was found out about a statement holds for one generation.
    """

    __slots__ = ("_changed", "_lock", "_schema", "_schema_version", "floor", "generation", "known")

    def __init__(self, schema_version: Callable[[], int]) -> None:
        self._schema_version = schema_version
        self._schema: int | None = None
        self.generation = 0
        self._lock = threading.Lock()
        self._changed: dict[str, int] = {}
        self.floor = 0
        self.known = 0

    def observe(self, label: int) -> None:
        """Take note of a label that was just read; if nobody explained the way to it, everything has changed."""
        if label > self.known:
            with self._lock:
                self._reach(label)

    def record(self, before: int, after: int, writes: frozenset[str]) -> None:
        """Take note that the commit of `writes`, and no other, led from label `before` to label `after`."""
        with self._lock:
            self._reach(before)
            if after <= self.known:
                return
            if writes is EVERYTHING:
                self._reach(after)
            else:
                self._changed.update(dict.fromkeys(writes, after))
                self.known = after

    def holds(self, label: int, reads: frozenset[str], now: int) -> bool:
        """Whether what was read from the tables `reads` at `label` is what they hold at label `now`."""
        changed = self._changed  # before the floor: `_reach` writes them in the other order
        if not self.floor <= label <= now:
            return False
        return label == now or all(changed.get(table, 0) <= label for table in reads)

    def reset_lock(self) -> None:
        """After a fork: a lock that another thread held is never released."""
        self._lock = threading.Lock()

    def _reach(self, label: int) -> None:
        if label > self.known:
            self._look_at_schema()
            self.floor = label
            self._changed = {}
            self.known = label

    def _look_at_schema(self) -> None:
        try:
            schema: int | None = self._schema_version()
        except Exception:  # whatever hinders the look: then it may have changed
            schema = None
        if schema is None or schema != self._schema:
            self.generation += 1
        self._schema = schema
