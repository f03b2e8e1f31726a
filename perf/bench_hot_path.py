"""Times the hot path: raw and proxied statements beside each other, with a verdict for each target.

Run it with ``python perf/bench_hot_path.py``; ``--help`` lists the options.
"""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from perf.hot_path.main import main

    sys.exit(main())
