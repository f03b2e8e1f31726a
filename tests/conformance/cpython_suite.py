"""Run CPython's own sqlite3 suite and write each test's outcome as JSON: ``cpython_suite.py raw|proxied OUTPUT``.

It runs in an interpreter of its own, because the suite takes `sqlite3` from `sys.modules`.
"""

from __future__ import annotations

import json
import sys
import unittest
from typing import Any


class Outcomes(unittest.TestResult):
    """What became of each test, by its id; a failed sub-test fails its test."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.by_id: dict[str, str] = {}
        self.details: dict[str, str] = {}

    def startTest(self, test: Any) -> None:
        super().startTest(test)
        self.by_id[test.id()] = "passed"

    def addSkip(self, test: Any, reason: str) -> None:
        self.by_id[test.id()] = "skipped"

    def addExpectedFailure(self, test: Any, err: Any) -> None:
        self.by_id[test.id()] = "failed as expected"

    def addUnexpectedSuccess(self, test: Any) -> None:
        self.by_id[test.id()] = "passed unexpectedly"

    def addFailure(self, test: Any, err: Any) -> None:
        self._fail(test, err)

    def addError(self, test: Any, err: Any) -> None:
        self._fail(test, err)

    def addSubTest(self, test: Any, subtest: Any, err: Any) -> None:
        if err is not None:
            self._fail(test, err)

    def _fail(self, test: Any, err: Any) -> None:
        self.by_id[test.id()] = "failed"
        self.details[test.id()] = self._exc_info_to_string(err, test)


def swap() -> None:
    """Make ours what ``import sqlite3`` finds."""
    import proxydb.sqlite3 as ours

    sys.modules["sqlite3"] = sys.modules["sqlite3.dbapi2"] = ours


def keep_databases() -> list[Any]:
    """A list that every `Database` of this process joins, so that its counters can be read at the end."""
    from proxydb.database import Database

    databases: list[Any] = []
    make = Database.__init__

    def make_and_keep(self: Any, *args: Any, **kwargs: Any) -> None:
        make(self, *args, **kwargs)
        databases.append(self)

    Database.__init__ = make_and_keep  # type: ignore[method-assign]
    return databases


def run(which: str) -> dict[str, Any]:
    """The suite's outcomes on the standard library's module (``raw``) or on ours (``proxied``)."""
    databases = []
    if which == "proxied":
        swap()
        databases = keep_databases()
    import sqlite3

    with sqlite3.connect(":memory:") as connection:
        kind = f"{type(connection).__module__}.{type(connection).__qualname__}"
    connection.close()
    outcomes = Outcomes()
    unittest.defaultTestLoader.loadTestsFromName("test.test_sqlite3").run(outcomes)
    hits = sum(database.stats().hits for database in databases)
    return {"connection": kind, "outcomes": outcomes.by_id, "details": outcomes.details, "hits": hits}


if __name__ == "__main__":
    report = run(sys.argv[1])
    with open(sys.argv[2], "w", encoding="utf-8") as output:
        json.dump(report, output)
