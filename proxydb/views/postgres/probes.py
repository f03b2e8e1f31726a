"""What an overlay finds changed rows by: logs of keys, and the conditions that a row's key is in one of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from proxydb.sql.tokens import QUOTED, WORD, quoted, tokenize
from proxydb.views.equalities import equal_columns
from proxydb.views.postgres.part import (
    NEW,
    OLD,
    TRUNCATED,
    Change,
    emptied,
    hashed,
    named,
    own_condition,
    place,
    rows_as,
    select,
    where,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proxydb.views.definition import Arm, Definition, Source


@dataclass(frozen=True, slots=True)
class Probe:
    """A relation of keys; rows of the view that have one of them may have changed.

    Parameters
    ----------
    relation
        Its name.
    columns
        Its columns.
    texts
        What is compared with them, over the rows of the query.
    held
        The columns of a table of ours that hold these values.
    is_log
        Whether it is a log, which is empty at most times, and known to be at once.
    """

    relation: str
    columns: tuple[str, ...]
    texts: tuple[str, ...]
    held: tuple[str, ...]
    is_log: bool = True

    def finds(self, texts: Sequence[str], relation: str = "") -> str:
        """The condition that a key is there."""
        same = [f"proxydb_d.{column} = {text}" for column, text in zip(self.columns, texts, strict=True)]
        return f"EXISTS (SELECT FROM {relation or self.relation} AS proxydb_d WHERE {' AND '.join(same)})"

    def finds_held(self, alias: str, relation: str = "") -> str:
        """The condition for a row of a table of ours."""
        return self.finds([f"{alias}.{column}" for column in self.held], relation)


@dataclass(frozen=True, slots=True)
class Log:
    """A table to which writers append the keys of what they change.

    Parameters
    ----------
    name
        Its name.
    source
        The table whose changes it holds.
    texts
        The keys, over a row of that table.
    conditions
        Which rows matter.
    plain
        What is hashed, where the keys are a hash.
    strict
        Whether NULL is refused: where it cannot be, it would be found by nobody.
    """

    name: str
    source: Source
    texts: tuple[str, ...]
    conditions: tuple[str, ...] = ()
    plain: tuple[str, ...] = ()
    strict: bool = True

    @property
    def columns(self) -> tuple[str, ...]:
        """Its columns, under names that no query uses."""
        return tuple(f"proxydb_k{number}" for number in range(len(self.texts)))

    def create(self) -> list[str]:
        """The statements that make it."""
        made = f"CREATE TABLE {self.name} AS {self._keys(place(self.source.table))} WITH NO DATA"
        refused = ", ".join(f"ALTER COLUMN {column} SET NOT NULL" for column in self.columns)
        return [made, f"ALTER TABLE {self.name} {refused}"] if self.strict else [made]

    def change(self, *, empties: Sequence[str] = ()) -> Change:
        """What is logged of changes; `empties` are tables that TRUNCATE empties, too, instead of logging."""
        new, old = self._keys(NEW), self._keys(OLD)
        into = f"INSERT INTO {self.name} "
        truncate = emptied(*empties) if empties else (into + self._keys(TRUNCATED),)
        both = f"{new} UNION {old}"
        texts, before = (*(self.plain or self.texts), *self.conditions), not empties
        return Change(self.source.table, (into + new,), (into + both,), (into + old,), truncate, texts, before)

    def _keys(self, rows: str) -> str:
        texts = named(self.texts, "proxydb_k")
        return f"SELECT DISTINCT {', '.join(texts)} FROM {rows_as(self.source, rows)}{where(self.conditions)}"


class Link(NamedTuple):
    """How changes of a table find rows of the query.

    Parameters
    ----------
    source
        The table.
    logged
        Its columns that are logged.
    compared
        The columns of the query that have the same values.
    null_safe
        Whether NULL finds NULL.
    """

    source: Source
    logged: tuple[str, ...]
    compared: tuple[str, ...]
    null_safe: bool


def links(definition: Definition, arm: Arm) -> list[Link]:
    """How changes of each source find rows by its key, and those of a sub-query's table by what ties it to them."""
    found = [
        Link(source, source.key, tuple(key_of(source)), not all(_is_not_null(source, column) for column in source.key))
        for source in arm.sources
    ]
    for each in arm.subqueries:
        outer = tuple(f"{quoted(link.alias)}.{quoted(link.outer)}" for link in each.links)
        inner, null_safe = tuple(link.inner for link in each.links), any(link.null_safe for link in each.links)
        found.append(Link(each.source, inner, outer, null_safe))
    if any(source.nullable for source in arm.sources):
        return found
    stands = equal_columns(definition, arm, "postgresql")
    return [link for link in found if not any(_covers(other, link, stands) for other in found if other is not link)]


def _covers(other: Link, link: Link, stands: dict[str, str]) -> bool:
    """Whether `other` finds all that `link` finds: it asks for fewer columns of the same table, and none are NULL."""
    if other.source.table != link.source.table or not set(other.logged) < set(link.logged):
        return False
    asked = dict(zip(link.logged, link.compared, strict=True))
    return all(_is_not_null(link.source, column) for column in link.logged) and all(
        stands.get(text, text) == stands.get(asked[column], asked[column])
        for column, text in zip(other.logged, other.compared, strict=True)
    )


def logs_of(prefix: str, definition: Definition, arm: Arm) -> list[tuple[Log, Probe]]:
    """A log for each way of finding rows; one for all of one table and key that are compared in one way."""
    names: dict[tuple[object, ...], str] = {}
    found = []
    for number, link in enumerate(links(definition, arm)):
        table = link.source.table
        kind = (table.schema, table.name, link.logged, link.compared == _plain(link), link.null_safe)
        found.append(_log_and_probe(names.setdefault(kind, f"{prefix}_log{number}"), number, link))
    return found


def distinct(logs: Sequence[tuple[Log, Probe]]) -> list[tuple[Log, Probe]]:
    """Each log once."""
    return list({log.name: (log, probe) for log, probe in reversed(logs)}.values())[::-1]


def _plain(link: Link) -> tuple[str, ...]:
    return tuple(f"{quoted(link.source.alias)}.{quoted(column)}" for column in link.logged)


def _log_and_probe(name: str, number: int, link: Link) -> tuple[Log, Probe]:
    """The log of a table, and the probe that finds rows by it; NULL in an equality of columns finds nothing."""
    plain = _plain(link)
    texts, over = plain, link.compared
    if link.null_safe:
        texts, over = (hashed(plain),), (hashed(over),)
    log = Log(name, link.source, texts, plain=plain, strict=plain == link.compared)
    return log, Probe(name, log.columns, over, tuple(f"k{number}_{place}" for place in range(len(over))))


def comparable(texts: Sequence[str], arm: Arm) -> tuple[str, ...]:
    """What tells values apart by ``=``: themselves where they are columns without NULL, else their hash."""
    if not texts:
        return ("true",)
    return tuple(texts) if all(_never_null(text, arm) for text in texts) else (hashed(texts),)


def key_of(source: Source) -> list[str]:
    """A source's key, as the query may name it."""
    return [f"{quoted(source.alias)}.{quoted(column)}" for column in source.key]


def any_in(relation: str) -> str:
    """The condition that a relation has rows; Postgres asks it once, and else leaves out all that it stands beside."""
    return f"EXISTS (SELECT FROM {relation})"


def first_finds(probes: Sequence[Probe], number: int) -> list[str]:
    """The conditions that a row of the query is found by this probe, and by none before it."""
    found = probes[number].finds(probes[number].texts)
    gate = [any_in(probes[number].relation)] if probes[number].is_log else []
    return [*gate, found, *(f"NOT {probe.finds(probe.texts)}" for probe in probes[:number])]


def again(definition: Definition, arm: Arm, texts: Sequence[str], probes: Sequence[Probe]) -> str:
    """The rows of the query that have a logged key, each once."""
    condition = own_condition(definition, arm)
    return " UNION ALL ".join(
        select(definition, arm, texts, [*condition, *first_finds(probes, number)]) for number in range(len(probes))
    )


def taken(logs: Sequence[tuple[Log, Probe]]) -> list[str]:
    """The parts of a statement that empty the logs."""
    return [f"log{number} AS (DELETE FROM {log.name})" for number, (log, _) in enumerate(distinct(logs))]


def held_as(probes: Sequence[Probe]) -> list[str]:
    """The columns that hold what probes compare."""
    return [f"{text} AS {name}" for probe in probes for text, name in zip(probe.texts, probe.held, strict=True)]


def gone(table: str, conditions: Sequence[str]) -> str:
    """Rows are taken away for which one of several conditions holds, each found by an index; all without conditions."""
    if not conditions:
        return f"DELETE FROM {table}"
    found = [f"SELECT proxydb_s.ctid FROM {table} AS proxydb_s WHERE {condition}" for condition in conditions]
    return f"DELETE FROM {table} WHERE ctid = ANY (ARRAY({' UNION '.join(found)}))"


def _is_not_null(source: Source, name: str) -> bool:
    column = source.table.column(name)
    return column is not None and column.not_null


def _never_null(text: str, arm: Arm) -> bool:
    """Whether an expression is a column that holds no NULL, also after an outer join."""
    tokens = tokenize(text, "postgresql")
    names = [_folded(token.kind, token.text) for token in tokens if token.kind in (WORD, QUOTED)]
    if len(tokens) != 2 * len(names) - 1 or len(names) not in (1, 2):
        return False
    qualifier = names[0] if len(names) == 2 else ""
    for source in arm.sources:
        if qualifier in ("", source.alias) and any(each.name == names[-1] for each in source.table.columns):
            return not source.nullable and _is_not_null(source, names[-1])
    return False


def _folded(kind: str, text: str) -> str:
    return text[1:-1].replace('""', '"') if kind == QUOTED else text
