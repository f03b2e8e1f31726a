"""Definition → the tables, triggers and views that keep it in a SQLite database."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from proxydb.errors import ProgrammingError
from proxydb.sql.tokens import quoted
from proxydb.views.catalogue import Table
from proxydb.views.obstacle import Obstacle
from proxydb.views.sqlite import changes
from proxydb.views.sqlite.deferred import Log, logs
from proxydb.views.sqlite.facts import query_columns
from proxydb.views.sqlite.groups import GroupsTable, groups_of_kept, groups_table, held
from proxydb.views.sqlite.linked import LinkedTable, linked_tables
from proxydb.views.sqlite.rows import Kept, RowsTable, rows_table
from proxydb.views.sqlite.triggers import group_triggers, linked_triggers, source_triggers

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from proxydb.views.catalogue import Column
    from proxydb.views.definition import Definition
    from proxydb.views.sqlite.facts import Execute


@dataclass(frozen=True)
class Layout:
    """What keeps one view.

    Parameters
    ----------
    name
        The view's name.
    definition
        What it is.
    columns
        The query's columns.
    rows
        The table of rows of each SELECT.
    groups
        The table of groups, where the view has groups.
    linked
        The copies of what its sub-queries are tied by.
    copy
        Without rows: the columns of the table that is filled as a whole.
    logs
        With deferred maintenance: what the changed rows are written down in.
    """

    name: str
    definition: Definition
    columns: tuple[Column, ...]
    rows: tuple[RowsTable, ...]
    groups: GroupsTable | None = None
    linked: tuple[LinkedTable, ...] = ()
    copy: tuple[Kept, ...] = ()
    logs: tuple[Log, ...] = ()

    @property
    def tables(self) -> tuple[str, ...]:
        """The names of its tables."""
        if self.copy:
            return (f"proxydb_{self.name}_rows",)
        names = tuple(rows.name for rows in self.rows)
        return names if self.groups is None else (*names, self.groups.name)

    def create(self) -> Iterator[str]:
        """The statements that make the tables, their indexes, and the views that show them."""
        if self.copy:
            declared = ", ".join(kept.declaration for kept in self.copy)
            yield f"CREATE TABLE {quoted(self.tables[0])} ({declared})"
        for rows in (*self.rows, *(each.rows for each in self.linked)):
            yield from rows.create()
        for rows in self.rows:
            if changes.needs_touched(rows):
                units = ", ".join(unit.declaration for unit in rows.units)
                yield f"CREATE TABLE {quoted(changes.touched_table(rows))} ({units})"
        for log in self.logs:
            yield from log.create()
        if self.groups is not None:
            yield from self.groups.create()
        yield f"CREATE VIEW {quoted(self.name)} AS {self.shown()}"
        if (keyed := self.keyed()) is not None:
            yield f"CREATE VIEW {quoted(keyed.rows)} AS {self._selected(keyed=True)}"

    def index(self, indexes: Sequence[Sequence[str]]) -> Iterator[str]:
        """The statements that make indexes of the view's columns.

        Raises
        ------
        proxydb.errors.ProgrammingError
            One names a column that the view does not have.
        """
        names = [column.name.lower() for column in self.columns]
        for number, columns in enumerate(indexes):
            if missing := [column for column in columns if column.lower() not in names]:
                raise ProgrammingError(f"the view has no column {missing[0]!r}, of which an index is to be made")
            places = [names.index(column.lower()) for column in columns]
            for table, expressions in self._expressions().items():
                terms = ", ".join(expressions[place] for place in places)
                yield f"CREATE INDEX {quoted(f'{table}_reader{number}')} ON {quoted(table)} ({terms})"

    def _expressions(self) -> dict[str, list[str]]:
        """What the view's columns are computed by, for each table that holds rows of it."""
        if self.copy:
            return {self.tables[0]: [kept.expression for kept in self.copy]}
        if self.groups is not None:
            return {self.groups.name: self._of_groups()}
        return {rows.name: [kept.expression for kept in rows.values] for rows in self.rows}

    def triggers(self) -> Iterator[str]:
        """The statements that make the triggers; they come before the filling, and see to it that nothing is lost."""
        yield from source_triggers(self.name, () if self.logs else self.rows, self.linked)
        for linked in () if self.logs else self.linked:
            yield from linked_triggers(linked)
        for log in self.logs:
            yield from log.triggers()
        if self.groups is not None:
            yield from group_triggers(self.groups)

    def fill(self) -> Iterator[str]:
        """The statements that compute the whole view into empty tables, before there are triggers."""
        if self.copy:
            names = ", ".join(kept.name for kept in self.copy)
            yield f"INSERT INTO {quoted(self.tables[0])} ({names}) SELECT * FROM ({self.definition.sql})"
        for rows in (*self.rows, *(each.rows for each in self.linked)):
            yield rows.fill()
        if self.groups is not None:
            yield from self.groups.fill()

    def shown(self) -> str:
        """The query of the view that people read."""
        order = [f"{order.number + 1} {order.direction}".strip() for order in self.definition.order]
        if any(order.number >= len(self.columns) for order in self.definition.order):
            order = [f"{self._carried(order.number)} {order.direction}".strip() for order in self.definition.order]
        ordered = f" ORDER BY {', '.join(order)}" if order else ""
        limited = f" LIMIT {self.definition.limit}" if self.definition.limit else ""
        return self._selected() + ordered + limited

    def keyed(self) -> Table | None:
        """The view as a table that another view may read, where its rows have keys."""
        if self.copy or self.logs or self.definition.limit or (self.groups is None and len(self.rows) != 1):
            return None
        if self.groups is not None:
            found_by, name, unique, shown = self.groups.keys, self.groups.name, False, self.columns
        else:
            rows = self.rows[0]
            found_by = tuple(kept for keys in rows.keys for kept in keys)
            name, unique = rows.name, rows.is_keyed
            shown = tuple(
                replace(column, not_null=kept.column.not_null)
                for column, kept in zip(self.columns, rows.values[: len(self.columns)], strict=True)
            )
        if not found_by:
            return None
        columns = tuple(replace(kept.column, name=kept.name) for kept in found_by)
        key = tuple(kept.name for kept in found_by)
        return Table("main", name, shown + columns, key, unique, rows=f"proxydb_{self.name}_keyed")

    def _selected(self, *, keyed: bool = False) -> str:
        if self.copy:
            return self._select(self.tables[0], [kept.expression for kept in self.copy], "")
        if self.groups is not None:
            arm = self.groups.arm
            expressions = self._of_groups()[: len(self.columns)]
            having = f" WHERE {self.groups.expression(arm.having)}" if arm.having else ""
            hidden = [kept.name for kept in self.groups.keys] if keyed else []
            return self._select(self.groups.name, expressions, having, hidden)
        operator = " UNION " if self.definition.united else " UNION ALL "
        return operator.join(self._of_rows(rows, keyed=keyed) for rows in self.rows)

    def _of_rows(self, rows: RowsTable, *, keyed: bool) -> str:
        hidden = [kept.name for keys in rows.keys for kept in keys] if keyed else []
        where = f" WHERE {rows.condition}" if rows.condition else ""
        return self._select(rows.name, [kept.expression for kept in rows.values[: len(self.columns)]], where, hidden)

    def _select(self, table: str, expressions: list[str], where: str, hidden: list[str] = []) -> str:  # noqa: B006
        named = [f"{text} AS {quoted(column.name)}" for text, column in zip(expressions, self.columns, strict=True)]
        return f"SELECT {', '.join(named + hidden)} FROM {quoted(table)}{where}"

    def _of_groups(self) -> list[str]:
        """The outputs and carried expressions over groups."""
        assert self.groups is not None
        arm = self.groups.arm
        if arm.distinct:
            return [kept.expression for kept in self.groups.keys]
        expressions = []
        for template in arm.templates:
            key = self.groups.key(template)
            expressions.append(key.expression if key is not None else self.groups.expression(template))
        return expressions

    def _carried(self, number: int) -> str:
        """A column of ORDER BY, by its expression."""
        return self._of_groups()[number] if self.groups is not None else self.rows[0].values[number].expression


def lay_out(
    name: str, definition: Definition, execute: Execute, maintenance: str, kept: Mapping[str, RowsTable]
) -> Layout:
    """The layout of a view.

    Parameters
    ----------
    name
        Its name.
    definition
        What it is.
    execute
        Asks the database about the query's columns.
    maintenance
        ``"immediate"``, ``"deferred"``, or ``"full"`` for a copy of the query's rows.
    kept
        The tables of rows of the views that it reads, by their names.

    Raises
    ------
    proxydb.views.obstacle.Obstacle
        It cannot be kept incrementally.
    proxydb.errors.ProgrammingError
        Two of its columns have one name.
    """
    columns = named_columns(definition, execute)
    if maintenance == "full":
        copy = tuple(Kept(f"proxydb_{place}", column) for place, column in enumerate(columns))
        return Layout(name, definition, columns, (), copy=copy)
    if definition.united and any(column.collation not in ("", "BINARY") for column in columns):
        raise Obstacle("its UNION compares by another collation than BINARY, to which several spellings are one")
    first, grouped = definition.arms[0], definition.arms[0].grouped or definition.arms[0].distinct
    if grouped and maintenance == "immediate" and (groups := groups_of_kept(f"proxydb_{name}_groups", first, kept)):
        return Layout(name, definition, columns, (), groups)
    rows = tuple(
        rows_table(f"proxydb_{name}_rows{place or ''}", definition, arm, held(arm), execute)
        for place, arm in enumerate(definition.arms)
    )
    of_rows = groups_table(f"proxydb_{name}_groups", first, rows[0], rows[0].values) if grouped else None
    linked = tuple(each for table in rows for each in linked_tables(table, execute))
    logged = tuple(logs(name, rows, linked)) if maintenance == "deferred" else ()
    return Layout(name, definition, columns, rows, of_rows, linked, logs=logged)


def named_columns(definition: Definition, execute: Execute) -> tuple[Column, ...]:
    """The columns of a view's query, under the names that the query itself gives them."""
    cursor = execute(f"SELECT * FROM ({definition.sql}) LIMIT 0")
    names = [column[0] for column in cursor.description]
    for name in names:
        plain, numbered, _ = name.rpartition(":")  # SQLite itself makes the second x to x:1
        if numbered and plain in names:
            raise ProgrammingError(f"two columns of the view are named {plain!r}: give one of them an alias with AS")
    return query_columns(execute, definition.sql)
