"""Postgres: the same story told to psycopg and to the proxied driver, broken protocols, a server that crashes."""
