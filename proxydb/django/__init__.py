"""Back ends for Django: `proxydb.django.sqlite3` and `proxydb.django.postgresql`, each to be named as an ``ENGINE``."""

from __future__ import annotations

from importlib.util import find_spec

from proxydb.errors import MissingExtra

if find_spec("django") is None:
    raise MissingExtra.named("django", "proxydb.django")
