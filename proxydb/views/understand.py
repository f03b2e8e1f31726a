"""Query text → `Definition`: what the parser and the catalogue agree on, checked against a closed list."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from proxydb.errors import NotSupportedError, ProgrammingError
from proxydb.sql.parse import parse_query
from proxydb.sql.tokens import PLACEHOLDER, locate, tokenize
from proxydb.views.aggregates import check_calls
from proxydb.views.arms import understand_arm
from proxydb.views.clauses import Cutter, Span
from proxydb.views.definition import Definition
from proxydb.views.limits import check_order
from proxydb.views.obstacle import Obstacle
from proxydb.views.spellings.rewriting import rewritten
from proxydb.views.understood import Understood

if TYPE_CHECKING:
    from proxydb.sql.parse import Syntax
    from proxydb.views.catalogue import Catalogue, Table

NODES = frozenset(
    """
    Abs Add Alias Anonymous And Avg Between BitwiseAnd BitwiseLeftShift BitwiseNot BitwiseOr BitwiseRightShift
    BitwiseXor Boolean Bracket Case Cast Ceil Coalesce Collate Column ColumnDef Concat ConcatWs Count DataType
    DataTypeParam Distinct Div Dot DPipe EQ Except Exists Filter Floor From Glob Greatest Group GroupConcat GT GTE
    Having Hex HexString Identifier If ILike In Intersect Is JSONArrayAgg JSONExtract JSONExtractScalar JSONPath
    JSONPathKey JSONPathRoot JSONPathSubscript Join Least Length Like Limit Literal Lower LT LTE Max Min Mod Mul Neg
    NEQ Not Null Nullif NullSafeEQ NullSafeNEQ Offset Or Order Ordered Paren PropertyEQ Round RowNumber Select Sign
    Star StrPosition SubqueryAlias Substring Sub Subquery Sum Table TableAlias Trim Tuple Unhex Unicode Union Upper Var
    Where Window WindowSpec
    """.split()
)
"""The syntax nodes whose meaning is known to survive being taken apart."""


def understand(sql: str, system: str, catalogue: Catalogue, pure: frozenset[str]) -> Definition:
    """The definition of a view.

    Parameters
    ----------
    sql
        Its query, which the database has accepted.
    system
        ``"sqlite"`` or ``"postgresql"``.
    catalogue
        The database's tables.
    pure
        The functions whose result depends on their arguments alone.

    Returns
    -------
    Definition
        With an `obstacle` where the view can only be refreshed as a whole.

    Raises
    ------
    proxydb.errors.ProgrammingError
        It is no query, or one with parameters.
    """
    given = sql = plain(sql, system)
    if any(token.kind == PLACEHOLDER for token in tokenize(sql, system)):
        raise ProgrammingError("a view has no parameters: write the values into its query")
    tables: tuple[Table, ...] = ()
    try:
        tables = _tables(parse_query(sql, system), catalogue)
        sql = rewritten(sql, system, catalogue)
        syntax = parse_query(sql, system)
        return replace(_understood(sql, system, syntax, catalogue, pure), tables=tables)
    except (Obstacle, NotSupportedError) as obstacle:
        return Definition(given, "other", str(obstacle), tables=tables)


def plain(sql: str, system: str) -> str:
    """A query without what stands around it: comments, and a semicolon at its end."""
    found = [(start, end) for token, start, end in locate(sql, system) if token.text != ";"]
    return sql[found[0][0] : found[-1][1]] if found else ""


def _tables(syntax: Syntax, catalogue: Catalogue) -> tuple[Table, ...]:
    found = (catalogue.table(table.schema, table.name) for table in syntax.tables)
    return tuple(dict.fromkeys(table for table in found if table is not None))


def _understood(sql: str, system: str, syntax: Syntax, catalogue: Catalogue, pure: frozenset[str]) -> Definition:
    cutter = Cutter(sql, system)
    _check_functions(cutter, sql, system, pure)
    if unknown := sorted(syntax.kinds - NODES):
        raise Obstacle(f"it contains what is not taken apart: {', '.join(unknown)}")
    arms, operators = cutter.arms()
    if others := sorted(set(operators) - {"union all", "union"}):
        raise Obstacle(f"it is a compound by {', '.join(others).upper()}")
    united = "union" in operators
    if united and operators[-1] != "union":
        raise Obstacle("it has a UNION before a UNION ALL: put the UNION last")
    numbers = [number for number, scope in enumerate(syntax.scopes) if scope.role == "arm"]
    if len(numbers) != len(arms):
        raise Obstacle("its SELECTs are nested in a way that is not taken apart")
    understood = [
        understand_arm(Understood(sql, syntax, number, cutter, arm, catalogue, system))
        for number, arm in zip(numbers, arms, strict=True)
    ]
    last = arms[-1].clauses
    limit = Span(last["limit"].start, (last.get("offset") or last["limit"]).end).of(sql) if "limit" in last else ""
    order = understood[-1].order
    if len(arms) > 1 and not all(cutter.words(term)[0].isdigit() for term in arms[-1].orders):
        raise Obstacle("it orders a compound by names, which differ between its SELECTs: write the columns' numbers")
    if len(arms) > 1 and any(each.arm.grouped or each.arm.distinct for each in understood):
        raise Obstacle("it is a UNION with groups or DISTINCT in an arm")
    if limit and len(arms) > 1:
        raise Obstacle("it is a UNION with LIMIT")
    if limit:
        check_order(understood[0].arm, order)
    kind = "union" if len(arms) > 1 else understood[0].kind
    return Definition(sql, kind, "", tuple(each.arm for each in understood), tuple(order), limit, united=united)


_NO_CALLS = frozenset(
    "and as between by case cast distinct else exists filter from in is join like not on or over partition select then "
    "using values when where union all having glob with".split()
)


def _check_functions(cutter: Cutter, sql: str, system: str, pure: frozenset[str]) -> None:
    called = {call.name for call in cutter.calls(Span(0, len(sql)))} - _NO_CALLS
    check_calls(frozenset(called), system)
    if volatile := sorted(called - pure):
        raise Obstacle(f"it calls a function that may give another result each time: {', '.join(volatile)}")
