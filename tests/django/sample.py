"""Runs the sample application's checks with one of Django's back ends, raw or proxied, in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from psycopg.conninfo import conninfo_to_dict

if TYPE_CHECKING:
    from tests.postgres_server import PostgresServer
    from tests.sqlite_files import SqliteFiles

SITE = Path(__file__).parent / "site"
ADMIT_ALL = {"admission": 0}
_TIMEOUT = 300


class Record(NamedTuple):
    """What `recording.RecordingRunner` wrote: outcomes and notes by test, and proxydb's counters."""

    outcomes: dict[str, str]
    notes: dict[str, list[str]]
    counters: dict[str, int]


def settings_for(system: SqliteFiles | PostgresServer, directory: Path) -> dict[str, Any]:
    """Django's settings of a database on this system, but for the engine; its checks run in a database of their own."""
    settings: dict[str, Any] = {"ATOMIC_REQUESTS": True}
    if system.name == "sqlite":
        fast = {"init_command": "PRAGMA synchronous = OFF"}
        return settings | {
            "NAME": str(directory / "app.db"),
            "TEST": {"NAME": str(directory / "test.db")},
            "OPTIONS": fast,
        }
    told = conninfo_to_dict(system.dsn())  # type: ignore[union-attr]
    where = {key.upper(): str(told[key]) for key in ("user", "password", "host", "port") if told.get(key)}
    test = f"proxydb_django_{os.getpid()}"
    return settings | where | {"NAME": told["dbname"], "TEST": {"NAME": test}, "OPTIONS": {}}


def run(settings: dict[str, Any], engine: str, options: dict[str, Any], record: Path, *arguments: str) -> Record:
    """Run checks; what makes the run itself fail, a warning too, is an error here."""
    database = settings | {"ENGINE": engine, "OPTIONS": settings["OPTIONS"] | options}
    environment = os.environ | {
        "DATABASE": json.dumps(database),
        "DJANGO_SETTINGS_MODULE": "settings",
        "PYTHONPATH": os.pathsep.join((str(SITE), str(SITE.parents[2]))),
        "RECORD": str(record),
    }
    command = [
        sys.executable,
        "-W",
        "error",
        "-m",
        "django",
        "test",
        "--pattern",
        "check_*.py",
        "--noinput",
        *arguments,
    ]
    done = subprocess.run(
        command, cwd=SITE, env=environment, capture_output=True, text=True, timeout=_TIMEOUT, check=False
    )
    assert record.exists(), f"the checks did not run:\n{done.stdout}\n{done.stderr}"
    found = Record(**json.loads(record.read_text(encoding="utf-8")))
    bad = {test: outcome for test, outcome in found.outcomes.items() if outcome in ("failed", "error")}
    assert done.returncode == 0 and not bad, f"{engine}: {bad}\n{done.stderr}"
    return found
