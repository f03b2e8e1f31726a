"""The value of ``ENGINE`` for Postgres; Django imports the module `base` in it."""
