"""The Python examples of the documentation run, and print what the pages say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import structlog

from tests.docs.pages import DOCS, PAGES, examples

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ELSEWHERE = {DOCS / "how-to" / "lake.md", DOCS / "reference" / "lake.md"}
WITH_EXAMPLES = [page for page in PAGES if page not in ELSEWHERE and examples(page)]


@pytest.fixture
def structlog_configuration() -> Iterator[None]:
    """A page may configure structlog."""
    configured = structlog.get_config()
    yield
    structlog.configure(**configured)


@pytest.mark.parametrize("page", WITH_EXAMPLES, ids=lambda page: page.stem)
@pytest.mark.usefixtures("structlog_configuration")
def test_the_examples_of_a_page_run(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A page's blocks run one after the other in an empty directory; a text block after one is what it prints."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PROXYDB_SLOW_MS", "60000")  # on a busy machine what the pages show as fast may be slow
    names: dict[str, object] = {"__name__": "__main__"}
    for example in examples(page):
        exec(compile("\n" * (example.line - 1) + example.code, str(page), "exec"), names)
        printed = capsys.readouterr().out
        assert example.output is None or printed == example.output


def test_the_tutorial_is_checked() -> None:
    """The pages are found, and most of the tutorial's blocks say what they print."""
    checked = [example.output for example in examples(DOCS / "tutorial" / "first-steps.md") if example.output]
    assert (len(WITH_EXAMPLES) >= 6, len(checked) >= 5) == (True, True)
