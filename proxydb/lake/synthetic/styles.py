"""What kinds of synthetic tables there are, and how often each kind of commit occurs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Style:
    """A kind of table.

    Parameters
    ----------
    name
        What its tables are called.
    partition_columns
        Any of ``"date"``, ``"region"`` and ``"city"``, in order; regions and cities have NULLs, and spaces, slashes,
        percent signs and letters that paths spell percent-encoded.
    files_per_commit
        How many files an append adds on average.
    missing_statistics
        The share of files without statistics.
    clustered
        Whether files hold narrow ranges of `event_id`; without clustering every file spans most of them.
    deletion_vectors
        Whether rows are deleted by deletion vectors; otherwise files are rewritten.
    """

    name: str
    partition_columns: tuple[str, ...]
    files_per_commit: int
    missing_statistics: float
    clustered: bool
    deletion_vectors: bool


EVENTS = Style("events", ("date",), 40, 0.02, clustered=True, deletion_vectors=True)
STYLES = (
    EVENTS,
    Style("orders", ("date", "region"), 8, 0.05, clustered=True, deletion_vectors=True),
    Style("sessions", (), 3, 0.0, clustered=False, deletion_vectors=True),
    Style("places", ("city",), 20, 0.3, clustered=False, deletion_vectors=False),
)

# The share of each kind of commit. What is not possible yet, on an empty table for one, is an append instead.
COMMIT_SHARES = {
    "append": 0.86,
    "delete_rows": 0.035,
    "rewrite": 0.035,
    "compact": 0.03,
    "compute_statistics": 0.012,
    "drop_partition": 0.005,
    "restore": 0.008,
    "evolve": 0.01,
    "cluster": 0.005,
}
"""`restore` takes the table back to what it was some versions ago, `compute_statistics` adds files again without a
remove, `evolve` changes schema and properties, `cluster` the clustering columns in the domain metadata."""

SAME_TIMESTAMP = 0.03
"""The share of commits that carry the timestamp of the one before."""
LATE_FILES = 0.2
"""The share of files whose rows belong to one of the days before."""
NULL_DATES = 0.004
NAN_BOUNDS = 0.02
ALL_NULL = 0.02
TRUNCATED = 32
"""Characters to which Delta's writers cut the bounds of strings; a greatest value that was cut ends in U+007F."""
