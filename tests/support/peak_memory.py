"""The most memory that a command used, measured in the process that runs it."""

from __future__ import annotations

__all__ = ["run_and_print_peak"]

_RUN = r"""
import re, sys
from pathlib import Path
from tvm_ffi_build.__main__ import main
try:
    main(sys.argv[1:])
finally:
    # The field ru_maxrss would begin with what the parent has.
    peak = re.search(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text())
    print("peak", int(peak[1]) * 1024, file=sys.STREAM)
"""


def run_and_print_peak(stream: str) -> str:
    """Return code that runs tvm-ffi-build with its own arguments and prints ``peak`` and the bytes at the end.

    Args:
        stream: ``stdout`` or ``stderr``, where it prints them.

    """
    return _RUN.replace("STREAM", stream)
