"""Run programs, and read what they print."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from cmake import CMAKE_BIN_DIR

# The program itself. The command that pip installs starts Python first, which takes longer than configuring.
CMAKE = str(Path(CMAKE_BIN_DIR) / "cmake")


def run(*command: str | os.PathLike[str], ok: bool = True, **options: object) -> subprocess.CompletedProcess[str]:
    """Run a command; with ``ok``, show what it said if it failed."""
    defaults = {"capture_output": True, "encoding": "utf-8", "stdin": subprocess.DEVNULL}
    words = [os.fspath(word) for word in command]
    done: subprocess.CompletedProcess[str] = subprocess.run(words, check=False, **{**defaults, **options})  # type: ignore[call-overload]
    if ok:
        assert done.returncode == 0, f"{done.args}\n{done.stdout}\n{done.stderr}"
    return done


def command_line(line: str, **values: str | Path) -> list[str]:
    """Return the words of a command line, with values in place of ``{name}``; a value may contain spaces."""
    return [word.format(**values) for word in line.split()]


def error_of(done: subprocess.CompletedProcess[str]) -> str:
    """Return the message of CMake's first error, as the one line that it was before CMake broke it."""
    assert done.returncode != 0
    match = re.search(r"^CMake Error.*\n((?:  .*\n|\n)+)", done.stderr, re.MULTILINE)
    assert match, done.stderr
    return " ".join(match[1].split())


def build_configured(tmp_path: Path, *targets: str) -> None:
    """Build what the fixture ``configure`` has configured."""
    run(CMAKE, "--build", tmp_path / "build", *(["--target", *targets] if targets else []))


def counting_python(folder: Path) -> Path:
    """Make a Python that notes the arguments of each start, in the file "starts"."""
    script = folder / "python"
    script.write_text(f'#!/bin/sh\necho "$@" >> "{folder}/starts"\nexec "{sys.executable}" "$@"\n', encoding="utf-8")
    script.chmod(0o755)
    return script
