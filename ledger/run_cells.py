"""Runs extensions on one release, each in a process of its own: ``python run_cells.py FOLDER``.

FOLDER holds ``tvm_ffi/``. For each line of the standard input, the paths of a check and of a library as JSON, it prints
a line: how the process ended, as :attr:`subprocess.Popen.returncode` has it, and the last of what it said.

The processes are forked from one that has imported the runtime, and had its first error: that is most of what a run
takes. In all else they are like ``python CHECK LIBRARY``, to the end: crashes while an interpreter ends are crashes.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import resource
import signal
import sys
import tempfile
from pathlib import Path

__all__ = ["main"]

SECONDS = 60


def main() -> None:
    """Answer for the folder on the command line."""
    sys.path[0] = sys.argv[1]
    import numpy as np  # noqa: F401, PLC0415  (checks need it)
    import tvm_ffi  # noqa: PLC0415

    if not Path(tvm_ffi.__file__).is_relative_to(sys.argv[1]):
        sys.exit(f"there is no runtime in {sys.argv[1]}")
    # The first error looks up the debug information of all that is loaded, which takes longer than most checks.
    with contextlib.suppress(TypeError):
        tvm_ffi.get_global_func("ffi.ArrayGetItem")()
    # What is here already is none of the children's business.
    gc.collect()
    gc.freeze()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for line in sys.stdin:
        check, library = json.loads(line)
        with tempfile.TemporaryFile() as output:
            child = os.fork()
            if child == 0:
                signal.alarm(SECONDS)
                os.dup2(output.fileno(), sys.stdout.fileno())
                os.dup2(output.fileno(), sys.stderr.fileno())
                sys.argv[:] = [check, library]
                exec(compile(Path(check).read_bytes(), check, "exec"), vars(sys.modules["__main__"]))  # noqa: S102
                # Old releases leave errors in cycles, and unload libraries: an end in the wrong order is a crash there,
                # whatever the library was built against.
                gc.collect()
                return
            _, status = os.waitpid(child, 0)
            output.seek(0)
            said = output.read().decode(errors="replace").strip().splitlines()
        print(json.dumps([os.waitstatus_to_exitcode(status), said[-1] if said else ""]), flush=True)


if __name__ == "__main__":
    main()
