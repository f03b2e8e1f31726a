"""CREATE, REFRESH and DROP MATERIALIZED VIEW as text → what is to be done.

The grammar is that of Postgres (https://www.postgresql.org/docs/current/sql-creatematerializedview.html), with the
options of proxydb in ``WITH (maintenance = …, max_staleness = …)``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from proxydb.errors import ProgrammingError
from proxydb.sql.tokens import QUOTED, locate

if TYPE_CHECKING:
    from proxydb.sql.tokens import Token


@dataclass(frozen=True, slots=True)
class ViewStatement:
    """What a statement wants to be done with views.

    Parameters
    ----------
    action
        ``"create"``, ``"refresh"`` or ``"drop"``.
    names
        The views; one, but for DROP.
    query
        The query of a view that is to be made.
    lenient
        Whether it says IF NOT EXISTS or IF EXISTS.
    options
        What stands after WITH in parentheses.
    """

    action: str
    names: tuple[str, ...]
    query: str = ""
    lenient: bool = False
    options: dict[str, str] = field(default_factory=dict)


def parse_statement(sql: str, system: str) -> ViewStatement:
    """What a statement about materialized views means.

    Raises
    ------
    proxydb.errors.ProgrammingError
        It does not follow the grammar; the message says what was expected.
    """
    return _Parser(sql, system).parse()


class _Parser:
    def __init__(self, sql: str, system: str) -> None:
        self._sql = sql
        self._tokens = [found for found in locate(sql, system) if found[0].text != ";"]
        self._place = 0

    def parse(self) -> ViewStatement:
        action = self._next().text
        self._skip("incremental")
        self._expect("materialized")
        self._expect("view")
        self._skip("concurrently")
        lenient = self._skip("if")
        if lenient:
            self._skip("not")
            self._expect("exists")
        names = [self._name()]
        if action == "create":
            return self._create(names[0], lenient=lenient)
        while self._skip(","):
            names.append(self._name())
        self._end()
        return ViewStatement(action, tuple(names), lenient=lenient)

    def _create(self, name: str, *, lenient: bool) -> ViewStatement:
        options = self._options() if self._skip("with") else {}
        self._expect("as")
        if self._place >= len(self._tokens):
            raise ProgrammingError("a query is expected after AS")
        query = self._sql[self._tokens[self._place][1] : self._tokens[-1][2]]
        words = [token.text for token, _, _ in self._tokens[-3:]]
        if words[-2:] == ["with", "data"]:
            query = self._sql[self._tokens[self._place][1] : self._tokens[-3][2]]
        elif words == ["with", "no", "data"]:
            raise ProgrammingError("WITH NO DATA is not supported: a view is filled when it is made")
        return ViewStatement("create", (name,), query, lenient, options)

    def _options(self) -> dict[str, str]:
        options = {}
        self._expect("(")
        while not self._skip(")"):
            name = self._next().text
            self._expect("=")
            options[name] = self._next().text.strip("'")
            self._skip(",")
        return options

    def _end(self) -> None:
        rest = [token.text for token, _, _ in self._tokens[self._place :]]
        if rest not in ([], ["cascade"], ["restrict"], ["with", "data"]):
            raise ProgrammingError(f"{rest[0]!r} is not expected there")
        if rest == ["cascade"]:
            raise ProgrammingError("CASCADE is not supported: drop the views that read it first")

    def _name(self) -> str:
        name = self._identifier()
        return self._identifier() if self._skip(".") else name

    def _identifier(self) -> str:
        start = self._tokens[self._place][1] if self._place < len(self._tokens) else 0
        token = self._next()
        if token.kind == QUOTED:
            return token.text[1:-1].replace('""', '"')
        return self._sql[start : start + len(token.text)]

    def _next(self) -> Token:
        if self._place >= len(self._tokens):
            raise ProgrammingError("the statement ends too early")
        self._place += 1
        return self._tokens[self._place - 1][0]

    def _skip(self, word: str) -> bool:
        found = self._place < len(self._tokens) and self._tokens[self._place][0].text == word
        self._place += found
        return found

    def _expect(self, word: str) -> None:
        if not self._skip(word):
            found = self._tokens[self._place][0].text if self._place < len(self._tokens) else "the end"
            raise ProgrammingError(f"{word.upper()} is expected where {found!r} stands")
