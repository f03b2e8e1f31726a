"""One SELECT of a view's query → `Arm`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from proxydb.sql.tokens import quoted
from proxydb.views.clauses import Span
from proxydb.views.definition import Aggregate, Arm, Group, Order, Result, Source, Template
from proxydb.views.obstacle import Obstacle
from proxydb.views.subqueries import sub_queries
from proxydb.views.windows import partition_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from proxydb.sql.parse import ColumnRef, Syntax, TableRef
    from proxydb.views import clauses
    from proxydb.views.catalogue import Catalogue, Table

KEPT = frozenset("count sum total avg min max".split())
"""The aggregates that are kept incrementally."""

OTHERS = frozenset("group_concat string_agg json_group_array json_group_object array_agg jsonb_agg json_agg".split())
"""The aggregates whose result depends on the order of the rows."""


class Understood(NamedTuple):
    """What an arm is made from."""

    sql: str
    syntax: Syntax
    number: int
    cutter: clauses.Cutter
    cut: clauses.Arm
    catalogue: Catalogue


class ArmAndOrder(NamedTuple):
    """An arm, with the ORDER BY that stands at its end and the class of the view that consists of it."""

    arm: Arm
    order: list[Order]
    kind: str


def understand_arm(given: Understood) -> ArmAndOrder:
    """The arm, with its ORDER BY and class.

    Raises
    ------
    Obstacle
        The view can only be refreshed as a whole.
    """
    _check_shape(given)
    sources = tuple(_sources(given))
    _check_joins(given, sources)
    outputs = _outputs(given, sources)
    order, carried = _order(given, outputs)
    _check_columns(given, sources, [span for _, span in outputs] + carried)
    spans = [span for _, span in outputs] + carried
    calls = [
        call for span in _expressions(given) for call in given.cutter.calls(span) if not _in_sub_query(given, call)
    ]
    windowed = any(call.after == "over" for call in calls)
    grouped = bool(given.cut.groups) or any(
        call.name in KEPT and _aggregates(call) and call.after != "over" for call in calls
    )
    arm = Arm(
        sources=sources,
        subqueries=tuple(
            sub_queries(given.syntax, given.number, given.cutter, sources, lambda table: _found(given, table))
        ),
        from_=given.cut.clauses["from"],
        where=given.cut.clauses.get("where"),
        outputs=tuple(text for text, _ in outputs),
        carried=tuple(span.of(given.sql) for span in carried),
        distinct=given.cut.distinct,
        grouped=grouped,
        late=_is_late(given, sources),
    )
    if windowed:
        arm = _windowed(given, arm, spans)
    if arm.distinct and arm.carried:
        raise Obstacle("it says DISTINCT and orders by what it does not show")
    if grouped:
        arm = _Grouping(given, arm, [span for _, span in outputs] + carried).grouped()
    return ArmAndOrder(arm, order, _kind(arm))


def _check_shape(given: Understood) -> None:
    if "from" not in given.cut.clauses:
        raise Obstacle("it reads no table")
    if "window" in given.cut.clauses or "fetch" in given.cut.clauses:
        raise Obstacle("it has a WINDOW or FETCH clause")


def _in_sub_query(given: Understood, call: clauses.Call) -> bool:
    """Whether a call stands in a sub-query: then it is computed there."""
    inner = given.cutter.depth(call.whole.start) > given.cutter.depth(given.cut.clauses["from"].start)
    return inner and any(
        span.start <= call.whole.start and call.whole.end <= span.end for span in given.cutter.selects()
    )


def _check_joins(given: Understood, sources: Sequence[Source]) -> None:
    """An inner join after an outer one may drop a row as long as that has a partner, and then nothing tells of it."""
    nullable = {source.alias for source in sources if source.nullable}
    outer = [source.nullable for source in sources]
    later = [source for place, source in enumerate(sources) if not source.nullable and any(outer[:place])]
    references = [table for table in given.syntax.tables if table.scope == given.number]
    tables = [source.table for source in sources]
    for column in given.syntax.columns:
        if later and column.scope == given.number and given.cut.clauses["from"].holds(column.start):
            after = column.start > later[0].place.start
            if after and _owned(column, references, tables)[0] in nullable:
                raise Obstacle("an inner join after an outer one looks at what that may leave out: put it first")


def _is_late(given: Understood, sources: Sequence[Source]) -> bool:
    where = given.cut.clauses.get("where")
    nullable = {source.alias for source in sources if source.nullable}
    if where is None or not nullable:
        return False
    references = [table for table in given.syntax.tables if table.scope == given.number]
    tables = [source.table for source in sources]
    return any(
        where.holds(column.start) and _owned(column, references, tables)[0] in nullable
        for column in given.syntax.columns
    )


def _windowed(given: Understood, arm: Arm, spans: list[Span]) -> Arm:
    """The arm with the partition of its window functions."""
    if arm.grouped or arm.distinct:
        raise Obstacle("it has window functions beside groups or DISTINCT")
    if arm.subqueries or any(source.nullable for source in arm.sources):
        raise Obstacle("it has window functions beside a sub-query or an outer join")
    partition = partition_of(given.cutter, spans, arm.sources)
    written = tuple(_written_out(given, span, arm.sources) for span in partition)
    return replace(arm, partition=written, windowed=True)


def _check_columns(given: Understood, sources: Sequence[Source], expressions: list[Span]) -> None:
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


def _kind(arm: Arm) -> str:
    joined = len(arm.sources) > 1
    if arm.grouped:
        return "join with groups" if joined else "groups"
    if arm.distinct:
        return "distinct"
    if arm.windowed:
        return "windows"
    if arm.subqueries:
        return "exists"
    if joined:
        return "left join" if any(source.nullable for source in arm.sources) else "join"
    return "rows"


def _expressions(given: Understood) -> list[Span]:
    spans = [*given.cut.items, *given.cut.orders]
    return [*spans, given.cut.clauses["having"]] if "having" in given.cut.clauses else spans


# ── sources ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _sources(given: Understood) -> Iterator[Source]:
    tables = [table for table in given.syntax.tables if table.scope == given.number]
    if any(table.side in ("right", "full") for table in tables):
        raise Obstacle("it has a RIGHT or FULL join")
    found = [_found(given, table) for table in tables]
    for reference, table in zip(tables, found, strict=True):
        used = _used(given, reference, table, tables, found)
        place = Span(reference.start, reference.end)
        yield Source(table, reference.alias, place, reference.side == "left", used, reference.aliased)


def _found(given: Understood, reference: TableRef) -> Table:
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
        _owned(column, references, tables)[1]
        for column in given.syntax.columns
        if _is_within(given, column.scope) and _owned(column, references, tables)[0] == reference.alias
    }
    used = tuple(column.name for column in table.columns if column.name in names)
    return used or tuple(column.name for column in table.columns)


def _is_within(given: Understood, scope: int) -> bool:
    """Whether a SELECT is this one or a sub-query of it, which may name its columns, too."""
    return given.syntax.root(scope) == given.number


def _owned(column: ColumnRef, references: Sequence[TableRef], tables: Sequence[Table]) -> tuple[str, str]:
    """The alias of the table that a column belongs to, and the column's name there."""
    for reference, table in zip(references, tables, strict=True):
        found = table.column(column.name)
        if found is not None and column.qualifier in ("", reference.alias):
            return reference.alias, found.name
    return "", column.name


# ── outputs and their order ──────────────────────────────────────────────────────────────────────────────────────────


def _outputs(given: Understood, sources: Sequence[Source]) -> list[tuple[str, Span]]:
    """Each output's words without its alias, and where they stand; a star is written out."""
    scope = given.syntax.scopes[given.number]
    outputs = []
    for place, item in enumerate(given.cut.items):
        words = given.cutter.words(item)
        if words[-1] == "*" and (len(words) == 1 or words[-2] == "."):
            outputs += [(text, item) for text in _star(given, words, sources)]
        else:
            span = _without_alias(given, item, scope.starts[place])
            outputs.append((_written_out(given, span, sources), span))
    return outputs


def _written_out(given: Understood, span: Span, sources: Sequence[Source]) -> str:
    """The words of an expression; a column with its table, so that it is known to be the same wherever it is named."""
    for column in given.syntax.columns:
        if _is_column(given, span, column):
            for source in sources:
                found = source.table.column(column.name)
                if found is not None and column.qualifier in ("", source.alias):
                    return f"{quoted(source.alias)}.{quoted(found.name)}"
    return span.of(given.sql)


def _is_column(given: Understood, span: Span, column: ColumnRef) -> bool:
    """Whether an expression is a column, in parentheses or not."""
    if not span.start <= column.start <= column.end <= span.end:
        return False
    words, core = given.cutter.words(span), given.cutter.words(Span(column.start, column.end))
    around = (len(words) - len(core)) // 2
    return words == ("(",) * around + core + (")",) * around


def _star(given: Understood, words: tuple[str, ...], sources: Sequence[Source]) -> list[str]:
    if given.syntax.scopes[given.number].merged:
        raise Obstacle("it says * beside USING or NATURAL: name the columns")
    alias = words[0].strip('"`[]').lower() if len(words) > 1 else ""
    return [
        f"{quoted(source.alias)}.{quoted(column.name)}"
        for source in sources
        if alias in ("", source.alias.lower())
        for column in source.table.columns
    ]


def _without_alias(given: Understood, item: Span, alias: int) -> Span:
    if alias < 0:
        return item
    text = given.sql[item.start : alias].rstrip()
    if text.lower().endswith("as") and not text[-3:-2].isalnum() and text[-3:-2] not in ("_", "$"):
        text = text[:-2].rstrip()
    return Span(item.start, item.start + len(text))


def _order(given: Understood, outputs: list[tuple[str, Span]]) -> tuple[list[Order], list[Span]]:
    """ORDER BY as numbers of outputs, and of the expressions that have to be carried for it."""
    orders: list[Order] = []
    carried: list[Span] = []
    for term in given.cut.orders:
        span, direction = _directed(given, term)
        number = _numbered(given, span, outputs)
        if number is None:
            number = len(outputs) + len(carried)
            carried.append(span)
        orders.append(Order(number, direction))
    return orders, carried


_DIRECTIONS = ("asc", "desc", "nulls", "first", "last")


def _directed(given: Understood, term: Span) -> tuple[Span, str]:
    words = given.cutter.words(term)
    count = next((place for place, word in enumerate(reversed(words)) if word not in _DIRECTIONS), len(words))
    if not count:
        return term, ""
    direction = " ".join(words[-count:])
    text = term.of(given.sql)
    for word in reversed(words[-count:]):
        text = text[: text.lower().rindex(word)].rstrip()
    return Span(term.start, term.start + len(text)), direction.upper()


def _numbered(given: Understood, span: Span, outputs: list[tuple[str, Span]]) -> int | None:
    """Which output an expression of GROUP BY or ORDER BY names, by its place, its alias or its words."""
    words = given.cutter.words(span)
    if len(words) == 1:
        if words[0].isdigit() and 0 < int(words[0]) <= len(outputs):
            return int(words[0]) - 1
        names = given.syntax.scopes[given.number].names
        plain = words[0].strip('"`[]').lower()
        if len(names) == len(outputs) and plain in (lowered := [name.lower() for name in names]):
            return lowered.index(plain)
    same = [number for number, (_, output) in enumerate(outputs) if given.cutter.words(output) == words]
    return same[0] if same else None


# ── groups ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _aggregates(call: clauses.Call) -> bool:
    """Whether a call is an aggregate: min and max of several arguments are not."""
    return len(call.arguments) <= 1 or call.name not in ("min", "max")


class _Grouping:
    """Finds the keys and aggregates of a grouped arm, and what its outputs make of them."""

    def __init__(self, given: Understood, arm: Arm, outputs: list[Span]) -> None:
        self._given = given
        self._arm = arm
        self._outputs = outputs
        self._count = len(arm.outputs)
        self._keys = [self._key(span) for span in given.cut.groups]
        self._columns = [self._column_at(span) for span in self._keys]
        self._aggregates: dict[Aggregate, int] = {}

    def grouped(self) -> Arm:
        """The arm with its groups."""
        if self._arm.distinct:
            raise Obstacle("it says DISTINCT of groups")
        having = self._given.cut.clauses.get("having")
        templates = tuple(self._template(span) for span in self._outputs)
        return replace(
            self._arm,
            groups=tuple(_written_out(self._given, span, self._arm.sources) for span in self._keys),
            templates=templates,
            having=() if having is None else self._template(having),
            aggregates=tuple(self._aggregates),
        )

    def _key(self, span: Span) -> Span:
        """A key expression; a number or an alias stands for an output, where no column has that name."""
        given = self._given
        outputs = list(zip(self._arm.outputs, self._outputs, strict=False))[: self._count]
        if self._column_at(span) is not None:
            return span
        number = _numbered(given, span, outputs)
        return span if number is None else outputs[number][1]

    def _column_at(self, span: Span) -> tuple[str, str] | None:
        """The column that a span consists of."""
        for column in self._given.syntax.columns:
            if (column.start, column.end) == (span.start, span.end):
                return self._resolved(column)
        return None

    def _resolved(self, column: ColumnRef) -> tuple[str, str] | None:
        for source in self._arm.sources:
            found = source.table.column(column.name)
            if found is not None and column.qualifier in ("", source.alias):
                return source.alias, found.name
        return None

    def _template(self, span: Span) -> Template:
        pieces: list[str | Group | Result] = []
        done = span.start
        for place, piece in sorted(self._replaced(span), key=lambda found: found[0]):
            if place.start >= done:
                pieces += [self._given.sql[done : place.start], piece]
                done = place.end
        pieces.append(self._given.sql[done : span.end])
        self._check_bare(span, pieces)
        return tuple(piece for piece in pieces if piece != "")

    def _replaced(self, span: Span) -> Iterator[tuple[Span, Group | Result]]:
        """The key expressions and aggregates in a span, the outer ones first."""
        given = self._given
        for number, key in enumerate(self._keys):
            if given.cutter.words(key) == given.cutter.words(span):
                yield span, Group(number)
                return
        inside: list[Span] = []
        for call in given.cutter.calls(span):
            if call.name in KEPT and _aggregates(call):
                if call.after:
                    raise Obstacle(f"an aggregate has {call.after.upper()} beside groups")
                inside.append(call.whole)
                yield call.whole, Result(self._number(call))
        for column in given.syntax.columns:
            if span.holds(column.start) and not any(place.holds(column.start) for place in inside):
                resolved = self._resolved(column)
                if resolved in self._columns:
                    yield Span(column.start, column.end), Group(self._columns.index(resolved))

    def _number(self, call: clauses.Call) -> int:
        words = self._given.cutter.words(call.inside)
        distinct = words[:1] == ("distinct",)
        argument = call.inside.of(self._given.sql).strip()
        argument = argument[len("distinct") :].strip() if distinct else self._argument(call)
        if call.name == "count" and not argument:
            argument = "*"
        aggregate = Aggregate(call.name, argument, distinct and call.name not in ("min", "max"))
        return self._aggregates.setdefault(aggregate, len(self._aggregates))

    def _argument(self, call: clauses.Call) -> str:
        return _written_out(self._given, call.arguments[0], self._arm.sources) if call.arguments else ""

    def _check_bare(self, span: Span, pieces: Sequence[str | Group | Result]) -> None:
        """Every column must be in a key or an aggregate."""
        left = {offset for place, _ in self._replaced(span) for offset in (place.start,)}
        covered = [place for place, _ in self._replaced(span)]
        for column in self._given.syntax.columns:
            if (
                span.holds(column.start)
                and column.start not in left
                and not any(place.holds(column.start) for place in covered)
            ):
                raise Obstacle(f"it names {column.name}, which is neither grouped nor aggregated")
