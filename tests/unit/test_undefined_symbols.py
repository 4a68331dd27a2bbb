"""Undefined symbols in libraries that a compiler made: what the audit says, and what a process does."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest
from support.processes import run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

REQUIRED = ("Requires-Dist: apache-tvm-ffi>=0.1.15,<0.2",)
TAG = "py3-none-manylinux_2_28_x86_64"
CORE = 'int two(void) { return 2; } __attribute__((visibility("hidden"))) int hidden(void) { return 3; }\n'

# A library's source, whether it is linked to libdemo_core.so, flags; and what is undefined. The process that calls it
# ends where something is.
CASES: dict[str, tuple[str, bool, tuple[str, ...], set[str]]] = {
    "a C function that no library has": ("int dep(int); int f(void) { return dep(2); }", False, (), {"dep"}),
    "a variable": ("extern int dep; int f(void) { return dep; }", False, (), {"dep"}),
    "a function that a library hides": ("int hidden(void); int f(void) { return hidden(); }", True, (), {"hidden"}),
    "a function of a library that is not linked": ("int two(void); int f(void) { return two(); }", False, (), {"two"}),
    "a function without libc": ("int dep(void); int f(void) { return dep(); }", False, ("-nostdlib",), {"dep"}),
    "a function of a library that is linked": ("int two(void); int f(void) { return two() - 2; }", True, (), set()),
    "a function of glibc, without libc": ("int abs(int); int f(void) { return abs(0); }", False, ("-nostdlib",), set()),
    "a weak function": (
        "__attribute__((weak)) int dep(void); int f(void) { return dep ? dep() : 0; }",
        False,
        (),
        set(),
    ),
    "a declaration that no code uses": ('__asm__(".globl dep"); int f(void) { return 0; }', False, (), set()),
}


@pytest.mark.parametrize(("source", "linked", "flags", "undefined"), CASES.values(), ids=CASES)
def test_what_is_undefined_ends_the_process(
    make_wheel: Callable[..., Path],
    tmp_path: Path,
    source: str,
    linked: bool,
    flags: tuple[str, ...],
    undefined: set[str],
) -> None:
    (tmp_path / "core.c").write_text(CORE, encoding="utf-8")
    (tmp_path / "demo.c").write_text(f"{source}\nint __tvm_ffi_f(void) {{ return f(); }}\n", encoding="utf-8")
    core, library = tmp_path / "libdemo_core.so", tmp_path / "libdemo.so"
    link = ("cc", "-shared", "-fPIC")
    run(*link, "-o", core, tmp_path / "core.c", "-Wl,-soname,libdemo_core.so")
    linking = [str(core), "-Wl,-rpath,$ORIGIN"] if linked else []
    run(*link, "-o", library, tmp_path / "demo.c", *flags, *linking)
    files = {f"demo/{path.name}": path.read_bytes() for path in (core, library)}
    wheel = make_wheel({"demo/__init__.py": b"", **files}, tag=TAG, metadata=REQUIRED)
    done = run(sys.executable, "-m", "tvm_ffi_build", "audit", wheel, "--select", "P356", "--format", "json", ok=False)
    (artifact,) = json.loads(done.stdout)["artifacts"]
    assert {symbol for finding in artifact["findings"] for symbol in finding["evidence"]} == undefined
    call = f"import ctypes; raise SystemExit(ctypes.CDLL({str(library)!r}).__tvm_ffi_f())"
    assert bool(run(sys.executable, "-c", call, ok=False).returncode) == bool(undefined)
    for finding in artifact["findings"]:
        assert f"write tvm_ffi_configure_target(demo_core EXPORT {min(undefined)})" in finding["remedy"]
