"""What is not there on every system is not asked for until it is needed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

_WITHOUT = """
import os, pkgutil, runpy, signal, sys
from importlib import import_module

import asyncio, sqlite3, subprocess, tempfile  # they know what their system has

for name in ("register_at_fork", "fork", "posix_spawn", "posix_spawnp", "getuid", "getloadavg"):
    delattr(os, name)
for name in dir(signal):
    kept = ("SIGABRT", "SIGFPE", "SIGILL", "SIGINT", "SIGSEGV", "SIGTERM", "SIG_DFL", "SIG_IGN")
    if (name.startswith("SIG") and name not in kept) or name in ("pthread_sigmask", "sigwait", "sigwaitinfo"):
        delattr(signal, name)
for name in ("fcntl", "grp", "pwd", "resource", "termios"):
    sys.modules[name] = None
"""
"""Takes away what Windows does not have."""

_IMPORT_ALL = """
import proxydb

for module in pkgutil.walk_packages(proxydb.__path__, "proxydb."):
    if not module.name.startswith(("proxydb.django", "proxydb.bootstrap", "proxydb.cli.child", "proxydb.cli.__main__")):
        import_module(module.name)
print("all")
"""

_COMMAND = """
sys.argv = ["proxydb", *{arguments!r}]
runpy.run_module("proxydb.cli", run_name="__main__")
"""


def _run_without(source: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", _WITHOUT + source],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[1],
    )


def test_imports() -> None:
    """Every module is imported where there are no POSIX signals and no fork, but for the one that needs them."""
    done = _run_without(_IMPORT_ALL)
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "all", "")


def test_help() -> None:
    """The command shows its help there."""
    done = _run_without(_COMMAND.format(arguments=["--help"]))
    assert done.returncode == 0, done.stderr
    assert "explain" in done.stdout


def test_run() -> None:
    """`proxydb run` says there that it cannot, and what it needs."""
    done = _run_without(_COMMAND.format(arguments=["run", "--", "app.py"]))
    assert (done.returncode, done.stderr) == (2, "proxydb: error: run needs a POSIX system, such as Linux or macOS\n")


def test_memory() -> None:
    """A database is read through proxydb there, from memory too."""
    done = _run_without(
        """
import proxydb

with tempfile.TemporaryDirectory() as directory:
    connection = proxydb.connect(directory + "/a.db", config=proxydb.Config(admission=0.0))
    connection.execute("CREATE TABLE t (a)")
    connection.execute("INSERT INTO t VALUES (1)")
    connection.commit()
    print([connection.execute("SELECT a FROM t").fetchall() for _ in range(3)], connection.proxydb.stats().hits > 0)
    connection.close()
"""
    )
    assert done.stdout.strip() == "[[(1,)], [(1,)], [(1,)]] True", done.stderr
