"""The command as a process: the installed script, Ctrl-C, a terminal, a closed pipe."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest

COMMAND = [sys.executable, "-m", "proxydb.cli"]
SMALL = ["demo", "--scale", "300", "--repeat", "2"]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """The process's environment, with a temporary directory of its own."""
    return os.environ | {"TMPDIR": str(tmp_path), "PYTHONIOENCODING": "utf-8"}


def test_the_installed_script(environment: dict[str, str]) -> None:
    """The script that the installation makes runs the demo."""
    script = Path(sysconfig.get_path("scripts"), "proxydb")
    done = subprocess.run([script, *SMALL], capture_output=True, text=True, env=environment, check=False, timeout=120)
    assert (done.returncode, "stale or different: 0" in done.stdout) == (0, True)


def heed_interrupts() -> None:
    """What a shell starts in the background ignores SIGINT, and so would its children."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_ctrl_c(tmp_path: Path, environment: dict[str, str]) -> None:
    """Ctrl-C ends the demo with status 130, one line, and no files left."""
    command = [*COMMAND, "demo", "--scale", "20000", "--repeat", "1000"]
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **pipes, env=environment, preexec_fn=heed_interrupts) as process:  # noqa: PLW1509
        assert process.stderr is not None
        assert "importing" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err.splitlines()[-1]) == (130, "", "proxydb: interrupted")
    assert ("Traceback" in err, list(tmp_path.iterdir())) == (False, [])


def test_a_closed_pipe(sqlite_path: Path, environment: dict[str, str]) -> None:
    """A reader that goes away early, as `head` does, is no error."""
    reading, writing = os.pipe()
    os.close(reading)
    command = [*COMMAND, "explain", "SELECT 1", "--target", str(sqlite_path)]
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, env=environment, check=False, timeout=60)
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")
def test_a_terminal(environment: dict[str, str]) -> None:
    """On a terminal there is a drawn table."""
    shown = in_terminal([*COMMAND, *SMALL], environment | {"TERM": "xterm", "COLUMNS": "160"})
    assert ("┏━━━━━┳" in shown, "stale or different: 0" in shown) == (True, True)


def in_terminal(command: list[str], environment: dict[str, str]) -> str:
    """What a command shows on a terminal of its own."""
    import pty

    ours, theirs = pty.openpty()
    with subprocess.Popen(command, stdout=theirs, stderr=theirs, stdin=theirs, env=environment) as process:
        os.close(theirs)
        shown = b""
        while chunk := read(ours):
            shown += chunk
    os.close(ours)
    assert process.returncode == 0
    return shown.decode()


def read(terminal: int) -> bytes:
    """The next bytes; nothing when the other side is closed, which Linux tells by an error."""
    try:
        return os.read(terminal, 65536)
    except OSError:
        return b""
