"""Materialized views that stay exact, whoever writes."""
