"""This program's commands, run in the process of the test, which saves half a second of imports for each."""

from __future__ import annotations

import contextlib
import io
import signal
import subprocess
from typing import TYPE_CHECKING

from tvm_ffi_build.__main__ import main

if TYPE_CHECKING:
    import os

__all__ = ["run_command"]


def run_command(*arguments: str | os.PathLike[str], ok: bool = False) -> subprocess.CompletedProcess[str]:
    """Run ``tvm-ffi-build`` with arguments, and return its exit status and what it prints.

    With ``ok``, show what it printed if it failed.

    Use a process instead where its environment, its end or its memory is tested.
    """
    words = [str(argument) for argument in arguments]
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    status = 0
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as err:
        try:
            main(words)
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else int(end.code is not None)
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
    if ok:
        assert status == 0, f"{words}\n{out.getvalue()}\n{err.getvalue()}"
    return subprocess.CompletedProcess(words, status, out.getvalue(), err.getvalue())
