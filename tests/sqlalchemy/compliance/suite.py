"""SQLAlchemy's compliance suite, whole."""

from __future__ import annotations

from typing import Any

import sqlalchemy.testing.suite
from sqlalchemy.testing.suite import *  # noqa: F403 - the suite's classes are collected from here


class ServerSideCursorsTest(sqlalchemy.testing.suite.ServerSideCursorsTest):
    """The suite tells a server-side cursor by the driver's name, of which it knows only SQLAlchemy's own."""

    def _is_server_side(self, cursor: Any) -> bool:
        return bool(getattr(cursor, "name", False) or getattr(cursor, "server_side", False))
