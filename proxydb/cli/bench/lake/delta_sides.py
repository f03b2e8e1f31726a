"""The package `deltalake` beside the databases: on opening the log, opening one with a checkpoint, and already open."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from proxydb.cli.bench.lake.delta_questions import QUESTIONS, version_asked
from proxydb.cli.bench.lake.timing import timed
from proxydb.lake.statement import marker_names
from proxydb.lake.synthetic import SyntheticTable, write_log

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from proxydb.cli.bench.lake.sides import Rows
    from proxydb.lake import Operation, ParameterRanges
    from proxydb.lake.synthetic import TablePlan


@contextmanager
def delta_sides(plan: TablePlan, ranges: ParameterRanges) -> Iterator[DeltaSides | None]:
    """The sides of a table, in a temporary directory; none where `deltalake` or `pyarrow` is not installed."""
    if not all(find_spec(name) for name in ("deltalake", "pyarrow")):
        yield None
        return
    with TemporaryDirectory(prefix="proxydb-bench-") as directory:
        yield DeltaSides(Path(directory), plan, ranges)


class DeltaSides:
    """A synthetic table as two logs, without and with a checkpoint, and as a table that stays open.

    Parameters
    ----------
    directory
        Where the logs are written.
    plan
        The table.
    ranges
        Those of the same table in the lake.
    """

    def __init__(self, directory: Path, plan: TablePlan, ranges: ParameterRanges) -> None:
        log = write_log(directory / "log", SyntheticTable(plan))
        checkpoint = Path(shutil.copytree(log, directory / "checkpoint"))
        _opened(checkpoint).create_checkpoint()
        self._ranges = ranges
        self._logs = {"delta_cold": log, "delta_checkpoint": checkpoint}
        self._open = _opened(log)

    def can_tell(self, operation: Operation) -> bool:
        """Whether the operation can be asked of `deltalake`."""
        return operation.number in QUESTIONS

    def runs(self, operation: Operation) -> dict[str, Callable[[str, Any], tuple[Rows, float]]]:
        """For each side what answers the operation's parameters, with the time in ms."""

        def run(open_table: Callable[[int | None], Any]) -> Callable[[str, Any], tuple[Rows, float]]:
            return lambda _sql, parameters: timed(self._asked(operation, parameters, open_table))

        opening = {side: run(partial(_opened, log)) for side, log in self._logs.items()}
        return {**opening, "delta_warm": run(self._kept_open)}

    def same(self, operation: Operation, rows: Rows) -> Rows:
        """The lake's rows as `deltalake` answers."""
        return QUESTIONS[operation.number].same(rows)

    def _asked(self, operation: Operation, parameters: Any, open_table: Callable[[int | None], Any]) -> Any:
        values = dict(zip(marker_names(operation.sql), parameters, strict=True))
        ask, version = QUESTIONS[operation.number].ask, version_asked(operation.number, values)
        return lambda: ask(open_table(version), self._ranges, values)

    def _kept_open(self, version: int | None) -> Any:
        """The table that stays open; to look at an older version it has to be opened anew."""
        return self._open if version is None else _opened(self._logs["delta_cold"], version)


def _opened(log: Path, version: int | None = None) -> Any:
    from deltalake import DeltaTable

    return DeltaTable(log, version=version)
