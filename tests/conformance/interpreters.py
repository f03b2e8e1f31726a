"""The Python interpreters of this machine, one for each supported version, and how proxydb is imported in them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import requires
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

SUPPORTED = ("3.11", "3.12", "3.13")
PROBE = """
import sys, importlib.util
import sqlite3
has_suite = importlib.util.find_spec("test") and importlib.util.find_spec("test.test_sqlite3")
print("%d.%d" % sys.version_info[:2], "yes" if has_suite else "no")
"""


class Interpreter(NamedTuple):
    """An interpreter, and whether CPython's own sqlite3 suite came with it."""

    version: str
    path: str
    has_suite: bool

    def run(self, script: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run `script` with these variables added to the environment."""
        return subprocess.run(
            [self.path, "-P", str(script), *arguments],
            capture_output=True,
            text=True,
            check=False,
            env=os.environ | environment,
        )


def find_interpreters() -> list[Interpreter]:
    """One for each supported version, if possible one that has the suite; the running one goes first."""
    found: dict[str, Interpreter] = {}
    for path in _paths():
        candidate = _probe(path)
        if candidate is None or candidate.version not in SUPPORTED:
            continue
        if candidate.version not in found or candidate.has_suite > found[candidate.version].has_suite:
            found[candidate.version] = candidate
    return sorted(found.values())


def _paths() -> Iterator[str]:
    yield sys.executable
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    for version in SUPPORTED:
        yield from map(str, sorted(pyenv.glob(f"versions/{version}.*/bin/python")))
        if on_path := shutil.which(f"python{version}"):
            yield on_path


def _probe(path: str) -> Interpreter | None:
    """None for what does not start, such as a pyenv shim of a version that is not selected, or has no sqlite3."""
    answer = subprocess.run([path, "-c", PROBE], capture_output=True, text=True, check=False)
    if answer.returncode:
        return None
    version, has_suite = answer.stdout.split()
    return Interpreter(version, path, has_suite == "yes")


def lay_out_packages(directory: Path) -> Path:
    """Copy proxydb and what it needs at run time to where any interpreter can import it, and nothing else with it."""
    for package in ("proxydb", *_runtime_dependencies()):
        spec = find_spec(package)
        assert spec is not None and spec.origin is not None, f"{package} is not installed"
        source = Path(spec.origin)
        if source.name == "__init__.py":
            shutil.copytree(source.parent, directory / package, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, directory)
    return directory


def _runtime_dependencies() -> list[str]:
    required = [line for line in requires("proxydb") or [] if "extra ==" not in line]
    return [re.split(r"[^A-Za-z0-9_.-]", line)[0].replace("-", "_") for line in required]
