"""A table of the lake: its head and its snapshots."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from proxydb.lake import queries
from proxydb.lake.errors import UnknownTable, UnknownVersion
from proxydb.lake.ranges import read_ranges
from proxydb.lake.snapshot import read_snapshot

if TYPE_CHECKING:
    from proxydb.lake.ranges import ParameterRanges
    from proxydb.lake.session import Session
    from proxydb.lake.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Table:
    """A table of a lake; get one from `Lake.table` or `Lake.import_delta`.

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
        rows = self.session.rows(queries.HEAD_VERSION, table_id=self.table_id)
        if not rows:
            raise UnknownTable(f"the table {self.name!r} has been removed from the lake")
        return int(rows[0][0])

    def snapshot(self, version: int | None = None) -> Snapshot:
        """The table at a version.

        Parameters
        ----------
        version
            The version; the newest by default.

        Raises
        ------
        proxydb.lake.errors.UnknownVersion
            There is no such version; the message names those that there are.

        References
        ----------
        Delta PROTOCOL: Action Reconciliation.
        """
        return read_snapshot(self.session, self.table_id, self.version if version is None else self._existing(version))

    def parameter_ranges(self) -> ParameterRanges:
        """What the parameters of `proxydb.lake.OPERATIONS` are drawn from; costs one snapshot, so keep the result."""
        return read_ranges(self.session, self.table_id, self.snapshot())

    def _existing(self, version: int) -> int:
        [(first, last, _, _)] = self.session.rows(queries.HISTORY_RANGE, table_id=self.table_id)
        if not first <= version <= last:
            raise UnknownVersion(f"the table {self.name!r} has versions {first} to {last}, not {version}")
        return version
