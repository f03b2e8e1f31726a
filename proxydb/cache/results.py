"""Results in memory: entries, the byte budget that they share, and the flights that fill them."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from cachetools import LRUCache

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

ENTRY_OVERHEAD = 512
"""Bytes that an entry takes beside its rows: its key, its label, its place in the table."""

_USES = 7
"""An entry is moved in the queue of the least recently used at its first use, and then at every eighth."""


class Entry:
    """One result: what a statement gave at a label.

    Parameters
    ----------
    rows
        The rows, in the form in which the driver part keeps them.
    label
        The state of the database that they were read at.
    reads
        The tables that they were read from.
    size
        Bytes of memory that they take.
    """

    __slots__ = ("label", "reads", "rows", "size", "uses")

    def __init__(self, rows: Any, label: Any, reads: frozenset[str], size: int) -> None:
        self.rows = rows
        self.label = label
        self.reads = reads
        self.size = size + ENTRY_OVERHEAD
        self.uses = 0


class ResultCache:
    """The entries of one database, least recently used first out, within a budget of bytes.

    A hit looks into a plain table and takes no lock; its entry is moved to the end of the queue once in some uses.

    Parameters
    ----------
    capacity
        The budget, in bytes.
    """

    def __init__(self, capacity: int) -> None:
        self._lock = threading.Lock()
        self._entries = _Evicting(capacity)
        self._flights: dict[Hashable, Flight] = {}
        self.fills = 0

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def size(self) -> int:
        """Bytes in use."""
        return int(self._entries.currsize)

    @property
    def capacity(self) -> int:
        """Bytes that may be in use."""
        return int(self._entries.maxsize)

    @property
    def evictions(self) -> int:
        """How many entries had to make room for others."""
        return self._entries.evictions

    def find(self, key: Hashable) -> Entry | None:
        """The entry under `key`, whatever its label."""
        entry = self._entries.index.get(key)
        if entry is not None:
            entry.uses += 1
            if entry.uses & _USES == 1:
                self._touch(key)
        return entry

    def _touch(self, key: Hashable) -> None:
        with self._lock:
            self._entries.get(key)

    def store(self, key: Hashable, entry: Entry) -> None:
        """Keep `entry`, in the place of one with the same key; one that is larger than the budget is not kept."""
        if entry.size > self._entries.maxsize:
            return
        with self._lock:
            self._entries[key] = entry
            self.fills += 1

    def drop(self, key: Hashable) -> None:
        """Forget the entry under `key`, if there is one."""
        with self._lock:
            self._entries.pop(key, None)

    def clear(self) -> None:
        """Forget every entry."""
        with self._lock:
            self._entries.clear()

    def join(self, key: Hashable, *, blocking: bool = True) -> Flight | None:
        """The flight in which somebody else is filling `key`; none when the caller has just become its pilot.

        Parameters
        ----------
        key
            What is to be filled.
        blocking
            Whether the caller would wait for a flight without letting its thread do anything else: then there is none
            whose pilot is this same thread, perhaps as another task of its event loop.
        """
        mine = Flight(self._flights, key)
        flight = self._flights.setdefault(key, mine)
        return None if flight is mine or (blocking and flight.pilot == mine.pilot) else flight

    def land(self, key: Hashable) -> None:
        """The fill of `key` ended, whether or not it stored something; who waits goes on."""
        flight = self._flights.pop(key, None)
        if flight is not None:
            flight.land()

    def reset_locks(self) -> None:
        """After a fork: other threads, their locks and their flights are not here, and the labels are new."""
        self._lock = threading.Lock()
        self._flights = {}
        self.clear()


class Flight:
    """A fill under way, so that threads and tasks which miss the same key run its statement once.

    Parameters
    ----------
    under_way, key
        All flights, and where this one is among them.
    """

    __slots__ = ("_key", "_under_way", "_waiting", "landed", "pilot")

    def __init__(self, under_way: dict[Hashable, Flight], key: Hashable) -> None:
        self._under_way = under_way
        self._key = key
        self.pilot = threading.get_ident()
        self.landed = threading.Event()
        self._waiting: list[Callable[[], object]] = []

    def land(self) -> None:
        """Let everybody go on who waits."""
        self.landed.set()
        for call in self._waiting:
            call()

    def wait(self, seconds: float) -> None:
        """Wait until it has landed; one that takes longer is given up."""
        if not self.landed.wait(seconds):
            self.give_up()

    def give_up(self) -> None:
        """Let nobody else wait for it: it takes long, or its pilot was interrupted before it could land."""
        if self._under_way.get(self._key) is self:
            self._under_way.pop(self._key, None)

    def when_landed(self, call: Callable[[], object]) -> None:
        """Have `call` called, in whatever thread, once it has landed; perhaps twice."""
        self._waiting.append(call)
        if self.landed.is_set():
            call()


class _Evicting(LRUCache[Any, Entry]):
    """cachetools' least-recently-used cache, sized by its entries' bytes, that counts what it evicts."""

    def __init__(self, capacity: int) -> None:
        super().__init__(capacity, getsizeof=lambda entry: entry.size)
        self.evictions = 0
        self.index: dict[Any, Entry] = {}

    def __setitem__(self, key: Any, entry: Entry) -> None:
        super().__setitem__(key, entry)
        self.index[key] = entry

    def __delitem__(self, key: Any) -> None:
        super().__delitem__(key)
        self.index.pop(key, None)

    def clear(self) -> None:
        evictions = self.evictions
        super().clear()
        self.evictions = evictions  # older cachetools clears by `popitem`
        self.index.clear()

    def popitem(self) -> tuple[Any, Entry]:
        self.evictions += 1
        return super().popitem()
