"""What became of each test of a pytest run, from its JUnit report."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree

if TYPE_CHECKING:
    from pathlib import Path


def outcomes(report: Path) -> dict[str, str]:
    """``passed``, ``failure``, ``error`` or ``skipped`` for each test, by its class and name."""
    found = {}
    for case in ElementTree.parse(report).iter("testcase"):
        results = [child.tag for child in case if child.tag in ("failure", "error", "skipped")]
        found[f"{case.get('classname')}::{case.get('name')}"] = results[0] if results else "passed"
    return found
