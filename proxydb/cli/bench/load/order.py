"""What a worker process is told, as JSON on its command line, and what it tells at its end."""

from __future__ import annotations

import json
import pickle
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from proxydb.cli.bench.load.latencies import Latencies
from proxydb.cli.bench.load.mix import PHASES, Phase

if TYPE_CHECKING:
    from proxydb.lake import ParameterRanges

SIDES = ("raw", "proxied")


class Slot(NamedTuple):
    """A stretch of time: which side is asked, and in which phase."""

    side: str
    phase: Phase


def slots(turns: int) -> list[Slot]:
    """The stretches in order; the sides take turns in being first."""
    order = [SIDES[:: -1 if turn % 2 else 1] for turn in range(turns)]
    return [Slot(side, phase) for sides in order for phase in PHASES for side in sides]


@dataclass(frozen=True, slots=True)
class Order:
    """What a worker has to do.

    Parameters
    ----------
    target, system
        The database.
    board, ranges
        The files of the shared numbers and of the tables' ranges.
    turns
        How often the phases come.
    readers, committers, external
        How many threads of each kind it has; those of the last one go past the proxy always.
    first_reader, first_writer, clients, writers
        The number of its first reader and its first writer, and how many there are in all processes.
    commits
        How many commits a second the committers of all processes make together, without those past the proxy.
    long_tail
        Whether hardly any read comes twice.
    seed
        Where chance starts.
    """

    target: str
    system: str
    board: str
    ranges: str
    turns: int
    readers: int
    committers: int
    external: int
    first_reader: int
    first_writer: int
    clients: int
    writers: int
    commits: float
    long_tail: bool
    seed: int

    def to_json(self) -> str:
        """As a text."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Order:
        """From a text."""
        return cls(**json.loads(text))

    def read_ranges(self) -> tuple[ParameterRanges, ...]:
        """What parameters are drawn from, for each table; from a file that the same run has written."""
        found: tuple[ParameterRanges, ...] = pickle.loads(Path(self.ranges).read_bytes())
        return found


@dataclass(slots=True)
class Counts:
    """What happened on one side in one phase.

    Parameters
    ----------
    reads, commits
        How long they took.
    conflicts
        Commits that somebody else was faster than, and that were computed again.
    lock_errors
        Statements that the database refused because of locks.
    checked
        Reads that were held against the floor.
    violations
        Reads that the database could not have answered so, in words.
    """

    reads: Latencies = field(default_factory=Latencies)
    commits: Latencies = field(default_factory=Latencies)
    conflicts: int = 0
    lock_errors: int = 0
    checked: int = 0
    violations: list[str] = field(default_factory=list)

    def merge(self, other: Counts) -> None:
        """Add what happened elsewhere."""
        self.reads.merge(other.reads)
        self.commits.merge(other.commits)
        self.conflicts += other.conflicts
        self.lock_errors += other.lock_errors
        self.checked += other.checked
        self.violations += other.violations


class Sample(NamedTuple):
    """A read that is asked again when nobody writes any more.

    Parameters
    ----------
    side, number, table, parameters
        What was asked.
    digest
        What tells its rows.
    floor, ceiling
        The oldest and the newest version that it may have been answered from.
    """

    side: str
    number: str
    table: int
    parameters: Any
    digest: str
    floor: int
    ceiling: int


@dataclass(slots=True)
class Told:
    """What a worker tells at its end.

    Parameters
    ----------
    counts
        By side and name of the phase.
    samples
        Reads that can be asked again.
    hits, misses
        What the proxy counted.
    """

    counts: dict[tuple[str, str], Counts] = field(default_factory=dict)
    samples: list[Sample] = field(default_factory=list)
    hits: int = 0
    misses: int = 0

    def merge(self, other: Told) -> None:
        """Add what another worker tells."""
        for key, counts in other.counts.items():
            self.counts.setdefault(key, Counts()).merge(counts)
        self.samples += other.samples
        self.hits += other.hits
        self.misses += other.misses
