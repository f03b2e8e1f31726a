"""pandas reads and writes the same frames through raw and through proxied connections."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
import sqlalchemy as sa

import proxydb.sqlite3
from tests.sqlalchemy.conftest import hits

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.clients.conftest import Addresses

FRAME = pd.DataFrame(
    {
        "name": ["one", None, "thrée"],
        "size": [1, 2, 3],
        "weight": [0.5, float("nan"), 2.5],
        "at": pd.to_datetime(["2024-01-01 12:00", None, "2024-03-01 00:00"]),
        "big": [True, False, True],
    }
)
JOIN = "SELECT a.name, b.size FROM items a JOIN items b ON a.size = b.size ORDER BY b.size"
WRITES: dict[str, Callable[[Any], Any]] = {
    "create": lambda engine: FRAME.to_sql("items", engine, index_label="id"),
    "append": lambda engine: FRAME.to_sql("items", engine, index_label="id", if_exists="append", method="multi"),
    "refuse": lambda engine: FRAME.to_sql("items", engine),
    "replace": lambda engine: FRAME.head(2).to_sql("items", engine, if_exists="replace", chunksize=1),
    "types": lambda engine: FRAME.to_sql(
        "items", engine, if_exists="replace", index=False, dtype={"size": sa.BigInteger, "name": sa.String(10)}
    ),
}
READS: dict[str, Callable[[Any], Any]] = {
    "table": lambda engine: pd.read_sql_table("items", engine),
    "columns": lambda engine: pd.read_sql_table("items", engine, columns=["name", "at"]),
    "query": lambda engine: pd.read_sql("SELECT * FROM items ORDER BY size", engine),
    "parameters": lambda engine: pd.read_sql(
        sa.text("SELECT name FROM items WHERE size > :size ORDER BY size"), engine, params={"size": 1}
    ),
    "index": lambda engine: pd.read_sql(JOIN, engine, index_col="size"),
    "dates": lambda engine: pd.read_sql("SELECT at FROM items ORDER BY size", engine, parse_dates=["at"]),
    "parts": lambda engine: pd.concat(pd.read_sql("SELECT size FROM items ORDER BY size", engine, chunksize=2)),
}


def outcome(call: Callable[[Any], Any], engine: Any) -> Any:
    """A frame as text and types, a number, or an error as text."""
    try:
        result = call(engine)
    except ValueError as error:
        return str(error)
    return (result.to_dict("tight"), result.dtypes.to_dict()) if isinstance(result, pd.DataFrame) else result


def told(engine: Any) -> list[Any]:
    """What each read gives after each write, asked again and again."""
    found = []
    for write in WRITES.values():
        found.append(outcome(write, engine))
        for read in READS.values():
            answers = [repr(outcome(read, engine)) for _ in range(4)]
            assert answers == answers[:1] * 4
            found.append(answers[0])
    return found


def test_frames_through_sqlalchemy(addresses: Addresses) -> None:
    """The frames that are read, and the answers to writing, are equal, and many come from memory."""
    raw, proxied = sa.create_engine(addresses.raw), sa.create_engine(addresses.proxied)
    try:
        assert told(proxied) == told(raw)
        assert hits(proxied) > len(WRITES) * len(READS)
    finally:
        raw.dispose()
        proxied.dispose()


def test_a_connection_of_the_drop_in(tmp_path: Path) -> None:
    """A connection of `proxydb.sqlite3` is one of `sqlite3` to pandas."""
    found = []
    for module in (sqlite3, proxydb.sqlite3):
        with closing(module.connect(tmp_path / f"{module.__name__}.db")) as connection:
            FRAME.to_sql("items", connection, index=False)
            found.append([pd.read_sql(JOIN, connection).to_dict("tight") for _ in range(4)])
    assert found[0] == found[1]


@pytest.mark.parametrize("append", [1, 3])
def test_fresh_after_another_program(addresses: Addresses, append: int) -> None:
    """What a program that knows nothing of proxydb appends is in the next frame."""
    foreign, proxied = sa.create_engine(addresses.foreign), sa.create_engine(addresses.proxied)
    try:
        for number in range(1, 4):
            FRAME.head(append).to_sql("items", foreign, if_exists="append", index=False)
            sizes = [len(pd.read_sql("SELECT * FROM items", proxied)) for _ in range(4)]
            assert sizes == [number * append] * 4
        assert hits(proxied) > 0
    finally:
        foreign.dispose()
        proxied.dispose()
