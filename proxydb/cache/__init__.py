"""The result cache: keys, labels, admission, and the rows themselves."""
