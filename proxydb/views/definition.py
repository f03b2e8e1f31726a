"""What a view is: the query's text, taken apart into values, with its class or the reason why it has none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from proxydb.views.catalogue import Table
    from proxydb.views.clauses import Span


@dataclass(frozen=True, slots=True)
class Source:
    """A table in a FROM clause.

    Parameters
    ----------
    table
        What the catalogue says of it.
    alias
        What its columns are qualified with.
    place
        Where its name stands in the query.
    nullable
        Whether an outer join may put NULLs in the place of its rows.
    used
        The columns that the query names, in the table's order.
    aliased
        Whether the query gives it an alias.
    """

    table: Table
    alias: str
    place: Span
    nullable: bool
    used: tuple[str, ...]
    aliased: bool

    @property
    def key(self) -> tuple[str, ...]:
        """What tells the rows apart that the query reads; rows that agree in all that it names are interchangeable."""
        return self.table.key or self.used

    @property
    def unique_key(self) -> bool:
        """Whether no two rows have the same key."""
        return bool(self.table.key) and self.table.unique_key


@dataclass(frozen=True, slots=True)
class Link:
    """An equality by which a sub-query depends on a row around it.

    Parameters
    ----------
    alias, outer
        The column of the row.
    inner
        That of the sub-query.
    null_safe
        Whether NULL equals NULL, as by IS on SQLite and by IS NOT DISTINCT FROM.
    """

    alias: str
    outer: str
    inner: str
    null_safe: bool = False


@dataclass(frozen=True, slots=True)
class SubQuery:
    """A sub-query that depends on the rows around it by equalities alone.

    Parameters
    ----------
    source
        The table that it reads.
    links
        The equalities; at least one.
    """

    source: Source
    links: tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """In a template: the value of the group's key expression of this number."""

    number: int


@dataclass(frozen=True, slots=True)
class Result:
    """In a template: the value of the aggregate of this number."""

    number: int


Template = tuple["str | Group | Result", ...]
"""An expression over groups, in pieces: the user's words, and what stands for keys and aggregates."""


@dataclass(frozen=True, slots=True)
class Aggregate:
    """An aggregate function's call.

    Parameters
    ----------
    function
        Its name in lower case.
    argument
        Its argument in the user's words; ``"*"`` for ``count(*)``.
    distinct
        Whether it says DISTINCT.
    filter
        What its FILTER says; empty where there is none.
    """

    function: str
    argument: str
    distinct: bool = False
    filter: str = ""


@dataclass(frozen=True, slots=True)
class Order:
    """An ORDER BY term of a view: the number of the output or carried column, and the words after it."""

    number: int
    direction: str


@dataclass(frozen=True, slots=True)
class Arm:
    """One SELECT of a view.

    Parameters
    ----------
    sources
        The tables of its FROM clause.
    subqueries
        Its correlated sub-queries.
    from_, where
        Where these clauses stand in the query, without their words; `where` may be None.
    outputs
        The expressions of its SELECT list, in the user's words with ``*`` written out.
    carried
        Further expressions that ORDER BY needs.
    distinct
        Whether it says DISTINCT.
    grouped
        Whether it has GROUP BY or aggregates.
    groups
        The key expressions of GROUP BY.
    aggregates
        The aggregates that outputs and HAVING call.
    templates
        For a grouped arm: the outputs and carried expressions over groups, in the order of `outputs` and `carried`.
    having
        HAVING over groups; empty where there is none.
    partition
        The PARTITION BY expressions that all its window functions share.
    windowed
        Whether it has window functions.
    late
        Whether its WHERE clause looks at what an outer join may leave out.
    """

    sources: tuple[Source, ...]
    subqueries: tuple[SubQuery, ...]
    from_: Span
    where: Span | None
    outputs: tuple[str, ...]
    carried: tuple[str, ...] = ()
    distinct: bool = False
    grouped: bool = False
    groups: tuple[str, ...] = ()
    aggregates: tuple[Aggregate, ...] = ()
    templates: tuple[Template, ...] = ()
    having: Template = ()
    partition: tuple[str, ...] = ()
    windowed: bool = False
    late: bool = False

    @property
    def anchors(self) -> tuple[int, ...]:
        """The numbers of the sources before the first that an outer join may leave out."""
        nullable = [source.nullable for source in self.sources]
        return tuple(range(nullable.index(True) if True in nullable else len(nullable)))


@dataclass(frozen=True, slots=True)
class Definition:
    """A view's query, understood.

    Parameters
    ----------
    sql
        The query, without a semicolon at its end.
    kind
        The class in the table of the explanation: ``"rows"``, ``"distinct"``, ``"groups"``, ``"join"``,
        ``"left join"``, ``"join with groups"``, ``"exists"``, ``"windows"``, ``"latest"``, ``"union"`` or ``"other"``.
    obstacle
        Why it cannot be kept incrementally; empty if it can.
    arms
        Its SELECTs; empty where there is an obstacle.
    order
        ORDER BY, applied when the view is read.
    limit
        LIMIT and OFFSET in the user's words, applied when the view is read.
    united
        Whether equal rows of its SELECTs are shown once, as UNION does, also when the view is read.
    tables
        What it reads.
    """

    sql: str
    kind: str
    obstacle: str = ""
    arms: tuple[Arm, ...] = ()
    order: tuple[Order, ...] = ()
    limit: str = ""
    tables: tuple[Table, ...] = ()
    united: bool = False

    def text(self, span: Span, replacements: Iterable[tuple[Span, str]] = ()) -> str:
        """The query's words in a span, some of them replaced."""
        words, done = [], span.start
        for place, text in sorted(replacements):
            if span.start <= place.start and place.end <= span.end:
                words += [self.sql[done : place.start], text]
                done = place.end
        return "".join([*words, self.sql[done : span.end]])
