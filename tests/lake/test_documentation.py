"""The documentation names everything that there is, and its examples run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import proxydb.lake
from proxydb.lake import OPERATIONS, errors
from proxydb.lake.schema import DEFINITIONS
from proxydb.lake.views import lake_views

DOCS = Path(__file__).parents[2] / "docs"
REFERENCE = DOCS / "reference" / "lake.md"
HOW_TO = DOCS / "how-to" / "lake.md"
ERRORS = [name for name, kind in vars(errors).items() if getattr(kind, "__module__", "") == errors.__name__]


@pytest.mark.parametrize("name", [*proxydb.lake.__all__, *ERRORS, *(table.name for table in DEFINITIONS)])
def test_a_name_is_in_the_reference(name: str) -> None:
    """Public names, errors and tables stand in the reference."""
    assert f"`{name}" in REFERENCE.read_text(encoding="utf-8")


@pytest.mark.parametrize("table", DEFINITIONS, ids=lambda table: table.name)
def test_every_column_is_in_the_reference(table: proxydb.lake.schema.TableDefinition) -> None:
    """The reference lists a table's columns in their order."""
    [line] = [line for line in REFERENCE.read_text(encoding="utf-8").splitlines() if f"| `{table.name}` |" in line]
    assert list(table.columns) == re.findall(r"`(\w+)`", line)[1:]


def test_every_view_is_in_the_reference() -> None:
    """The reference lists the views with their columns in order."""
    table = REFERENCE.read_text(encoding="utf-8").partition("## Views")[2].partition("\n## ")[0]
    listed = dict(re.findall(r"^\| `(\w+)` \| (.*?) \|", table, re.M))
    with proxydb.lake.open(":memory:") as lake:
        views = lake_views("sqlite")
        for view in views:
            lake.connection.execute(f"CREATE VIEW {view.name} AS {view.sql}")
        columns = {
            view.name: [each[0] for each in lake.connection.execute(f"SELECT * FROM {view.name}").description]
            for view in views
        }
    assert columns["file_spans"] == columns["closed_spans"]
    assert {name: re.findall(r"`(\w+)`", text) or columns[name] for name, text in listed.items()} == columns


def test_every_operation_is_in_the_reference() -> None:
    """The reference lists the operations with their titles."""
    listed = re.findall(r"^\| (\d\d\w?) \| ([^|:]+?)(?::[^|]*)? \|$", REFERENCE.read_text(encoding="utf-8"), re.M)
    assert [(operation.number, operation.title) for operation in OPERATIONS] == listed


def test_the_examples_of_the_how_to_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The how-to's code blocks run one after the other on a synthetic table."""
    monkeypatch.chdir(tmp_path)
    proxydb.lake.write_delta_log("events", commits=30, files_per_commit=2)
    names: dict[str, object] = {}
    for block in re.findall(r"```python\n(.*?)```", HOW_TO.read_text(encoding="utf-8"), re.S):
        exec(compile(block, str(HOW_TO), "exec"), names)
    assert "['events', 'copy']" in capsys.readouterr().out
