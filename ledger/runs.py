"""Runs extensions on a release, those that have not run there before."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Outcome", "run_on"]

_PROGRAM = Path(__file__).with_name("run_cells.py")
# New memory is full of this, so that what looks beyond the end of an object does not find zeros there, by luck.
_FILLED = {"MALLOC_PERTURB_": "165"}


class Outcome(NamedTuple):
    """How a run ended.

    Attributes:
        status: The exit code, or the signal that ended it as a negative number.
        said: The last line that it wrote.

    """

    status: int
    said: str

    def __str__(self) -> str:
        """Say it in words."""
        if self.status >= 0:
            return f"exit code {self.status}: {self.said}" if self.status else "works"
        return "no end" if self.status == -signal.SIGALRM else signal.Signals(-self.status).name


def run_on(runtime: Path, cells: Sequence[tuple[Path, Path]], memory: Path) -> list[Outcome]:
    """Run checks, each with a library, and return how each ended.

    Args:
        runtime: The folder of the unpacked release.
        cells: Paths of checks and libraries; a library of another content has another path.
        memory: A file of what ran before.

    """
    key = hashlib.sha256(b"\0".join((_PROGRAM.read_bytes(), repr(_FILLED).encode(), sys.version.encode())))
    known: dict[str, list[int | str]] = {}
    if memory.exists():
        written_by, known = json.loads(memory.read_text(encoding="utf-8"))
        known = known if written_by == key.hexdigest() else {}
    names = [f"{library} {hashlib.sha256(check.read_bytes()).hexdigest()[:12]}" for check, library in cells]
    new = [(name, cell) for name, cell in zip(names, cells) if name not in known]
    if new:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        done = subprocess.run(
            [sys.executable, _PROGRAM, runtime],
            check=True,
            env={**environment, **_FILLED},
            input="".join(f"{json.dumps([str(path) for path in cell])}\n" for _, cell in new),
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )
        known |= {name: json.loads(line) for (name, _), line in zip(new, done.stdout.splitlines())}
        unfinished = memory.with_suffix(".unfinished")
        unfinished.write_text(json.dumps([key.hexdigest(), known], indent=0), encoding="utf-8")
        unfinished.replace(memory)
    return [Outcome(*known[name]) for name in names]  # type: ignore[arg-type]
