"""CPython's own sqlite3 suite passes on the drop-in wherever it passes on the standard library's module."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.interpreters import Interpreter, find_interpreters, lay_out_packages

SCRIPT = Path(__file__).with_name("cpython_suite.py")
CONFIGS = {"default": {}, "everything cached": {"PROXYDB_ADMISSION": "0"}, "cache off": {"PROXYDB_CACHE": "off"}}
HITS = {"default": (0, 99), "everything cached": (1, 99), "cache off": (0, 0)}


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory from which every interpreter imports proxydb."""
    return lay_out_packages(tmp_path_factory.mktemp("packages"))


@pytest.fixture(scope="module", params=find_interpreters(), ids=lambda interpreter: interpreter.version)
def interpreter(request: pytest.FixtureRequest) -> Interpreter:
    if not request.param.has_suite:
        pytest.skip(f"{request.param.path} has no package test.test_sqlite3")
    return request.param


@pytest.fixture(scope="module")
def raw(interpreter: Interpreter, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return _run(interpreter, "raw", tmp_path_factory.mktemp("raw") / "report.json")


@pytest.fixture(scope="module", params=CONFIGS)
def proxied(
    request: pytest.FixtureRequest, interpreter: Interpreter, packages: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    output = tmp_path_factory.mktemp("proxied") / "report.json"
    report = _run(interpreter, "proxied", output, PYTHONPATH=str(packages), **CONFIGS[request.param])
    return report | {"config": request.param}


def _run(interpreter: Interpreter, which: str, output: Path, **environment: str) -> dict[str, Any]:
    done = interpreter.run(SCRIPT, which, str(output), **environment)
    assert done.returncode == 0, done.stderr
    return json.loads(output.read_text(encoding="utf-8"))


def test_suite_exercises_ours(raw: dict[str, Any], proxied: dict[str, Any]) -> None:
    """Without the swap the suite's connections are the standard library's, with it they are ours."""
    assert raw["connection"] == "sqlite3.Connection"
    assert proxied["connection"] == "proxydb.dbapi.sqlite.Connection"


def test_suite_is_whole(raw: dict[str, Any]) -> None:
    """The suite has some 430 tests and more; an empty run would prove nothing."""
    assert list(raw["outcomes"].values()).count("passed") > 400


def test_suite_hits_the_cache(proxied: dict[str, Any]) -> None:
    """Reads of the suite are answered from memory when everything is kept, and none when the cache is off."""
    print(f"{proxied['hits']} hits in {len(proxied['outcomes'])} tests")
    at_least, at_most = HITS[proxied["config"]]
    assert at_least <= proxied["hits"] <= at_most


def test_no_new_failure(raw: dict[str, Any], proxied: dict[str, Any]) -> None:
    """Every test that passes on the standard library's module passes on ours."""
    passing = {test for test, outcome in raw["outcomes"].items() if outcome == "passed"}
    worse = [test for test in passing if proxied["outcomes"].get(test) != "passed"]
    assert not worse, "\n\n".join(f"{test}\n{proxied['details'].get(test)}" for test in sorted(worse))
