"""Every reason for not keeping a result stands in the how-to, with the way out."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import pytest

from tests.docs.pages import DOCS, ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

HOW_TO = (DOCS / "how-to" / "not-cached.md").read_text(encoding="utf-8")
SOURCES = [*(ROOT / "proxydb" / "drivers").rglob("*.py"), *(ROOT / "proxydb" / "dbapi").rglob("*.py")]
SOURCES += [ROOT / "proxydb" / "planner.py", ROOT / "proxydb" / "database.py"]
CALLS = {"_without_label": 0, "_without_key": 0, "refuse": 0, "Unnamed": 0, "hinder": 1}
TABLES = {"_HINDERING", "_HINDERING_OPTIONS", "_REFUSALS", "_RELATION_REFUSALS", "_OBSTACLES"}
ATTRIBUTES = {"reason", "private", "obstacle", "hindrance"}


def beginnings(node: ast.AST) -> Iterator[str]:
    """The texts inside an expression, each up to its first colon; of a formatted one, what comes before the value."""
    if isinstance(node, ast.JoinedStr):
        node = node.values[0]
    if isinstance(node, ast.Constant):
        if isinstance(node.value, str) and " " in node.value.strip():
            yield node.value.partition(":")[0].strip()
    else:
        for child in ast.iter_child_nodes(node):
            yield from beginnings(child)


def places(tree: ast.AST) -> Iterator[ast.AST]:
    """The expressions in a module that hold reasons."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            yield from node.args[CALLS[name] : CALLS[name] + 1] if name in CALLS else ()
            yield from (keyword.value for keyword in node.keywords if keyword.arg == "refusal")
        elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names = {getattr(target, "attr", getattr(target, "id", "")) for target in targets}
            yield from [node.value] if names & (TABLES | ATTRIBUTES) else ()
        elif isinstance(node, ast.FunctionDef) and node.name in WORDED:
            yield from (each.value for each in ast.walk(node) if isinstance(each, ast.Return) and each.value)


WORDED = {"_refusal", "refusal", "_locking", "_escaped_names", "_hidden_literal", "_computed_cast", "_time_of_day"}
WORDED |= {"_timely_literal", "_refused_word"}
REASONS = sorted(
    {
        reason
        for source in SOURCES
        for place in places(ast.parse(source.read_text(encoding="utf-8")))
        for reason in beginnings(place)
        if not reason.startswith(("SELECT", "PRAGMA"))
    }
)


@pytest.mark.parametrize("reason", REASONS)
def test_a_reason_is_explained(reason: str) -> None:
    """The how-to has the words that `explain` and `stats` show."""
    assert reason in HOW_TO


def test_the_reasons_are_found() -> None:
    """Reading the sources finds the reasons of each kind."""
    known = {"the transaction has written", "an authorizer of the application's own", "locks rows", "reads no table"}
    assert (known <= set(REASONS), len(REASONS) > 40) == (True, True)
