"""The SQLite half: row triggers that recompute what a changed row touches."""
