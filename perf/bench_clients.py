"""Times other people's software on proxydb and on the plain drivers, with a verdict for each target.

Run it with ``python perf/bench_clients.py``; ``--help`` lists the options.
"""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from perf.clients.main import main

    sys.exit(main())
