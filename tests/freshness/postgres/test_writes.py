"""Every way to change rows, by this program and by others: the next read sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.freshness.postgres.twins import T, U

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.freshness.postgres.twins import Side, Twins

STATEMENTS = {
    "insert": "INSERT INTO u VALUES (1001, 1)",
    "update": "UPDATE u SET x = x + 1 WHERE id = 1",
    "delete": "DELETE FROM u WHERE id = 1",
    "upsert": "INSERT INTO u VALUES (1, 5) ON CONFLICT (id) DO UPDATE SET x = excluded.x",
    "truncate": "TRUNCATE u",
    "truncate both": "TRUNCATE t, u RESTART IDENTITY CASCADE",
    "with": "WITH gone AS (DELETE FROM u WHERE id < 10 RETURNING x) INSERT INTO t SELECT 2000 + x, x FROM gone",
    "do": "DO $$ BEGIN UPDATE u SET x = 0; END $$",
    "several": "UPDATE u SET x = 1; UPDATE t SET x = 2",
    "locked": "BEGIN; LOCK u; DELETE FROM u; COMMIT",
    "explain analyze": "EXPLAIN (ANALYZE, TIMING off, SUMMARY off, COSTS off) DELETE FROM u WHERE id = 1",
    "prepared": "PREPARE change AS UPDATE u SET x = 3; EXECUTE change; DEALLOCATE change",
    "copied table": "CREATE TABLE copied AS SELECT * FROM u; DROP TABLE u; ALTER TABLE copied RENAME TO u",
    "vacuumed": "DELETE FROM u WHERE id = 2",
    "nothing": "UPDATE u SET x = 1 WHERE false",
}


def _copy(connection: Any) -> None:
    with connection.cursor().copy("COPY u FROM STDIN") as copy:
        copy.write_row((5000, 1))


def _pipeline(connection: Any) -> None:
    with connection.pipeline():
        connection.execute("UPDATE u SET x = 4")
        connection.execute("DELETE FROM t")


def _transaction(connection: Any) -> None:
    with connection.transaction():
        connection.execute("UPDATE u SET x = 4")
        connection.execute("DELETE FROM t")


def _nested(connection: Any) -> None:
    import psycopg

    with connection.transaction():
        connection.execute("UPDATE t SET x = 4")
        with connection.transaction() as inner:
            connection.execute("UPDATE u SET x = 4")
            raise psycopg.Rollback(inner)


def _two_phases(connection: Any) -> None:
    connection.autocommit = False
    connection.tpc_begin(connection.xid(1, "gtrid", "bqual"))
    connection.execute("UPDATE u SET x = 4")
    connection.tpc_prepare()
    connection.tpc_commit()
    connection.autocommit = True


METHODS: dict[str, Callable[[Any], Any]] = {
    "copy": _copy,
    "executemany": lambda connection: connection.cursor().executemany("DELETE FROM u WHERE id = %s", [(1,), (2,)]),
    "pipeline": _pipeline,
    "transaction": _transaction,
    "rolled back part": _nested,
    "two phases": _two_phases,
    "stream": lambda connection: list(connection.cursor().stream("DELETE FROM u RETURNING x")),
    "binary": lambda connection: connection.execute("UPDATE u SET x = %b", (9,)),
    "returning": lambda connection: connection.execute("UPDATE u SET x = 9 RETURNING id").fetchone(),
    "libpq": lambda connection: connection.pgconn.exec_(b"UPDATE u SET x = 7"),
}
WAYS = {name: lambda connection, sql=sql: connection.execute(sql) for name, sql in STATEMENTS.items()} | METHODS


@pytest.mark.parametrize("way", WAYS)
def test_way_to_write(twins: Twins, way: str) -> None:
    """The write is seen on all connections, whether a foreign program does it or this one."""

    def story(side: Side) -> None:
        for who in ("beside", "other"):
            side.read_all()
            side.attempt(WAYS[way], getattr(side, who))
            side.read_all()

    twins.tell(story)
    assert twins.hits > 0


def _prepare(*statements: str) -> Callable[[Side], None]:
    def make(side: Side) -> None:
        for statement in statements:
            side.beside.execute(statement)

    return make


FUNCTION = (
    "CREATE FUNCTION more() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE u SET x = x + 1; RETURN NULL; END $$"
)
DEFERRED = """CREATE CONSTRAINT TRIGGER m AFTER UPDATE ON t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
EXECUTE FUNCTION more()"""
EFFECTS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "row trigger": ((FUNCTION, "CREATE TRIGGER m AFTER UPDATE ON t FOR EACH ROW EXECUTE FUNCTION more()"), (T, U)),
    "statement trigger": ((FUNCTION, "CREATE TRIGGER m AFTER UPDATE ON t EXECUTE FUNCTION more()"), (T, U)),
    "deferred trigger": ((FUNCTION, DEFERRED), (T, U)),
    "rule": (("CREATE RULE r AS ON UPDATE TO t DO ALSO UPDATE u SET x = x + 1",), (T, U)),
    "view": (("CREATE VIEW v AS SELECT * FROM t WHERE x > 10",), ("SELECT sum(x) FROM v",)),
    "view of a view": (
        ("CREATE VIEW v AS SELECT * FROM t", "CREATE VIEW w AS SELECT sum(x) AS total FROM v"),
        ("SELECT total FROM w",),
    ),
    "partition": (
        (
            "ALTER TABLE t RENAME TO old",
            "CREATE TABLE t (id integer, x bigint) PARTITION BY RANGE (id)",
            "CREATE TABLE low PARTITION OF t FOR VALUES FROM (0) TO (100)",
            "CREATE TABLE high PARTITION OF t DEFAULT",
            "INSERT INTO t SELECT * FROM old",
        ),
        (T, "SELECT count(*), sum(x) FROM low", "SELECT count(*), sum(x) FROM high"),
    ),
    "inheritance": (
        (
            "CREATE TABLE parent (id integer, x bigint)",
            "ALTER TABLE t ADD COLUMN y int",
            "ALTER TABLE t INHERIT parent",
        ),
        ("SELECT count(*), sum(x) FROM parent", "SELECT count(*), sum(x) FROM ONLY parent"),
    ),
    "generated column": (
        ("ALTER TABLE t ADD COLUMN y bigint GENERATED ALWAYS AS (x * 2) STORED",),
        ("SELECT sum(y) FROM t",),
    ),
}


@pytest.mark.parametrize("effect", EFFECTS)
def test_side_effect(twins: Twins, effect: str) -> None:
    """What an update of one table changes elsewhere is seen, also when the replica role disables triggers."""
    statements, questions = EFFECTS[effect]

    def story(side: Side) -> None:
        _prepare(*statements)(side)
        for who in ("beside", "other"):
            for role in ("origin", "replica"):
                writer = getattr(side, who)
                writer.execute(f"SET session_replication_role = {role}")
                for question in questions:
                    side.read(question)
                writer.execute("UPDATE t SET x = x + 3 WHERE id < 4")
                for question in questions:
                    side.read(question)

    twins.tell(story)
    assert twins.hits > 0


def test_cascade(twins: Twins) -> None:
    """Rows that a foreign key takes with their parents are gone."""

    def story(side: Side) -> None:
        _prepare("ALTER TABLE u ADD FOREIGN KEY (id) REFERENCES t ON DELETE CASCADE ON UPDATE CASCADE")(side)
        for number, who in enumerate(("beside", "other")):
            side.read_all()
            getattr(side, who).execute("DELETE FROM t WHERE id = %s", (10 + number,))
            getattr(side, who).execute("UPDATE t SET id = -id WHERE id = %s", (20 + number,))
            side.read_all()

    twins.tell(story)


def test_materialized_view(twins: Twins) -> None:
    """A materialized view changes when it is refreshed, and not before."""

    def story(side: Side) -> None:
        _prepare("CREATE MATERIALIZED VIEW m AS SELECT id, x FROM t", "CREATE UNIQUE INDEX ON m (id)")(side)
        for how in ("", "CONCURRENTLY"):
            side.read("SELECT sum(x) FROM m")
            side.beside.execute("UPDATE t SET x = x + 1")
            side.read("SELECT sum(x) FROM m")
            side.beside.execute(f"REFRESH MATERIALIZED VIEW {how} m")
            side.read("SELECT sum(x) FROM m")

    twins.tell(story)
    assert twins.hits > 0


def test_function_that_writes(twins: Twins) -> None:
    """A SELECT that calls a writing function is run each time, and what it writes is read."""

    def story(side: Side) -> None:
        _prepare(
            "CREATE FUNCTION bump() RETURNS bigint LANGUAGE sql AS 'UPDATE u SET x = x + 1 WHERE id = 1 RETURNING x'"
        )(side)
        side.read("SELECT bump(), count(*) FROM t")
        side.read_all()
        side.read("SELECT bump(), count(*) FROM t")
        side.read_all()

    twins.tell(story)


def test_prepared_transaction_of_another_program(twins: Twins) -> None:
    """A prepared transaction is seen when it is committed, and not before."""

    def story(side: Side) -> None:
        name = f"of_{side.module.__name__}"
        side.read_all()
        side.beside.execute(f"BEGIN; UPDATE u SET x = 0; PREPARE TRANSACTION '{name}'")
        side.read_all()
        side.beside.execute(f"COMMIT PREPARED '{name}'")
        side.read_all()

    twins.tell(story)


def test_sequence(twins: Twins) -> None:
    """A sequence, which moves outside transactions, is read fresh."""

    def story(side: Side) -> None:
        _prepare("CREATE SEQUENCE s", "CREATE VIEW v AS SELECT last_value FROM s")(side)
        for _ in range(3):
            side.read("SELECT last_value FROM s")
            side.read("SELECT last_value, count(*) FROM v, t GROUP BY 1")
            side.beside.execute("SELECT nextval('s')")

    twins.tell(story)
