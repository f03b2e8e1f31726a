"""Django's back end for Postgres, whose connections and cursors are proxydb's."""

from __future__ import annotations

from typing import Any

from django.db.backends.base.base import NO_DB_ALIAS
from django.db.backends.postgresql import base
from django.db.backends.postgresql.creation import DatabaseCreation as DjangoCreation

from proxydb import psycopg
from proxydb.dbapi.mixing import with_ours
from proxydb.django.creation import Releasing
from proxydb.django.kept import keep
from proxydb.django.options import config_of


class Cursor(base.Cursor, psycopg.ClientCursor):
    """Django's cursor that puts the parameters into the statement by itself."""


class ServerBindingCursor(base.ServerBindingCursor, psycopg.Cursor):
    """Django's cursor that sends the parameters beside the statement."""


class ServerSideCursor(base.ServerSideCursor, psycopg.ServerCursor):
    """Django's cursor whose rows stay with the server until they are fetched."""


_OURS = {base.Cursor: Cursor, base.ServerBindingCursor: ServerBindingCursor}


class DatabaseCreation(Releasing, DjangoCreation):
    """Makes and destroys test databases."""


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection to Postgres as Django holds it; its `connection` is a `proxydb.psycopg.Connection`."""

    Database = psycopg
    creation_class = DatabaseCreation
    _connection_pools: dict[str, Any] = {}

    @property
    def pool(self) -> Any:
        """Django's pool, which has opened no connection yet when it is first seen here."""
        pool = super().pool
        if pool is not None:
            pool.connection_class = with_ours(pool.connection_class, psycopg.Connection)
        return pool

    def get_connection_params(self) -> dict[str, Any]:
        params: dict[str, Any] = super().get_connection_params()
        params.pop("proxydb", None)
        params["cursor_factory"] = _OURS.get(params["cursor_factory"], params["cursor_factory"])
        config_of(self)  # what is wrong in the settings is told here, not by a pool's worker
        return params

    def _configure_connection(self, connection: Any) -> Any:
        """Django calls this with each new connection, its own or a pool's, before it sends anything on it."""
        connection._config = config_of(self)
        if self.alias != NO_DB_ALIAS:
            keep(self.alias, connection.proxydb)
        return super()._configure_connection(connection)

    def create_cursor(self, name: str | None = None) -> Any:
        cursor = super().create_cursor(name)
        if type(cursor) is base.ServerSideCursor:  # the only class that Django names where it makes a cursor
            cursor.__class__ = ServerSideCursor
        return cursor
