"""The tests that come with aiosqlite pass on the drop-in."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_aiosqlites_own_suite() -> None:
    """Every test passes, or is skipped where it is skipped on aiosqlite."""
    command = [sys.executable, "-m", "tests.conformance.aiosqlite_suite"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, int(re.findall(r"^Ran (\d+) tests", done.stderr, re.M)[0]) > 20) == (0, True), done.stderr
