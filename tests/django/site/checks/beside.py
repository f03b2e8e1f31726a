"""Programs beside Django: other threads, plain drivers in this process, plain drivers in another."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING, Any

from django.db import connection, connections

if TYPE_CHECKING:
    from collections.abc import Callable

PROGRAM = """
import importlib, json, sys
module, options, statement = json.loads(sys.argv[1])
connection = importlib.import_module(module).connect(**options)
connection.execute(statement)
connection.commit()
connection.close()
"""


def how_to_connect() -> tuple[str, dict[str, Any]]:
    """The plain driver's module and the arguments of its `connect`."""
    settings = connection.settings_dict
    if connection.vendor == "sqlite":
        return "sqlite3", {"database": str(settings["NAME"])}
    names = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}
    return "psycopg", {name: settings[key] for name, key in names.items() if settings[key]}


def plain_rows(statement: str) -> list[Any]:
    """What a plain connection reads now."""
    module, options = how_to_connect()
    with closing(sys.modules[module].connect(**options)) as plain:
        return [tuple(row) for row in plain.execute(statement).fetchall()]


def in_plain_connection(statement: str) -> None:
    """Run and commit a statement on a plain connection of this process."""
    module, options = how_to_connect()
    with closing(sys.modules[module].connect(**options)) as plain:
        plain.execute(statement)
        plain.commit()


def in_process(statement: str) -> None:
    """Run and commit a statement in another process."""
    told = json.dumps([*how_to_connect(), statement])
    subprocess.run([sys.executable, "-c", PROGRAM, told], check=True, timeout=60)


def in_thread(call: Callable[[], Any]) -> Any:
    """What `call` returns in another thread, which has a connection of its own."""

    def work() -> Any:
        try:
            return call()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(work).result(timeout=60)
