"""What every dialect of ours does differently from SQLAlchemy's: proxydb's options, and whose provisioning it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from proxydb.sqlalchemy.options import config_of, ours

if TYPE_CHECKING:
    from sqlalchemy.engine import URL


class Proxied:
    """Mixed with a dialect of SQLAlchemy's, whose driver it replaces by the drop-in."""

    driver = "proxydb"

    def create_connect_args(self, url: URL) -> Any:
        """What the driver's `connect` takes, and beside it proxydb's options, which are checked now."""
        options = ours(url.query)
        config_of(options)
        arguments, keywords = super().create_connect_args(url.difference_update_query(options))  # type: ignore[misc]
        return arguments, {**keywords, **options}

    def connect(self, *arguments: Any, **keywords: Any) -> Any:
        """Open a connection with the options in the URL and in `connect_args`, which go over those of the URL."""
        options = ours(keywords)
        config = config_of(options) if options else None
        for name in options:
            del keywords[name]
        connection = super().connect(*arguments, **keywords)  # type: ignore[misc]
        if config is not None:
            self.get_driver_connection(connection)._config = config  # type: ignore[attr-defined]
        return connection
