"""Django's test runner, which writes down what became of each test, what it saw, and what proxydb counted meanwhile."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.db import connection
from django.test.runner import DiscoverRunner, iter_test_cases

if TYPE_CHECKING:
    from unittest import TestResult, TestSuite

NOTES: dict[str, list[str]] = {}
"""What each test has seen, by its id."""


class RecordingRunner(DiscoverRunner):
    """Writes a record to the file that the variable RECORD names: outcomes and notes by test, and counters."""

    def run_suite(self, suite: TestSuite, **kwargs: Any) -> TestResult:
        tests = [test.id() for test in iter_test_cases(suite)]
        result: TestResult = super().run_suite(suite, **kwargs)
        record = {"outcomes": dict.fromkeys(tests, "passed") | _worse(result), "notes": NOTES, "counters": _counters()}
        Path(os.environ["RECORD"]).write_text(json.dumps(record), encoding="utf-8")
        return result


def _worse(result: TestResult) -> dict[str, str]:
    """The outcomes of the tests that did not simply pass."""
    groups = {"skipped": result.skipped, "failed": result.failures, "error": result.errors}
    return {test.id(): outcome for outcome, group in groups.items() for test, _ in group}


def _counters() -> dict[str, int]:
    """What proxydb has counted since the database was first opened; nothing where the driver is raw."""
    connection.ensure_connection()
    database = getattr(connection.connection, "proxydb", None)
    if database is None:
        return {}
    stats = database.stats()
    return {"hits": stats.hits, "misses": stats.misses, "statements": stats.statements}
