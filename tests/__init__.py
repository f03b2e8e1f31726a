"""proxydb's tests."""
