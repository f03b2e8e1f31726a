"""What both back ends do differently from Django's when a test database goes."""

from __future__ import annotations

from typing import Any

from proxydb.django.kept import release


class Releasing:
    """Test databases that nothing of proxydb's holds open when they are destroyed."""

    connection: Any

    def _destroy_test_db(self, test_database_name: str, verbosity: int) -> Any:
        release(self.connection.alias)
        return super()._destroy_test_db(test_database_name, verbosity)  # type: ignore[misc]
