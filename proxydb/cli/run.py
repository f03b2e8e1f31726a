"""Run a command and report what its Python processes ask of SQLite and Postgres.

The application is left as it is: `connect` of `sqlite3` and of psycopg opens connections that record what they
execute, in the command's process and in those that it starts. When it ends, and when proxydb is sent SIGUSR1, there is
a report on the standard error, or in a file. The exit status is the command's.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from proxydb.cli.output_file import output_file
from proxydb.spool import VARIABLE, Spool

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxydb.observe.report import ProfileReport

SLOW_MS = 100.0
_BOOTSTRAP = Path(__file__).parents[1] / "bootstrap"
_NOT_FOUND, _NOT_RUN = 127, 126
_STANDARD_OUTPUT = "-"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `proxydb run`."""
    parser.add_argument(
        "--cache",
        choices=("off", "strict"),
        default="off",
        help="whether repeated reads are answered from memory, never stale, or every statement is only recorded (off)",
    )
    parser.add_argument(
        "--slow-ms",
        type=_milliseconds,
        default=SLOW_MS,
        metavar="MS",
        help=f"a statement that takes longer is reported with its plan; 0 for none ({SLOW_MS:g})",
    )
    parser.add_argument(
        "--report",
        type=_file,
        metavar="FILE",
        help="write the report into a file: .html, .json or .txt; - for the output",
    )
    parser.add_argument("--no-report", action="store_true", help="record nothing; for --cache")
    parser.add_argument("--json", action="store_true", help="report as JSON")
    parser.add_argument(
        "command",
        nargs=argparse.REMAINDER,
        metavar="COMMAND",
        help="after --: a program with its arguments, app.py or -m module",
    )


def _milliseconds(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of milliseconds")
    return number


def _file(text: str) -> str:
    if text != _STANDARD_OUTPUT:
        output_file(text)
        from proxydb.observe.report import writer_for

        try:
            writer_for(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None
    return text


def run(arguments: argparse.Namespace) -> int:
    """Run the command; its exit status."""
    command = _command(arguments.command)
    if not command:
        return _complain("there is no command: proxydb run [options] -- python app.py", 2)
    if not hasattr(os, "posix_spawnp"):
        return _complain("error: run needs a POSIX system, such as Linux or macOS", 2)
    from proxydb.cli.child import Child, end_like  # only now: elsewhere there are no such signals

    with TemporaryDirectory(prefix="proxydb-run-") as directory:
        spool = Spool(Path(directory), _options(arguments))
        try:
            child = Child(command, _environment(directory))
        except OSError as error:
            status = _NOT_FOUND if isinstance(error, FileNotFoundError) else _NOT_RUN
            return _complain(f"error: {command[0]}: {error.strerror}", status)
        report = _Reporter(arguments, spool)
        status = child.wait(asked=report.now, before_end=spool.refresh)
        report.at_end()
    return end_like(status)


def _command(words: list[str]) -> list[str]:
    """The program and its arguments; a script or ``-m module`` is for this Python."""
    words = words[1:] if words[:1] == ["--"] else words
    if words and (words[0] == "-m" or (words[0].endswith(".py") and not os.access(words[0], os.X_OK))):
        return [sys.executable, *words]
    return words


def _options(arguments: argparse.Namespace) -> dict[str, Any]:
    """What the processes are told."""
    record = "off" if arguments.no_report else "default"
    config = {"cache": arguments.cache, "record": record, "slow_ms": arguments.slow_ms, "log_parameters": False}
    return {"config": config, "report": not arguments.no_report, "pid": os.getpid()}


def _environment(directory: str) -> dict[str, str]:
    """The variables of this process, with those that let Python processes find the spool."""
    path = os.environ.get("PYTHONPATH")
    return {
        **os.environ,
        VARIABLE: directory,
        "PYTHONPATH": f"{_BOOTSTRAP}{os.pathsep}{path}" if path else str(_BOOTSTRAP),
    }


class _Reporter:
    """Makes the report, as often as it is asked for."""

    def __init__(self, arguments: argparse.Namespace, spool: Spool) -> None:
        from proxydb.observe.report import ProfileReport, writer_for  # only now, while the command is at work

        self._file: str | None = arguments.report
        self._wanted = not arguments.no_report
        self._write: Callable[[ProfileReport], str] = str
        self._report = ProfileReport.of
        if arguments.json:
            self._write = ProfileReport.to_json
        elif self._file not in (None, _STANDARD_OUTPUT):
            self._write = writer_for(self._file or "")
        self._spool = spool

    def now(self) -> None:
        """A report of what was counted until now, while the command goes on."""
        if self._wanted:
            self._spool.refresh()
            self._show()

    def at_end(self) -> None:
        """The report of all."""
        if self._wanted:
            self._show()

    def _show(self) -> None:
        snapshots = list(self._spool.snapshots())
        text = self._write(self._report(snapshots))
        if not snapshots:
            _say("no Python process of the command has loaded sqlite3 or psycopg where proxydb is installed")
        if self._file == _STANDARD_OUTPUT:
            print(text, end="", flush=True)
        elif self._file is None:
            print(text if text.startswith("{") else f"\nproxydb: {text}", end="", file=sys.stderr, flush=True)
        else:
            self._save(self._file, text)

    @staticmethod
    def _save(file: str, text: str) -> None:
        try:
            Path(file).write_text(text, encoding="utf-8")
        except OSError as error:
            _say(f"error: the report cannot be written: {error}")
        else:
            _say(f"the report is in {file}")


def _say(message: str) -> None:
    print(f"proxydb: {message}", file=sys.stderr, flush=True)


def _complain(message: str, status: int) -> int:
    _say(message)
    return status
