"""What every dialect of ours does differently from SQLAlchemy's: it takes proxydb's options out before the driver's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from proxydb.sqlalchemy.options import config_of, ours

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

    from proxydb.config import Config


class Direct:
    """Mixed with an execution context of SQLAlchemy's: cursors come from the driver's connection, past the pool's."""

    _dbapi_connection: Any

    def create_default_cursor(self) -> Any:
        return self._dbapi_connection.dbapi_connection.cursor()


class Proxied:
    """Mixed with a dialect of SQLAlchemy's, whose driver it replaces by the drop-in."""

    driver = "proxydb"

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        theirs: Any = cls.execution_ctx_cls  # type: ignore[attr-defined]
        cls.execution_ctx_cls = type(theirs.__name__, (Direct, theirs), {})  # type: ignore[attr-defined]

    def create_connect_args(self, url: URL) -> Any:
        """What the driver's `connect` takes, and beside it proxydb's options, which are checked now."""
        options = ours(url.query)
        config_of(options)
        arguments, keywords = super().create_connect_args(url.difference_update_query(options))  # type: ignore[misc]
        return arguments, {**keywords, **options}

    def connect(self, *arguments: Any, **keywords: Any) -> Any:
        """Open a connection with the options in the URL and in `connect_args`, which go over those of the URL."""
        options = ours(keywords)
        if not options:
            return super().connect(*arguments, **keywords)  # type: ignore[misc]
        without = {name: value for name, value in keywords.items() if name not in options}
        return self._open(config_of(options), *arguments, **without)

    def _open(self, config: Config, *arguments: Any, **keywords: Any) -> Any:
        connection = super().connect(*arguments, **keywords)  # type: ignore[misc]
        self.get_driver_connection(connection)._config = config  # type: ignore[attr-defined]
        return connection
