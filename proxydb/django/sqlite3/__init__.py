"""The value of ``ENGINE`` for SQLite; Django imports the module `base` in it."""
