"""The questions that proxydb puts to a Postgres server: one .sql file each."""

from __future__ import annotations

from importlib.resources import files

_FOLDER = files(__package__)


def _text(name: str) -> bytes:
    """A file's statement without its comment lines."""
    lines = _FOLDER.joinpath(f"{name}.sql").read_text(encoding="utf-8").splitlines()
    return "\n".join(line for line in lines if not line.startswith("--")).encode()


LABEL = _text("label")
INCARNATION = _text("incarnation")
RELATIONS = _text("relations")
ROUTINES = _text("routines")
CATALOG = _text("catalog")
LABEL_AND_CATALOG = LABEL.rstrip() + b",\n    (" + CATALOG.strip() + b")"
