"""Lets SQLAlchemy's testing plug-in provision databases for our dialects as it does for its own."""

from __future__ import annotations

import sqlalchemy.dialects.postgresql.provision  # noqa: F401 - importing it registers what it does
from sqlalchemy.dialects.sqlite.provision import _drivernames

_drivernames.update({"proxydb", "proxydb_async"})
