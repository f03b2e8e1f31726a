"""What has to be done with the rows of a view when a row of a table that it reads was changed.

The rows that the changed row touches are removed, and the query, restricted to them, puts in what there is now. That
is exact for whatever the query computes, may be done twice, and does not depend on what the row was before: a REPLACE
that removes rows without firing their triggers is noticed by the keys and unique values that are kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxydb.sql.tokens import quoted
from proxydb.views.sqlite.coverage import is_covered
from proxydb.views.sqlite.selects import column_of, select

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from proxydb.views.definition import Source
    from proxydb.views.sqlite.rows import Kept, RowsTable

TOUCHED = "proxydb_touched"

ROW = "\0"
"""In a condition: the changed row, which is OLD or NEW; no SQL holds this character."""


def of_source(rows: RowsTable, number: int, event: str) -> list[str]:
    """The statements of a trigger on the source of this number, for ``"INSERT"``, ``"UPDATE"`` or ``"DELETE"``."""
    source = rows.arm.sources[number]
    if is_covered(rows.definition, rows.arm, number):
        return []
    if named := _units_in(rows, source):
        return list(_by_units(rows, named, event))
    if rows.partition or source.nullable:
        return list(_by_touched(rows, number, event))
    return list(_by_key(rows, number, event))


def later_of_source(rows: RowsTable, number: int) -> tuple[list[str], list[str]]:
    """What is done with a row of a source that was changed some time ago, and with the rows of all sources before that.

    Returns
    -------
    The statements that come first for every row that is known to have been changed, and those that come then; both
    speak of the row as `ROW`.
    """
    source, kept = rows.arm.sources[number], _kept_key(rows, number)
    gone = [kept, *_victims(rows, number)]
    if (rows.partition and not _units_in(rows, source)) or source.nullable:
        names = ", ".join(unit.name for unit in rows.units)
        into = f"INSERT INTO {quoted(touched_table(rows))} ({names})"
        now = select(
            rows.definition,
            rows.arm,
            [unit.text for unit in rows.units],
            _query_key(source),
            filtered=bool(rows.partition),
        )
        return [f"{into} SELECT {names} FROM {quoted(rows.name)} WHERE {condition}" for condition in gone] + [
            f"{into} {now}"
        ], []
    query = _query_key(source)
    if named := _units_in(rows, source):
        kept, query = _unit_conditions(rows, named)
    first = [f"DELETE FROM {quoted(rows.name)} WHERE {condition}" for condition in gone]
    return first, [f"DELETE FROM {quoted(rows.name)} WHERE {kept}", rows.fill(query)]


def later_of_sub_query(rows: RowsTable, number: int, *, names: Sequence[str] = ()) -> list[str]:
    """What is done with a row of a sub-query's table that was changed some time ago, which is spoken of as `ROW`."""
    kept, outer, _ = _linked(rows, number, names)
    return [f"DELETE FROM {quoted(rows.name)} WHERE {kept}", rows.fill(outer)]


def of_sub_query(rows: RowsTable, number: int, event: str, *, names: Sequence[str] = ()) -> list[str]:
    """The statements of a trigger on the table of a sub-query, or on a copy of it with other column `names`."""
    kept, outer, inner = _linked(rows, number, names)
    return list(_anew(rows, kept, outer, inner, event))


def _linked(rows: RowsTable, number: int, names: Sequence[str]) -> tuple[str, str, Sequence[str]]:
    """The conditions that a kept row, and one of the query, is tied to a changed row; and the columns of that."""
    links = rows.arm.subqueries[number].links
    inner = names or [link.inner for link in links]
    equal = [f"{'IS' if link.null_safe else '='} {ROW}.{quoted(name)}" for link, name in zip(links, inner, strict=True)]
    kept = [f"{column.name} {same}" for column, same in zip(rows.links[number], equal, strict=True)]
    outer = [f"{quoted(link.alias)}.{quoted(link.outer)} {same}" for link, same in zip(links, equal, strict=True)]
    return " AND ".join(kept), " AND ".join(outer), inner


def needs_touched(rows: RowsTable) -> bool:
    """Whether the touched units have to be written down for the length of a trigger."""
    return any((rows.partition and not _units_in(rows, source)) or source.nullable for source in rows.arm.sources)


def touched_table(rows: RowsTable) -> str:
    """The name of the table for them."""
    return f"{rows.name}_touched"


def _anew(rows: RowsTable, kept: str, query: str, columns: Iterable[str], event: str) -> Iterator[str]:
    """Remove what has certain values in common with a row, and put it in anew."""
    present = ["OLD"] * (event != "INSERT") + ["NEW"] * (event != "DELETE")
    for row in present:
        yield f"DELETE FROM {quoted(rows.name)} WHERE {kept.replace(ROW, row)}"
    yield rows.fill(query.replace(ROW, present[-1]))
    if event == "UPDATE":
        moved = " OR ".join(f"OLD.{quoted(column)} IS NOT NEW.{quoted(column)}" for column in columns)
        yield rows.fill(f"{query.replace(ROW, 'OLD')} AND ({moved})")


def _by_key(rows: RowsTable, number: int, event: str) -> Iterator[str]:
    source = rows.arm.sources[number]
    kept, query = _kept_key(rows, number), _query_key(source)
    if not source.unique_key:
        yield from _anew(rows, kept, query, source.key, event)
        if event != "DELETE":
            yield from _without_victims(rows, number)
        return
    for row in ["OLD"] * (event != "INSERT") + ["NEW"] * (event != "DELETE"):
        yield f"DELETE FROM {quoted(rows.name)} WHERE {kept.replace(ROW, row)}"
    if event != "DELETE":
        yield from _without_victims(rows, number)
        yield rows.fill(query.replace(ROW, "NEW"))


def _by_units(rows: RowsTable, named: Sequence[str], event: str) -> Iterator[str]:
    """Put in anew what is in the changed row's partition, which its key tells."""
    yield from _anew(rows, *_unit_conditions(rows, named), named, event)


def _unit_conditions(rows: RowsTable, named: Sequence[str]) -> tuple[str, str]:
    """The conditions that a kept row, and one of the query, is in the changed row's partition."""
    units = list(zip(rows.units, named, strict=True))
    kept = [f"{unit.name} IS {ROW}.{quoted(name)}" for unit, name in units]
    query = [f"({unit.text}) IS {ROW}.{quoted(name)}" for unit, name in units]
    return " AND ".join(kept), " AND ".join(query)


def _by_touched(rows: RowsTable, number: int, event: str) -> Iterator[str]:
    """Put in anew the units that the row was part of, as the kept keys tell, and those that it is part of now."""
    names = ", ".join(unit.name for unit in rows.units)
    table, touched = quoted(rows.name), quoted(touched_table(rows))
    source, kept = rows.arm.sources[number], _kept_key(rows, number)
    before = [kept.replace(ROW, row) for row in ["OLD"] * (event != "INSERT") + ["NEW"] * (event != "DELETE")]
    if event != "DELETE":
        before += [victim.replace(ROW, "NEW") for victim in _victims(rows, number)]
    parts = [f"SELECT {names} FROM {table} WHERE {condition}" for condition in before]
    if event != "DELETE" or not source.unique_key:
        now = _query_key(source).replace(ROW, "OLD" if event == "DELETE" else "NEW")
        texts = [unit.text for unit in rows.units]
        parts.append(select(rows.definition, rows.arm, texts, now, filtered=bool(rows.partition)))
    once = parts[0].replace("SELECT", "SELECT DISTINCT", 1) if len(parts) == 1 else " UNION ".join(parts)
    yield f"INSERT INTO {touched} ({names}) {once}"
    yield from anew_touched(rows)


def anew_touched(rows: RowsTable, *, distinct: bool = True) -> Iterator[str]:
    """Put in anew the units that are written down, which may not be `distinct`, and forget them."""
    table, touched = quoted(rows.name), quoted(touched_table(rows))
    same = " AND ".join(f"r.{unit.name} IS u.{unit.name}" for unit in rows.units)
    yield f"DELETE FROM {table} WHERE rowid IN (SELECT r.rowid FROM {touched} AS u CROSS JOIN {table} AS r ON {same})"
    again = " AND ".join(f"({unit.text}) IS {TOUCHED}.{unit.name}" for unit in rows.units)
    names = ", ".join(unit.name for unit in rows.units)
    units = touched if distinct else f"(SELECT DISTINCT {names} FROM {touched})"
    yield rows.fill(again, prefix=f"{units} AS {TOUCHED} CROSS JOIN ")
    yield f"DELETE FROM {touched}"


def _kept_key(rows: RowsTable, number: int) -> str:
    """The condition that a kept row comes from the changed one."""
    source = rows.arm.sources[number]
    return " AND ".join(
        f"{kept.name} {_equals(source)} {ROW}.{quoted(column)}"
        for kept, column in zip(rows.keys[number], source.key, strict=True)
    )


def _query_key(source: Source) -> str:
    """The condition that a row of the query comes from the changed one."""
    return " AND ".join(
        f"{column_of(source, column)} {_equals(source)} {ROW}.{quoted(column)}" for column in source.key
    )


def _without_victims(rows: RowsTable, number: int) -> list[str]:
    victims = _victims(rows, number)
    return [f"DELETE FROM {quoted(rows.name)} WHERE {victim.replace(ROW, 'NEW')}" for victim in victims]


def _victims(rows: RowsTable, number: int) -> list[str]:
    """The conditions of what a REPLACE by the changed row removed: a unique value of its, and another key."""
    source = rows.arm.sources[number]
    other = " OR ".join(
        f"{kept.name} IS NOT {ROW}.{quoted(column)}" for kept, column in zip(rows.keys[number], source.key, strict=True)
    )
    return [
        " AND ".join(_has_value(source, *each) for each in zip(columns, unique.columns, unique.collations, strict=True))
        + f" AND ({other})"
        for unique, columns in rows.victims[number]
    ]


def _has_value(source: Source, kept: Kept, name: str, collation: str) -> str:
    return f"{kept.name} COLLATE {quoted(collation)} = {ROW}.{quoted(name)}"


def _units_in(rows: RowsTable, source: Source) -> list[str]:
    """The columns of the source's key that the partition consists of; none where it is something else."""
    if not rows.partition or not rows.is_keyed:
        return []
    return [source.key[rows.keys[0].index(kept)] for kept in rows.partition]


def _equals(source: Source) -> str:
    """A key that may hold NULL is compared by IS; an outer join is only seen through by an equality."""
    return "=" if source.unique_key else "IS"
