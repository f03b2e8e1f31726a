"""Plausible Delta tables, made by a seeded state machine that knows the true active files at every version.

Input for the demo, for benchmarks, and for tests that need an oracle: `Fleet` describes many tables, `load_fleet` puts
their logs into a lake in bulk, `write_log` writes one as a `_delta_log` directory that other readers open.
"""

from __future__ import annotations

from proxydb.lake.synthetic.delta_log import write_delta_log, write_log
from proxydb.lake.synthetic.fleet import Fleet
from proxydb.lake.synthetic.loading import load_fleet
from proxydb.lake.synthetic.table import SyntheticTable, TablePlan

__all__ = ["Fleet", "SyntheticTable", "TablePlan", "load_fleet", "write_delta_log", "write_log"]
