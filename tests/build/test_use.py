"""The example's wheel where its users have it: in a fresh environment with its dependencies and nothing else."""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.environments import Environment
from support.project import EXAMPLE, ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

LIBRARY = "my_ffi_extension/libmy_ffi_extension.so"


@pytest.fixture(scope="module")
def installed(
    tmp_path_factory: pytest.TempPathFactory, once: Callable[[str, Callable[[Path], None]], Path], example_wheel: Path
) -> Environment:
    """Return an environment with the example's wheel, made once."""

    def fill(folder: Path) -> None:
        from support.processes import run  # noqa: PLC0415

        run("uv", "venv", "--quiet", "--relocatable", "--python", sys.executable, folder / "environment")
        Environment(folder / "environment").install(f"{example_wheel}[test]")

    return Environment(once("example-environment", fill) / "environment")


def test_the_examples_own_tests_pass(installed: Environment) -> None:
    assert "tvm_ffi_build" not in {path.name for path in installed.site_packages.iterdir()}
    out = installed.run("-m", "pytest", "-q", "-p", "no:cacheprovider", EXAMPLE / "tests")
    assert re.search(r"^\d+ passed", out, re.MULTILINE), out


@pytest.mark.parametrize(
    ("part", "printed"),
    [
        ("add_one", "[2. 3. 4. 5. 6.]\n"),
        ("int_pair", "40 2 42 2\n"),
        ("callback", "[2, 5.0, 'abab']\n"),
    ],
)
def test_the_parts_of_the_example_run(installed: Environment, part: str, printed: str) -> None:
    assert installed.run(EXAMPLE / "run_example.py", part) == printed


def test_containers_come_back(installed: Environment) -> None:
    out = installed.run(EXAMPLE / "run_example.py", "containers")
    assert out.startswith("a-b {")
    assert "'to': 2" in out
    assert out.endswith("} (-4, 1)\n")


def test_the_traceback_of_a_cxx_error_shows_the_source_and_the_line(installed: Environment) -> None:
    out = installed.run(EXAMPLE / "run_example.py", "raise_error", ok=False)
    lines = (EXAMPLE / "src/extension.cc").read_text(encoding="utf-8").splitlines()
    number = next(i for i, line in enumerate(lines, 1) if "void RaiseError" in line)
    assert re.search(rf'File "src/extension\.cc", line {number}, in .*RaiseError', out), out
    assert out.endswith("RuntimeError: error happens\n")
    assert str(ROOT / "examples" / "python_packaging" / "src") not in out


LOADED_FIRST = f"""
import ctypes, sysconfig, sys
library = sysconfig.get_path("platlib") + "/{LIBRARY}"
loaded = ctypes.CDLL(library)
assert "tvm_ffi" not in sys.modules
import tvm_ffi
with open("/proc/self/maps") as maps:
    copies = {{line.split()[-1] for line in maps if "libtvm_ffi.so" in line}}
assert len(copies) == 1, copies
print(tvm_ffi.get_global_func("my_ffi_extension.join")(["a", "b"], "-"))
"""


def test_the_library_finds_the_runtime_before_tvm_ffi_was_imported(installed: Environment) -> None:
    assert installed.run("-c", LOADED_FIRST) == "a-b\n"


def test_the_run_path_is_what_finds_it(installed: Environment, tmp_path: Path) -> None:
    """Somewhere else the same library finds nothing: no absolute path is left in it."""
    lonely = Path(shutil.copy(installed.site_packages / LIBRARY, tmp_path))
    out = installed.run("-c", f"import ctypes; ctypes.CDLL({str(lonely)!r})", ok=False)
    assert "libtvm_ffi.so: cannot open shared object file" in out


def test_load_lib_module_after_an_install_with_target(example_wheel: Path, environment: Environment) -> None:
    target = environment.path / "target"
    environment.install("--target", target, f"{example_wheel}[test]")
    env = {**os.environ, "PYTHONPATH": str(target)}
    assert environment.run(EXAMPLE / "run_example.py", "add_one", env=env) == "[2. 3. 4. 5. 6.]\n"


def test_load_lib_module_after_a_default_editable_install(
    package: Callable[[str], Path], equipped: Environment
) -> None:
    project = package("example")
    equipped.install("--no-build-isolation", "-e", project)
    assert equipped.run(project / "run_example.py", "add_one") == "[2. 3. 4. 5. 6.]\n"
    # Python files are used where they are.
    init = project / "python/my_ffi_extension/__init__.py"
    init.write_text(init.read_text(encoding="utf-8") + "\nEDITED = 1\n", encoding="utf-8")
    assert equipped.run("-c", "import my_ffi_extension; print(my_ffi_extension.EDITED)") == "1\n"


@pytest.mark.slow
def test_torch_tensors(environment: Environment, example_wheel: Path) -> None:
    environment.install("pip")
    environment.run("-m", "pip", "install", "-q", "torch==2.13.*", f"{example_wheel}[test]")
    out = environment.run(EXAMPLE / "run_example.py", "add_one_torch")
    assert "tensor([2., 3., 4., 5., 6.])" in out
