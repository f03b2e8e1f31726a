"""The suite that tries to break the cache: what it serves must be what the database would have said."""
