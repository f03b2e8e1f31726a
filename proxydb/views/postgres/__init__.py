"""Materialized views on Postgres."""
