"""End a process group and remove its directory when the process that started this one dies.

``python watch_group.py GROUP DIRECTORY``: standard input is a pipe whose other end only the starting process has. A
byte there means that it needs no watching any more. The end of the pipe without one means that it was killed, after
which nothing else would end what it started: the parent-death signal of Linux (PR_SET_PDEATHSIG in prctl(2)) reaches
one process only, and other systems have none. Imports nothing of tvm_ffi_build, so that it starts fast.
"""

import os
import shutil
import signal
import sys
import time

__all__ = ["main"]

# Seconds that the processes have to clean up.
_GRACE = 3


def main() -> None:
    """Wait, and act if need be."""
    # The group is the other one's; what is sent to all processes of a terminal is not meant for this one.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    if os.read(0, 1):
        return
    group, directory = int(sys.argv[1]), sys.argv[2]
    if _send(group, signal.SIGTERM):
        deadline = time.monotonic() + _GRACE
        while _send(group, 0) and time.monotonic() < deadline:
            time.sleep(0.05)
        _send(group, signal.SIGKILL)
    shutil.rmtree(directory, ignore_errors=True)


def _send(group: int, number: int) -> bool:
    """Send a signal to a group; return whether it has processes."""
    try:
        os.killpg(group, number)
    except OSError:
        return False
    return True


if __name__ == "__main__":
    main()
