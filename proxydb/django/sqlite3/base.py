"""Django's back end for SQLite, whose connections are proxydb's."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from django.db.backends.sqlite3 import base
from django.db.backends.sqlite3.creation import DatabaseCreation as DjangoCreation

from proxydb import sqlite3
from proxydb.dbapi.mixing import with_ours
from proxydb.dbapi.sqlite import Connection
from proxydb.django.creation import Releasing
from proxydb.django.kept import keep
from proxydb.django.options import config_of

if TYPE_CHECKING:
    from proxydb.config import Config


class DatabaseCreation(Releasing, DjangoCreation):
    """Makes and destroys test databases."""


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection to SQLite as Django holds it; its `connection` is a `proxydb.sqlite3.Connection`."""

    Database = sqlite3
    creation_class = DatabaseCreation

    def get_connection_params(self) -> dict[str, Any]:
        params: dict[str, Any] = super().get_connection_params()
        params.pop("proxydb", None)
        kind = with_ours(params.get("factory", Connection), Connection)
        return params | {"factory": partial(_opened, kind, config_of(self))}

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        connection = super().get_new_connection(conn_params)
        if not self.is_in_memory_db():
            keep(self.alias, connection.proxydb)
        return connection


def _opened(kind: type[Connection], config: Config, *args: Any, **kwargs: Any) -> Connection:
    """A connection that has its options before Django's first statement on it."""
    connection = kind(*args, **kwargs)
    connection._config = config
    return connection
