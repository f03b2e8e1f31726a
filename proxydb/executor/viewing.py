"""Statements about materialized views that the database itself does not know."""

from __future__ import annotations

from time import perf_counter_ns as now
from typing import Any

from proxydb.errors import DatabaseError
from proxydb.executor.statement import Statement


def of_the_driver(connection: Any, error: DatabaseError) -> Exception:
    """An error of ours as one of the driver, which is what the application catches."""
    made: Exception = getattr(connection, type(error).__name__)(str(error))
    return made


class Viewing(Statement):
    """CREATE, REFRESH or DROP [INCREMENTAL] MATERIALIZED VIEW, carried out on the connection, in its transaction."""

    __slots__ = ()

    def run(self, cursor: Any, sql: str, arguments: Any) -> Any:
        from proxydb.views.carrying_out import carry_out

        started = now()
        try:
            carry_out(cursor.connection, sql, self.context.database.system)
            result = self.execute(cursor, "", arguments)  # what the cursor gave before, it gives no longer
        except DatabaseError as error:
            self.failed(now() - started)
            raise of_the_driver(cursor.connection, error) from None
        except BaseException:
            self.failed(now() - started)
            raise
        self.finished(now() - started, arguments, "")
        cursor._statement = self
        return result


class ViewingUnknown(Viewing):
    """The same where nothing is known of a connection after such a statement, until it is asked again."""

    __slots__ = ()

    def run(self, cursor: Any, sql: str, arguments: Any) -> Any:
        session = self.context.session
        session.before_unknown(self.plan, cursor.connection, cursor)
        try:
            return super().run(cursor, sql, arguments)
        finally:
            session.after_unknown(cursor.connection)
