"""Markers become the placeholders of either driver."""

from __future__ import annotations

from proxydb.lake.statement import bind, render

TEXT = "SELECT a % 2 FROM t WHERE b = :b AND c BETWEEN :low AND :b"


def test_sqlite_gets_question_marks() -> None:
    """Each marker becomes a question mark."""
    assert render(TEXT, "sqlite") == "SELECT a % 2 FROM t WHERE b = ? AND c BETWEEN ? AND ?"


def test_postgres_gets_percent_s() -> None:
    """Each marker becomes %s, and a percent sign is doubled."""
    assert render(TEXT, "postgresql") == "SELECT a %% 2 FROM t WHERE b = %s AND c BETWEEN %s AND %s"


def test_values_follow_the_markers() -> None:
    """A value is repeated as often as its marker."""
    assert bind(TEXT, {"low": 1, "b": 2, "unused": 3}) == (2, 1, 2)
