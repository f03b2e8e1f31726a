"""The triggers on the tables that a view reads, and the functions that they call.

Transition tables belong to triggers of one event, so there is one for each. They fire also where
``session_replication_role`` is ``replica``. The functions run with the rights of the view's owner, so that writers
need none on our tables; where it matters, with the owner's settings of that day, so that no writer's settings change
what is kept. What they name beside the user's words is qualified.
Source: https://www.postgresql.org/docs/current/sql-createtrigger.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from proxydb.sql.tokens import quoted
from proxydb.views.postgres.expressions import has_string, is_column
from proxydb.views.postgres.part import EQUAL, NEW, OLD, TRUNCATED, literal, place

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from proxydb.views.catalogue import Table
    from proxydb.views.postgres.part import Change

_REFERENCING = {
    "INSERT": f" REFERENCING NEW TABLE AS {NEW}",
    "UPDATE": f" REFERENCING OLD TABLE AS {OLD} NEW TABLE AS {NEW}",
    "DELETE": f" REFERENCING OLD TABLE AS {OLD}",
    "TRUNCATE": "",
}
_TAG = "$proxydb$"


class Settings(NamedTuple):
    """What the meaning of a view's words depends on.

    Parameters
    ----------
    path
        The schemas in which names are looked up, quoted.
    others
        Further settings with their values.
    """

    path: str
    others: Mapping[str, str]


def functions(
    prefix: str, changes: Sequence[Change], settings: Settings, guard: str
) -> Iterator[tuple[Table, str, str]]:
    """For each table the function that its triggers call, with its name.

    Parameters
    ----------
    prefix
        What its name begins with.
    changes
        What is to be done; several may be of one table.
    settings
        What it is run with.
    guard
        The statement that keeps folds and TRUNCATE apart.
    """
    tables: dict[tuple[str, str], list[Change]] = {}
    for change in changes:
        tables.setdefault((change.table.schema, change.table.name), []).append(change)
    for number, of_table in enumerate(tables.values()):
        name = f"{prefix}changed{number}"
        yield of_table[0].table, name, _function(name, of_table, settings, guard)


def triggers(table: str, function: str, *, before: bool) -> Iterator[str]:
    """The statements that make the triggers of one table."""
    for event, referencing in _REFERENCING.items():
        name = quoted(f"proxydb_{function.rpartition('.')[2]}_{event.lower()}")
        time = "BEFORE" if before and event == "TRUNCATE" else "AFTER"
        yield (
            f"CREATE TRIGGER {name} {time} {event} ON {table}{referencing} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {function}()"
        )
        yield f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}"


def rehearsals(changes: Sequence[Change]) -> Iterator[str]:
    """What the triggers will do, done with no rows: what fails then would fail in every writer's statement."""
    for change in changes:
        none = f"SELECT * FROM {place(change.table)} WHERE false"
        for statement in (*change.insert, *change.update, *change.delete):
            yield f"WITH {NEW} AS ({none}), {OLD} AS ({none}) {statement}"


def _function(name: str, changes: Sequence[Change], settings: Settings, guard: str) -> str:
    branches = {
        "INSERT": [statement for change in changes for statement in change.insert],
        "UPDATE": [statement for change in changes for statement in change.update],
        "DELETE": [statement for change in changes for statement in change.delete],
        "TRUNCATE": [guard, *(_emptied(statement) for change in changes for statement in change.truncate)],
    }
    body = " ELS".join(
        f"IF TG_OP {EQUAL} '{event}' THEN\n" + "".join(f"    {statement};\n" for statement in statements)
        for event, statements in branches.items()
    )
    code = f"#variable_conflict use_column\nBEGIN\n  {body}  END IF;\n  RETURN NULL;\nEND"
    if _TAG in code:
        raise ValueError("the view's query holds the words that enclose a function")
    return (
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER "
        f"{_fixed(settings, [text for change in changes for text in change.texts])} AS {_TAG}\n{code}\n{_TAG}"
    )


def _fixed(settings: Settings, texts: Sequence[str]) -> str:
    """The settings that a function has to fix, each of which costs every writer some microseconds."""
    if all(map(is_column, texts)):
        return ""
    others = settings.others.items() if any(map(has_string, texts)) else ()
    return f"SET search_path = {settings.path}" + "".join(f" SET {key} = {literal(value)}" for key, value in others)


def _emptied(statement: str) -> str:
    """A statement that may read the table that is about to be emptied, which can be one of several partitions."""
    if TRUNCATED not in statement:
        return statement
    return (
        f"EXECUTE pg_catalog.replace({literal(statement)}, '{TRUNCATED}', "
        "TG_RELID::pg_catalog.regclass::pg_catalog.text)"
    )
