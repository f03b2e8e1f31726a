"""Run psycopg's own test suite on psycopg and on the drop-in, and list the tests that pass on psycopg only.

The suite comes with psycopg's sources and in no package, so it is given as a checkout of the release's tag:

    python -m tests.conformance.psycopg_suite --checkout ~/psycopg-3.3.9
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from typing import NamedTuple

from tests.junit import outcomes
from tests.postgres_search import find_all
from tests.postgres_server import Cluster

PROJECT = Path(__file__).parents[2]
SWAP = ("-p", "psycopg_swap")
NO_NETWORK = "not multi_hosts_each_message and not resolve_error_host"
"""The tests that connect to addresses which are not this machine's are left out."""

SHORT = ("adapt", "client_cursor", "connection", "copy", "cursor", "default_cursor", "notify", "pipeline", "prepared")
SHORT += ("raw_cursor", "rows", "server_cursor", "sql", "tpc", "transaction", "typing")


class Comparison(NamedTuple):
    """What became of the suite's tests, as `tests.junit` tells it."""

    raw: dict[str, str]
    proxied: dict[str, str]

    @property
    def worse(self) -> list[str]:
        """The tests that pass on psycopg and not on ours."""
        return [test for test, outcome in self.raw.items() if outcome == "passed" != self.proxied.get(test)]


def compare(python: Path, checkout: Path, dsn: str, whole: bool) -> Comparison:
    """Run the suite twice with this interpreter, in which psycopg, proxydb and pytest are installed."""
    files = [str(checkout / "tests")] if whole else short_selection(checkout / "tests")
    return Comparison(_run(python, checkout, dsn, files), _run(python, checkout, dsn, [*SWAP, *files]))


def short_selection(tests: Path) -> list[str]:
    """The files on the synchronous classes whose statements go through proxydb."""
    named = [path for path in sorted(tests.glob("test_*.py")) if path.stem.removeprefix("test_").startswith(SHORT)]
    return [str(path) for path in named if not path.stem.endswith("_async")]


def _run(python: Path, checkout: Path, dsn: str, arguments: list[str]) -> dict[str, str]:
    with tempfile.TemporaryDirectory() as directory:
        report = Path(directory, "report.xml")
        options = ["-q", "--no-header", "-p", "no:randomly", "-o", f"cache_dir={directory}", f"--junitxml={report}"]
        command = [str(python), "-m", "pytest", *options, "-k", NO_NETWORK, f"--test-dsn={dsn}", *arguments]
        places = os.pathsep.join((str(Path(__file__).parent), str(PROJECT)))
        done = subprocess.run(
            command, cwd=checkout, env=os.environ | {"PYTHONPATH": places}, capture_output=True, text=True, check=False
        )
        if not report.exists():
            raise RuntimeError(f"the suite did not run:\n{done.stdout}\n{done.stderr}")
        return outcomes(report)


def version_of(checkout: Path) -> str:
    """The release that a checkout is of."""
    for name in ("pyproject.toml", "setup.cfg", "psycopg/version.py"):
        path = checkout / "psycopg" / name
        if path.exists() and (found := re.search(r'^(?:__)?version(?:__)? *= *"?(\d[\w.]*)', path.read_text(), re.M)):
            return found[1]
    raise SystemExit(f"{checkout} is not a checkout of psycopg")


def make_environment(directory: Path, version: str) -> Path:
    """A virtual environment with that release and the checkout's proxydb; its interpreter."""
    venv.create(directory, with_pip=True)
    python = directory / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    packages = (f"psycopg[binary,test]=={version}", str(PROJECT))
    subprocess.run([python, "-m", "pip", "install", "-q", *packages], check=True)
    return python


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkout", type=Path, required=True, help="a checkout of psycopg's sources at a release")
    parser.add_argument("--whole", action="store_true", help="every test, not only those of the synchronous classes")
    options = parser.parse_args()
    server = Cluster(find_all()[0])
    try:
        with tempfile.TemporaryDirectory() as directory, server.start().fresh_database() as dsn:
            python = make_environment(Path(directory), version_of(options.checkout))
            return _report(compare(python, options.checkout.resolve(), dsn, options.whole))
    finally:
        server.stop()


def _report(comparison: Comparison) -> int:
    for test in comparison.worse:
        print(f"passes on psycopg only: {test} ({comparison.proxied.get(test, 'not run')})")
    passed = [list(outcomes.values()).count("passed") for outcomes in comparison]
    print(f"{passed[0]} passed on psycopg, {passed[1]} on proxydb.psycopg, {len(comparison.worse)} on psycopg only")
    return 1 if comparison.worse or not passed[0] else 0


if __name__ == "__main__":
    sys.exit(main())
