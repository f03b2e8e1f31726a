"""Back ends for Django: `proxydb.django.sqlite3` and `proxydb.django.postgresql`, each to be named as an ``ENGINE``."""
