"""What proxydb knows of each database: its labels, its read and write sets, its quirks."""
