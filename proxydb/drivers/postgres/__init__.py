"""Postgres: the snapshot that labels its states, and the catalog that tells what a statement touches."""
