"""Cuts a query into its clauses, each in the user's own words."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from proxydb.sql.tokens import OPERATOR, WORD, locate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proxydb.sql.tokens import Token

_CLAUSES = ("select", "from", "where", "group", "having", "window", "order", "limit", "offset", "fetch")
_WINDOW_CLAUSES = frozenset({"partition", "order", "rows", "range", "groups"})
_COMPOUND = frozenset({"union", "except", "intersect"})


class Span(NamedTuple):
    """A stretch of a text, from `start` up to `end`."""

    start: int
    end: int

    def of(self, sql: str) -> str:
        """Its words."""
        return sql[self.start : self.end]

    def holds(self, offset: int) -> bool:
        """Whether an offset lies in it."""
        return self.start <= offset < self.end


class Arm(NamedTuple):
    """One SELECT of a compound, cut into clauses.

    Parameters
    ----------
    distinct
        Whether it says DISTINCT.
    items, groups, orders
        The expressions of its SELECT list, with their aliases; of GROUP BY; of ORDER BY, with their directions.
    clauses
        For each clause that there is, what stands after its words.
    """

    distinct: bool
    items: tuple[Span, ...]
    groups: tuple[Span, ...]
    orders: tuple[Span, ...]
    clauses: dict[str, Span]


class Window(NamedTuple):
    """What stands after OVER: PARTITION BY and ORDER BY without their words, and the first word of the frame."""

    partition: tuple[Span, ...]
    order: tuple[Span, ...]
    frame: str


class Call(NamedTuple):
    """A function call.

    Parameters
    ----------
    name
        The function, in lower case.
    whole, inside
        The call, and what stands between its parentheses.
    arguments
        That, cut at the commas.
    after
        ``"over"``, ``"filter"`` or nothing: what follows.
    """

    name: str
    whole: Span
    inside: Span
    arguments: tuple[Span, ...]
    after: str


_Located = tuple["Token", int, int]


class Cutter:
    """The tokens of one text, with what can be cut out of it."""

    def __init__(self, sql: str, system: str) -> None:
        self._tokens = locate(sql, system)
        self._depths = _depths([token for token, _, _ in self._tokens])

    def arms(self) -> tuple[list[Arm], list[str]]:
        """The SELECTs of a compound, and the words between them, such as ``"union all"``."""
        starts, operators = [0], []
        for place, (token, _, _) in enumerate(self._tokens):
            if self._depths[place] == 0 and token.kind == WORD and token.text in _COMPOUND:
                after = self._tokens[place + 1][0].text
                operators.append(f"{token.text} all" if after == "all" else token.text)
                starts.append(place + (2 if after in ("all", "distinct") else 1))
        ends = [self._operator_before(start) for start in starts[1:]]
        return [self._arm(start, end) for start, end in zip(starts, [*ends, self._end()], strict=True)], operators

    def inside(self, offset: int) -> Arm:
        """The SELECT in parentheses in whose FROM clause the text at `offset` stands."""
        place = next(at for at, (_, start, _) in enumerate(self._tokens) if start >= offset)
        depth = self._depths[place]
        first = max(at for at in range(place) if self._depths[at] < depth) + 1
        last = min(at for at in range(place, len(self._tokens)) if self._depths[at] < depth)
        return self._arm(first, last)

    def parentheses(self, offset: int) -> tuple[Span, tuple[Span, ...]]:
        """The first parentheses after an offset, and what stands in them, cut at the commas."""
        opened = next(at for at, (token, start, _) in enumerate(self._tokens) if start >= offset and token.text == "(")
        close = next(at for at in range(opened + 1, len(self._tokens)) if self._depths[at] == self._depths[opened])
        return self._span(opened, close + 1), self._commas(opened + 1, close)

    def last(self, word: str, offset: int) -> int:
        """Where the last token of this text before an offset begins."""
        return max(start for token, start, _ in self._tokens if token.text == word and start < offset)

    def depth(self, offset: int) -> int:
        """How many parentheses are open at an offset."""
        return next(depth for depth, (_, start, _) in zip(self._depths, self._tokens, strict=True) if start >= offset)

    def selects(self) -> list[Span]:
        """What stands in parentheses and begins with SELECT."""
        found = []
        for place in range(1, len(self._tokens)):
            if self._tokens[place][0].text == "select" and self._tokens[place - 1][0].text == "(":
                depth = self._depths[place]
                last = next(at for at in range(place, len(self._tokens)) if self._depths[at] < depth)
                found.append(Span(self._tokens[place][1], self._tokens[last][1]))
        return found

    def words(self, span: Span) -> tuple[str, ...]:
        """The tokens of a span, for comparison."""
        return tuple(token.text for token, start, end in self._tokens if span.start <= start and end <= span.end)

    def calls(self, span: Span) -> list[Call]:
        """The function calls in a span, outer ones first."""
        found = []
        for place, (token, start, _) in enumerate(self._tokens[:-1]):
            opened = self._tokens[place + 1][0]
            if token.kind == WORD and opened.kind == OPERATOR and opened.text == "(" and span.holds(start):
                found.append(self._call(place))
        return [call for call in found if call.whole.end <= span.end]

    def arguments(self, call: Call) -> tuple[Span, ...]:
        """The arguments of a call that may say DISTINCT and ORDER BY, without these."""
        places = self._inside(call)
        first = places[0] + (self._tokens[places[0]][0].text == "distinct") if places else 0
        last = self._order_in(places) if self._order_in(places) is not None else places[-1] + 1 if places else 0
        return self._commas(first, last or 0) if first < (last or 0) else ()

    def order_inside(self, call: Call) -> tuple[Span, ...]:
        """The terms of an ORDER BY within a call's parentheses."""
        places = self._inside(call)
        order = self._order_in(places)
        return () if order is None else self._commas(order + 2, places[-1] + 1)

    def filter_of(self, call: Call) -> Span:
        """What the FILTER after a call says in parentheses."""
        opened = next(place for place, (_, start, _) in enumerate(self._tokens) if start >= call.whole.end) + 1
        depth = self._depths[opened]
        close = next(at for at in range(opened + 1, len(self._tokens)) if self._depths[at] == depth)
        return self._span(opened + 1, close)

    def _inside(self, call: Call) -> list[int]:
        return [
            place
            for place, (_, start, end) in enumerate(self._tokens)
            if call.inside.start <= start and end <= call.inside.end
        ]

    def _order_in(self, places: Sequence[int]) -> int | None:
        """Where an ORDER BY begins that stands in no further parentheses."""
        at_top = (place for place in places if self._depths[place] == self._depths[places[0]])
        return next((place for place in at_top if self._tokens[place][0].text == "order"), None)

    def window(self, call: Call) -> Window | None:
        """What the OVER after a call says in parentheses."""
        over = next(place for place, (_, start, _) in enumerate(self._tokens) if start >= call.whole.end)
        if self._tokens[over + 1][0].text != "(":
            return None
        depth = self._depths[over] + 1
        places = [over + 2]
        while self._depths[places[-1]] == depth or self._tokens[places[-1]][0].text != ")":
            places.append(places[-1] + 1)
        marks = [at for at in places if self._depths[at] == depth and self._tokens[at][0].text in _WINDOW_CLAUSES]
        ends = [*marks[1:], places[-1]]
        found = {self._tokens[mark][0].text: (mark, end) for mark, end in zip(marks, ends, strict=True)}
        parts = {
            word: self._commas(found[word][0] + 2, found[word][1]) for word in ("partition", "order") if word in found
        }
        frame = next((word for word in ("rows", "range", "groups") if word in found), "")
        return Window(parts.get("partition", ()), parts.get("order", ()), frame)

    def conjuncts(self, span: Span) -> list[Span]:
        """What a condition joins by AND; nothing where OR, CASE or BETWEEN make that uncertain."""
        places = [at for at, (_, start, end) in enumerate(self._tokens) if span.start <= start and end <= span.end]
        depth = min(self._depths[at] for at in places)
        words = {self._tokens[at][0].text for at in places if self._depths[at] == depth}
        if words & {"or", "case", "between"}:
            return []
        cuts = [at for at in places if self._depths[at] == depth and self._tokens[at][0].text == "and"]
        starts, ends = [places[0], *(cut + 1 for cut in cuts)], [*cuts, places[-1] + 1]
        return [self._span(start, end) for start, end in zip(starts, ends, strict=True)]

    def _end(self) -> int:
        """The number of tokens without a semicolon at the end."""
        last = len(self._tokens)
        while last and self._tokens[last - 1][0].text == ";":
            last -= 1
        return last

    def _operator_before(self, start: int) -> int:
        """Where the compound operator before the arm that begins at `start` begins."""
        return start - (2 if self._tokens[start - 1][0].text in ("all", "distinct") else 1)

    def _arm(self, first: int, last: int) -> Arm:
        depth = self._depths[first]
        marks = [place for place in range(first, last) if self._begins_clause(place, depth)]
        clauses: dict[str, Span] = {}
        parts: dict[str, tuple[Span, ...]] = {}
        distinct = False
        for mark, end in zip(marks, [*marks[1:], last], strict=True):
            word, begin = self._tokens[mark][0].text, mark + 1
            following = self._tokens[begin][0].text if begin < end else ""
            if (word, following) in (("group", "by"), ("order", "by"), ("select", "distinct"), ("select", "all")):
                distinct |= following == "distinct"
                begin += 1
            if begin < end:
                clauses[word] = self._span(begin, end)
                parts[word] = self._commas(begin, end)
        return Arm(distinct, parts.get("select", ()), parts.get("group", ()), parts.get("order", ()), clauses)

    def _begins_clause(self, place: int, depth: int) -> bool:
        token = self._tokens[place][0]
        if token.kind != WORD or token.text not in _CLAUSES or self._depths[place] != depth:
            return False
        return token.text != "from" or place == 0 or self._tokens[place - 1][0].text != "distinct"

    def _commas(self, begin: int, end: int) -> tuple[Span, ...]:
        depth = self._depths[begin]
        cuts = [
            place for place in range(begin, end) if self._tokens[place][0].text == "," and self._depths[place] == depth
        ]
        return tuple(
            self._span(start, stop)
            for start, stop in zip([begin, *(cut + 1 for cut in cuts)], [*cuts, end], strict=True)
        )

    def _span(self, begin: int, end: int) -> Span:
        return Span(self._tokens[begin][1], self._tokens[end - 1][2])

    def _call(self, place: int) -> Call:
        depth = self._depths[place]
        close = next(
            (at for at in range(place + 2, len(self._tokens)) if self._depths[at] == depth), len(self._tokens) - 1
        )
        token, start, _ = self._tokens[place]
        following = self._tokens[close + 1][0].text if close + 1 < len(self._tokens) else ""
        inside = Span(self._tokens[place + 1][2], self._tokens[close][1])
        arguments = self._commas(place + 2, close) if close > place + 2 else ()
        after = following if following in ("over", "filter") else ""
        return Call(token.text, Span(start, self._tokens[close][2]), inside, arguments, after)


def _depths(tokens: Sequence[Token]) -> list[int]:
    """How many parentheses are open at each token; a parenthesis itself stands outside."""
    depths, depth = [], 0
    for token in tokens:
        if token.kind == OPERATOR and token.text == ")":
            depth -= 1
        depths.append(depth)
        if token.kind == OPERATOR and token.text == "(":
            depth += 1
    return depths
