"""A small part of the estimates by compiler, options and architecture, built and looked at."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING

import pytest
from support.processes import run
from support.project import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PROGRAM = ROOT / "ledger" / "compilers.py"


@pytest.mark.slow
def test_the_truth_is_among_what_the_code_tells(installed: Callable[..., str], zig_cache: Path, tmp_path: Path) -> None:
    installed(lambda: shutil.which("aarch64-linux-gnu-g++"), "g++-aarch64-linux-gnu")
    part = ("--extension", "template", "--built", "0.1.5", "--pairs")
    environment = {**os.environ, "ZIG_GLOBAL_CACHE_DIR": str(zig_cache)}
    done = run(sys.executable, PROGRAM, "--check", *part, "--work", tmp_path, env=environment)
    assert "| **all** | | | 8 | 8 |" in done.stdout
    assert done.stdout.endswith("\nnone is missed\n\nno difference\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--extension", "template"],
            "--extension, --built, --compiler and --pairs go with --check: the data is of all",
        ),
        (["--check", "--compiler", "stone"], "invalid choice: 'stone'"),
        (
            ["--check", "--extension", "from_source", "--built", "0.1.5"],
            "these extensions are not built against these releases",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(arguments: list[str], message: str) -> None:
    done = run(sys.executable, PROGRAM, *arguments, ok=False)
    assert done.returncode == 2
    assert message in done.stderr
