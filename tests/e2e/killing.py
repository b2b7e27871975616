"""Passes of `fundingscout sync` that are killed: forks of a process that has all imports behind it, so that a life is all work.

    python killing.py SECONDS …

Runs a pass for each number and lets the kernel end it, as SIGKILL does, when it has used so much processor time: how busy the
machine is changes nothing. Prints for each "killed" or "ended", and the processor seconds that it used.
"""

from __future__ import annotations

import os
import signal
import sys

from pipeline import main_job  # noqa: F401 - what takes longest to import
from pipeline.cli import main


def run(seconds: float) -> str:
    """How a pass ended that may use this much processor time."""
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGPROF, signal.SIG_DFL)  # ends the process where it stands
        signal.setitimer(signal.ITIMER_PROF, seconds)
        code = 1
        try:
            main(["sync"], standalone_mode=False)
            code = 0
        finally:
            os._exit(code)
    _, status, used = os.wait4(child, 0)
    code = os.waitstatus_to_exitcode(status)
    assert code in (0, -signal.SIGPROF), f"a pass ended with {code}"
    return f"{'killed' if code else 'ended'} {used.ru_utime + used.ru_stime:.2f}"


if __name__ == "__main__":
    for life in map(float, sys.argv[1:]):
        print(run(life), flush=True)
