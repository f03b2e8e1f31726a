"""What the catalog says of a statement: its relations, views seen through, and the functions that it may call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from proxydb.drivers.postgres import questions
from proxydb.drivers.postgres.wording import names, refusal
from proxydb.sql.tokens import tokenize

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from proxydb.drivers.base import Steps

    Ask = Callable[[bytes, Sequence[bytes]], Steps[list[tuple[bytes | None, ...]]]]

_DEEPEST_VIEW = 32

REVIEWED = frozenset(
    """
    array_agg array_to_json array_to_string concat concat_ws convert convert_from convert_to date_add date_part
    date_subtract date_trunc enum_first enum_last enum_range extract format generate_series in_range json_agg
    json_agg_strict json_array json_arrayagg json_build_array json_build_object json_object_agg
    json_object_agg_strict json_object_agg_unique json_object_agg_unique_strict json_objectagg json_to_tsvector
    jsonb_agg jsonb_agg_strict jsonb_build_array jsonb_build_object jsonb_object_agg jsonb_object_agg_strict
    jsonb_object_agg_unique jsonb_object_agg_unique_strict jsonb_to_tsvector length make_timestamptz money numeric
    overlaps phraseto_tsquery plainto_tsquery quote_literal quote_nullable row_to_json timezone to_char to_date
    to_json to_jsonb to_number to_timestamp to_tsquery to_tsvector ts_headline websearch_to_tsquery
    """.split()
)
"""Built-in functions that are only stable because they depend on settings, all of which are part of the key."""

_RELATION_REFUSALS = {
    "f": "reads a foreign table",
    "S": "reads a sequence",
    "t": "reads a system table",
}


class _Relation(NamedTuple):
    """A row of relations.sql."""

    oid: bytes
    name: str
    kind: str
    has_policies: bool
    is_temporary: bool
    is_system: bool
    has_time_of_day: bool
    view: str

    def refusal(self) -> str:
        """Why rows of it must not be kept."""
        if self.is_system:
            return f"reads the catalog: {self.name}"
        if self.has_policies:
            return f"row-level security on {self.name}"
        if self.is_temporary:
            return f"reads a temporary relation: {self.name}"
        if self.has_time_of_day:
            return f"a time of day, whose zone depends on the date: {self.name}"
        return f"{reason}: {self.name}" if (reason := _RELATION_REFUSALS.get(self.kind, "")) else ""


@dataclass(slots=True)
class Verdict:
    """Whether the result of a statement may be kept, as the catalog stood when it was looked at.

    Parameters
    ----------
    refusal
        Why it must not; empty when it may.
    reads
        The qualified names of the relations that it may read.
    looked_at
        What its later check looks at: array literals of the oids, the function names and the words.
    state
        The state of the catalog, as catalog.sql tells it.
    label
        The last label at which that state was seen.
    """

    refusal: str
    reads: frozenset[str]
    looked_at: tuple[bytes, bytes, bytes]
    state: bytes = b""
    label: object = None


def judge(sql: str, ask: Ask) -> Steps[Verdict]:
    """Ask the catalog about everything that `sql` may name.

    Parameters
    ----------
    sql
        The statement.
    ask
        Sends a statement with text parameters and gives its rows.
    """
    named = names(sql)
    relations = yield from _relations(named.words, ask)
    objections = []
    for _ in range(_DEEPEST_VIEW):
        views = [relation.view for relation in relations.values() if relation.view]
        objections = [refusal(tokenize(view, "postgresql")) for view in views]
        inside = named
        for view in views:
            inside = inside.joined(names(view))
        if inside == named:
            break
        named = inside
        relations = yield from _relations(named.words, ask)
    objections += [relation.refusal() for relation in relations.values()]
    objections.append((yield from _routines(named.words, named.called, named.operators, ask)))
    if not relations:
        objections.append("reads no table")
    return Verdict(
        refusal=next(filter(None, objections), ""),
        reads=frozenset(relation.name for relation in relations.values()),
        looked_at=(
            array(relation.oid.decode() for relation in relations.values()),
            array(named.called),
            array(named.words),
        ),
    )


def _relations(words: Iterable[str], ask: Ask) -> Steps[dict[bytes, _Relation]]:
    rows = yield from ask(questions.RELATIONS, [array(words)])
    return {row[0] or b"": _relation([(cell or b"").decode() for cell in row]) for row in rows}


def _relation(cells: list[str]) -> _Relation:
    oid, name, kind, policies, persistence, system, times, view = cells
    flags = (policies == "true", persistence == "t", system == "true", times == "true")
    return _Relation(oid.encode(), name, kind, *flags, view)


def _routines(words: Iterable[str], called: Iterable[str], operators: Iterable[str], ask: Ask) -> Steps[str]:
    """The objection to what a statement may call."""
    rows = yield from ask(questions.ROUTINES, [array(words), array(called), array(operators), array(REVIEWED)])
    found = sorted({f"{(kind or b'').decode()} {(name or b'').decode()}" for kind, name in rows})
    return f"may call what is not immutable: {', '.join(found)}" if found else ""


def array(items: Iterable[str]) -> bytes:
    """A Postgres array literal of texts."""
    quoted = ('"' + item.replace("\\", "\\\\").replace('"', '\\"') + '"' for item in sorted(items))
    return ("{" + ",".join(quoted) + "}").encode()
