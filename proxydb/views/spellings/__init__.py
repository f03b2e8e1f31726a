"""Other spellings of a query that the classes of views know, each proved to mean the same."""
