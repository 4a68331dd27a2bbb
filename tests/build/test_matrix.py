"""A corner of the matrix, built and run."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest
from builds import EXTENSIONS
from support.processes import run
from support.project import ROOT

from tvm_ffi_build.binaries import read_binary
from tvm_ffi_build.contract import read_ledger
from tvm_ffi_build.contract.evidence.needs import read_needs
from tvm_ffi_build.runtime import find_runtime

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PROGRAM = ROOT / "ledger" / "matrix.py"
# One that always works, one that a linker stops and one that crashes, on both sides of what breaks them.
CORNER = (
    "--extension",
    "pure_c",
    "json_text",
    "first_mismatch",
    "--built",
    "0.1.12",
    "0.1.13",
    "0.1.15.post2",
    "--on",
    "0.1.12",
    "0.1.13",
    "0.1.15.post2",
)


@pytest.mark.slow
def test_extensions_fail_where_they_did(tmp_path: Path) -> None:
    command = (sys.executable, PROGRAM, "--check", *CORNER, "--work", tmp_path)
    first = run(*command)
    assert first.stdout.endswith("\nno difference\n")
    assert "| pure_c | 0.1.12..0.1.13, 0.1.15.post2.. | none |" in first.stdout
    assert "| first_mismatch | 0.1.13 | 0.1.12, 0.1.15.post2.. |" in first.stdout

    libraries = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*/extensions/*.so")}
    assert len(libraries) == 9
    again = run(*command)
    assert again.stdout == first.stdout
    assert {path: path.stat().st_mtime_ns for path in tmp_path.glob("*/extensions/*.so")} == libraries


@pytest.mark.slow
@pytest.mark.parametrize("platform", ["x86_64-linux-gnu.2.24", "aarch64-linux-gnu.2.24"])
@pytest.mark.parametrize(
    ("name", "sign"),
    [
        ("access_paths", "access-path"),
        ("big_int", "big-int"),
        ("calls_virtually", "module-virtual"),
        ("enums", "enum-state"),
        ("field_setter", "field-setter"),
        ("list_dict", "list-dict"),
    ],
)
def test_what_clang_makes_shows_the_same_signs(
    unpacked_runtime: Callable[..., Path], zig_cache: Path, tmp_path: Path, name: str, sign: str, platform: str
) -> None:
    ledger = read_ledger()
    newest = ledger.releases[-1]
    include = find_runtime(unpacked_runtime(newest)).include_dir
    library = tmp_path / "library.so"
    run(
        sys.executable,
        "-m",
        "ziglang",
        "c++",
        "-target",
        platform,
        "-std=c++17",
        "-O2",
        "-fPIC",
        "-shared",
        "-s",
        "-fvisibility=hidden",
        "-isystem",
        include,
        "-Wl,--allow-shlib-undefined",
        EXTENSIONS[name].source,
        "-o",
        library,
        env={**os.environ, "ZIG_GLOBAL_CACHE_DIR": str(zig_cache)},
    )
    needs = read_needs(library, read_binary(library), ledger, name=name)
    assert sign in {known.name for known in needs.breaks}
    assert newest in needs.built_with


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--extension", "pure_c"], "--extension, --built and --on go with --check: the data is of all"),
        (["--check", "--extension", "stone"], "invalid choice: 'stone'"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments: list[str], message: str) -> None:
    done = run(sys.executable, PROGRAM, *arguments, ok=False)
    assert done.returncode == 2
    assert message in done.stderr
