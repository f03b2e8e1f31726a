"""The tables in a FROM clause → `Source`, and whose column a name is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxydb.views.clauses import Span
from proxydb.views.definition import Source
from proxydb.views.obstacle import Obstacle

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from proxydb.sql.parse import ColumnRef, TableRef
    from proxydb.views.catalogue import Table
    from proxydb.views.understood import Understood


def sources_of(given: Understood) -> Iterator[Source]:
    tables = [table for table in given.syntax.tables if table.scope == given.number]
    if any(table.side in ("right", "full") for table in tables):
        raise Obstacle("it has a RIGHT or FULL join")
    found = [found_table(given, table) for table in tables]
    for reference, table in zip(tables, found, strict=True):
        used = _used(given, reference, table, tables, found)
        place = Span(reference.start, reference.end)
        yield Source(table, reference.alias, place, reference.side == "left", used, reference.aliased)


def found_table(given: Understood, reference: TableRef) -> Table:
    table = given.catalogue.table(reference.schema, reference.name)
    if table is None:
        raise Obstacle(f"{reference.name} is not an ordinary table")
    if table.obstacle:
        raise Obstacle(table.obstacle)
    return table


def _used(
    given: Understood, reference: TableRef, table: Table, references: list[TableRef], tables: list[Table]
) -> tuple[str, ...]:
    """The columns of a table that the query names, by themselves or with a star."""
    scope = given.syntax.scopes[given.number]
    if scope.merged or any(span.of(given.sql).rstrip().endswith("*") for span in given.cut.items):
        return tuple(column.name for column in table.columns)
    names = {
        owned(column, references, tables)[1]
        for column in given.syntax.columns
        if _is_within(given, column.scope) and owned(column, references, tables)[0] == reference.alias
    }
    used = tuple(column.name for column in table.columns if column.name in names)
    return used or tuple(column.name for column in table.columns)


def _is_within(given: Understood, scope: int) -> bool:
    """Whether a SELECT is this one or a sub-query of it, which may name its columns, too."""
    return given.syntax.root(scope) == given.number


def owned(column: ColumnRef, references: Sequence[TableRef], tables: Sequence[Table]) -> tuple[str, str]:
    """The alias of the table that a column belongs to, and the column's name there."""
    for reference, table in zip(references, tables, strict=True):
        found = table.column(column.name)
        if found is not None and column.qualifier in ("", reference.alias):
            return reference.alias, found.name
    return "", column.name


def check_joins(given: Understood, sources: Sequence[Source]) -> None:
    """An inner join after an outer one may drop a row as long as that has a partner, and then nothing tells of it."""
    nullable = {source.alias for source in sources if source.nullable}
    outer = [source.nullable for source in sources]
    later = [source for place, source in enumerate(sources) if not source.nullable and any(outer[:place])]
    references = [table for table in given.syntax.tables if table.scope == given.number]
    tables = [source.table for source in sources]
    for column in given.syntax.columns:
        if later and column.scope == given.number and given.cut.clauses["from"].holds(column.start):
            after = column.start > later[0].place.start
            if after and owned(column, references, tables)[0] in nullable:
                raise Obstacle("an inner join after an outer one looks at what that may leave out: put it first")


def is_late(given: Understood, sources: Sequence[Source]) -> bool:
    where = given.cut.clauses.get("where")
    nullable = {source.alias for source in sources if source.nullable}
    if where is None or not nullable:
        return False
    references = [table for table in given.syntax.tables if table.scope == given.number]
    tables = [source.table for source in sources]
    return any(
        where.holds(column.start) and owned(column, references, tables)[0] in nullable
        for column in given.syntax.columns
    )


def check_columns(given: Understood, sources: Sequence[Source], expressions: list[Span]) -> None:
    """Every column that is named must be one of a source; SQLite also takes an alias or a rowid for one."""
    clauses = [given.cut.clauses[name] for name in ("from", "where") if name in given.cut.clauses]
    references = [source.alias for source in sources]
    for column in given.syntax.columns:
        inside = column.scope == given.number and any(span.holds(column.start) for span in clauses + expressions)
        if inside and not any(
            source.table.column(column.name) and column.qualifier in ("", alias)
            for source, alias in zip(sources, references, strict=True)
        ):
            raise Obstacle(f"it names {column.name}, which is no column of its tables")
