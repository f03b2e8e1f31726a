"""What psycopg offers beyond PEP 249, on both sides: pipelines, COPY, server-side cursors, two-phase commit."""

from __future__ import annotations

import re
import time
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import args_row, class_row, dict_row, namedtuple_row, scalar_row, tuple_row
from psycopg.types.json import Json, Jsonb
from psycopg.types.range import Range

from tests.conformance.sides import IN_ORDER, columns, outcome, refusal
from tests.conformance.sides import agree_on_postgres as agree

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conformance.sides import Both, Side

COUNT = "SELECT count(*) FROM planet"


class Planet:
    """What `class_row` makes of a row."""

    def __init__(self, id: int, name: str) -> None:
        self.shown = (id, name)


ROW_FACTORIES: dict[str, Callable[..., Any]] = {
    "tuple": tuple_row,
    "dict": dict_row,
    "namedtuple": namedtuple_row,
    "scalar": scalar_row,
    "args": args_row(lambda *values: list(values)),
    "class": class_row(Planet),
}
VALUES: dict[str, Any] = {
    "numeric": Decimal("12345678901234567890.000100"),
    "date": date(2024, 2, 29),
    "interval": timedelta(days=3, microseconds=1),
    "uuid": UUID(int=7),
    "jsonb": Jsonb({"a": [1, None, "žluť"]}),
    "json": Json([1.5]),
    "int[]": [1, None, 3],
    "text[]": [["a", "b"], ["c", 'd"']],
    "int4range": Range(1, 5),
    "bytea": b"\x00\xff",
    "boolean": True,
    "smallint": 7,
    "real": 0.1,
    "timestamptz": "2024-02-29 12:00:00+02",
    "inet": "10.0.0.1/8",
    "money": "12.50",
    "point": "(1,2)",
    "bit(3)": "101",
    "hstore-like text": "a=>1",
}
CLASSES = ("Connection", "Cursor", "ServerCursor", "ClientCursor", "RawCursor", "RawServerCursor")
SHOWN = ("'2024-02-29 12:00+00'::timestamptz", "0.1::float8", "'\\xff'::bytea", "'1 day'::interval")
SETTINGS = (
    "TimeZone = 'Asia/Tokyo'",
    "extra_float_digits = -15",
    "bytea_output = 'escape'",
    "IntervalStyle = 'iso_8601'",
)


@agree
def test_row_factories(side: Side) -> Any:
    """Every row factory makes the rows that it makes of the driver's, read after read."""
    return {name: [_plain(row) for row in _rows_of(side, made)] for name, made in ROW_FACTORIES.items()}


def _rows_of(side: Side, row_factory: Any) -> Any:
    cursor = side.connection.cursor(row_factory=row_factory)
    return cursor.execute("SELECT id, name FROM planet ORDER BY id").fetchall()


def _plain(row: Any) -> Any:
    return row.shown if isinstance(row, Planet) else (type(row).__name__, row)


@agree
def test_types(side: Side) -> Any:
    """Values of many types are dumped and loaded as by the driver, with their Python types."""
    results = {}
    for name, value in VALUES.items():
        cast = name if "like" not in name else "text"
        rows = side.rows(f"SELECT %s::{cast}", (value,))
        results[name] = str(rows), [type(cell) for row in rows for cell in row]
    return results


@agree
def test_binary_results(side: Side) -> Any:
    """Results asked for in binary are equal to those in text, and described as the driver does."""
    shown = []
    for binary in (True, False, True):
        cursor = side.connection.cursor(binary=binary)
        cursor.execute(IN_ORDER)
        shown.append((cursor.format, columns(cursor), cursor.fetchall()))
    return shown


@agree
def test_binary_of_execute(side: Side) -> Any:
    """`execute(binary=True)` holds for its statement alone."""
    cursor = side.connection.cursor()
    return [cursor.execute(IN_ORDER, binary=binary).fetchall() for binary in (True, None, False, True)]


@agree
def test_loader_of_connection(side: Side) -> Any:
    """A loader registered on the connection makes the values of later reads."""
    before = side.rows("SELECT id FROM planet ORDER BY id")
    side.connection.adapters.register_loader("int4", _AsText)
    after = side.rows("SELECT id FROM planet ORDER BY id")
    side.renew()
    return before, after


class _AsText(psycopg.adapt.Loader):
    def load(self, data: Any) -> str:
        return f"<{bytes(data).decode()}>"


@agree
def test_loader_of_cursor(side: Side) -> Any:
    """A loader registered on a cursor makes that cursor's values and no other's."""
    side.rows("SELECT id FROM planet ORDER BY id")
    cursor = side.connection.cursor()
    cursor.adapters.register_loader("int4", _AsText)
    return cursor.execute("SELECT id FROM planet ORDER BY id").fetchall(), side.rows(
        "SELECT id FROM planet ORDER BY id"
    )


@agree
def test_composed_statement(side: Side) -> Any:
    """A statement may be a `psycopg.sql` object."""
    text = sql.SQL("SELECT {} FROM {} WHERE id = {}").format(
        sql.Identifier("name"), sql.Identifier("planet"), sql.Placeholder()
    )
    return side.connection.execute(text, (3,)).fetchall()


@agree
def test_statement_in_bytes(side: Side) -> Any:
    """A statement may be bytes."""
    return side.connection.execute(b"SELECT name FROM planet WHERE id = %s", (3,)).fetchall()


@agree
def test_named_parameters(side: Side) -> Any:
    """A named parameter may occur more than once."""
    text = "SELECT %(a)s + %(b)s, %(a)s::int FROM planet WHERE id = %(a)s"
    return side.connection.execute(text, {"a": 2, "b": 40, "unused": 1}).fetchall()


@agree
def test_percent_signs(side: Side) -> Any:
    """Percent signs are doubled with parameters only."""
    plain = side.connection.execute("SELECT '100%%', 'a%s'").fetchall()
    return plain, side.connection.execute("SELECT '100%%', %s::text", ("%",)).fetchall()


@agree
def test_raw_cursor(side: Side) -> Any:
    """A `RawCursor` has the server's placeholders."""
    cursor = side.module.RawCursor(side.connection)
    cursor.execute("SELECT id, name FROM planet WHERE id >= $1 ORDER BY id", [4])
    return columns(cursor), cursor.fetchall()


@agree
def test_client_cursor(side: Side) -> Any:
    """A `ClientCursor` binds on this side of the wire, and shows the text."""
    cursor = side.module.ClientCursor(side.connection)
    cursor.execute("SELECT id, name FROM planet WHERE name <> %s ORDER BY id", ("Săturn'\"%s?",))
    return cursor.fetchall(), cursor.mogrify("SELECT %s, %s", (1, "a'b"))


@agree
def test_server_cursor(side: Side) -> Any:
    """A cursor with a name lives on the server, and fetches, scrolls and iterates there."""
    with side.connection.cursor("named", scrollable=True) as cursor:
        cursor.execute(IN_ORDER)
        seen = [cursor.fetchone(), cursor.fetchmany(2), cursor.rownumber]
        cursor.scroll(-1)
        seen += [cursor.fetchone(), cursor.fetchall(), cursor.name, columns(cursor)]
    return seen


@agree
def test_server_cursor_iterates(side: Side) -> Any:
    """Iterating a server-side cursor fetches in portions."""
    with side.connection.cursor("portions") as cursor:
        cursor.itersize = 2
        cursor.execute("SELECT id FROM planet WHERE id > %s ORDER BY id", (1,))
        return list(cursor)


@agree
def test_server_cursor_sees_its_snapshot(side: Side) -> Any:
    """A server-side cursor does not see what is written after it was opened."""
    with side.connection.cursor("snapshot") as cursor:
        cursor.execute(COUNT)
        side.execute("DELETE FROM planet")
        return cursor.fetchall(), side.rows(COUNT)


@agree
def test_stream(side: Side) -> Any:
    """`stream` gives the rows one by one."""
    cursor = side.connection.cursor()
    return list(cursor.stream("SELECT id, name FROM planet WHERE id < %s ORDER BY id", (4,)))


@agree
def test_stream_left_half_way(side: Side) -> Any:
    """A stream that nobody reads to the end leaves the connection usable."""
    stream = side.connection.cursor().stream(IN_ORDER)
    first = next(stream)
    stream.close()
    return first, side.rows(COUNT)


@agree
def test_pipeline(side: Side) -> Any:
    """In pipeline mode statements are sent together and their results come in order."""
    with side.connection.pipeline():
        first = side.connection.execute(COUNT)
        side.connection.execute("DELETE FROM planet WHERE id = 1")
        second = side.connection.execute(COUNT)
        return first.fetchall(), second.fetchall()


@agree
def test_pipeline_of_known_reads(side: Side) -> Any:
    """A read whose rows are known gives them in pipeline mode as well."""
    side.rows(), side.rows()
    with side.connection.pipeline() as pipeline:
        cursors = [side.connection.execute(IN_ORDER) for _ in range(3)]
        pipeline.sync()
        return [cursor.fetchall() for cursor in cursors]


@agree
def test_pipeline_error(side: Side) -> Any:
    """An error in a pipeline aborts what comes after it."""
    side.rows(COUNT)
    return refusal(_pipeline_with_error, side)


def _pipeline_with_error(side: Side) -> Any:
    with side.connection.pipeline() as pipeline:
        side.connection.execute("SELECT 1 / 0")
        cursor = side.connection.execute(COUNT)
        pipeline.sync()
        return cursor.fetchall()


@agree
def test_copy_from(side: Side) -> Any:
    """What COPY writes is seen by the next read."""
    before = side.rows(COUNT)
    with side.connection.cursor() as cursor:
        with cursor.copy("COPY planet (id, name) FROM STDIN") as copy:
            copy.write_row((90, "Copied\t1"))
            copy.write_row((91, "Copied 2"))
        return before, cursor.rowcount, side.rows(COUNT)


@agree
def test_copy_to(side: Side) -> Any:
    """COPY to the client gives the rows."""
    with side.connection.cursor().copy("COPY (SELECT id, name FROM planet ORDER BY id) TO STDOUT") as copy:
        return [bytes(block) for block in copy]


@agree
def test_copy_that_fails(side: Side) -> Any:
    """A COPY that fails writes nothing."""
    side.rows(COUNT)
    failure = refusal(_copy_with_error, side)
    side.connection.rollback()
    return failure, side.rows(COUNT)


def _copy_with_error(side: Side) -> None:
    with side.connection.cursor().copy("COPY planet (id, name) FROM STDIN") as copy:
        copy.write_row((90, "kept?"))
        raise KeyError("stop")


@agree
def test_transaction_block(side: Side) -> Any:
    """`transaction()` commits what its block wrote, and nested blocks are savepoints."""
    seen = []
    with side.connection.transaction(force_rollback=True):
        side.execute("DELETE FROM planet WHERE id = 1")
        with side.connection.transaction(force_rollback=True):
            side.execute("DELETE FROM planet")
            seen.append(side.rows(COUNT))
        seen.append(side.rows(COUNT))
    return [*seen, side.rows(COUNT)]


@agree
def test_transaction_block_rolls_back(side: Side) -> Any:
    """An exception that leaves the block takes back what it wrote."""
    failure = refusal(_delete_and_fail, side)
    return failure, side.rows(COUNT)


def _delete_and_fail(side: Side) -> None:
    with side.connection.transaction():
        side.execute("DELETE FROM planet")
        side.rows(COUNT)
        raise KeyError("stop")


@agree
def test_rollback_exception(side: Side) -> Any:
    """`psycopg.Rollback` leaves the block without an error."""
    with side.connection.transaction():
        side.execute("DELETE FROM planet")
        raise side.module.Rollback
    return side.rows(COUNT)


@agree
def test_isolation_level(side: Side) -> Any:
    """Under REPEATABLE READ a transaction keeps to its snapshot, whoever writes beside."""
    side.connection.isolation_level = side.module.IsolationLevel.REPEATABLE_READ
    before = side.rows("SELECT moons FROM planet WHERE id = 1")
    with side.beside() as other:
        other.execute("UPDATE planet SET moons = moons + 1 WHERE id = 1")
    within = side.rows("SELECT moons FROM planet WHERE id = 1")
    side.connection.rollback()
    after = side.rows("SELECT moons FROM planet WHERE id = 1")
    side.renew()
    return before, within, after


@agree
def test_read_only(side: Side) -> Any:
    """A read-only connection reads and refuses to write."""
    side.connection.read_only = True
    rows = side.rows(COUNT)
    failure = refusal(side.execute, "DELETE FROM planet")
    side.renew()
    return rows, failure


@agree
def test_two_phase_commit(side: Side) -> Any:
    """A prepared transaction is seen when it is committed, and not before."""
    side.rows(COUNT)
    side.connection.rollback()
    xid = side.connection.xid(1, f"proxydb-{side.connection.info.dbname}", "branch")
    side.connection.tpc_begin(xid)
    side.execute("UPDATE planet SET moons = coalesce(moons, 0) + 1")
    side.connection.tpc_prepare()
    beside = side.beside().execute("SELECT sum(moons) FROM planet").fetchall()
    side.connection.tpc_commit()
    return beside, side.rows("SELECT sum(moons) FROM planet")


@agree
def test_two_phase_rollback(side: Side) -> Any:
    """A prepared transaction that is rolled back was never there."""
    xid = side.connection.xid(1, f"proxydb-{side.connection.info.dbname}", "branch")
    side.connection.tpc_begin(xid)
    side.execute("DELETE FROM planet")
    side.connection.tpc_prepare()
    recovered = [found.bqual for found in side.beside().tpc_recover()]
    side.connection.tpc_rollback()
    return recovered, side.rows(COUNT)


@agree
def test_notifications(side: Side) -> Any:
    """Notifications arrive through `notifies()`."""
    side.connection.autocommit = True
    side.execute("LISTEN planets")
    side.beside().execute("SELECT pg_notify('planets', 'hello')").connection.commit()
    heard = [(note.channel, note.payload) for note in side.connection.notifies(timeout=5, stop_after=1)]
    side.renew()
    return heard


@agree
def test_notify_handlers(side: Side) -> Any:
    """A handler hears of the notifications that come with a known read, too."""
    heard: list[str] = []
    side.connection.autocommit = True
    side.execute("LISTEN planets")
    side.connection.add_notify_handler(lambda note: heard.append(note.payload))
    side.rows(COUNT)
    side.execute("NOTIFY planets, 'own'")
    side.rows(COUNT)
    side.renew()
    return heard


@agree
def test_notices(side: Side) -> Any:
    """Notices reach their handlers."""
    heard: list[str | None] = []
    side.connection.add_notice_handler(lambda notice: heard.append(notice.message_primary))
    side.execute("DO $$BEGIN RAISE NOTICE 'psst'; END$$")
    side.renew()
    return heard


@agree
def test_prepared(side: Side) -> Any:
    """`prepare=True` gives the same rows as `prepare=False`."""
    text = "SELECT name FROM planet WHERE id = %s"
    return [side.connection.execute(text, (3,), prepare=prepare).fetchall() for prepare in (True, False, None, True)]


@agree
def test_prepared_statements_shown(side: Side) -> Any:
    """Who asks what the session has prepared finds only what it prepared itself, however it asks."""
    side.execute("PREPARE mine AS SELECT 1")
    shown = []
    for view in ("pg_prepared_statements", sql.Identifier("pg_prepared_statements"), "PG_Prepared_Statement()"):
        side.rows(COUNT)
        of_view = sql.SQL("SELECT statement FROM {}").format(
            view if isinstance(view, sql.Identifier) else sql.SQL(view)
        )
        shown += [
            side.connection.execute(text).fetchall() for text in (of_view, of_view.as_string(), of_view.as_bytes())
        ]
    with side.connection.cursor().copy("COPY (SELECT statement FROM pg_prepared_statements) TO STDOUT") as copy:
        copied = [bytes(block) for block in copy]
    side.execute("DEALLOCATE mine")
    return shown, copied, side.rows(COUNT)


@agree
def test_executemany_returning(side: Side) -> Any:
    """`executemany(returning=True)` keeps each run's rows as a result set."""
    cursor = side.connection.cursor()
    cursor.executemany("UPDATE planet SET moons = 1 WHERE id = %s RETURNING id, moons", [(1,), (2,)], returning=True)
    first = cursor.fetchall()
    return first, cursor.nextset(), cursor.fetchall(), cursor.nextset()


@agree
def test_result_sets(side: Side) -> Any:
    """`nextset` goes through results, of which each has its own description."""
    cursor = side.connection.execute("SELECT 1 AS a; SELECT 2 AS b, 3 AS c")
    first = columns(cursor), cursor.fetchall()
    return first, cursor.nextset(), columns(cursor), cursor.fetchall(), cursor.nextset()


@agree
def test_pgresult(side: Side) -> Any:
    """`pgresult` shows the server's own result."""
    cursor = side.execute()
    return cursor.pgresult.ntuples, cursor.pgresult.nfields, cursor.pgresult.status, cursor.pgresult.get_value(2, 1)


@agree
def test_query_shown(side: Side) -> Any:
    """`_query`, which tools look at, has the statement."""
    cursor = side.connection.execute("SELECT name FROM planet WHERE id = %s", (3,))
    return cursor._query and (cursor._query.query, cursor._query.params)


@agree
def test_repr(side: Side) -> Any:
    """The repr tells state and database, under our class's name."""
    cursor = side.execute()
    seen = [repr(cursor), repr(side.connection)]
    cursor.close()
    return [re.sub(r"<[\w.]+\.|at 0x\w+|test_\d+_\d+", "", text) for text in (*seen, repr(cursor))]


@agree
def test_info(side: Side) -> Any:
    """`info` tells of the connection after a known read as after any other."""
    side.rows()
    info = side.connection.info
    return info.transaction_status, info.status, info.server_version, info.encoding, info.parameter_status("TimeZone")


@agree
def test_session_settings(side: Side) -> Any:
    """A setting that changes how values are shown changes what a known read gives."""
    text = f"SELECT {', '.join(f'{shown}::text' for shown in SHOWN)}"
    seen = [side.rows(text)]
    for setting in SETTINGS:
        side.execute(f"SET {setting}")
        seen.append(side.rows(text))
    side.renew()
    return seen


@agree
def test_search_path(side: Side) -> Any:
    """The same name is another table under another search path."""
    before = side.rows(COUNT)
    side.execute("CREATE SCHEMA elsewhere")
    side.execute("CREATE TABLE elsewhere.planet (id int)")
    side.execute("SET LOCAL search_path = elsewhere, public")
    hidden = side.rows(COUNT)
    side.connection.rollback()
    return before, hidden, side.rows(COUNT)


@agree
def test_error_diagnostics(side: Side) -> Any:
    """An error carries the server's diagnostics."""
    try:
        side.execute("INSERT INTO planet VALUES (1, 'again')")
    except side.module.errors.UniqueViolation as error:
        return error.sqlstate, error.diag.constraint_name, error.diag.table_name, error.diag.message_detail


@agree
def test_statement_timeout(side: Side) -> Any:
    """A statement that takes too long is cancelled, although a known read came before it."""
    side.rows(COUNT)
    side.execute("SET LOCAL statement_timeout = 20")
    return refusal(side.execute, "SELECT pg_sleep(5) FROM planet")


@pytest.mark.parametrize("known", [False, True])
def test_session_timeout(both_on_postgres: Both, known: bool) -> None:
    """A session that the server has ended meanwhile says so, whether or not something could have been served in it."""

    def fact(side: Side) -> Any:
        side.rows(COUNT) if known else side.connection.execute("SELECT random()")
        side.execute("SET LOCAL idle_in_transaction_session_timeout = 20")
        with pytest.raises(side.module.errors.IdleInTransactionSessionTimeout):
            _execute_until_it_fails(side)
        return side.connection.closed, side.connection.broken

    both_on_postgres.compare(fact)


def _execute_until_it_fails(side: Side) -> None:
    for _ in range(100):
        time.sleep(0.1)
        side.connection.execute(COUNT)


@agree
def test_cancel(side: Side) -> Any:
    """Cancelling while nothing runs does nothing."""
    return side.connection.cancel_safe(), side.rows(COUNT)


@agree
def test_fileno_and_closed(side: Side) -> Any:
    """The socket is there while the connection is open."""
    open_one = side.connection.fileno() > 0, side.connection.closed, side.connection.broken
    side.connection.close()
    return open_one, outcome(side.connection.fileno), side.connection.closed


@agree
def test_cursor_factories(side: Side) -> Any:
    """The connection's factories make the cursors; ours are subclasses of psycopg's."""
    connection = side.connection
    kinds = (connection.cursor_factory, connection.server_cursor_factory)
    return [issubclass(kind, base) for kind, base in zip(kinds, (psycopg.Cursor, psycopg.ServerCursor), strict=True)]


@agree
def test_copy_of_classes(side: Side) -> Any:
    """The classes are generic, as psycopg's are."""
    return [hasattr(getattr(side.module, name), "__class_getitem__") for name in CLASSES]


@pytest.mark.parametrize(
    "name", ["Connection", "Cursor", "ServerCursor", "ClientCursor", "RawCursor", "RawServerCursor"]
)
def test_signatures(name: str) -> None:
    """A class of ours has every method of psycopg's."""
    import proxydb.psycopg

    assert set() == set(dir(getattr(psycopg, name))) - set(dir(getattr(proxydb.psycopg, name)))
