"""A psycopg whose cursors proxydb cannot fill is refused when it is loaded, not at the first hit."""

from __future__ import annotations

import subprocess
import sys

import pytest

_OLD = "import psycopg; psycopg.__version__ = '3.3.3'; "


def _error_of(source: str) -> str:
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=False)
    return done.stderr.strip().splitlines()[-1]


@pytest.mark.parametrize(
    "source", ["import proxydb.psycopg", "import proxydb; proxydb.connect('postgresql://nobody@localhost:1/none')"]
)
def test_an_older_one_is_refused(source: str) -> None:
    """The error says which version is needed, and how to get it."""
    assert _error_of(_OLD + source) == (
        "proxydb.errors.MissingExtra: psycopg 3.3.4 or newer is needed, not 3.3.3: pip install -U 'proxydb[postgres]'"
    )
