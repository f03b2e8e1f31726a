"""SQLAlchemy's dialects through proxydb: the URLs ``sqlite+proxydb://`` and ``postgresql+proxydb://``.

They are found by their entry points; there is nothing to import. Options stand in the URL (``?proxydb_slow_ms=100``)
or in `connect_args`.
"""

from __future__ import annotations

from importlib.util import find_spec

from proxydb.errors import MissingExtra

if find_spec("sqlalchemy") is None:
    raise MissingExtra.named("sqlalchemy", "proxydb.sqlalchemy")
