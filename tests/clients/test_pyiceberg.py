"""PyIceberg's `SqlCatalog` keeps the same tables on raw and on proxied connections, and its reads hit the cache."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.exceptions import CommitFailedException, NoSuchTableError
from pyiceberg.schema import Schema
from pyiceberg.types import LongType, NestedField, StringType

from tests.sqlalchemy.conftest import hits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.clients.conftest import Addresses

SCHEMA = Schema(NestedField(1, "id", LongType(), required=False), NestedField(2, "name", StringType(), required=False))
ROWS = pa.table({"id": pa.array([1, 2, 3], pa.int64()), "name": ["one", "two", "three"]})
STEPS: dict[str, Callable[[SqlCatalog], Any]] = {
    "namespaces": lambda catalog: [catalog.create_namespace(name) for name in ("raw", "clean", "raw.deep")],
    "properties": lambda catalog: catalog.update_namespace_properties("raw", updates={"owner": "me"}),
    "create": lambda catalog: [str(catalog.create_table(f"raw.t{number}", SCHEMA).schema()) for number in range(3)],
    "create twice": lambda catalog: catalog.create_table("raw.t0", SCHEMA),
    "append": lambda catalog: catalog.load_table("raw.t0").append(ROWS),
    "append again": lambda catalog: catalog.load_table("raw.t0").append(ROWS),
    "evolve": lambda catalog: evolve(catalog.load_table("raw.t1")),
    "delete rows": lambda catalog: catalog.load_table("raw.t0").delete("id = 2"),
    "rename": lambda catalog: str(catalog.rename_table("raw.t2", "clean.renamed").name()),
    "rename nothing": lambda catalog: catalog.rename_table("raw.t2", "clean.again"),
    "drop a full namespace": lambda catalog: catalog.drop_namespace("raw"),
    "drop": lambda catalog: catalog.drop_table("raw.t1"),
    "drop a namespace": lambda catalog: catalog.drop_namespace("raw.deep"),
}
READS: dict[str, Callable[[SqlCatalog], Any]] = {
    "namespaces": lambda catalog: catalog.list_namespaces(),
    "properties": lambda catalog: without_place(catalog.load_namespace_properties("raw")),
    "tables": lambda catalog: [catalog.list_tables(name) for name in ("raw", "clean")],
    "exists": lambda catalog: [catalog.table_exists(f"raw.t{number}") for number in range(3)],
    "columns": lambda catalog: catalog.load_table("raw.t1").schema().column_names,
    "rows": lambda catalog: catalog.load_table("raw.t0").scan().to_arrow().sort_by("id").to_pylist(),
    "snapshots": lambda catalog: len(catalog.load_table("raw.t0").snapshots()),
}


def evolve(table: Any) -> None:
    with table.update_schema() as update:
        update.add_column("size", LongType())


def without_place(properties: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in properties.items() if name != "location"}


@contextmanager
def catalog_of(url: str, warehouse: Path) -> Iterator[SqlCatalog]:
    warehouse.mkdir(exist_ok=True)
    catalog = SqlCatalog("test", uri=url, warehouse=warehouse.as_uri())
    try:
        yield catalog
    finally:
        catalog.engine.dispose()


def outcome(call: Callable[[SqlCatalog], Any], catalog: SqlCatalog) -> Any:
    try:
        return call(catalog)
    except Exception as error:
        return type(error).__name__


def told(catalog: SqlCatalog) -> list[Any]:
    """What each read gives after each step, asked again and again."""
    found = []
    for name, step in STEPS.items():
        found.append((name, outcome(step, catalog)))
        for question, read in READS.items():
            answers = [outcome(read, catalog) for _ in range(3)]
            assert answers == answers[:1] * 3, f"{question} after {name}"
            found.append((question, answers[0]))
    return found


@pytest.fixture
def catalogs(addresses: Addresses, tmp_path: Path) -> Iterator[list[SqlCatalog]]:
    """A raw catalog, a proxied one on another database, and a raw one beside that."""
    places = zip(addresses, ("raw", "proxied", "proxied"), strict=True)
    opened = [catalog_of(url, tmp_path / place) for url, place in places]
    with opened[0] as raw, opened[1] as proxied, opened[2] as foreign:
        yield [raw, proxied, foreign]


def test_the_life_of_a_catalog(catalogs: list[SqlCatalog]) -> None:
    """Namespaces, tables, commits and errors are the same, and most of what is read again is in memory."""
    raw, proxied, _ = catalogs
    assert told(proxied) == told(raw)
    assert hits(proxied.engine) > len(STEPS) * len(READS)


def test_loading_a_table_again(catalogs: list[SqlCatalog]) -> None:
    """Each `load_table` of a table that did not change is answered from memory; a foreign commit is seen at once."""
    _, proxied, foreign = catalogs
    foreign.create_namespace("raw")
    foreign.create_table("raw.t", SCHEMA)
    for commits in range(3):
        for _ in range(4):
            assert len(proxied.load_table("raw.t").snapshots()) == commits
        before = hits(proxied.engine)
        proxied.load_table("raw.t")
        assert hits(proxied.engine) == before + 1
        foreign.load_table("raw.t").append(ROWS)
    foreign.drop_table("raw.t")
    with pytest.raises(NoSuchTableError):
        proxied.load_table("raw.t")


@pytest.mark.parametrize("retries", [0, 4])
def test_a_commit_that_comes_too_late(catalogs: list[SqlCatalog], retries: int) -> None:
    """A commit on a state that another program has replaced fails, or is made again on the state that it reads then."""
    _, proxied, foreign = catalogs
    proxied.create_namespace("raw")
    proxied.create_table("raw.t", SCHEMA, properties={"commit.retry.num-retries": str(retries)})
    for number in range(1, 3):
        late = proxied.load_table("raw.t")
        foreign.load_table("raw.t").append(ROWS)
        if retries:
            late.append(ROWS)
        else:
            with pytest.raises(CommitFailedException):
                late.append(ROWS)
        assert len(proxied.load_table("raw.t").snapshots()) == number * (2 if retries else 1)
