"""Which errors of the drivers say that locks stood in the way."""

from __future__ import annotations

_SQLITE = ("database is locked", "database table is locked", "database schema is locked")
_SQLSTATES = {"40001", "40P01", "55P03"}
"""Serialization failure, deadlock, lock not available (PostgreSQL manual, Appendix A)."""


def is_lock_error(error: Exception) -> bool:
    """Whether a statement was refused because of what others do at the same time."""
    return getattr(error, "sqlstate", None) in _SQLSTATES or str(error).startswith(_SQLITE)
