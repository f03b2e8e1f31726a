"""SQLite: the sentinel that labels its states, and the authorizer that tells what a statement touches."""
