"""A table of the lake: its snapshots, what the metadata operations say of it, and commits to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Any

from proxydb.errors import ProgrammingError
from proxydb.lake import queries, reports
from proxydb.lake.commit import commit_on_top, commit_version
from proxydb.lake.conflicts import Reads
from proxydb.lake.errors import UnknownTable, UnknownVersion
from proxydb.lake.json_paths import partition_expressions
from proxydb.lake.pruning.prune import described_at, named_zone, prune, understood
from proxydb.lake.ranges import read_ranges
from proxydb.lake.snapshot import physical_name, read_files, read_protocol, read_snapshot

if TYPE_CHECKING:
    from collections.abc import Iterable

    from proxydb.lake.commit import Commit
    from proxydb.lake.conflicts import Isolation
    from proxydb.lake.prepared import Action
    from proxydb.lake.pruning.expression import Expression
    from proxydb.lake.pruning.prune import PrunedFiles
    from proxydb.lake.ranges import ParameterRanges
    from proxydb.lake.session import Session
    from proxydb.lake.snapshot import File, Protocol, Snapshot

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Table:
    """A table of a lake; get one from `Lake.table`, `Lake.create_table` or `Lake.import_delta`.

    Versions are counted as the log counts them; where one may be given, None means the newest. An unknown version
    raises `proxydb.lake.errors.UnknownVersion`, whose message names those that there are.

    Parameters
    ----------
    table_id
        Its key in the tables ``dl_*``.
    name
        Its name, unique in the lake.
    location
        Where its data files lie; relative paths of files start there.
    """

    session: Session = field(repr=False, compare=False)
    table_id: int
    name: str
    location: str

    @property
    def version(self) -> int:
        """The newest version, read from the database at every use."""
        rows = self._rows(queries.HEAD_VERSION)
        if not rows:
            raise UnknownTable(f"the table {self.name!r} has been removed from the lake")
        return int(rows[0][0])

    def snapshot(self, version: int | None = None, *, timestamp: datetime | int | None = None) -> Snapshot:
        """The table at a version, or at the newest version that was committed at or before a time.

        Parameters
        ----------
        version
            The version.
        timestamp
            Instead of a version, a time: a `datetime` with a time zone, or ms since the epoch.

        References
        ----------
        Delta PROTOCOL: Action Reconciliation.
        """
        if timestamp is not None:
            if version is not None:
                raise ProgrammingError("give snapshot() a version or a timestamp, not both")
            version = self.version_at(timestamp)
        return read_snapshot(self.session, self.table_id, self._existing(version))

    def version_at(self, timestamp: datetime | int) -> int:
        """The newest version that was committed at or before a time.

        Parameters
        ----------
        timestamp
            A `datetime` with a time zone, or ms since the epoch.
        """
        moment = _milliseconds(timestamp)
        [(found,)] = self._rows(queries.VERSION_AT_TIME, timestamp=moment)
        if found is None:
            [(first, _, begin, _)] = self._rows(queries.HISTORY_RANGE)
            raise UnknownVersion(
                f"the table {self.name!r} has no version as old as {_iso(moment)}: "
                f"version {first} was committed at {_iso(begin)}"
            )
        return int(found)

    def files(self, version: int | None = None) -> tuple[File, ...]:
        """The active files, sorted by path and deletion-vector id."""
        return read_files(self.session, self.table_id, self._existing(version))

    def totals(self, version: int | None = None) -> reports.Totals:
        """Number and bytes of the active files."""
        if version is None:
            return reports.Totals(*self._rows(queries.COUNT_AND_BYTES_AT_HEAD)[0])
        return reports.Totals(*self._rows(queries.COUNT_AND_BYTES_AT_VERSION, version=self._existing(version))[0])

    def metadata(self, version: int | None = None) -> reports.Metadata:
        """Schema, partition columns and properties."""
        if version is None:
            return reports.metadata(self._rows(queries.METADATA_AT_HEAD)[0])
        return reports.metadata(self._rows(queries.METADATA_AT_VERSION, version=self._existing(version))[0])

    def protocol(self, version: int | None = None) -> Protocol:
        """What the table asks of readers and writers."""
        return read_protocol(self.session, self.table_id, self._existing(version))

    def domain_metadata(self, version: int | None = None) -> dict[str, str]:
        """Domain → configuration, without removed domains."""
        return dict(self._rows(queries.DOMAINS_AT_VERSION, version=self._existing(version)))

    def transaction_version(self, application: str) -> int | None:
        """The version that an application recorded last; None when it has recorded none."""
        rows = self._rows(queries.TRANSACTION_AT_HEAD, app_id=application)
        return int(rows[0][0]) if rows else None

    def prune_files(
        self,
        predicate: str | Expression,
        version: int | None = None,
        *,
        time_zone: str | tzinfo = UTC,
        nan_free: bool = False,
    ) -> PrunedFiles:
        """The active files that may hold a row for which a predicate is true.

        A file is left out only when its partition values or statistics show that it holds no such row; whatever is not
        known or not understood keeps it.

        Parameters
        ----------
        predicate
            What could stand after WHERE, in SQL: strings in single quotes, odd names in double quotes, fields of
            structs with dots. Or an expression of `proxydb.lake.col`.
        version
            The version.
        time_zone
            The zone, or its IANA name, of times in the predicate that have none, where the column's have one.
        nan_free
            Whether the table holds no NaN. Writers leave NaN out of minima and maxima, while databases sort it above
            all numbers, so that ``x > 5`` on a float prunes nothing unless this is True.

        Raises
        ------
        proxydb.lake.errors.PredicateError
            The predicate cannot be parsed, or names a column that the table does not have; or there is no such zone.

        References
        ----------
        Delta PROTOCOL: Per-file Statistics, Partition Value Serialization.
        """
        expression, version = understood(predicate), self._existing(version)
        zone = named_zone(time_zone) if isinstance(time_zone, str) else time_zone
        described = described_at(self.session, self.table_id, version, zone, nan_free)
        return prune(self.session, self.table_id, version, expression, described)

    def history(self, limit: int = 20) -> tuple[reports.HistoryEntry, ...]:
        """The last `limit` versions, newest first."""
        return tuple(map(reports.history_entry, self._rows(queries.HISTORY_LIMITED, limit=limit)))

    def changes(self, since: int, until: int | None = None) -> tuple[reports.Change, ...]:
        """The file actions of the versions after `since` up to `until`, version by version, removes first."""
        span = {"since": self._existing(since), "until": self._existing(until)}
        return tuple(map(reports.change, self._rows(queries.CHANGES, **span)))

    def actions_of(self, path: str) -> tuple[reports.FileAction, ...]:
        """Every add and remove of a path, as the log spells it, oldest first."""
        return tuple(reports.FileAction(*row) for row in self._rows(queries.ACTIONS_OF_PATH, path=path))

    def partitions(self) -> tuple[reports.PartitionTotals, ...]:
        """Files and bytes of each partition, the largest first."""
        return self._per_partition(queries.BYTES_PER_PARTITION)

    def small_files(self, threshold: int = 32 * 1024 * 1024) -> tuple[reports.PartitionTotals, ...]:
        """Partitions with more than one file below `threshold` bytes, those with most first; only such files count."""
        return self._per_partition(queries.SMALL_FILES, threshold=threshold)

    def growth(self) -> tuple[reports.DayGrowth, ...]:
        """Files and bytes of new data for each UTC day on which there was some."""
        return tuple(map(reports.day_growth, self._rows(queries.GROWTH_PER_DAY)))

    def vacuum_candidates(self, before: datetime | int) -> tuple[reports.VacuumCandidate, ...]:
        """Data files that no active file needs and whose last removal is older than a time.

        Parameters
        ----------
        before
            The end of the retention, which Delta keeps for a week by default: a `datetime` with a time zone, or ms
            since the epoch. A removal without a time counts as old, as it does for Delta.

        References
        ----------
        Delta PROTOCOL: Add File and Remove File (tombstones).
        """
        rows = self._rows(queries.VACUUM_CANDIDATES, cutoff=_milliseconds(before))
        return tuple(reports.VacuumCandidate(*row) for row in rows)

    def commit(self, actions: Iterable[Action], expected_version: int) -> Commit:
        """Commit the version after `expected_version`; see `Lake.commit`."""
        return commit_version(self, actions, expected_version)

    def commit_rebased(
        self,
        actions: Iterable[Action],
        read_version: int,
        *,
        reads: Reads | None = None,
        isolation: Isolation | None = None,
    ) -> Commit:
        """Commit on top of whatever was committed since `read_version`; see `Lake.commit_rebased`."""
        return commit_on_top(self, actions, read_version, reads or Reads(), isolation)

    def parameter_ranges(self) -> ParameterRanges:
        """What the parameters of `proxydb.lake.OPERATIONS` are drawn from; costs one snapshot, so keep the result."""
        return read_ranges(self.session, self.table_id, self.snapshot())

    def _rows(self, text: str, **values: Any) -> list[tuple[Any, ...]]:
        return self.session.rows(text, table_id=self.table_id, **values)

    def _per_partition(self, text: str, **values: Any) -> tuple[reports.PartitionTotals, ...]:
        metadata = self.metadata()
        columns = [physical_name(metadata.schema, name) for name in metadata.partition_columns]
        text = text.replace("{partitions}", ", ".join(partition_expressions(columns, self.session.system)))
        rows = self._rows(text, **values)
        return tuple(reports.partition_totals(metadata.partition_columns, row) for row in rows)

    def _existing(self, version: int | None) -> int:
        if version is None:
            return self.version
        found = self._rows(queries.HISTORY_RANGE)
        if not found:
            raise UnknownTable(f"the table {self.name!r} has been removed from the lake")
        [(first, last, _, _)] = found
        if not first <= version <= last:
            raise UnknownVersion(f"the table {self.name!r} has versions {first} to {last}, not {version}")
        return version


def _milliseconds(moment: datetime | int) -> int:
    if isinstance(moment, int):
        return moment
    if moment.tzinfo is None:
        raise ProgrammingError(f"the time {moment} has no time zone: give it one, such as datetime.UTC")
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def _iso(milliseconds: int) -> str:
    return (_EPOCH + timedelta(milliseconds=milliseconds)).isoformat(timespec="milliseconds")
