"""Bindings for CPython beside TVM-FFI: the wheel is for one Python, and everything else is as without them."""

from __future__ import annotations

import re
import shutil
import sys
import zipfile
from email import message_from_bytes
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from packaging.requirements import Requirement
from support.errors import last_error
from support.processes import run
from support.project import ROOT

from tvm_ffi_build.binaries import parse_binary
from tvm_ffi_build.contract.requirement import runtime_requirement
from tvm_ffi_build.runtime import find_runtime

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.environments import Environment

PYTHON = f"cp{sys.version_info.major}{sys.version_info.minor}"


@pytest.mark.slow
@pytest.mark.parametrize("binding", ["pybind11", "nanobind"])
def test_both_bindings_in_a_wheel_for_one_python(binding: str, tmp_path: Path, environment: Environment) -> None:
    source = shutil.copytree(ROOT / "examples" / f"mixed_{binding}", tmp_path / "mixed")
    run(sys.executable, "-m", "tvm_ffi_build", "wheel", source, "-w", tmp_path / "dist")
    (wheel,) = (tmp_path / "dist").iterdir()
    assert f"-{PYTHON}-{PYTHON}-manylinux_" in wheel.name
    assert ": clean" in run(sys.executable, "-m", "tvm_ffi_build", "audit", "--strict", wheel).stdout
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        libraries = {name: archive.read(name) for name in names if name.endswith(".so")}
        (metadata,) = [archive.read(name) for name in names if name.endswith(".dist-info/METADATA")]
    # The runtime is left out, and its range is declared.
    assert [name for name in names if "libtvm_ffi" in name] == []
    needed = {library for data in libraries.values() for library in parse_binary(data, "library").libraries}
    assert "libtvm_ffi.so" in needed
    (requirement,) = message_from_bytes(metadata).get_all("Requires-Dist", [])
    assert Requirement(requirement) == Requirement(runtime_requirement(find_runtime().version))
    environment.install(wheel, "numpy")
    ((code, answer),) = re.findall(
        r'^\$ python -c "(.*)"\n(.*)$', (source / "README.md").read_text("utf-8"), re.MULTILINE
    )
    assert environment.run("-c", code) == f"{answer}\n"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "calls"),
    [
        ("mixed_pybind11", r"_bindings\S*\.so calls into CPython"),
        ("mixed_nanobind", r"_both\S*\.so calls into CPython"),
    ],
)
def test_one_that_claims_py3_is_refused_in_one_line(name: str, calls: str, tmp_path: Path) -> None:
    """Whether this package was told of the library that calls CPython or not."""
    source = Path(shutil.copytree(ROOT / "examples" / name, tmp_path / "mixed"))
    with (source / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write('wheel.py-api = "py3"\n')
    done = run(sys.executable, "-m", "tvm_ffi_build", "wheel", source, "-w", tmp_path / "dist", ok=False)
    line = last_error(done.stderr)
    # Found by the build's own check (a failed build), or in the wheel that came out.
    assert done.returncode == (3 if "could not be built" in line else 5)
    assert re.search(calls, line), done.stderr
    assert "so its wheel must not be tagged py3" in line
    assert list((tmp_path / "dist").iterdir()) == []


def test_kernels_in_c_need_nothing_of_the_runtime_and_the_audit_finds_nothing(
    package: Callable[[str], Path], tmp_path: Path
) -> None:
    source = package("c_only")
    (source / "c_only").mkdir()
    path = "Path(__file__).with_name('libc_only.so')"
    loading = f"import tvm_ffi\nfrom pathlib import Path\nLIB = tvm_ffi.load_module(str({path}))\n"
    (source / "c_only/__init__.py").write_text(loading, encoding="utf-8")
    run(sys.executable, "-m", "tvm_ffi_build", "wheel", source, "-w", tmp_path)
    (wheel,) = tmp_path.glob("*.whl")
    assert wheel.name.startswith("c_only-1.0-py3-none-manylinux_")
    with zipfile.ZipFile(wheel) as archive:
        binary = parse_binary(archive.read("c_only/libc_only.so"), "libc_only.so")
    assert [name for name in binary.libraries if "tvm_ffi" in name] == []
    assert ": clean" in run(sys.executable, "-m", "tvm_ffi_build", "audit", "--strict", wheel).stdout


@pytest.mark.slow
def test_the_headers_alone_leave_nothing_to_link_and_the_audit_knows_that_it_is_meant(
    package: Callable[[str], Path], tmp_path: Path, environment: Environment
) -> None:
    source = package("minimal")
    (source / "minimal").mkdir(exist_ok=True)
    loading = "import tvm_ffi\nfrom pathlib import Path\nPATH = Path(__file__).with_name('libminimal.so')\n"
    (source / "minimal/__init__.py").write_text(f"{loading}LIB = tvm_ffi.load_module(str(PATH))\n", encoding="utf-8")
    cmake = source / "CMakeLists.txt"
    cmake.write_text(
        cmake.read_text("utf-8").replace("target(minimal)", "target(minimal LINK_SHARED OFF)"), encoding="utf-8"
    )
    run(sys.executable, "-m", "tvm_ffi_build", "wheel", source, "-w", tmp_path / "dist")
    (wheel,) = (tmp_path / "dist").iterdir()
    assert ": clean" in run(sys.executable, "-m", "tvm_ffi_build", "audit", "--strict", wheel).stdout
    with zipfile.ZipFile(wheel) as archive:
        binary = parse_binary(archive.read("minimal/libminimal.so"), "libminimal.so")
        archive.extract("minimal/libminimal.so", tmp_path)
    assert [name for name in binary.libraries if "tvm_ffi" in name] == []
    # By itself the library does not say that it is meant, but whoever audits it can.
    library = tmp_path / "minimal/libminimal.so"
    alone = run(sys.executable, "-m", "tvm_ffi_build", "audit", library, ok=False)
    assert (alone.returncode, "R203 error" in alone.stdout) == (1, True)
    settings = '[tool.tvm-ffi-build.audit.per-file-ignores]\n"*libminimal.so" = ["R203"]\n'
    (tmp_path / "pyproject.toml").write_text(settings, encoding="utf-8")
    assert ": clean" in run(sys.executable, "-m", "tvm_ffi_build", "audit", library, cwd=tmp_path).stdout
    environment.install(wheel)
    load = "import tvm_ffi; from tvm_ffi.libinfo import load_lib_module as load"
    code = f"{load}; print(load('minimal', 'minimal').add_two(40))"
    assert environment.run("-c", code) == "42\n"
