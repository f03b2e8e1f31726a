"""What a SQLite connection's settings are, and whether they let anything be served on it."""

from __future__ import annotations

import sqlite3 as driver
from typing import Any, Final

from proxydb.drivers.sqlite.analysis import INLINED

_SETTINGS: Final = (
    "SELECT 'a' LIKE 'A'",  # case_sensitive_like has no question of its own
    "PRAGMA reverse_unordered_selects",
    "PRAGMA full_column_names",
    "PRAGMA short_column_names",
    "PRAGMA trusted_schema",
)
_OWN_FUNCTIONS: Final = "SELECT DISTINCT lower(name) FROM pragma_function_list WHERE NOT builtin"
_SETTINGS_NUMBERS: Final[dict[Any, int]] = {}
_OBSTACLES: Final = (
    ("SELECT count(*) FROM sqlite_temp_master", "temporary tables, views or triggers on this connection"),
    ("PRAGMA read_uncommitted", "read_uncommitted is on"),
)


class Settings:
    """The settings of one connection, read again after a statement that may have changed them.

    Parameters
    ----------
    detect_types
        The connection's own option of that name.
    private
        Why nothing may be served on this connection; empty when it may.

    Attributes
    ----------
    functions
        Names of the functions that the application defined.
    obstacle
        Why nothing may be served with the settings of now; empty when it may.
    reason
        Why the last question of the executor was answered with no.
    unsettled
        Whether the settings have to be read again.
    """

    __slots__ = ("_detect_types", "_hindrances", "_settings", "functions", "obstacle", "private", "reason", "unsettled")

    def __init__(self, detect_types: int, private: str) -> None:
        self._detect_types = detect_types
        self._hindrances = {"": private} if private else {}
        self.private = private
        self.reason = ""
        self.obstacle = ""
        self.functions: set[str] = set()
        self.unsettled = True
        self._settings = -1

    def hinder(self, name: str, reason: str) -> None:
        """Serve nothing on this connection because of `name`; an empty reason takes that back."""
        self._hindrances[name] = reason
        self.private = next(filter(None, self._hindrances.values()), "")

    def _settle(self, connection: driver.Connection) -> None:
        """Read again what a statement of unknown effect may have changed: settings, temporary objects, attachments."""
        execute = driver.Cursor(connection).execute
        try:
            settings = tuple(execute(question).fetchone() for question in _SETTINGS)
            obstacles = [reason for question, reason in _OBSTACLES if execute(question).fetchone()[0]]
            self.functions = {name for (name,) in execute(_OWN_FUNCTIONS).fetchall()}
            obstacles += ["a built-in function is replaced on this connection"] * bool(self.functions & INLINED)
            databases = {name for _, name, _ in execute("PRAGMA database_list").fetchall()}
        except driver.Error:
            self.obstacle = "its settings cannot be read now"
            return
        if databases - {"main", "temp"}:
            obstacles.append("attached databases on this connection")
        self._settings = _SETTINGS_NUMBERS.setdefault((settings, self._detect_types), len(_SETTINGS_NUMBERS))
        self.obstacle = obstacles[0] if obstacles else ""
        self.unsettled = False
