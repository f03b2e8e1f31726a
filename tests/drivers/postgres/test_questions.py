"""The questions to the server are cheap: it does not compile them, which takes a hundred times as long."""

from __future__ import annotations

import re

import psycopg
import pytest

from proxydb.drivers.postgres import questions
from proxydb.lake.schema import statements

NAMES, OIDS = "'{dl_add_files,t}'", "'{1259}'"
DDL = (*statements("postgresql"), "CREATE DOMAIN d AS time", "CREATE TABLE t (d d, i int4range[])", "ANALYZE")


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("LABEL", NAMES),
        ("INCARNATION", NAMES),
        ("RELATIONS", NAMES),
        ("ROUTINES", NAMES),
        ("LABEL_AND_CATALOG", OIDS),
    ],
)
def test_no_question_is_compiled(postgres_dsn: str, name: str, given: str) -> None:
    """In a database with some tables and types the estimated cost is far below `jit_above_cost`."""
    text = getattr(questions, name).decode()
    parameters = len(set(re.findall(r"\$\d", text)))
    all_given = f"({', '.join([given] * parameters)})" if parameters else ""
    with psycopg.connect(postgres_dsn, autocommit=True) as connection:
        for statement in DDL:
            connection.execute(statement)
        connection.execute(f"PREPARE question AS {text}")
        [(plan,)] = connection.execute(f"EXPLAIN (FORMAT JSON) EXECUTE question {all_given}").fetchall()
    assert plan[0]["Plan"]["Total Cost"] < 50_000
