"""Who may read what: rights, roles and policies, changed at any moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.freshness.postgres.twins import U

if TYPE_CHECKING:
    from tests.freshness.postgres.twins import Side, Twins

pytestmark = pytest.mark.usefixtures("roles")
ANNA, BERT = "proxydb_anna", "proxydb_bert"


@pytest.mark.parametrize("how", ["SET ROLE {}", "SET SESSION AUTHORIZATION {}", "SET LOCAL ROLE {}"])
def test_right_of_another_role(twins: Twins, how: str) -> None:
    """What one role has read, another one without the right does not get."""

    def story(side: Side) -> None:
        side.beside.execute(f"GRANT SELECT ON u TO {ANNA}")
        for role in (ANNA, BERT, ANNA):
            side.run("BEGIN")
            side.run(how.format(role))
            side.run("SAVEPOINT a")
            for _ in range(4):
                side.run(U)
                side.run("ROLLBACK TO a")
            side.run("ROLLBACK")
            side.run("RESET SESSION AUTHORIZATION")
            side.read()

    twins.tell(story)
    assert twins.hits > 0


REVOCATIONS = (
    f"REVOKE SELECT ON u FROM {ANNA}",
    "REVOKE USAGE ON SCHEMA public FROM public",
    f"ALTER TABLE u OWNER TO {BERT}; REVOKE ALL ON u FROM {ANNA}",
    "REVOKE SELECT ON u FROM public",
)


@pytest.mark.parametrize("revocation", REVOCATIONS)
def test_revoked(twins: Twins, revocation: str) -> None:
    """A right that was taken away is gone at the next read."""

    def story(side: Side) -> None:
        side.beside.execute(f"GRANT SELECT ON u TO {ANNA}")
        side.run(f"SET ROLE {ANNA}")
        side.read()
        side.beside.execute(revocation)
        side.read()
        side.beside.execute(f"GRANT SELECT ON u TO {ANNA}; GRANT USAGE ON SCHEMA public TO public")
        side.read()

    twins.tell(story)
    assert twins.hits > 0


def test_right_through_membership(twins: Twins) -> None:
    """A right that came through a group goes with the membership."""

    def story(side: Side) -> None:
        side.beside.execute(f"GRANT SELECT ON u TO {BERT}; GRANT {BERT} TO {ANNA}")
        side.run(f"SET ROLE {ANNA}")
        side.read()
        side.beside.execute(f"REVOKE {BERT} FROM {ANNA}")
        side.read()

    twins.tell(story)


POLICIES = (
    "ALTER TABLE u ENABLE ROW LEVEL SECURITY",
    "CREATE POLICY p ON u USING (x % 2 = current_setting('proxydb.rest')::int)",
    f"GRANT SELECT ON u TO {ANNA}, {BERT}",
)


def test_row_level_security(twins: Twins) -> None:
    """A policy that looks at a setting shows each value its own rows."""

    def story(side: Side) -> None:
        for statement in POLICIES:
            side.beside.execute(statement)
        side.beside.execute("UPDATE u SET x = id")
        for role in (ANNA, BERT):
            side.run(f"SET ROLE {role}")
            for rest in (0, 1, 0):
                side.run(f"SET proxydb.rest = {rest}")
                side.read()
                side.run("SELECT set_config('proxydb.rest', '1', false)")
                side.read()

    twins.tell(story)


def test_row_level_security_switched_on(twins: Twins) -> None:
    """Policies that come after a statement was kept count at once, also behind a view."""

    def story(side: Side) -> None:
        side.beside.execute(f"CREATE VIEW v AS SELECT * FROM u; ALTER VIEW v OWNER TO {BERT}")
        side.beside.execute(f"GRANT SELECT ON v, u TO {ANNA}, {BERT}")
        side.run(f"SET ROLE {ANNA}")
        for statement in ("SELECT 1", *POLICIES, "ALTER TABLE u DISABLE ROW LEVEL SECURITY"):
            side.beside.execute(statement)
            for rest in (0, 1):
                side.run(f"SET proxydb.rest = {rest}")
                side.read()
                side.read("SELECT count(*), sum(x) FROM v")

    twins.tell(story)
    assert twins.hits > 0


@pytest.mark.parametrize("change", ["ALTER TABLE hidden.z RENAME TO u", "ALTER TABLE elsewhere.u SET SCHEMA hidden"])
def test_protected_table_takes_the_name(twins: Twins, change: str) -> None:
    """A table with policies that begins to stand before the one that was read shows each value its own rows."""

    def story(side: Side) -> None:
        side.beside.execute("CREATE SCHEMA hidden; CREATE SCHEMA elsewhere")
        for name in ("hidden.z", "elsewhere.u"):
            side.beside.execute(f"CREATE TABLE {name} AS SELECT id, id AS x FROM u")
            side.beside.execute(f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY")
            side.beside.execute(f"CREATE POLICY p ON {name} USING (x % 2 = current_setting('proxydb.rest')::int)")
            side.beside.execute(f"GRANT SELECT ON {name}, public.u TO {ANNA}")
        side.beside.execute(f"GRANT USAGE ON SCHEMA hidden TO {ANNA}")
        side.run("SET search_path = hidden, public")
        side.run(f"SET ROLE {ANNA}")
        side.read()
        side.beside.execute(change)
        for rest in (0, 1, 0):
            side.run(f"SET proxydb.rest = {rest}")
            side.read()

    twins.tell(story)
    assert twins.hits > 0


def test_statement_timeout(twins: Twins) -> None:
    """A statement that takes too long raises each time, and reads go on after it."""

    def story(side: Side) -> None:
        slow = "SELECT count(*) FROM t a, t b, t c WHERE a.x + b.x + c.x < 0"
        side.read()
        side.run("SET statement_timeout = 20")
        for _ in range(3):
            side.run(slow)
        side.run("SET statement_timeout = 0")
        side.read()

    twins.tell(story)


def test_lock_timeout(twins: Twins) -> None:
    """A read that meets a locked table waits and raises, as long as it would have to wait."""

    def story(side: Side) -> None:
        side.read("SELECT sum(x) FROM t")
        side.beside.execute("BEGIN; LOCK TABLE u; UPDATE u SET x = 0")
        side.run("SET lock_timeout = 20")
        side.run(U)
        side.beside.execute("COMMIT")
        side.read()

    twins.tell(story)
