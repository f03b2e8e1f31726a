"""The two sides of a story, and the roles that may appear in it."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from psycopg import sql

from tests.freshness.postgres.twins import SCHEMA, Twins

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.postgres_server import PostgresServer

EMPTY = """
DO $$
DECLARE name text;
BEGIN
    FOR name IN SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' LOOP
        EXECUTE format('DROP SCHEMA %I CASCADE', name);
    END LOOP;
    CREATE SCHEMA public;
    GRANT USAGE ON SCHEMA public TO public;
END $$;
"""
ROLES = ("proxydb_anna", "proxydb_bert")


@pytest.fixture(scope="session")
def emptied(postgres_server: PostgresServer) -> Iterator[tuple[str, str]]:
    """Two databases that all stories share; each empties them first, which is faster than making new ones."""
    with postgres_server.fresh_database() as raw, postgres_server.fresh_database() as proxied:
        yield raw, proxied


@pytest.fixture(params=[False, True], ids=["sync", "async"])
def awaited(request: pytest.FixtureRequest) -> bool:
    """Whether a test is run over asynchronous connections; each is run over both kinds."""
    return bool(request.param)


@pytest.fixture
def twins(emptied: tuple[str, str], awaited: bool) -> Iterator[Twins]:
    """A raw side and a proxied side with equal tables."""
    with closing(Twins(*emptied, schema=EMPTY + SCHEMA, awaited=awaited)) as twins:
        yield twins


@pytest.fixture(scope="session")
def roles(postgres_server: PostgresServer) -> tuple[str, str]:
    """Two roles without any rights; a server keeps them."""
    for role in ROLES:
        statement = "DO $$ BEGIN CREATE ROLE {}; EXCEPTION WHEN duplicate_object THEN NULL; END $$"
        postgres_server.execute(sql.SQL(statement).format(sql.Identifier(role)))
    return ROLES
