"""Where the log of a table lies on this machine."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import unquote, urlsplit

from proxydb.lake.errors import NotADeltaTable


def local_directory(path: str | os.PathLike[str]) -> Path:
    """The absolute directory that a path or a ``file://`` URL names.

    Raises
    ------
    proxydb.lake.errors.NotADeltaTable
        The URL is of another kind.
    """
    text = os.fspath(path)
    scheme = urlsplit(text).scheme if "://" in text else ""
    if scheme not in ("", "file"):
        raise NotADeltaTable(f"only local directories hold a log here, not {scheme}:// URLs: copy the _delta_log")
    return Path(unquote(urlsplit(text).path) if scheme else text).absolute()
