"""One synthetic table: a state machine whose every step is a commit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import TYPE_CHECKING, NamedTuple

from proxydb.lake.synthetic import bodies
from proxydb.lake.synthetic.active import ActiveFiles
from proxydb.lake.synthetic.new_files import NewFiles
from proxydb.lake.synthetic.styles import COMMIT_SHARES, EVENTS, SAME_TIMESTAMP, Style

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proxydb.lake.synthetic.bodies import Body
    from proxydb.lake.synthetic.files import DataFile, Key

START = int(datetime(2024, 1, 1, tzinfo=UTC).timestamp() * 1000)
DAY = 86_400_000
_OPTIMIZED_AT_MOST = 500
_RESTORED_AT_MOST = 8


@dataclass(frozen=True, slots=True)
class TablePlan:
    """What a synthetic table is going to be; equal plans make equal tables.

    Parameters
    ----------
    name
        Its name.
    style
        Its kind.
    commits
        How many versions it has.
    files_per_commit
        How many files an append adds on average; by default those of the style.
    days
        How many days its history covers.
    seed
        Where chance starts.
    """

    name: str = "events"
    style: Style = EVENTS
    commits: int = 200
    files_per_commit: int = 0
    days: int = 30
    seed: str = "0"


class SyntheticCommit(NamedTuple):
    """What a version holds.

    Parameters
    ----------
    version, timestamp
        Its number, and when it was made in ms since the epoch.
    info
        The body of its `commitInfo`.
    others
        Kind and body of the actions that are not about files.
    removes, adds
        Files, each with whether rows changed.
    """

    version: int
    timestamp: int
    info: Body
    others: list[tuple[str, Body]]
    removes: list[tuple[DataFile, bool]]
    adds: list[tuple[DataFile, bool]]


class SyntheticTable:
    """A table as it grows; what it knows of its files is the truth that readers of its log can be compared with.

    Parameters
    ----------
    plan
        What it is going to be.
    """

    def __init__(self, plan: TablePlan) -> None:
        self.plan = plan
        self.active = ActiveFiles()
        self._rng = Random(f"{plan.seed}/{plan.name}")
        self._files = NewFiles(self._rng, plan.style)
        self._mean = plan.files_per_commit or plan.style.files_per_commit
        self._clock = START
        self._evolved = 0
        self._clustered = False
        self._commit = self._new_commit(0)

    def commits(self) -> Iterator[SyntheticCommit]:
        """Every version in order, each made when it is asked for; to be gone through once."""
        kinds, shares = list(COMMIT_SHARES), list(COMMIT_SHARES.values())
        for version in range(self.plan.commits):
            self._commit = self._new_commit(version)
            [kind] = self._rng.choices(kinds, shares) if version else ["create"]
            operation, parameters = getattr(self, f"_{kind}")() or self._append()
            info = bodies.commit_info(self._rng, operation, parameters, self._clock)
            yield self._commit._replace(info=info)

    def _new_commit(self, version: int) -> SyntheticCommit:
        today = START + version * self.plan.days // self.plan.commits * DAY
        if version and self._rng.random() >= SAME_TIMESTAMP:
            self._clock = max(today, self._clock) + self._rng.randrange(1, 60_000)
        return SyntheticCommit(version, self._clock, {}, [], [], [])

    # Each kind of commit gives its operation and parameters, or nothing when it is not possible now.

    def _create(self) -> tuple[str, Body]:
        self._act("protocol", bodies.protocol(self.plan.style))
        self._act("metaData", bodies.metadata(self.plan.style, self.plan.name, 0, self._clock))
        self._add_new()
        return "CREATE TABLE AS SELECT", {}

    def _append(self) -> tuple[str, Body]:
        """New files, and the progress of the stream that wrote them."""
        version = self._commit.version
        self._act("txn", bodies.transaction(f"ingest-{version % 4}", version, self._clock))
        self._add_new()
        return "WRITE", {"mode": "Append"}

    def _delete_rows(self) -> tuple[str, Body] | None:
        """Some rows go: the same file with another deletion vector, or another file."""
        if not (keys := self._some(self._mean // 2 + 1)):
            return None
        for key in keys:
            old = self._remove(key)
            again = self._files.with_vector(old, self._clock) if self.plan.style.deletion_vectors else None
            self._add(again or self._files.rewritten([old], self._clock))
        return "DELETE", {"predicate": '["(amount < 1)"]'}

    def _rewrite(self) -> tuple[str, Body] | None:
        """Files are replaced by others with other rows."""
        if not (keys := self._some(self._mean // 5 + 1)):
            return None
        for key in keys:
            self._add(self._files.rewritten([self._remove(key)], self._clock))
        return "MERGE", {"predicate": '["(event_id = source.event_id)"]'}

    def _compact(self) -> tuple[str, Body] | None:
        """The files of one partition become one; no row changes."""
        keys = self._some(_OPTIMIZED_AT_MOST)
        if len(keys) < 2:
            return None
        olds = [self._remove(key, data_change=False) for key in keys]
        self._add(self._files.rewritten(olds, self._clock), data_change=False)
        return "OPTIMIZE", {"predicate": "[]"}

    def _compute_statistics(self) -> tuple[str, Body] | None:
        """Files are added again without a remove: only what the log says of them is new."""
        if not (keys := self._some(3)):
            return None
        for key in keys:
            self._add(self._files.described_again(self.active[key], self._clock, self._evolved), data_change=False)
        return "COMPUTE STATS", {}

    def _drop_partition(self) -> tuple[str, Body] | None:
        """The oldest partition goes, files and all."""
        if len(self.active.by_partition) < 3:
            return None
        for key in list(next(iter(self.active.by_partition.values()))):
            self._remove(key)
        return "DELETE", {"predicate": '["(retention)"]'}

    def _restore(self) -> tuple[str, Body] | None:
        """The files of an older version are active again, and no others."""
        target = self._commit.version - self._rng.randrange(2, _RESTORED_AT_MOST)
        if target < 0:
            return None
        now, then = self.active.at(self._commit.version), self.active.at(target)
        for key in sorted(now.keys() - then.keys()):
            self._remove(key)
        for key in sorted(then.keys() - now.keys()):
            self._add(then[key][0])
        return "RESTORE", {"version": str(target)}

    def _evolve(self) -> tuple[str, Body]:
        """A new column, and the properties that say so."""
        self._evolved += 1
        self._act("metaData", bodies.metadata(self.plan.style, self.plan.name, self._evolved, START))
        return "ADD COLUMNS", {}

    def _cluster(self) -> tuple[str, Body]:
        """Clustering columns are chosen, or given up."""
        self._clustered = not self._clustered
        self._act("domainMetadata", bodies.clustering(["event_id"] if self._clustered else None))
        return "CLUSTER BY", {}

    def _act(self, kind: str, body: Body) -> None:
        self._commit.others.append((kind, body))

    def _add_new(self) -> None:
        """About as many files as a commit has on average; sometimes a backfill of several times as many."""
        count = 1 + int(self._rng.expovariate(1 / (self._mean - 0.5)))
        for _ in range(count):
            self._add(self._files.new(self._clock, START, self._evolved))

    def _add(self, file: DataFile, *, data_change: bool = True) -> None:
        self.active.add(file, self._commit.version)
        self._commit.adds.append((file, data_change))

    def _remove(self, key: Key, *, data_change: bool = True) -> DataFile:
        file = self.active.remove(key, self._commit.version)
        self._commit.removes.append((file, data_change))
        return file

    def _some(self, count: int) -> list[Key]:
        """The keys of up to `count` files of one partition, mostly a recent one."""
        partitions = self.active.by_partition
        if not partitions:
            return []
        place = int(len(partitions) * self._rng.random() ** 0.25)
        files = list(partitions[list(partitions)[place]])
        return files[:count] if count >= len(files) else self._rng.sample(files, count)
