"""What it costs to configure the example: ``python tests/benchmarks/configure.py``."""

from __future__ import annotations

import subprocess
import tempfile
from typing import TYPE_CHECKING

from measure import EXAMPLE, ROOT, compare, in_turn, show, workplace

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS = 11


def main() -> None:
    """Measure and print."""
    with workplace(str(ROOT), "cmake", "ninja") as (folder, programs):
        python = programs / "python"

        def ask(*arguments: str) -> list[str]:
            done = subprocess.run([python, "-m", *arguments], check=True, cwd=folder, capture_output=True, text=True)
            return done.stdout.splitlines()

        def configure(*defines: str) -> Callable[[], None]:
            def call() -> None:
                build = tempfile.mkdtemp(dir=folder)
                subprocess.run(
                    [
                        programs / "cmake",
                        "-G",
                        "Ninja",
                        f"-DCMAKE_MAKE_PROGRAM={programs / 'ninja'}",
                        "-S",
                        EXAMPLE,
                        "-B",
                        build,
                        *(f"-D{define}" for define in defines),
                    ],
                    check=True,
                    stdout=subprocess.DEVNULL,
                )

            return call

        (ours,) = ask("tvm_ffi_build.config", "--cmakedir")
        (theirs,) = ask("tvm_ffi.config", "--cmakedir")
        variables = ask("tvm_ffi_build.config", "--cmake-variables")
        calls = {
            "configuring through the plugin": configure(
                f"tvm_ffi_DIR={ours}", f"TVM_FFI_PYTHON={python}", "TVM_FFI_WHEEL_IS_AGNOSTIC=ON", *variables
            ),
            "configuring with plain CMake": configure(f"tvm_ffi_DIR={ours}", f"Python_EXECUTABLE={python}"),
            "the runtime's CMake package": configure(f"tvm_ffi_DIR={theirs}", f"Python_EXECUTABLE={python}"),
        }
        samples = in_turn(calls, ROUNDS)
        show(f"Configuring the example ({ROUNDS} rounds)", samples)
        for way in ("configuring through the plugin", "configuring with plain CMake"):
            compare(samples, way, "the runtime's CMake package", 0.6)


if __name__ == "__main__":
    main()
