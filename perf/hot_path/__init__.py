"""The hot path's benchmark: goals, timing, and the cases of SQLite, Postgres, the import and the peers."""
