"""Memory grows with the largest library of a wheel, and not with its other files."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest
from forged_wheels import NAME, archive, files_of, members_of
from support.peak_memory import run_and_print_peak
from support.processes import run

if TYPE_CHECKING:
    from pathlib import Path

MIB = 1 << 20
# The bound of the manual, for wheels whose libraries are small.
MOST = 100 * MIB
USE = b"import tvm_ffi\n"
FILES = {
    "one-long-file": {"demo/long.py": b"x = 1\n" * (6 * MIB)},
    "one-long-file-that-uses-the-runtime": {"demo/long.py": USE + b"x = 1\n" * (6 * MIB)},
    "short-words": {"demo/words.py": USE + b"a\n" * (4 * MIB)},
    "many-files": {f"demo/file{number}.py": USE + b"x = [1, 2, 3]\n" * 2000 for number in range(60)},
    "stubs": {"demo/stub.pyi": b"# tvm-ffi-stubgen(begin): global/demo\n" + b"x: int\n" * (5 * MIB)},
}


@pytest.mark.parametrize("command", ["audit", "contract"])
@pytest.mark.parametrize("case", FILES)
def test_large_python_files(tmp_path: Path, command: str, case: str) -> None:
    wheel = tmp_path / NAME
    wheel.write_bytes(archive(members_of({**files_of(), **FILES[case]})))
    done = run(
        sys.executable,
        "-c",
        run_and_print_peak("stderr"),
        command,
        wheel,
        ok=False,
        env={**os.environ, "COLUMNS": "1000"},
    )
    assert "Traceback" not in done.stderr
    said, _, peak = done.stderr.rpartition("peak ")
    assert int(peak) < MOST, (done.stdout, said)
    assert "suspicious compression ratio" not in said
