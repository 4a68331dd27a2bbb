"""Importing the packages of a wheel: real wheels, in real processes."""

from __future__ import annotations

import sys
import time
from importlib.machinery import EXTENSION_SUFFIXES
from typing import TYPE_CHECKING

import pytest

from tvm_ffi_build.wheels import import_packages, open_wheel
from tvm_ffi_build.wheels.import_packages import Imported, import_wheel, list_packages

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ANY = "py3-none-any"
WORKS = Imported()


@pytest.fixture
def imported(make_wheel: Callable[..., Path], tmp_path: Path) -> Callable[..., Imported]:
    """Return a function that imports the packages of a wheel with some files."""

    def try_it(files: dict[str, bytes], *requires: str, tag: str = ANY) -> Imported:
        path = make_wheel(files, tag=tag, metadata=[f"Requires-Dist: {line}" for line in requires])
        folder = tmp_path / "scratch"
        folder.mkdir()
        with open_wheel(path) as wheel:
            return import_wheel(wheel, folder)

    return try_it


@pytest.mark.parametrize(
    ("files", "packages"),
    [
        (["demo/__init__.py", "demo/sub/__init__.py", "demo/data.json"], ["demo"]),
        (
            ["acme/kernels/__init__.py", "acme/tools/__init__.py", "acme/tools/a/__init__.py"],
            ["acme.kernels", "acme.tools"],
        ),
        (
            ["one.py", "demo-1.0.data/purelib/two/__init__.py", "demo-1.0.data/platlib/three.py"],
            ["one", "three", "two"],
        ),
        (["demo/libdemo.so", "libdemo.so", "demo/ops.py"], []),
        # What is not for import, and what no import statement can name.
        (["tests/__init__.py", "examples/one/__init__.py", "my-demo/__init__.py", "2d/__init__.py"], []),
    ],
)
def test_packages_are_what_users_import(files: list[str], packages: list[str]) -> None:
    assert list_packages(files) == packages


def test_an_extension_module_is_imported_and_a_library_is_not() -> None:
    module = f"_native{EXTENSION_SUFFIXES[0]}"
    assert list_packages([module, "libdemo.so", "demo.libs/libz.so.1"]) == ["_native"]


@pytest.mark.parametrize(
    "files",
    [
        {"demo/__init__.py": b"from .ops import f\nf()", "demo/ops.py": b"def f(): pass"},
        {"acme/kernels/__init__.py": b"import acme.tools", "acme/tools/__init__.py": b""},
        # What installers move.
        {"demo-1.0.data/purelib/demo/__init__.py": b"import demo.a", "demo-1.0.data/platlib/demo/a.py": b""},
        {
            "demo/__init__.py": b"import importlib.metadata as m, pathlib\n"
            b"at = m.distribution('demo').locate_file('demo/a.txt')\nassert pathlib.Path(at).read_text() == 'x'",
            "demo/a.txt": b"x",
        },
        # What it prints is its own, also much of it.
        {"demo/__init__.py": b"import sys\nprint('{}' * 1000000)\nsys.stderr.write('no')"},
    ],
)
def test_packages_that_can_be_imported(imported: Callable[..., Imported], files: dict[str, bytes]) -> None:
    assert imported(files) == WORKS


@pytest.mark.parametrize(
    ("code", "error", "missing"),
    [
        (
            b"raise RuntimeError('Cannot find library libx.so; searched:\\n  /a')",
            "RuntimeError: Cannot find library libx.so; searched",
            "",
        ),
        (b"import demo.other", "ModuleNotFoundError: No module named 'demo.other'", ""),
        (
            b"import there_is_no_such_module.a",
            "ModuleNotFoundError: No module named 'there_is_no_such_module'",
            "there_is_no_such_module",
        ),
        (b"def f(:", "SyntaxError: ", ""),
        (b"raise SystemExit(0)", "SystemExit: 0", ""),
        (b"import ctypes, os\nctypes.CDLL(os.path.join(os.path.dirname(__file__), 'a.so'))", "OSError: ", ""),
        (b"import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)", "ended by signal 11", ""),
        (b"import os\nos._exit(0)", "the process ended with 0", ""),
        (b"import os\nos.write(2, b'abort: no device\\n')\nos._exit(1)", "abort: no device", ""),
    ],
)
def test_packages_that_cannot_be_imported(
    imported: Callable[..., Imported], tmp_path: Path, code: bytes, error: str, missing: str
) -> None:
    found = imported({"demo/__init__.py": code})
    assert (found.unchecked, found.package, found.missing) == ("", "demo", missing)
    assert found.error.startswith(error)
    assert str(tmp_path) not in found.error
    assert (missing or "demo") in found.remedy


def test_the_later_package_is_named(imported: Callable[..., Imported]) -> None:
    assert imported({"aaa/__init__.py": b"", "bbb/__init__.py": b"1 / 0"}).package == "bbb"


def test_an_import_that_does_not_end_is_ended_with_what_it_started(
    imported: Callable[..., Imported], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(import_packages, "_SECONDS", 2)
    alive = tmp_path / "alive"
    started = f"import time\ntime.sleep(6)\nopen({str(alive)!r}, 'w')"
    code = f"import subprocess, sys, time\nsubprocess.Popen([sys.executable, '-c', {started!r}])\ntime.sleep(60)"
    before = time.monotonic()
    assert imported({"demo/__init__.py": code.encode()}) == Imported(package="demo", error="it took more than 2 s")
    assert time.monotonic() - before < 30
    time.sleep(5)
    assert not alive.exists()


@pytest.mark.parametrize(
    ("requires", "unchecked"),
    [
        (["there-is-no-such-distribution"], "needs there-is-no-such-distribution"),
        (["packaging>=9999"], "needs packaging>=9999"),
        ([f"no-{number}" for number in range(5)], "needs no-0, no-1, no-2 and 2 more"),
    ],
)
def test_what_is_required_and_not_here_is_not_a_failure(
    imported: Callable[..., Imported], requires: list[str], unchecked: str
) -> None:
    assert imported({"demo/__init__.py": b"1 / 0"}, *requires) == Imported(unchecked)


@pytest.mark.parametrize(
    "requires",
    ["packaging>=1", "no-such; extra == 'all'", "no-such; python_version < '3'", "no-such; sys_platform == 'x'"],
)
def test_what_a_plain_install_does_not_bring_is_not_asked_for(imported: Callable[..., Imported], requires: str) -> None:
    assert imported({"demo/__init__.py": b""}, requires) == WORKS


@pytest.mark.parametrize(
    "tag", ["py3-none-win_arm64", "cp27-cp27mu-manylinux1_x86_64", "py3-none-manylinux_2_99_s390x"]
)
def test_a_wheel_for_others_is_not_imported(imported: Callable[..., Imported], tag: str) -> None:
    found = imported({"demo/__init__.py": b"1 / 0"}, tag=tag)
    assert found == Imported(f"the wheel is for another platform or Python ({tag})")


def test_a_wheel_without_packages_is_not_imported(imported: Callable[..., Imported]) -> None:
    assert imported({"demo/data.json": b"{}"}) == Imported("the wheel has no package")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no rpaths")
def test_what_is_required_lies_beside_the_package(imported: Callable[..., Imported]) -> None:
    """Where rpaths of libraries lead."""
    code = b"import pathlib\nassert (pathlib.Path(__file__).parent / '../tvm_ffi/lib').is_dir()"
    assert imported({"demo/__init__.py": code}, "apache-tvm-ffi") == WORKS
    # A directory of the wheel itself stays.
    assert list_packages(["packaging/__init__.py"]) == ["packaging"]


def test_the_package_of_the_wheel_is_imported_and_not_an_installed_one(imported: Callable[..., Imported]) -> None:
    assert imported({"packaging/__init__.py": b"1 / 0"}).error == "ZeroDivisionError: division by zero"
