"""Alembic's migrations, up and down, leave the same schema and rows on raw and on proxied connections."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext

from tests.sqlalchemy.conftest import hits

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.clients.conftest import Addresses

ENVIRONMENT = """
from alembic import context
from sqlalchemy import create_engine, pool

engine = create_engine(context.config.get_main_option("sqlalchemy.url"), poolclass=pool.NullPool)
with engine.connect() as connection:
    context.configure(connection=connection, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()
"""
REVISION = """
import sqlalchemy as sa
from alembic import op

revision, down_revision = {revision!r}, {down_revision!r}


def upgrade():
    {upgrade}


def downgrade():
    {downgrade}
"""
CREATE = """
    op.create_table("city", sa.Column("id", sa.Integer, primary_key=True), sa.Column("name", sa.String(50)))
    op.bulk_insert(sa.table("city", sa.column("name")), [{"name": f"city {n}"} for n in range(5)])
"""
ALTER = """
    with op.batch_alter_table("city") as batch:
        batch.add_column(sa.Column("size", sa.Integer, server_default="0", nullable=False))
        batch.alter_column("name", new_column_name="title", existing_type=sa.String(50))
        batch.create_index("city_by_size", ["size"])
"""
ALTER_BACK = """
    with op.batch_alter_table("city") as batch:
        batch.drop_index("city_by_size")
        batch.alter_column("title", new_column_name="name", existing_type=sa.String(50))
        batch.drop_column("size")
"""
CONVERT = """
    city = sa.table("city", sa.column("id"), sa.column("size"))
    for (key,) in op.get_bind().execute(sa.select(city.c.id)).all():
        op.execute(city.update().where(city.c.id == key).values(size=key * 10))
    assert op.get_bind().scalar(sa.select(sa.func.sum(city.c.size))) == 150
"""
REVISIONS = (
    ("one", CREATE, 'op.drop_table("city")'),
    ("two", ALTER, ALTER_BACK),
    ("three", CONVERT, 'op.execute("UPDATE city SET size = 0")'),
)
STEPS = (
    (command.upgrade, "+1"),
    (command.upgrade, "+1"),
    (command.downgrade, "-1"),
    (command.upgrade, "head"),
    (command.downgrade, "base"),
    (command.upgrade, "head"),
    (command.stamp, "two"),
    (command.downgrade, "base"),
)


def scripts(directory: Path) -> Path:
    """A migration environment with three revisions."""
    (directory / "versions").mkdir(parents=True)
    (directory / "env.py").write_text(ENVIRONMENT)
    before = None
    for revision, upgrade, downgrade in REVISIONS:
        text = REVISION.format(
            revision=revision, down_revision=before, upgrade=upgrade.strip(), downgrade=downgrade.strip()
        )
        (directory / "versions" / f"{revision}.py").write_text(text)
        before = revision
    return directory


def configuration(directory: Path, url: str) -> Config:
    """What `alembic.ini` says."""
    config = Config()
    config.set_main_option("script_location", str(directory))
    config.set_main_option("path_separator", "os")
    config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    return config


@contextmanager
def engine_of(url: str) -> Iterator[sa.Engine]:
    engine = sa.create_engine(url)
    try:
        yield engine
    finally:
        engine.dispose()


def seen(engine: sa.Engine) -> Any:
    """The revision, the schema and the rows, as an application sees them."""
    with engine.connect() as connection:
        inspector = sa.inspect(connection)
        tables = sorted(inspector.get_table_names())
        columns = {
            table: [(column["name"], str(column["type"])) for column in inspector.get_columns(table)]
            for table in tables
        }
        indexes = {table: inspector.get_indexes(table) for table in tables}
        rows = {
            table: sorted(map(tuple, connection.execute(sa.text(f"SELECT * FROM {table}"))), key=str)
            for table in tables
        }
        context = MigrationContext.configure(connection)
        differences = [change[0] for change in compare_metadata(context, sa.MetaData()) if isinstance(change, tuple)]
        return context.get_current_revision(), columns, indexes, rows, sorted(differences)


def migrated(directory: Path, url: str) -> tuple[list[Any], int]:
    """What an application sees after each step, asked again and again, and how often the answer was in memory."""
    config, found = configuration(directory, url), []
    with engine_of(url) as engine:
        for step, revision in STEPS:
            step(config, revision)
            answers = [seen(engine) for _ in range(4)]
            assert answers == answers[:1] * 4
            found.append(answers[0])
        return found, hits(engine) if engine.driver == "proxydb" else 0


def test_migrations_up_and_down(addresses: Addresses, tmp_path: Path) -> None:
    """After each step both sides have the same revision, schema and rows."""
    directory = scripts(tmp_path / "migrations")
    expected, _ = migrated(directory, addresses.raw)
    found, served = migrated(directory, addresses.proxied)
    assert found == expected
    assert served > len(STEPS)
    assert [revision for revision, *_ in expected] == ["one", "two", "one", "three", None, "three", "two", None]


def test_an_upgrade_by_another_program(addresses: Addresses, tmp_path: Path) -> None:
    """What a migration that knows nothing of proxydb has changed is seen at once."""
    directory = scripts(tmp_path / "migrations")
    with engine_of(addresses.proxied) as engine:
        for revision in ("one", "two", "three"):
            command.upgrade(configuration(directory, addresses.foreign), revision)
            assert [seen(engine)[0] for _ in range(4)] == [revision] * 4
        assert hits(engine) > 0
