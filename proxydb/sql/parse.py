"""A query's syntax as plain facts with offsets into its text; with `lake.pruning.parse` the only door to sqlglot.

Only sqlglot's tree is used, never its generator: who needs a part of a query takes it out of the user's own text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from proxydb.errors import NotSupportedError, ProgrammingError
from proxydb.sql.tokens import locate

if TYPE_CHECKING:
    from collections.abc import Iterator

_DIALECTS = {"sqlite": "sqlite", "postgresql": "postgres"}
_LONGEST = 100_000


class ColumnRef(NamedTuple):
    """A column that is named somewhere.

    Parameters
    ----------
    qualifier, name
        As they are compared: folded the way the database folds bare identifiers. The qualifier may be empty.
    start, end
        Where the reference stands in the text.
    scope
        The number of the SELECT in which it stands.
    """

    qualifier: str
    name: str
    start: int
    end: int
    scope: int


class TableRef(NamedTuple):
    """A table in a FROM clause.

    Parameters
    ----------
    schema, name
        As written, without quotes; the schema may be empty.
    alias
        What its columns are qualified with, folded.
    start, end
        Where its name stands in the text, with the schema and without the alias.
    scope
        The number of the SELECT in whose FROM clause it stands.
    side
        ``""`` for the first table and inner joins, else ``"left"``, ``"right"``, ``"full"``.
    aliased
        Whether the query gives it an alias.
    """

    schema: str
    name: str
    alias: str
    start: int
    end: int
    scope: int
    side: str
    aliased: bool


class Scope(NamedTuple):
    """One SELECT.

    Parameters
    ----------
    parent
        The number of the SELECT around it; None for the outermost and for the arms of a compound.
    role
        What it is there for: ``"arm"``, ``"exists"``, ``"in"``, ``"derived"`` (a table in FROM), ``"cte"`` or
        ``"scalar"``.
    names
        The aliases of its result columns, in order; empty where none is given.
    starts
        Where each of these aliases stands in the text; -1 where there is none.
    merged
        Whether it joins by USING or NATURAL.
    """

    parent: int | None
    role: str
    names: tuple[str, ...]
    starts: tuple[int, ...]
    merged: bool


class Syntax(NamedTuple):
    """What a query consists of.

    Parameters
    ----------
    scopes, columns, tables
        Every SELECT, column and table in it.
    kinds
        The names of the syntax nodes that occur, to be checked against a closed list; functions that are called by
        their name are not among them.
    """

    scopes: tuple[Scope, ...]
    columns: tuple[ColumnRef, ...]
    tables: tuple[TableRef, ...]
    kinds: frozenset[str]

    def root(self, scope: int) -> int:
        """The number of the outermost SELECT around one."""
        parent = self.scopes[scope].parent
        return scope if parent is None else self.root(parent)


def parse_query(sql: str, system: str) -> Syntax:
    """The syntax of one SELECT or compound SELECT.

    Parameters
    ----------
    sql
        The query.
    system
        ``"sqlite"`` or ``"postgresql"``.

    Raises
    ------
    proxydb.errors.ProgrammingError
        It is no query.
    proxydb.errors.NotSupportedError
        The parser cannot read it.
    """
    import sqlglot
    from sqlglot import exp

    if len(sql) > _LONGEST:
        raise NotSupportedError(f"a query of more than {_LONGEST:,} characters is not parsed")
    try:
        trees = sqlglot.parse(sql, read=_DIALECTS[system])
    except (sqlglot.errors.SqlglotError, RecursionError) as error:
        raise NotSupportedError(f"the query cannot be parsed: {_first_line(error)}") from None
    trees = [tree for tree in trees if tree is not None]
    if len(trees) != 1 or not isinstance(trees[0], (exp.Select, exp.SetOperation)):
        raise ProgrammingError("a view is one SELECT statement")
    return _Reader(sql, system).read(trees[0])


def _first_line(error: BaseException) -> str:
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__


class _Reader:
    """Collects the facts of one tree."""

    def __init__(self, sql: str, system: str) -> None:
        self._sql = sql
        self._system = system
        self._ends = {start: end for _, start, end in locate(sql, system)}
        self._numbers: dict[int, int] = {}

    def read(self, tree: Any) -> Syntax:
        from sqlglot import exp

        selects = [node for node in tree.walk(bfs=False) if isinstance(node, exp.Select)]
        self._numbers = {id(select): number for number, select in enumerate(selects)}
        tables = [table for table in tree.find_all(exp.Table) if isinstance(table.this, exp.Identifier)]
        return Syntax(
            scopes=tuple(self._scope(select) for select in selects),
            columns=tuple(sorted(self._columns(tree), key=lambda column: column.start)),
            tables=tuple(sorted(map(self._table, tables), key=lambda table: table.start)),
            kinds=frozenset(type(node).__name__ for node in tree.walk() if not self._is_call(node)),
        )

    def _is_call(self, node: Any) -> bool:
        """Whether it is a function that is called by its name, with parentheses."""
        from sqlglot import exp

        return isinstance(node, exp.Func) and self._called(node.meta.get("start", -1))

    def _called(self, start: int) -> bool:
        return start in self._ends and self._sql[self._ends[start] :].lstrip().startswith("(")

    def _scope(self, select: Any) -> Scope:
        from sqlglot import exp

        parent = select.find_ancestor(exp.Select)
        aliases = [item.args["alias"] if isinstance(item, exp.Alias) else None for item in select.expressions]
        joins = select.args.get("joins") or []
        return Scope(
            None if parent is None else self._numbers[id(parent)],
            "arm" if parent is None else _role(select),
            tuple("" if alias is None else alias.name for alias in aliases),
            tuple(-1 if alias is None else alias.meta["start"] for alias in aliases),
            any(join.args.get("using") or join.args.get("method") == "NATURAL" for join in joins),
        )

    def _columns(self, tree: Any) -> Iterator[ColumnRef]:
        from sqlglot import exp

        for column in tree.find_all(exp.Column):
            parts = [part for part in column.parts if isinstance(part, exp.Identifier)]
            if not parts or "start" not in parts[0].meta or isinstance(column.this, exp.Star):
                continue
            qualifier = self._folded(parts[-2]) if len(parts) > 1 else ""
            start, last = parts[0].meta["start"], parts[-1].meta["start"]
            yield ColumnRef(qualifier, self._folded(parts[-1]), start, self._ends[last], self._around(column))

    def _table(self, table: Any) -> TableRef:
        from sqlglot import exp

        schema = table.args.get("db")
        alias = table.args.get("alias")
        first = table.this if schema is None else schema
        join = table.parent if isinstance(table.parent, exp.Join) else None
        return TableRef(
            "" if schema is None else schema.name,
            table.this.name,
            self._folded(table.this if alias is None or alias.this is None else alias.this),
            first.meta["start"],
            self._ends[table.this.meta["start"]],
            self._around(table),
            (join.side or "").lower() if join is not None else "",
            alias is not None and alias.this is not None,
        )

    def _around(self, node: Any) -> int:
        from sqlglot import exp

        around = node.find_ancestor(exp.Select)
        return self._numbers.get(id(around), 0)

    def _folded(self, identifier: Any) -> str:
        name: str = identifier.name
        return name.lower() if self._system == "sqlite" or not identifier.args.get("quoted") else name


def _role(select: Any) -> str:
    from sqlglot import exp

    node = select.parent
    while isinstance(node, (exp.Subquery, exp.SetOperation, exp.Paren)) and not isinstance(
        node.parent, (exp.From, exp.Join)
    ):
        node = node.parent
    roles = {exp.Exists: "exists", exp.In: "in", exp.Subquery: "derived", exp.CTE: "cte"}
    return roles.get(type(node), "scalar")
