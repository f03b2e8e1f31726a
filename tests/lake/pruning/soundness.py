"""Real tables with random rows, and two oracles that say which files hold a row of a predicate."""

from __future__ import annotations

import json
import math
import struct
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable, write_deltalake

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from random import Random

SCHEMA = pa.schema(
    [
        ("n", pa.int64()),
        ("small", pa.int8()),
        ("x", pa.float64()),
        ("single", pa.float32()),
        ("price", pa.decimal128(12, 2)),
        ("huge", pa.decimal128(30, 4)),
        ("word", pa.string()),
        ("day", pa.date32()),
        ("moment", pa.timestamp("us", "UTC")),
        ("clock", pa.timestamp("us")),
        ("flag", pa.bool_()),
        ("nested", pa.struct([("n", pa.int64()), ("deep", pa.struct([("word", pa.string())]))])),
        ("p", pa.string()),
        ("pday", pa.date32()),
        ("pn", pa.int32()),
    ]
)
PARTITIONS = ["p", "pday", "pn"]
LONG = "a long word that goes on and on …"
WORDS = ["", "a", "b", "B", "ab", "zz", "z" * 40, LONG, LONG + "x", LONG + "\U0001f600", "ü", "é%_", "\uffff", "it's"]
NUMBERS = [-(2**62), -5, -1, 0, 1, 2, 7, 100, 2**53, 2**53 + 1, 2**60 + 1]
FRACTIONS = [-1e300, -2.5, -0.1, -0.0, 0.1, 0.3, 1.5, 1e16, 1e300, 5e-324]
DECIMALS = ["-3.25", "0.10", "0.30", "1.10", "99.99", "1234567890.12"]
BIG_DECIMALS = ["-12345678901234567890.1234", "0.1000", "12345678901234567890.1234", "12345678901234567890.1235"]
MOMENT = datetime(2024, 3, 1, 12, 0, 0, tzinfo=UTC)
STEPS = [timedelta(microseconds=us) for us in (0, 1, 999, 1000, 1999, 999_999)] + [timedelta(days=d) for d in (-40, 1)]
VALUES: dict[str, list[Any]] = {
    "n": NUMBERS,
    "small": [-5, -1, 0, 1, 2, 7, 100],
    "x": [*FRACTIONS, math.nan, math.inf, -math.inf],
    "single": [*(struct.unpack("<f", struct.pack("<f", value))[0] for value in (-2.5, 0.1, 0.3, 1.5)), math.nan],
    "price": [Decimal(text) for text in DECIMALS],
    "huge": [Decimal(text) for text in BIG_DECIMALS],
    "word": WORDS,
    "day": [date(1969, 12, 31), date(2024, 2, 29), date(2024, 3, 1), date(2024, 3, 2)],
    "moment": [MOMENT + step for step in STEPS],
    "clock": [(MOMENT + step).replace(tzinfo=None) for step in STEPS],
    "flag": [True, False],
    "nested.n": [-1, 0, 1, 2],
    "nested.deep.word": WORDS[:6],
    "p": ["x", "y", "sp ace/ü%=", "100%25", "a:b"],
    "pday": [date(2024, 3, 1), date(2024, 3, 2)],
    "pn": [-1, 0, 12],
}


class Truth:
    """The rows of a table, each with the path of its file.

    Parameters
    ----------
    connection
        DuckDB, with the rows as the table `rows`.
    rows
        The same as Python values.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, rows: list[dict[str, Any]]) -> None:
        self.connection = connection
        self.rows = rows

    def files(self, predicate: str) -> set[str]:
        """The files with a row for which a predicate is true, by DuckDB; it sorts NaN above all numbers."""
        found = self.connection.execute(f"SELECT DISTINCT file FROM rows WHERE {predicate}").fetchall()
        return {path for (path,) in found}


def random_rows(rng: Random, count: int) -> pa.Table:
    """Rows of one file: few distinct values, so that minimum and maximum lie close, and NULLs, sometimes only those."""
    one = {name: rng.choice([None, *values]) for name, values in VALUES.items() if name in PARTITIONS}
    chosen = {name: rng.sample(values, min(len(values), rng.randint(1, 3))) for name, values in VALUES.items()}
    rows = []
    for _ in range(count):
        row = {name: _sometimes_null(rng, chosen[name]) for name in VALUES if "." not in name} | one
        deep = rng.choice([None, {"word": _sometimes_null(rng, chosen["nested.deep.word"])}])
        row["nested"] = rng.choice([None, {"n": _sometimes_null(rng, chosen["nested.n"]), "deep": deep}])
        rows.append(row)
    if rng.random() < 0.3:
        emptied = rng.choice([name for name in SCHEMA.names if name not in PARTITIONS])
        rows = [row | {emptied: None} for row in rows]
    return pa.Table.from_pylist(rows, SCHEMA)


def _sometimes_null(rng: Random, values: Sequence[Any]) -> Any:
    return None if rng.random() < 0.1 else rng.choice(values)


def write_random_table(path: Path, rng: Random, files: int) -> Path:
    """A table of so many commits, one file each; some tables stop having statistics for most columns."""
    for number in range(files):
        write_deltalake(path, random_rows(rng, rng.randint(1, 6)), mode="append", partition_by=PARTITIONS)
        if number == 1 and rng.random() < 0.5:
            columns = ",".join(rng.sample([name for name in SCHEMA.names if name not in (*PARTITIONS, "nested")], 4))
            DeltaTable(path).alter.set_table_properties({"delta.dataSkippingStatsColumns": columns})
    for file in sorted((path / "_delta_log").glob("*.json")):
        _as_another_writer(file, rng)
    return path


def _as_another_writer(file: Path, rng: Random) -> None:
    """Change the statistics of a commit into what other writers would have written."""
    actions = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    for add in (action["add"] for action in actions if "add" in action):
        stats = json.loads(add["stats"])
        for change in rng.sample([_cut_word, _shortest_single], rng.randrange(3)):
            change(stats)
        add["stats"] = None if rng.random() < 0.1 else json.dumps(stats)
    file.write_text("".join(json.dumps(action) + "\n" for action in actions), encoding="utf-8")


def _cut_word(stats: dict[str, Any]) -> None:
    """Strings are cut without a mark that says so."""
    for bounds in (stats["minValues"], stats["maxValues"]):
        if "word" in bounds:
            bounds["word"] = bounds["word"][:2]


def _shortest_single(stats: dict[str, Any]) -> None:
    """Floats of 32 bits have as many digits as they need among their own kind."""
    for bounds in (stats["minValues"], stats["maxValues"]):
        if "single" in bounds:
            bounds["single"] = float(f"{bounds['single']:.7g}")


def read_truth(path: Path) -> Truth:
    """Every row of the active data files, with the path of its file as the log has it."""
    adds = pa.RecordBatchReader.from_stream(DeltaTable(path).get_add_actions()).read_all().to_pylist()
    tables = []
    for add in adds:
        data = pq.ParquetFile(path / unquote(add["path"])).read()
        for name in PARTITIONS:
            value = pa.array([add["partition"][name]] * len(data), SCHEMA.field(name).type)
            data = data.append_column(name, value)
        columns = [data[name].cast(SCHEMA.field(name).type) for name in SCHEMA.names]
        file = pa.array([add["path"]] * len(data))
        tables.append(pa.table([*columns, file], schema=SCHEMA.append(pa.field("file", pa.string()))))
    rows = pa.concat_tables(tables)
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'; SET threads = 1")
    connection.register("arrow_rows", rows)
    connection.execute("CREATE TABLE rows AS SELECT * FROM arrow_rows")
    return Truth(connection, rows.to_pylist())
