"""The process that `proxydb run` runs: it gets the signals, and its end is that of the command."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_PASSED_ON = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR2, signal.SIGCONT}
_WATCHED = _PASSED_ON | {signal.SIGCHLD, signal.SIGUSR1}
_OF_THE_TERMINAL = {signal.SIGINT, signal.SIGQUIT}


class Child:
    """A process in the terminal's foreground, as if it had been started in the place of this one.

    Parameters
    ----------
    command
        The program, which is looked for in PATH, and its arguments.
    environment
        Its variables.

    Raises
    ------
    OSError
        It cannot be run.
    """

    def __init__(self, command: list[str], environment: Mapping[str, str]) -> None:
        signal.signal(signal.SIGCHLD, _nothing)  # what is ignored by default is not waited for everywhere
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, _WATCHED)
        self.pid = os.posix_spawnp(
            command[0],
            command,
            environment,
            setsigmask=mask,
            setsigdef=[signal.SIGPIPE, signal.SIGXFSZ],  # Python ignores them in itself
        )

    def wait(self, asked: Callable[[], None], before_end: Callable[[], None]) -> int:
        """Wait until it ends.

        Parameters
        ----------
        asked
            Called when this process is sent SIGUSR1.
        before_end
            Called before a SIGTERM is passed on, which may end processes at once.

        Returns
        -------
        int
            Its exit status, or the negative number of the signal that ended it.
        """
        while True:
            number, is_terminals = _next_signal()
            if number == signal.SIGCHLD:
                pid, status = os.waitpid(self.pid, os.WNOHANG)
                if pid:
                    return os.waitstatus_to_exitcode(status)
            elif number == signal.SIGUSR1:
                asked()
            elif not is_terminals:  # the terminal has sent it to the child, too
                if number == signal.SIGTERM:
                    before_end()
                os.kill(self.pid, number)


def _next_signal() -> tuple[int, bool]:
    """The next signal, and whether the terminal's driver has sent it rather than a process."""
    if hasattr(signal, "sigwaitinfo"):
        found = signal.sigwaitinfo(_WATCHED)
        return found.si_signo, found.si_code > 0
    number = signal.sigwait(_WATCHED)
    return number, number in _OF_THE_TERMINAL and sys.stdin.isatty()


def _nothing(_number: int, _frame: Any) -> None:
    """The signal is waited for elsewhere."""


def end_like(status: int) -> int:
    """The exit status to end with; what was ended by a signal is followed by the same signal."""
    if status >= 0:
        return status
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # one core dump is enough
    sys.stdout.flush()
    sys.stderr.flush()
    if -status not in (signal.SIGKILL, signal.SIGSTOP):
        signal.signal(-status, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _WATCHED)
    os.kill(os.getpid(), -status)
    return 128 - status
