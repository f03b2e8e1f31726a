"""SQLite: the same story told to the raw driver and to the proxied one, and readers against writers."""
