"""Progress and tables: with rich on a terminal where it is installed, in plain text everywhere else."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import TextIO


class Progress(Protocol):
    """Shows how far something has come."""

    def __call__(self, title: str, done: int, total: int) -> None:
        """`done` of `total` steps of `title` are done."""


@contextmanager
def progress_display() -> Iterator[Progress]:
    """Progress on the standard error, which leaves the output clean."""
    if _has_rich(sys.stderr):
        with _rich_progress() as show:
            yield show
    else:
        yield _PlainProgress(sys.stderr)


def _has_rich(stream: TextIO) -> bool:
    return stream.isatty() and find_spec("rich") is not None


@contextmanager
def _rich_progress() -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import Progress as Bars

    with Bars(console=Console(stderr=True), transient=True) as bars:
        tasks: dict[str, Any] = {}

        def show(title: str, done: int, total: int) -> None:
            if title not in tasks:
                tasks[title] = bars.add_task(title)
            bars.update(tasks[title], completed=done, total=total)

        yield show


class _PlainProgress:
    """A line that is written over on a terminal; elsewhere a line for each tenth."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._shown = ("", -1)

    def __call__(self, title: str, done: int, total: int) -> None:
        tenth = done * 10 // max(total, 1)
        if (title, tenth) == self._shown:
            return
        self._shown = title, tenth
        end = "\r" if self._stream.isatty() and done < total else "\n"
        print(f"{title} {done}/{total}", end=end, file=self._stream, flush=True)


def print_table(headers: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> None:
    """Print a table on the standard output; the first `left` columns are text, the others are numbers."""
    if _has_rich(sys.stdout):
        _rich_table(headers, rows, left)
    else:
        print("\n".join(_plain_lines(headers, rows, left)))


def _rich_table(headers: Sequence[str], rows: Sequence[Sequence[str]], left: int) -> None:
    from rich.console import Console
    from rich.table import Table

    shown = Table()
    for place, header in enumerate(headers):
        shown.add_column(header, justify="left" if place < left else "right", no_wrap=place >= left)
    for row in rows:
        shown.add_row(*row)
    Console().print(shown)


def _plain_lines(headers: Sequence[str], rows: Sequence[Sequence[str]], left: int) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(headers, *rows, strict=True)]
    for row in (headers, ["-" * width for width in widths], *rows):
        cells = (
            cell.ljust(w) if place < left else cell.rjust(w)
            for place, (cell, w) in enumerate(zip(row, widths, strict=True))
        )
        yield "  ".join(cells).rstrip()
