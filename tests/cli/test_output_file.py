"""A file that cannot be written is refused before the work begins."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import pytest

from proxydb.cli import main
from proxydb.cli.output_file import output_file


def test_a_file_may_be_new_or_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new name, a file that is there, and a name without a directory are accepted."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "old").touch()
    names = [str(tmp_path / "new"), str(tmp_path / "old"), "here"]
    assert [output_file(name) for name in names] == list(map(Path, names))


def test_the_file_is_not_made(tmp_path: Path) -> None:
    """Nothing is left behind by a check."""
    output_file(str(tmp_path / "new"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "told"), [("nodir/x.json", "no directory 'nodir'"), (".", "is a directory"), ("..", "is a directory")]
)
def test_a_file_that_cannot_be_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, told: str
) -> None:
    """A directory that is missing, or that stands in the file's place."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(argparse.ArgumentTypeError, match=told):
        output_file(name)


@pytest.mark.parametrize("name", ["file", "new"])
def test_a_file_that_may_not_be_written_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """A file, or a directory for a new one, without the permission."""
    (tmp_path / "file").touch()
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(argparse.ArgumentTypeError, match="may not be written"):
        output_file(str(tmp_path / name))


@pytest.mark.parametrize(
    "command",
    [
        ["bench", "lake", "--json"],
        ["bench", "lake", "--chart"],
        ["bench", "load", "--json"],
        ["run", "--report"],
    ],
    ids=" ".join,
)
def test_a_command_fails_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    """The command ends with status 2 and says which directory is missing."""
    monkeypatch.chdir(tmp_path)
    status = main([*command, "nodir/x.json"])
    assert (status, "no directory 'nodir'" in capsys.readouterr().err) == (2, True)
