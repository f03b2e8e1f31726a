"""A pytest plugin that makes ours what ``import psycopg`` finds, for everything that is imported after it."""

import sys

import proxydb.psycopg

sys.modules["psycopg"] = proxydb.psycopg


def pytest_report_header() -> str:
    import psycopg

    return f"psycopg is {psycopg.__name__}"
