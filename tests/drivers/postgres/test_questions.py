"""The questions to the server are cheap: it does not compile them, which takes a hundred times as long."""

from __future__ import annotations

import re

import psycopg
import pytest

from proxydb.drivers.postgres import questions
from proxydb.lake.schema import statements

QUESTIONS = ("LABEL", "INCARNATION", "RELATIONS", "ROUTINES", "LABEL_AND_CATALOG")


@pytest.mark.parametrize("name", QUESTIONS)
def test_no_question_is_compiled(postgres_dsn: str, name: str) -> None:
    """In a database with some tables and types the estimated cost is far below `jit_above_cost`."""
    text = getattr(questions, name).decode()
    parameters = len(set(re.findall(r"\$\d", text)))
    with psycopg.connect(postgres_dsn, autocommit=True) as connection:
        for statement in (*statements("postgresql"), "CREATE DOMAIN d AS time", "CREATE TABLE t (d d, i int4range[])"):
            connection.execute(statement)
        connection.execute("ANALYZE")
        connection.execute(f"PREPARE question AS {text}")
        given = ", ".join(["'{dl_add_files,t}'"] * parameters)
        [(plan,)] = connection.execute(
            f"EXPLAIN (FORMAT JSON) EXECUTE question {f'({given})' * bool(given)}"
        ).fetchall()
    assert plan[0]["Plan"]["Total Cost"] < 50_000
