"""Runs SQLAlchemy's compliance suite in an interpreter of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tests.junit import outcomes

if TYPE_CHECKING:
    from sqlalchemy import URL

PROJECT = Path(__file__).parents[3]
SUITE = Path(__file__).with_name("suite.py")
PLUGINS = ("sqlalchemy.testing.plugin.pytestplugin", "tests.sqlalchemy.compliance.plugin")
QUIET = ("-q", "--tb=no", "--no-header", "--noconftest", "-p", "no:cacheprovider", "-p", "no:randomly")
IGNORED = ("Computed column", "Module already imported", "Unknown pytest.mark")
SETTINGS = """
[sqla_testing]
requirement_cls = tests.sqlalchemy.compliance.requirements:{requirements}
profile_file = {directory}/profiles.txt
"""


class Run(NamedTuple):
    """What became of the suite's tests, and how many statements and hits proxydb counted meanwhile."""

    outcomes: dict[str, str]
    statements: int
    hits: int


def run(url: URL, requirements: str, directory: Path, *options: str, **environment: str) -> Run:
    """Run the suite once in an empty directory.

    Parameters
    ----------
    url
        The database, whose contents are the suite's.
    requirements
        The class in `requirements` that says what it may require.
    options, environment
        Options of our plug-in, and variables such as ``PROXYDB_ADMISSION``.
    """
    (directory / "setup.cfg").write_text(SETTINGS.format(requirements=requirements, directory=directory))
    report, counts = directory / "report.xml", directory / "counts.json"
    plugins = [part for plugin in PLUGINS for part in ("-p", plugin)]
    warnings = [part for message in IGNORED for part in ("-W", f"ignore:{message}")]
    address = url.render_as_string(hide_password=False)
    places = [f"--rootdir={directory}", "-c", "setup.cfg", f"--junitxml={report}", f"--counts={counts}"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *QUIET, *plugins, *warnings, *places, f"--dburi={address}", *options, SUITE],
        cwd=directory,
        env=os.environ | {"PYTHONPATH": str(PROJECT)} | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if not counts.exists():
        raise RuntimeError(f"the suite did not run:\n{done.stdout}\n{done.stderr}")
    return Run(without_database(outcomes(report)), **json.loads(counts.read_text()))


def without_database(found: dict[str, str]) -> dict[str, str]:
    """The outcomes by names that are the same for each driver; the suite's classes bear the database's."""
    return {f"{test.partition('_')[0]}::{test.partition('::')[2]}": outcome for test, outcome in found.items()}
