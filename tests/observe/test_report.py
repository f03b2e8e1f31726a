"""The report: what is added up, and its three forms."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from proxydb.observe.record import Tally
from proxydb.observe.report import ProfileReport
from proxydb.observe.report_charts import bars
from proxydb.observe.report_text import duration

if TYPE_CHECKING:
    from pathlib import Path

NASTY = """select '<script>alert(1)</script>' & "x" from t"""
LITE = {"system": "sqlite", "namespace": "/data/shop.db"}


def statement(fingerprint: str, *nanoseconds: int, **counted: int) -> dict[str, Any]:
    """A statement of a snapshot."""
    tally = Tally()
    for each in nanoseconds:
        tally.add(each)
    return {**LITE, "fingerprint": fingerprint, "kind": "read", **tally.to_dict(), **counted}


def snapshot(pid: int, *statements: dict[str, Any]) -> dict[str, Any]:
    """What a process leaves: an N+1 group and a slow statement, too."""
    place = {"site": "/app/shop.py:12", "function": "<listcomp>"}
    return {
        "pid": pid,
        "statements": list(statements),
        "groups": [{**LITE, "fingerprint": "select ?", **place, "runs": 2, "calls": 30 + pid, "largest": 20 + pid}],
        "slow": [
            {
                "db.system.name": "sqlite",
                "db.namespace": "/data/shop.db",
                "db.query.text": NASTY,
                "db.client.operation.duration": float(pid),
                "cache": "none",
                "call_site": "/app/shop.py:40",
                "plan": ["SCAN <t>"],
            }
        ],
    }


@pytest.fixture
def report() -> ProfileReport:
    """Of two processes."""
    return ProfileReport.of(
        [
            snapshot(1, statement("select ?", 5_000, 7_000, rows=2), statement(NASTY, 2_000_000, errors=1)),
            snapshot(2, statement("select ?", 9_000, hits=1, misses=1)),
            snapshot(3),
        ]
    )


def test_processes_are_added_up(report: ProfileReport) -> None:
    """Calls and times are sums, the largest total goes first, percentiles are over all."""
    assert [(each.fingerprint, each.calls, each.rows) for each in report.statements] == [
        (NASTY, 1, 0),
        ("select ?", 3, 2),
    ]
    assert (report.processes, report.calls, report.errors, report.total) == (2, 4, 1, 0.002021)
    assert report.statements[1].p50 == pytest.approx(7e-6, rel=0.125)


def test_groups_are_added_up(report: ProfileReport) -> None:
    """Runs and calls are sums; the time is that of the mean."""
    [group] = report.repeated
    assert (group.runs, group.calls, group.largest) == (6, 96, 23)
    assert group.seconds == pytest.approx(96 * 7e-6)


def test_the_longest_execution_is_kept(report: ProfileReport) -> None:
    """Of several processes' slow executions of a statement the longest is shown."""
    assert [(each.seconds, each.plan) for each in report.slow] == [(3.0, ("SCAN <t>",))]


def test_json(report: ProfileReport) -> None:
    """JSON has a version and every field, with the values of the report."""
    told = json.loads(report.to_json())
    assert told["version"] == 1
    assert set(told) == {"version", *ProfileReport.__slots__}
    assert told["statements"][1]["calls"] == 3


def test_text(report: ProfileReport) -> None:
    """The text has the sums, each statement, the group's line and the plan."""
    text = str(report)
    assert text.startswith("4 statements, 1 error, 2.02 ms in the database, p50 ")
    assert ("50% hit" in text, "96x in 6 runs, at most 23" in text, "/app/shop.py:12" in text) == (True, True, True)
    assert "      SCAN <t>" in text


class Page(HTMLParser):
    """Notes elements, text, what is open at the end, and whatever could load something."""

    VOID = frozenset({"meta"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.open: list[str] = []
        self.loads: list[tuple[str, str | None]] = []
        self.texts: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.loads += [pair for pair in attrs if pair[0] in ("src", "href", "srcset", "action", "style")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_the_page_is_well_formed_and_loads_nothing(report: ProfileReport) -> None:
    """Every element is closed; there is no script, link, image or address."""
    html = report.to_html()
    page = Page(html)
    assert (page.open, page.loads) == ([], [])
    assert {"script", "link", "img", "iframe", "object"}.isdisjoint(page.elements)
    assert ("url(" in html, "@import" in html, "http" in html.replace("http-equiv", "")) == (False, False, False)
    assert "default-src 'none'" in html


def test_the_page_shows_what_there_is(report: ProfileReport) -> None:
    """Statements are shown as text, whatever they hold; charts are SVG that says in words what it shows."""
    page = Page(report.to_html())
    assert page.texts.count(NASTY) == 2
    assert ("/app/shop.py:12" in page.texts, "SCAN <t>" in page.texts) == (True, True)
    html = report.to_html()
    assert html.count("<svg") == html.count('role="img" aria-label=') + html.count('aria-hidden="true"')
    assert (page.elements.count("h1"), 'lang="en"' in html, html.count('scope="col"')) == (1, True, 11)


def test_a_report_of_nothing() -> None:
    """Without statements every form says so."""
    report = ProfileReport.of([])
    assert (str(report), "No statements" in report.to_html(), json.loads(report.to_json())["calls"]) == (
        "no statements\n",
        True,
        0,
    )


@pytest.mark.parametrize(("name", "begins"), [("r.html", "<!doctype"), ("r.json", "{"), ("r.txt", "4 statements")])
def test_the_suffix_of_a_file_says_the_kind(report: ProfileReport, name: str, begins: str, tmp_path: Path) -> None:
    """A report is saved in the kind that the name asks for."""
    report.save(tmp_path / name)
    assert (tmp_path / name).read_text(encoding="utf-8").startswith(begins)


def test_an_unknown_suffix(report: ProfileReport, tmp_path: Path) -> None:
    """Other names are refused, and told what there is."""
    with pytest.raises(ValueError, match=r"\.html, \.json, \.txt"):
        report.save(tmp_path / "report.pdf")


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.0, "0 ns"), (5e-8, "50 ns"), (1.234e-5, "12.3 µs"), (0.9996, "1,000 ms"), (61.04, "61 s"), (4321.0, "4,321 s")],
)
def test_durations(seconds: float, shown: str) -> None:
    """A duration has three digits that say something."""
    assert duration(seconds) == shown


def test_bars_have_no_gaps() -> None:
    """Bars follow each other from the first to the last, and hold every execution."""
    tally = Tally()
    for nanoseconds in (900, 1_000, 50_000, 3_000_000):
        tally.add(nanoseconds)
    tally.settle()
    shown = bars(sorted(tally.buckets.items()))
    assert [bar.step for bar in shown] == list(range(shown[0].step, shown[-1].step + 1))
    assert sum(bar.calls for bar in shown) == 4
    assert all(one.end == other.start for one, other in pairwise(shown))
