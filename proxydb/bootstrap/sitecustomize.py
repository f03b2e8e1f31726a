"""Read by every Python process that `proxydb run` starts: profiling begins when a driver is loaded for the first time.

The directory of this file is on PYTHONPATH, so it stands before the `sitecustomize` that the environment may have; that
one is run after it, and takes its place. Nothing else is imported until it is needed.
"""

import os
import sys
from importlib.machinery import ModuleSpec, PathFinder

_HERE = os.path.dirname(os.path.abspath(__file__))
_DRIVERS = frozenset({"sqlite3", "psycopg"})


class _Waiting:
    """A finder that finds nothing: it begins to profile when a driver is about to be imported."""

    def find_spec(self, name: str, _path: object = None, _target: object = None) -> ModuleSpec | None:
        if name not in _DRIVERS:
            return None
        sys.meta_path.remove(self)
        _start()
        from importlib.util import find_spec

        return find_spec(name)  # the finders are asked anew: one of proxydb's is among them now


def _start() -> None:
    try:
        from proxydb.attach import start

        start()
    except Exception:  # proxydb is not installed here, or the run is over: the application goes on without
        pass


def _wait() -> None:
    if _DRIVERS.isdisjoint(sys.modules):
        sys.meta_path.insert(0, _Waiting())
    else:
        _start()


def _run_theirs() -> None:
    """Run the `sitecustomize` that would have been found without this one; where there is none, there is none."""
    spec = PathFinder.find_spec("sitecustomize", sys.path)
    if spec is None or spec.loader is None:
        raise ImportError("there is no other sitecustomize", name="sitecustomize")
    from importlib.util import module_from_spec

    sys.modules["sitecustomize"] = module = module_from_spec(spec)
    spec.loader.exec_module(module)


sys.path[:] = [entry for entry in sys.path if entry != _HERE]
_wait()
_run_theirs()
