"""Values spelled out, so that two are equal only when they are the same to a program: 1, 1.0 and True differ."""

from __future__ import annotations

import re
import sqlite3
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def spelled(value: Any) -> Any:
    """The value with the type of everything in it."""
    if isinstance(value, sqlite3.Row):
        return "Row", value.keys(), [spelled(cell) for cell in value]
    if isinstance(value, dict):
        return type(value).__name__, [(spelled(key), spelled(cell)) for key, cell in value.items()]
    if isinstance(value, (list, tuple)):
        return type(value).__name__, [spelled(cell) for cell in value]
    return type(value).__name__, repr(value)


def outcome(call: Callable[..., Any], *arguments: Any) -> Any:
    """What the call returns, spelled out, or the exception that it raises."""
    try:
        return spelled(call(*arguments))
    except Exception as error:
        return "raised", type(error).__name__, re.sub(r"thread id \d+", "thread id", str(error))


def answer(cursor: Any) -> Any:
    """The rows that a cursor has left, and the names of its columns."""
    return [column[0] for column in cursor.description or ()], cursor.fetchall()
