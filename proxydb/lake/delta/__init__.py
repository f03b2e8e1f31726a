"""A Delta log on disk, read as the Delta transaction protocol says, without its data files."""
