"""Drop-in for the standard library's `sqlite3`: every name of it, with connections that go through proxydb.

``from proxydb import sqlite3`` is the only line that changes. The real module is bound when this one is imported, so
putting this one into `sys.modules` in its place is safe.
"""

from __future__ import annotations

import sqlite3 as _driver
import sys as _sys
from sqlite3 import *  # noqa: F403 - a drop-in has every name of what it stands in for
from sqlite3 import dump  # the driver loads it when it is needed; then its names would no longer be the same

from proxydb.dbapi.sqlite import Connection, Cursor, connect  # type: ignore[no-redef]

globals().update({name: value for name, value in vars(_driver).items() if name not in globals()})

if hasattr(_driver, "__getattr__"):  # its deprecation warnings point at the caller, so it is taken over as it is
    __getattr__ = _driver.__getattr__

__path__ = _driver.__path__
__doc__ = _driver.__doc__
dbapi2 = _sys.modules[__name__]
