"""What changes a file as a whole: backup, deserialize, VACUUM, another file in its place, a writer that died."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from tests.freshness.sqlite.twins import SCHEMA, agree, agree_unserved

if TYPE_CHECKING:
    from tests.freshness.sqlite.twins import Side

DYING_WRITER = """
import os, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA cache_size = 1")
connection.execute("BEGIN IMMEDIATE")
connection.execute("CREATE TABLE big (x)")
connection.execute("UPDATE u SET x = -1")
connection.executemany("INSERT INTO big VALUES (?)", [("x" * 5000,)] * 200)
os._exit(9)
"""


def _another(path: Path) -> Path:
    """A file with the same tables and other rows."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(SCHEMA + "UPDATE u SET x = 'another'; UPDATE t SET x = 'another';")
    return path


@agree
def test_vacuum(side: Side) -> None:
    """VACUUM, by whomever, changes no rows."""
    for connection in (side.other, side.beside):
        side.read_all()
        side.run("DELETE FROM t WHERE id = 1", on=connection)
        side.run("VACUUM", on=connection)
        side.read_all()


@agree
def test_backup_into(side: Side) -> None:
    """A database that was copied over the open one is read, by this program and when another one copies."""
    with closing(sqlite3.connect(_another(side.path.with_suffix(".source")))) as source:
        for target in (side.other, side.beside):
            side.read_all()
            source.backup(target)
            side.read_all()
            side.run("UPDATE u SET x = 'changed'", on=side.beside)
            side.read_all()


@agree
def test_backup_from(side: Side) -> None:
    """A proxied connection can be copied from, page by page, while it is read."""
    with closing(sqlite3.connect(":memory:")) as copy:
        side.read_all()
        side.other.backup(copy, pages=1, progress=lambda *_: side.read_all())
        side.say(copy.execute("SELECT * FROM u").fetchall())


@agree_unserved
def test_deserialize(side: Side) -> None:
    """A connection whose database was replaced by bytes reads those, and the others the file."""
    with closing(sqlite3.connect(_another(side.path.with_suffix(".source")))) as source:
        content = source.serialize()
    if content[18] == 2:
        return
    side.read_all()
    side.other.deserialize(content)
    side.read_all()
    side.run("UPDATE u SET x = 'changed'", on=side.other)
    side.read_all()


@agree
def test_iterdump(side: Side) -> None:
    """A dump is of the state of now."""
    for number in range(3):
        side.say(list(side.db.iterdump()))
        side.run("UPDATE u SET x = ?", (number,), on=side.beside)
        side.read()


@agree
def test_deleted_and_recreated(side: Side) -> None:
    """A new file under the old name is read by new connections, while the old ones keep the old file."""
    side.read_all(side.other)
    _remove(side.path)
    _another(side.path)
    side.read(on=side.other)
    newer = side.open()
    side.read(on=newer)
    side.run("UPDATE u SET x = x || '!'", on=newer)
    newer.commit()
    side.read(on=newer)
    side.read(on=side.other)
    newest = side.open()
    side.read(on=newest)


@agree
def test_replaced_by_rename(side: Side) -> None:
    """A file that was moved over the old one is read by connections opened since."""
    side.read_all(side.other)
    _remove(side.path, keep=True)
    os.replace(_another(side.path.with_suffix(".new")), side.path)
    newer = side.open()
    for connection in (newer, side.other, newer):
        side.read(on=connection)


@agree_unserved
def test_replaced_before_the_first_statement(side: Side) -> None:
    """A connection belongs to the file that was there when it was opened."""
    early = side.open()
    os.replace(_another(side.path.with_suffix(".new")), side.path)
    late = side.open()
    for connection in (early, late, early, late):
        side.read(on=connection)


@agree
def test_recreated_after_all_connections_closed(side: Side) -> None:
    """A file of the same name, and perhaps the same inode, that came after the last connection closed is a new one."""
    first = side.open()
    side.read(on=first)
    first.close()
    _remove(side.path)
    _another(side.path)
    side.read(on=side.open())


def _remove(path: Path, keep: bool = False) -> None:
    """Remove what SQLite made beside the file, and the file itself."""
    for suffix in ("-wal", "-shm", "-journal") + (() if keep else ("",)):
        Path(f"{path}{suffix}").unlink(missing_ok=True)


@agree
def test_links(side: Side) -> None:
    """A file that is opened by a symbolic link and by its name is one database."""
    link = side.path.with_suffix(".link")
    link.symlink_to(side.path)
    by_link = side.open(link, isolation_level=None)
    for connection in (by_link, side.other, side.beside):
        side.read_all(side.other, by_link)
        side.run("UPDATE u SET x = x + 1", on=connection)
    side.read_all(side.other, by_link)


@agree
def test_writer_killed_in_the_middle(side: Side) -> None:
    """What another process had written when it was killed before its commit is never read."""
    for _ in range(2):
        side.read_all()
        subprocess.run([sys.executable, "-c", DYING_WRITER, str(side.path)], check=False, timeout=30)
        side.read_all()
        side.run("UPDATE u SET x = x + 1", on=side.other)
        side.read_all()


@agree
def test_checkpoint(side: Side) -> None:
    """A checkpoint changes no rows, and commits after it are seen."""
    for mode in ("PASSIVE", "FULL", "RESTART", "TRUNCATE"):
        side.read_all()
        side.beside.execute(f"PRAGMA wal_checkpoint({mode})").fetchall()
        side.read_all()
        side.run("UPDATE u SET x = x + 1", on=side.beside)
        side.read_all()
