"""The benchmark of materialized views."""
