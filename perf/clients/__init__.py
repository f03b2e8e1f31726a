"""The benchmark of other people's software on proxydb."""
