"""The pages of the documentation, and the code blocks in them."""

from __future__ import annotations

import re
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]

_BLOCK = re.compile(r"^```(?P<language>python|text)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


class Example(NamedTuple):
    """A Python block.

    Parameters
    ----------
    code
        The block.
    output
        The text block right after it, which is what it prints; none when there is no such block.
    line
        Where the code begins in its page.
    """

    code: str
    output: str | None
    line: int


def examples(page: Path) -> list[Example]:
    """The Python blocks of a page, in order; those marked `notest` are left out."""
    text = page.read_text(encoding="utf-8")
    blocks = list(_BLOCK.finditer(text))
    return [
        Example(block["text"], _output(text, block, after), text.count("\n", 0, block.start("text")) + 1)
        for block, after in zip_longest(blocks, blocks[1:])
        if block["language"] == "python"
    ]


def _output(text: str, block: re.Match[str], after: re.Match[str] | None) -> str | None:
    """The block `after`, if it holds text and nothing but space stands between the two."""
    if after is None or after["language"] == "python" or text[block.end() : after.start()].strip():
        return None
    return after["text"]


def reference(name: str) -> str:
    """A page of the reference."""
    return (DOCS / "reference" / f"{name}.md").read_text(encoding="utf-8")
