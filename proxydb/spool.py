"""The directory of one `proxydb run`: options for its processes, and the snapshots that they leave.

Each process writes its own file, whole, under its own name.
"""

from __future__ import annotations

import json
import os
import signal
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

VARIABLE = "PROXYDB_RUN"
"""The environment's variable that names the directory."""

OPTIONS, ASK, SNAPSHOT, LISTENING = "options.json", "ask", "snapshot", "listening"
"""The file of options; the one that is there while snapshots are asked for; the suffixes of a process's files."""

_PATIENCE, _PAUSE = 2.0, 0.01


class Spool:
    """The directory, as `proxydb run` sees it.

    Parameters
    ----------
    directory
        An empty directory.
    options
        What the processes are told: `config`, options of connections; `report`, whether there will be one; and `pid`,
        the process id of `proxydb run`.
    """

    def __init__(self, directory: Path, options: dict[str, Any]) -> None:
        self._directory = directory
        (directory / OPTIONS).write_text(json.dumps(options), encoding="utf-8")

    def snapshots(self) -> Iterator[dict[str, Any]]:
        """What the processes have written last."""
        for path in sorted(self._directory.glob(f"*.{SNAPSHOT}")):
            with suppress(OSError, ValueError):
                yield json.loads(path.read_text(encoding="utf-8"))

    def refresh(self) -> None:
        """Let the processes that listen write what they have counted until now, and wait for them, but not for long."""
        ask = self._directory / ASK
        ask.touch()
        try:
            asked = [path for path in self._directory.glob(f"*.{LISTENING}") if _ask(path)]
            answers = [path.with_suffix(f".{SNAPSHOT}") for path in asked]
            deadline = monotonic() + _PATIENCE
            while not all(_is_newer(path, ask) for path in answers) and monotonic() < deadline:
                sleep(_PAUSE)
        finally:
            ask.unlink()


def _ask(listening: Path) -> bool:
    """Send SIGUSR1 to the process that listens, unless it is gone and another has its number."""
    pid = int(listening.stem.partition("-")[0])
    try:
        if listening.read_text() != begun(pid):
            return False
        os.kill(pid, signal.SIGUSR1)
    except OSError:
        return False
    return True


def begun(pid: int) -> str:
    """When a process began, in ticks of the kernel's clock; empty where that is not told (https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return ""


def _is_newer(path: Path, other: Path) -> bool:
    try:
        return path.stat().st_mtime_ns >= other.stat().st_mtime_ns
    except OSError:
        return False
