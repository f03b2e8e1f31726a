"""The groups of a SELECT: its keys, its aggregates, and its outputs over them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from proxydb.views.aggregates import KEPT, check_order, is_aggregate
from proxydb.views.clauses import Span
from proxydb.views.definition import Aggregate, Arm, Group, Result, Template
from proxydb.views.obstacle import Obstacle
from proxydb.views.outputs import numbered, written_out

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from proxydb.sql.parse import ColumnRef
    from proxydb.views import clauses
    from proxydb.views.understood import Understood


class Grouping:
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
            groups=tuple(written_out(self._given, span, self._arm.sources) for span in self._keys),
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
        number = numbered(given, span, outputs)
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
            if is_aggregate(call, given.system) and not any(place.holds(call.whole.start) for place in inside):
                whole = self._whole(call)
                inside.append(whole)
                yield whole, Result(self._number(call))
        for column in given.syntax.columns:
            if span.holds(column.start) and not any(place.holds(column.start) for place in inside):
                resolved = self._resolved(column)
                if resolved in self._columns:
                    yield Span(column.start, column.end), Group(self._columns.index(resolved))

    def _whole(self, call: clauses.Call) -> Span:
        """Where a call stands, with its FILTER."""
        if call.after == "over" or (call.after and self._given.system == "sqlite"):
            raise Obstacle(f"an aggregate has {call.after.upper()} beside groups")
        check_order(self._given.cutter, call, self._arm.sources)
        end = self._given.cutter.parentheses(call.whole.end)[0].end if call.after else call.whole.end
        return Span(call.whole.start, end)

    def _number(self, call: clauses.Call) -> int:
        words = self._given.cutter.words(call.inside)
        distinct = words[:1] == ("distinct",)
        argument = call.inside.of(self._given.sql).strip()
        argument = argument[len("distinct") :].strip() if distinct else self._argument(call)
        if call.name == "count" and not argument:
            argument = "*"
        filtered = self._given.cutter.filter_of(call).of(self._given.sql) if call.after else ""
        aggregate = Aggregate(call.name, argument, distinct and call.name not in ("min", "max"), filtered)
        return self._aggregates.setdefault(aggregate, len(self._aggregates))

    def _argument(self, call: clauses.Call) -> str:
        if call.name not in KEPT:
            return call.inside.of(self._given.sql).strip()
        return written_out(self._given, call.arguments[0], self._arm.sources) if call.arguments else ""

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
