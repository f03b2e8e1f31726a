"""``python -m proxydb.cli`` is the command `proxydb`."""

import sys

from proxydb.cli import main

if __name__ == "__main__":
    sys.exit(main())
