"""Reads the newline-delimited JSON files of a Delta log, one action at a time."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from proxydb.lake.errors import CorruptLog, MissingCommit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Action(NamedTuple):
    """One action of the log and where it stands.

    Parameters
    ----------
    kind
        ``"add"``, ``"remove"``, ``"metaData"``, ``"commitInfo"``, … as the protocol names them.
    body
        Its fields.
    file, line
        The log file and the line, counted from 1; a Parquet file has no lines.
    """

    kind: str
    body: dict[str, Any]
    file: Path
    line: int | None


def read_json_actions(file: Path) -> Iterator[Action]:
    """Every action of a commit, or of a checkpoint in JSON, in the order of its lines.

    Raises
    ------
    proxydb.lake.errors.CorruptLog
        A line is not one JSON object with one action, or the file is empty, as an interrupted copy leaves it.
    proxydb.lake.errors.MissingCommit
        The file went away while the log was read.

    References
    ----------
    Delta PROTOCOL: Delta Log Entries.
    """
    line = 0
    try:
        with file.open("rb") as lines:
            for line, text in enumerate(lines, start=1):
                if not text.isspace():
                    yield _action(file, line, text)
    except FileNotFoundError:
        raise MissingCommit(file, "the file went away while the log was read: import again") from None
    if not line:
        raise CorruptLog(file, "the file is empty: copy it again from the table's storage")


def _action(file: Path, line: int, text: bytes) -> Action:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CorruptLog(file, f"not valid JSON, copy the file again ({error})", line) from None
    actions = [item for item in found.items() if item[1] is not None] if isinstance(found, dict) else []
    if len(actions) != 1:
        raise CorruptLog(file, "a line is one JSON object with one action", line)
    [(kind, body)] = actions
    if not isinstance(body, dict):
        raise CorruptLog(file, f"the action {kind!r} is not a JSON object", line)
    return Action(kind, body, file, line)
