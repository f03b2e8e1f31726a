"""Table-format metadata, such as Delta Lake logs, kept in a SQL database.

>>> import proxydb.lake
>>> with proxydb.lake.open(":memory:") as lake:
...     lake.tables()
()
"""

from __future__ import annotations

from proxydb.lake import errors
from proxydb.lake.commit import Commit
from proxydb.lake.conflicts import Reads
from proxydb.lake.lake import Lake
from proxydb.lake.lake import open_lake as open
from proxydb.lake.operations import OPERATIONS, Operation
from proxydb.lake.pruning.expression import Expression, col
from proxydb.lake.pruning.prune import PrunedFiles, PruneReport
from proxydb.lake.ranges import ParameterRanges
from proxydb.lake.reports import (
    Change,
    DayGrowth,
    FileAction,
    HistoryEntry,
    Metadata,
    PartitionTotals,
    TableEntry,
    TableTotals,
    Totals,
    VacuumCandidate,
)
from proxydb.lake.snapshot import File, Protocol, Snapshot
from proxydb.lake.synthetic import write_delta_log
from proxydb.lake.table import Table
from proxydb.lake.views import Promoted

__all__ = [
    "OPERATIONS",
    "Change",
    "Commit",
    "DayGrowth",
    "Expression",
    "File",
    "FileAction",
    "HistoryEntry",
    "Lake",
    "Metadata",
    "Operation",
    "ParameterRanges",
    "PartitionTotals",
    "Promoted",
    "Protocol",
    "PruneReport",
    "PrunedFiles",
    "Reads",
    "Snapshot",
    "Table",
    "TableEntry",
    "TableTotals",
    "Totals",
    "VacuumCandidate",
    "col",
    "errors",
    "open",
    "write_delta_log",
]
