"""Profiles this process for the `proxydb run` that started it, or a process before it.

Its snapshot is written when it ends, before it becomes another program, when SIGUSR1 asks for it, and now and then
while it executes statements, since a process that is killed writes nothing.
"""

from __future__ import annotations

import atexit
import json
import os
import signal
import threading
from contextlib import suppress
from pathlib import Path
from time import monotonic, time_ns
from typing import Any

from proxydb.dbapi.instrument import call_before, install
from proxydb.observe.profile import profiling
from proxydb.spool import ASK, LISTENING, OPTIONS, SNAPSHOT, VARIABLE, begun

_SOON, _SELDOM = 0.1, 2.0
"""Seconds between the first two files of a process, and between later ones; they double from one to the other."""

_SHARE = 50
"""How many times longer than writing a file it takes to the next one at least."""


class Writer:
    """One process, which writes its snapshot into the directory.

    Parameters
    ----------
    directory
        The directory of the spool.
    runner
        The process id of `proxydb run`.
    """

    def __init__(self, directory: Path, runner: int) -> None:
        self._directory = directory
        self._runner = runner
        self._profile = profiling.start()
        self._profile.on_tick = self._write_now_and_then
        self._begin()
        self.write()
        atexit.register(self.end)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._begin)

    def _begin(self) -> None:
        """A process begins, with a name that no other has had.

        One that was forked does not say that it listens before it executes a statement: it may be about to become
        another program, which SIGUSR1 would end.
        """
        self._name = f"{os.getpid()}-{time_ns()}"
        self._writing = threading.Lock()
        self._pause = _SOON
        self._profile.next_tick = 0.0

    def listen(self) -> None:
        """Write when SIGUSR1 comes, unless the application has a use for it."""
        with suppress(ValueError):  # not the main thread
            if signal.getsignal(signal.SIGUSR1) is signal.SIG_DFL:
                signal.signal(signal.SIGUSR1, self._asked)
        self._say_whether_it_listens()

    def _say_whether_it_listens(self) -> None:
        with suppress(OSError):
            if signal.getsignal(signal.SIGUSR1) == self._asked:
                self._path(LISTENING).write_text(begun(os.getpid()))
            else:
                self._path(LISTENING).unlink(missing_ok=True)

    def _asked(self, _number: int, _frame: Any) -> None:
        self.write()
        if not (self._directory / ASK).exists():  # somebody asked this process, and means all of them
            with suppress(OSError):
                os.kill(self._runner, signal.SIGUSR1)

    def _write_now_and_then(self) -> None:
        started = monotonic()
        self.write()
        self._profile.next_tick = monotonic() + max(self._pause, _SHARE * (monotonic() - started))
        self._pause = min(2 * self._pause, _SELDOM)
        self._say_whether_it_listens()

    def end(self) -> None:
        """The process ends, or becomes another program."""
        self.write()
        with suppress(OSError):
            self._path(LISTENING).unlink()

    def write(self) -> None:
        """Write the snapshot; a fault must not reach the application."""
        if not self._writing.acquire(blocking=False):
            return
        try:
            text = json.dumps(self._profile.snapshot())
            unfinished = self._path("unfinished")
            unfinished.write_text(text, encoding="utf-8")
            os.replace(unfinished, self._path(SNAPSHOT))
        except Exception:  # the directory is gone, the disk is full: the report does without
            pass
        finally:
            self._writing.release()

    def _path(self, suffix: str) -> Path:
        return self._directory / f"{self._name}.{suffix}"


def start() -> None:
    """Begin to profile this process for the `proxydb run` that has started it, or one of its parents.

    Called when a driver is loaded for the first time.
    """
    from dataclasses import replace

    from proxydb.config import Config

    directory = Path(os.environ[VARIABLE])
    options = json.loads((directory / OPTIONS).read_text(encoding="utf-8"))
    install(replace(Config.from_environment(), **options["config"]), quiet=options["report"])
    if not options["report"]:
        profiling.stop()
        return
    writer = Writer(directory, options["pid"])
    writer.listen()
    for name in ("_exit", "execv", "execve"):
        call_before(os, name, writer.end)
