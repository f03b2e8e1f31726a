"""Runs the tests that come with aiosqlite, with the drop-in in its place."""

import sys
import unittest

import aiosqlite

import proxydb.aiosqlite

if __name__ == "__main__":
    sys.modules["aiosqlite"] = proxydb.aiosqlite
    from aiosqlite.tests import smoke

    assert smoke.aiosqlite is proxydb.aiosqlite is not aiosqlite
    unittest.main(module=smoke)
