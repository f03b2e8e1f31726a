"""File pruning: a predicate over a table's data columns, asked of partition values and file statistics."""
