"""Windows wheels that need grafting: built by zig, repaired on Linux, and run by a Windows CPython under wine."""

from __future__ import annotations

import re
import shutil
import sys
from typing import TYPE_CHECKING

import pytest
from support.downloads import download_wheels
from support.grafting import (
    CHAINED,
    EXTENSION,
    HELPER,
    SECOND,
    THIRD,
    Toolchain,
    names_in,
    refused,
    repair,
    repaired,
    unpack,
    write_wheel,
)
from support.processes import run
from support.project import EXAMPLE
from windows_python import WindowsPython, make_windows_python

from tvm_ffi_build.binaries import read_binary

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.slow

RUNTIME = "0.1.15.post2"
TAG = "py3-none-win_amd64"
# In place of the C library's, which zig would have to build for minutes.
ENTRY = "int __stdcall DllMainCRTStartup(void* library, unsigned reason, void* reserved) { return 1; }\n"
# What the generator begins a package with.
LOADER = (EXAMPLE / "python/my_ffi_extension/_library.py").read_text(encoding="utf-8").replace("add_one(", "scale(")
LOADER = LOADER.replace("my_ffi_extension", "sample").replace("my-ffi-extension", "sample")


@pytest.fixture(scope="session")
def toolchain(unpacked_runtime: Callable[..., Path], zig_cache: Path) -> Toolchain:
    runtime = unpacked_runtime(RUNTIME, "x86_64-pc-windows-msvc")
    return Toolchain.zig("x86_64-windows-gnu", runtime, zig_cache, "-nostdlib", "-s")


@pytest.fixture(scope="session")
def link(toolchain: Toolchain) -> Callable[..., Path]:
    """Return a function that links a library, and leaves beside it what others link to it by."""

    def make(library: Path, source: str, *libraries: Path) -> Path:
        with_runtime = [toolchain.runtime / "lib/tvm_ffi.lib"] if source in {EXTENSION, SECOND} else []
        importable = f"-Wl,--out-implib,{library.with_suffix('.lib')}"
        imported = [other.with_suffix(".lib") for other in libraries]
        return toolchain.link(library, source + ENTRY, *imported, *with_runtime, importable)

    return make


@pytest.fixture(scope="session")
def built(once: Callable[[str, Callable[[Path], None]], Path], link: Callable[..., Path]) -> Path:
    """Return a folder with an extension, and the folder "outside" with the library that it needs."""

    def fill(folder: Path) -> None:
        link(folder / "sample.dll", EXTENSION, link(folder / "outside/helper.dll", HELPER))

    return once("windows-grafting", fill)


@pytest.fixture
def with_loader(built: Path, tmp_path: Path) -> Path:
    """Return a wheel whose package loads its library as the generator's do."""
    files = {"sample/__init__.py": "", "sample/_library.py": LOADER, "sample/sample.dll": built / "sample.dll"}
    return write_wheel(tmp_path, TAG, files)


@pytest.fixture
def without_loader(built: Path, tmp_path: Path) -> Path:
    return write_wheel(tmp_path, TAG, {"sample/__init__.py": "", "sample/sample.dll": built / "sample.dll"})


@pytest.fixture(scope="session")
def windows(once: Callable[[str, Callable[[Path], None]], Path], installed: Callable[..., str]) -> WindowsPython:
    """Return a Windows CPython."""
    installed(lambda: shutil.which("wine"), "wine", "wine64")
    return WindowsPython(once("windows-python", make_windows_python))


@pytest.fixture(scope="session")
def runtimes(once: Callable[[str, Callable[[Path], None]], Path]) -> Path:
    """Return a folder with the runtime's wheel for Windows, and what it requires."""

    def fill(folder: Path) -> None:
        runtime = f"apache-tvm-ffi=={RUNTIME}"
        download_wheels(folder, runtime, platform="win_amd64", python="3.13", dependencies=True)

    return once("windows-runtime", fill)


@pytest.fixture
def said_on_windows(windows: WindowsPython, runtimes: Path, tmp_path: Path) -> Callable[[Path, str], str]:
    """Return a function that installs a wheel by pip there, runs some code, and gives what that says."""

    def say(wheel: Path, code: str) -> str:
        windows.run(
            "-m", "pip", "install", "-q", "--no-index", "--find-links", runtimes, "--target", tmp_path / "site", wheel
        )
        script = tmp_path / "script.py"
        script.write_text(
            f"import sys\nsys.path.insert(0, {'Z:' + str(tmp_path / 'site')!r})\n{code}", encoding="utf-8"
        )
        return windows.run(script)

    return say


def libraries_in(wheel: Path) -> list[str]:
    return [name for name in names_in(wheel) if re.search(r"\.(dll|lib|pdb|pyd)$", name)]


def test_the_library_is_in_the_wheel_and_nothing_of_the_runtime_is(
    with_loader: Path, built: Path, tmp_path: Path
) -> None:
    wheel = repaired(tmp_path / "out", with_loader, "--lib-path", built / "outside")
    assert wheel.name == with_loader.name
    helper, extension = libraries_in(wheel)
    assert re.fullmatch(r"sample\.libs/helper-[0-9a-f]+\.dll", helper)
    assert extension == "sample/sample.dll"
    assert "sample-1.0.dist-info/tvm_ffi_build.json" in names_in(wheel)
    needed = read_binary(unpack(wheel, tmp_path / "unpacked") / extension).libraries
    assert needed == (helper.rpartition("/")[2], "tvm_ffi.dll")


def test_the_same_wheel_gives_the_same_bytes(with_loader: Path, built: Path, tmp_path: Path) -> None:
    wheels = [repaired(tmp_path / name, with_loader, "--lib-path", built / "outside") for name in ("first", "second")]
    assert wheels[0].read_bytes() == wheels[1].read_bytes()


def test_what_the_generated_loader_loads_works_on_windows(
    with_loader: Path, built: Path, tmp_path: Path, said_on_windows: Callable[[Path, str], str]
) -> None:
    wheel = repaired(tmp_path / "out", with_loader, "--lib-path", built / "outside")
    assert said_on_windows(wheel, "from sample._library import LIB\nprint(LIB.scale(4))") == "40\n"


def test_a_wheel_with_the_generated_loader_is_not_warned_about(with_loader: Path, built: Path, tmp_path: Path) -> None:
    done = repair(with_loader, "-w", tmp_path / "out", "--lib-path", built / "outside", "--no-audit")
    assert done.stderr == ""


def test_what_a_wheel_without_a_loader_is_warned_of_happens_and_the_advice_helps(
    without_loader: Path, built: Path, tmp_path: Path, said_on_windows: Callable[[Path, str], str]
) -> None:
    done = repair(without_loader, "-w", tmp_path / "out", "--lib-path", built / "outside", "--no-audit")
    assert done.stderr == (
        f"warning: {without_loader.name}: tvm_ffi.load_module will not find helper.dll, since it looks nowhere for what "
        "an extension needs; load the extension by ctypes.CDLL before, as the loader that stubgen writes does\n"
    )
    (wheel,) = (tmp_path / "out").iterdir()
    load = "import sample, tvm_ffi\npath = sample.__file__.replace('__init__.py', 'sample.dll')\n"
    load_module = "print(tvm_ffi.load_module(path).scale(4))\n"
    without = f"try:\n    {load_module}except RuntimeError as error:\n    print(type(error).__name__)\n"
    said = said_on_windows(wheel, f"{load}{without}import ctypes\nctypes.CDLL(path)\n{load_module}")
    assert said == "RuntimeError\n40\n"


def test_a_library_that_cannot_be_found_is_refused(with_loader: Path, tmp_path: Path) -> None:
    message = refused(repair(with_loader, "-w", tmp_path / "out"))
    assert message == (
        f"{with_loader.name} needs helper.dll, which cannot be found; "
        "name the folder with --lib-path, leave it out with --exclude, or install it into the wheel"
    )
    assert not any(tmp_path.glob("out/*"))


def test_an_excluded_library_stays_out(with_loader: Path, tmp_path: Path) -> None:
    assert libraries_in(repaired(tmp_path / "out", with_loader, "--exclude", "Helper*.dll")) == ["sample/sample.dll"]


def test_a_namespace_package_stays_one(
    built: Path, tmp_path: Path, said_on_windows: Callable[[Path, str], str]
) -> None:
    files = {"__init__.py": "", "_library.py": LOADER, "sample.dll": built / "sample.dll"}
    wheel = write_wheel(
        tmp_path,
        TAG,
        {
            **{f"acme/kernels/{name}": file for name, file in files.items()},
            "acme/data/table.txt": "",
            "include/sample.h": "",
        },
    )
    result = repaired(tmp_path / "out", wheel, "--lib-path", built / "outside")
    assert [name for name in names_in(result) if name.endswith("__init__.py")] == ["acme/kernels/__init__.py"]
    assert said_on_windows(result, "from acme.kernels._library import LIB\nprint(LIB.scale(4))") == "40\n"


def test_an_extension_that_another_one_of_the_wheel_needs_is_there_once(
    built: Path, link: Callable[..., Path], tmp_path: Path
) -> None:
    """Loaded twice, it would register what it has twice."""
    second = link(tmp_path / "second.dll", SECOND, built / "sample.dll")
    files = {"sample/__init__.py": "", "sample/sample.dll": built / "sample.dll", "sample/second.dll": second}
    wheel = repaired(tmp_path / "out", write_wheel(tmp_path, TAG, files), "--lib-path", built / "outside")
    assert [name for name in libraries_in(wheel) if "helper" not in name] == ["sample/sample.dll", "sample/second.dll"]


def test_an_extension_module_of_one_python_keeps_its_tag(built: Path, tmp_path: Path) -> None:
    files = {"sample.cp313-win_amd64.pyd": built / "sample.dll"}
    wheel = write_wheel(tmp_path, "cp313-cp313-win_amd64", files)
    result = repaired(tmp_path / "out", wheel, "--lib-path", built / "outside")
    assert result.name == wheel.name
    assert len(libraries_in(result)) == 2


def chain(folder: Path, link: Callable[..., Path]) -> Path:
    """Make a wheel whose extension needs a library that needs another one, both in the folder "outside"."""
    third = link(folder / "outside/third.dll", THIRD)
    extension = link(folder / "sample.dll", EXTENSION, link(folder / "outside/helper.dll", CHAINED, third))
    return write_wheel(folder, TAG, {"sample/__init__.py": "", "sample/sample.dll": extension})


def test_what_a_copied_library_needs_is_copied_too(link: Callable[..., Path], tmp_path: Path) -> None:
    result = repaired(tmp_path / "out", chain(tmp_path, link), "--lib-path", tmp_path / "outside")
    assert sum("helper" in name or "third" in name for name in names_in(result)) == 2


def test_what_a_copied_library_needs_and_nobody_has_is_refused(link: Callable[..., Path], tmp_path: Path) -> None:
    wheel = chain(tmp_path, link)
    (tmp_path / "outside/third.dll").unlink()
    assert " needs third.dll, which cannot be found" in refused(
        repair(wheel, "-w", tmp_path / "out", "--lib-path", tmp_path / "outside")
    )


def test_the_specs_line_looks_at_nothing_and_stops(without_loader: Path, tmp_path: Path) -> None:
    """At its own output folder; with another one it copies the wheel as it is."""
    (tmp_path / "dist").mkdir()
    shutil.copy(without_loader, tmp_path / "dist")
    line = ["-m", "delvewheel", "repair", "--exclude", "tvm_ffi.dll", "-w", "dist"]
    done = run(sys.executable, *line, f"dist/{without_loader.name}", ok=False, cwd=tmp_path)
    assert "no external dependencies are needed" in done.stdout
    assert "SameFileError" in done.stderr
    run(sys.executable, *line[:-1], "out", f"dist/{without_loader.name}", cwd=tmp_path)
    assert (tmp_path / "out" / without_loader.name).read_bytes() == without_loader.read_bytes()
