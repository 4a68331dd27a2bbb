"""What it costs to configure the example: ``python tests/benchmarks/configure.py``."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from measure import ROOT, environment_with, in_turn, report

if TYPE_CHECKING:
    from collections.abc import Callable

EXAMPLE = ROOT / "examples" / "python_packaging"
ROUNDS = 11


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        programs = environment_with(folder / "environment", str(ROOT), "cmake", "ninja")
        python = programs / "python"

        def ask(*arguments: str) -> list[str]:
            done = subprocess.run([python, "-m", *arguments], check=True, cwd=folder, capture_output=True, text=True)
            return done.stdout.splitlines()

        def configure(*defines: str) -> Callable[[], None]:
            def call() -> None:
                build = tempfile.mkdtemp(dir=folder)
                subprocess.run(
                    [programs / "cmake", "-G", "Ninja", f"-DCMAKE_MAKE_PROGRAM={programs / 'ninja'}", "-S", EXAMPLE,
                     "-B", build, *(f"-D{define}" for define in defines)],
                    check=True, stdout=subprocess.DEVNULL,
                )  # fmt: skip

            return call

        (ours,) = ask("tvm_ffi_build.config", "--cmakedir")
        (theirs,) = ask("tvm_ffi.config", "--cmakedir")
        variables = ask("tvm_ffi_build.config", "--cmake-variables")
        calls = {
            "ours, through the plugin": configure(
                f"tvm_ffi_DIR={ours}", f"TVM_FFI_PYTHON={python}", "TVM_FFI_WHEEL_IS_AGNOSTIC=ON", *variables
            ),
            "ours, plain CMake": configure(f"tvm_ffi_DIR={ours}", f"Python_EXECUTABLE={python}"),
            "the runtime's": configure(f"tvm_ffi_DIR={theirs}", f"Python_EXECUTABLE={python}"),
        }
        report(
            f"Configuring the example ({ROUNDS} rounds)",
            in_turn(calls, ROUNDS),
            [("ours, through the plugin", "the runtime's", 0.6), ("ours, plain CMake", "the runtime's", 0.6)],
        )


if __name__ == "__main__":
    main()
