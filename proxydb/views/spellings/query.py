"""A query while it is rewritten: its SELECTs, whose column a name is, and what its SELECT lists give."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from proxydb.sql.parse import parse_query
from proxydb.sql.tokens import quoted
from proxydb.views.clauses import Cutter, Span
from proxydb.views.obstacle import Obstacle
from proxydb.views.outputs import without_alias

if TYPE_CHECKING:
    from collections.abc import Iterable

    from proxydb.sql.parse import ColumnRef, TableRef
    from proxydb.views import clauses
    from proxydb.views.catalogue import Catalogue, Table


class Output(NamedTuple):
    """What a SELECT list gives: its name, its text with qualified columns, and whether that is a column."""

    name: str
    text: str
    is_column: bool = False


class Query:
    """A query, parsed and cut.

    Parameters
    ----------
    sql, system, catalogue
        Its text, the database's system, and where tables are looked up.
    """

    def __init__(self, sql: str, system: str, catalogue: Catalogue) -> None:
        self.sql, self.system = sql, system
        self._catalogue = catalogue
        self.renamed: dict[int, str] = {}
        self.syntax, self.cutter = parse_query(sql, system), Cutter(sql, system)

    def select(self, scope: int) -> clauses.Arm:
        """The clauses of a SELECT: an arm of the whole, or one in parentheses."""
        if self.syntax.scopes[scope].role == "arm":
            arms = [number for number, each in enumerate(self.syntax.scopes) if each.role == "arm"]
            return self.cutter.arms()[0][arms.index(scope)]
        return self.cutter.inside(self._first(scope))

    def around(self, scope: int) -> Span:
        """What stands in the parentheses of a SELECT."""
        start = self.select(scope).items[0].start
        return max(span for span in self.cutter.selects() if span.holds(start))

    def _first(self, scope: int) -> int:
        """Where the first name of a SELECT's FROM clause or SELECT list stands, outside any further one."""
        starts = [each.start for each in self.syntax.tables if each.scope == scope]
        starts += [each.start for each in self.syntax.columns if each.scope == scope]
        if not starts:
            raise Obstacle("it has a derived table that reads no table")
        return min(starts, key=lambda start: (self.cutter.depth(start), start))

    def tables(self, scope: int) -> list[TableRef]:
        """The tables in a SELECT's own FROM clause."""
        return [table for table in self.syntax.tables if table.scope == scope]

    def table(self, reference: TableRef) -> Table:
        """What the catalogue says of one."""
        found = self._catalogue.table(reference.schema, reference.name)
        if found is None:
            raise Obstacle(f"{reference.name} is not an ordinary table")
        return found

    def owner(self, column: ColumnRef, scope: int) -> tuple[str, str] | None:
        """The alias and name of a column of a SELECT's own tables; None where it is none of these."""
        for reference in self.tables(scope):
            found = self.table(reference).column(column.name)
            if found is not None and column.qualifier in ("", reference.alias):
                return self.alias(reference), found.name
        return None

    def alias(self, reference: TableRef) -> str:
        """What a table's columns will be qualified with: by its alias, or by that of the derived table that it was."""
        return self.renamed.get(reference.scope, reference.alias)

    def is_within(self, scope: int, outer: int) -> bool:
        """Whether a SELECT is another one or stands in it."""
        parent: int | None = scope
        while parent is not None and parent != outer:
            parent = self.syntax.scopes[parent].parent
        return parent is not None

    def names(self, scope: int) -> list[str]:
        """The aliases of a SELECT list as the database means them; empty where there is none."""
        found = []
        for name, start in zip(self.syntax.scopes[scope].names, self.syntax.scopes[scope].starts, strict=True):
            bare = start >= 0 and self.sql[start] not in '"`['
            found.append(name.lower() if bare and self.system == "postgresql" else name)
        return found

    def outputs(self, scope: int) -> list[Output]:
        """What a SELECT list gives, ``*`` written out."""
        found: list[Output] = []
        items = self.select(scope).items
        for item, name, start in zip(items, self.names(scope), self.syntax.scopes[scope].starts, strict=True):
            words = self.cutter.words(item)
            if words[-1] == "*" and (len(words) == 1 or words[-2] == "."):
                found += self._star(words, scope)
            else:
                span = without_alias(self.sql, item, start)
                column = self._column(span, scope)
                found.append(Output(name or column, self.qualified(span, scope), bool(column)))
        return found

    def _star(self, words: tuple[str, ...], scope: int) -> Iterable[Output]:
        if self.syntax.scopes[scope].merged:
            raise Obstacle("it says * beside USING or NATURAL: name the columns")
        alias = words[0].strip('"`[]').lower() if len(words) > 1 else ""
        for reference in self.tables(scope):
            if alias in ("", reference.alias.lower()):
                for column in self.table(reference).columns:
                    yield Output(column.name, f"{quoted(self.alias(reference))}.{quoted(column.name)}", True)

    def _column(self, span: Span, scope: int) -> str:
        """The name of the column that an expression consists of; empty where it is none."""
        for column in self.syntax.columns:
            if (column.start, column.end) == span and (owned := self.owner(column, scope)) is not None:
                return owned[1]
        return ""

    def qualified(self, span: Span, scope: int) -> str:
        """The words of a span of a SELECT, in which its own columns bear the names of their tables."""
        edits = []
        for column in self.syntax.columns:
            owned = self.owner(column, scope) if column.scope == scope and span.holds(column.start) else None
            if owned is not None:
                edits.append((Span(column.start, column.end), f"{quoted(owned[0])}.{quoted(owned[1])}"))
        return self.text(span, edits)

    def text(self, span: Span, edits: Iterable[tuple[Span, str]]) -> str:
        """The words of a span, some of them replaced."""
        words, done = [], span.start
        for place, text in sorted(edits):
            if span.start <= place.start and place.end <= span.end and place.start >= done:
                words += [self.sql[done : place.start], text]
                done = place.end
        return "".join([*words, self.sql[done : span.end]])

    @property
    def whole(self) -> Span:
        """All of it."""
        return Span(0, len(self.sql))
