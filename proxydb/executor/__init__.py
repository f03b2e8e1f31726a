"""Runs plans: the way of every statement from the cursor to the driver or to the cache, and back.

A connection keeps a `Statement` for each text that it has seen. Its class is the route that the text takes, chosen once
when the text is first seen (`routes`); `run` is called with the cursor, the text and the driver's own arguments.
"""
