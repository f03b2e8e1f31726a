"""Create, refresh, check and repair materialized views that stay exact, whoever writes.

They are kept in the database itself, and are read as tables are.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import proxydb
from proxydb.cli.explain import check_file
from proxydb.errors import ProgrammingError
from proxydb.views.api import MAINTENANCE
from proxydb.views.records import DIRTY

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    from proxydb.views.api import Views
    from proxydb.views.records import View

DIFFERS = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `proxydb views`."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for action, (summary, arguments) in _ARGUMENTS.items():
        command = actions.add_parser(action, help=summary, description=summary, allow_abbrev=False)
        for argument in arguments:
            _NAMED[argument](command)
        command.add_argument("--target", required=True, help="the database: a SQLite file or postgresql://…")
        command.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: argparse.Namespace) -> int:
    """Do one thing with views."""
    check_file(arguments.target)
    with proxydb.database(arguments.target) as database:
        told, text, status = _ACTIONS[arguments.action](database.views, arguments)
    print(json.dumps(told, indent=2, default=repr) if arguments.json else text)
    return status


_Told = tuple[Any, str, int]


def _create(views: Views, arguments: argparse.Namespace) -> _Told:
    view = views.create(
        arguments.name, arguments.sql, maintenance=arguments.maintenance, max_staleness=arguments.max_staleness
    )
    return view.to_dict(), _line(view), 0


def _refresh(views: Views, arguments: argparse.Namespace) -> _Told:
    if arguments.stale == bool(arguments.name):
        raise ProgrammingError("name one view, or say --stale for all in which changes have waited for too long")
    if arguments.stale:
        return _several(views.refresh_stale(), "nothing is stale")
    view = views.refresh(arguments.name)
    return view.to_dict(), _line(view), 0


def _drop(views: Views, arguments: argparse.Namespace) -> _Told:
    views.drop(arguments.name)
    return {"dropped": arguments.name}, f"dropped {arguments.name}", 0


def _list(views: Views, _arguments: argparse.Namespace) -> _Told:
    return _several(views.list(), "no materialized views")


def _repair(views: Views, arguments: argparse.Namespace) -> _Told:
    return _several(views.repair(arguments.name), "nothing to repair")


def _check(views: Views, arguments: argparse.Namespace) -> _Told:
    checked = views.check(arguments.name)
    lines = [f"{checked.name}: {checked.rows} rows, {checked.missing} missing, {checked.surplus} too many"]
    lines += [f"  {word}  {row!r}" for word, row in checked.examples]
    return checked.to_dict(), "\n".join(lines), 0 if checked.is_exact else DIFFERS


def _explain(views: Views, arguments: argparse.Namespace) -> _Told:
    explanation = views.explain(arguments.name)
    facts = {
        "view": _line(explanation.view),
        "method": explanation.method,
        "obstacle": explanation.obstacle or "-",
        "tables": ", ".join(explanation.tables) or "-",
        "triggers": ", ".join(explanation.triggers) or "-",
        "scans": ", ".join(explanation.scans) or "-",
        "query": explanation.view.sql,
    }
    return explanation.to_dict(), "\n".join(f"{name:<10}{value}" for name, value in facts.items()), 0


def _several(views: Sequence[View], nothing: str) -> _Told:
    return [view.to_dict() for view in views], "\n".join(map(_line, views)) or nothing, 0


def _line(view: View) -> str:
    state = f"{view.state} ({view.reason})" if view.reason else view.state
    return f"{view.name}  {view.kind}  {view.maintenance}  {state}{_age(view)}"


def _age(view: View) -> str:
    """How old the content of a view is that is not exact, and whether it may be so old."""
    if view.state != DIRTY:
        return ""
    limit = "no age is allowed" if view.max_staleness is None else f"{view.max_staleness:g} s are allowed"
    return f"  {view.age:.0f} s old, {limit}"


_ACTIONS: dict[str, Callable[[Views, argparse.Namespace], _Told]] = {
    "create": _create,
    "refresh": _refresh,
    "drop": _drop,
    "list": _list,
    "check": _check,
    "explain": _explain,
    "repair": _repair,
}

_ARGUMENTS = {
    "create": ("make a view and keep it exact", ("name", "sql", "options")),
    "refresh": ("compute a view as a whole, or take in what was logged for it", ("view", "stale")),
    "drop": ("remove a view", ("name",)),
    "list": ("show all views with their states", ()),
    "check": ("compare a view with its query; exit status 1 when they differ", ("name",)),
    "explain": ("show how a view is kept", ("name",)),
    "repair": ("make broken views again", ("any name",)),
}


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--maintenance", choices=MAINTENANCE, help="how it is kept; by default as suits it best")
    parser.add_argument("--max-staleness", type=float, metavar="SECONDS", help="how old what it shows may be")


_NAMED: dict[str, Callable[[argparse.ArgumentParser], Any]] = {
    "name": lambda parser: parser.add_argument("name", metavar="NAME", help="the view"),
    "any name": lambda parser: parser.add_argument("name", metavar="NAME", nargs="?", help="the view; all by default"),
    "view": lambda parser: parser.add_argument("name", metavar="NAME", nargs="?", help="the view"),
    "stale": lambda parser: parser.add_argument(
        "--stale",
        action="store_true",
        help="all in which changes have waited for longer than their max_staleness",
    ),
    "sql": lambda parser: parser.add_argument("sql", metavar="SQL", help="its query"),
    "options": _add_options,
}
