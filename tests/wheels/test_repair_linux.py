"""Linux wheels that need grafting, built by the machine's compiler, repaired and used."""

from __future__ import annotations

import os
import platform
import re
import shutil
import sysconfig
from typing import TYPE_CHECKING

import pytest
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

from tvm_ffi_build.binaries import read_binary
from tvm_ffi_build.runtime import find_runtime

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

    from support.environments import Environment

MACHINE = platform.machine()
TAG = f"py3-none-linux_{MACHINE}"
RUN_PATH = "$ORIGIN/../tvm_ffi/lib"
LOADER = (EXAMPLE / "python/my_ffi_extension/_library.py").read_text(encoding="utf-8").replace("add_one(", "scale(")
LOADER = LOADER.replace("my_ffi_extension", "sample").replace("my-ffi-extension", "sample")
# A function of glibc that came late.
NEEDS_GLIBC_2_30 = "int gettid(void);" + HELPER.replace("return", "return gettid() +")


def link_with(toolchain: Toolchain) -> Callable[..., Path]:
    """Return a function that links a library."""

    def make(library: Path, source: str, *arguments: Path | str, name: str | None = None) -> Path:
        words = [*arguments, f"-Wl,-soname,{name or library.name}"]
        if source in {EXTENSION, SECOND}:
            words += [f"-L{toolchain.runtime / 'lib'}", "-ltvm_ffi", f"-Wl,-rpath,{RUN_PATH}"]
        return toolchain.link(library, source, *words)

    return make


@pytest.fixture(scope="session")
def link() -> Callable[..., Path]:
    """Return a function that links a library for this machine."""
    return link_with(Toolchain(("cc", "-fPIC"), find_runtime().library_dir.parent))


@pytest.fixture(scope="session")
def built(once: Callable[[str, Callable[[Path], None]], Path], link: Callable[..., Path]) -> Path:
    """Return a folder with a wheel, and the folder "outside" with the library that its extension needs."""

    def fill(folder: Path) -> None:
        helper = link(folder / "outside/libhelper.so", HELPER)
        extension = link(folder / "libsample.so", EXTENSION, helper)
        files = {"sample/__init__.py": "", "sample/_library.py": LOADER, "sample/libsample.so": extension}
        write_wheel(folder, TAG, files)

    return once("linux-grafting", fill)


@pytest.fixture(scope="session")
def wheel(built: Path) -> Path:
    return built / f"sample-1.0-{TAG}.whl"


def runtime_copies(wheel: Path) -> list[str]:
    return [name for name in names_in(wheel) if "tvm_ffi" in name and not name.endswith("tvm_ffi_build.json")]


def test_the_library_is_in_the_wheel_and_is_asked_for_by_its_new_name(wheel: Path, built: Path, tmp_path: Path) -> None:
    result = repaired(tmp_path / "out", wheel, "--lib-path", built / "outside")
    (helper,) = (name for name in names_in(result) if "libhelper" in name)
    assert re.fullmatch(r"sample\.libs/libhelper-[0-9a-f]+\.so", helper)
    (image,) = read_binary(unpack(result, tmp_path / "unpacked") / "sample/libsample.so").images
    assert image.libraries[:2] == (helper.rpartition("/")[2], "libtvm_ffi.so")


def test_the_run_path_to_the_runtime_survives(wheel: Path, built: Path, tmp_path: Path) -> None:
    result = repaired(tmp_path / "out", wheel, "--lib-path", built / "outside")
    (image,) = read_binary(unpack(result, tmp_path / "unpacked") / "sample/libsample.so").images
    assert RUN_PATH in image.run_paths
    assert "$ORIGIN/../sample.libs" in image.run_paths


def test_other_files_of_the_metadata_survive(wheel: Path, built: Path, tmp_path: Path) -> None:
    result = repaired(tmp_path / "out", wheel, "--lib-path", built / "outside")
    assert "sample-1.0.dist-info/tvm_ffi_build.json" in names_in(result)


def test_the_same_wheel_gives_the_same_bytes(wheel: Path, built: Path, tmp_path: Path) -> None:
    wheels = [repaired(tmp_path / name, wheel, "--lib-path", built / "outside") for name in ("first", "second")]
    assert wheels[0].read_bytes() == wheels[1].read_bytes()


@pytest.mark.parametrize("runtime_is_found", [False, True])
def test_the_result_works_in_a_fresh_environment(
    wheel: Path, built: Path, tmp_path: Path, environment: Environment, *, runtime_is_found: bool
) -> None:
    """Also where auditwheel could copy the runtime, beside which the real one could not be loaded."""
    folders = [built / "outside", *([find_runtime().library_dir] if runtime_is_found else [])]
    paths = os.pathsep.join(map(str, folders))
    result = repaired(tmp_path / "out", wheel, env={**os.environ, "LD_LIBRARY_PATH": paths})
    assert runtime_copies(result) == []
    environment.install(result)
    assert environment.run("-c", "from sample._library import LIB; print(LIB.scale(4))") == "40\n"


@pytest.fixture(scope="session")
def versioned(once: Callable[[str, Callable[[Path], None]], Path], link: Callable[..., Path]) -> Path:
    """Return a wheel that needs libtvm_ffi.so.1, in "runtime" beside it, and a library in "outside"."""

    def fill(folder: Path) -> None:
        runtime = link(folder / "runtime/libtvm_ffi.so.1", "void TVMFFIErrorSetRaisedFromCStr() {}", "-nostdlib")
        helper = link(folder / "outside/libhelper.so", HELPER)
        extension = link(folder / "libsample.so", EXTENSION, "-Wl,--as-needed", runtime, helper)
        assert "libtvm_ffi.so.1" in read_binary(extension).libraries
        write_wheel(folder, TAG, {"sample/libsample.so": extension})

    return once("linux-versioned", fill) / f"sample-1.0-{TAG}.whl"


def test_the_runtime_stays_out_under_a_name_with_a_version_too(versioned: Path, tmp_path: Path) -> None:
    paths = f"{versioned.parent / 'runtime'}:{versioned.parent / 'outside'}"
    result = repaired(tmp_path / "out", versioned, "--no-audit", env={**os.environ, "LD_LIBRARY_PATH": paths})
    assert runtime_copies(result) == []
    assert "libtvm_ffi.so.1" in read_binary(unpack(result, tmp_path / "unpacked") / "sample/libsample.so").libraries


def test_a_library_that_cannot_be_found_is_refused(wheel: Path, tmp_path: Path) -> None:
    message = refused(repair(wheel, "-w", tmp_path / "out"))
    assert message == (
        f"{wheel.name} needs libhelper.so, which cannot be found; "
        "name the folder with --lib-path, leave it out with --exclude, or install it into the wheel"
    )


def test_an_excluded_library_stays_out(wheel: Path, built: Path, tmp_path: Path) -> None:
    result = repaired(tmp_path / "out", wheel, "--lib-path", built / "outside", "--exclude", "libHelper*")
    assert not any("libhelper" in name for name in names_in(result))


def test_an_exclude_that_leaves_out_nothing_is_reported(wheel: Path, built: Path, tmp_path: Path) -> None:
    done = repair(wheel, "-w", tmp_path / "out", "--lib-path", built / "outside", "--exclude", "libother.so")
    assert done.returncode == 0
    assert f"warning: {wheel.name}: --exclude libother.so matches nothing that the wheel needs\n" in done.stderr


def test_a_preset_leaves_out_its_libraries_and_names_who_brings_them(link: Callable[..., Path], tmp_path: Path) -> None:
    cudart = link(tmp_path / "outside/libcudart.so.12", HELPER)
    extension = link(tmp_path / "libsample.so", EXTENSION, cudart)
    wheel = write_wheel(tmp_path, TAG, {"sample/libsample.so": extension})
    done = repair(wheel, "-w", tmp_path / "out", "--lib-path", tmp_path / "outside", "--preset", "cuda")
    assert "left out libcudart.so.12" in done.stdout
    assert (
        "libcudart.so.12 is left out and comes with nvidia-cuda-runtime, which the wheel does not require"
        in done.stderr
    )
    (result,) = (tmp_path / "out").iterdir()
    assert not any("libcudart" in name for name in names_in(result))


def test_a_tag_that_is_too_low_is_refused_with_the_symbols_that_hold_it_back(
    link: Callable[..., Path], tmp_path: Path
) -> None:
    helper = link(tmp_path / "outside/libhelper.so", NEEDS_GLIBC_2_30)
    extension = link(tmp_path / "libsample.so", EXTENSION, helper)
    wheel = write_wheel(tmp_path, TAG, {"sample/libsample.so": extension})
    asked = f"manylinux_2_28_{MACHINE}"
    message = refused(repair(wheel, "-w", tmp_path / "out", "--lib-path", tmp_path / "outside", "--plat", asked))
    assert f" cannot be {asked}: it needs manylinux_2_" in message
    assert re.search(r"gettid \(GLIBC_2\.30\) in \S*libhelper\S*\.so", message)


def test_strip_removes_what_is_for_debuggers_and_the_library_still_works(
    link: Callable[..., Path], tmp_path: Path, environment: Environment
) -> None:
    helper = link(tmp_path / "outside/libhelper.so", HELPER, "-g")
    extension = link(tmp_path / "libsample.so", EXTENSION, helper, "-g")
    files = {"sample/__init__.py": "", "sample/_library.py": LOADER, "sample/libsample.so": extension}
    wheel = write_wheel(tmp_path, TAG, files)
    for number, options in enumerate(([], ["--strip"])):
        result = repaired(tmp_path / f"out{number}", wheel, "--lib-path", tmp_path / "outside", *options)
        for library in unpack(result, tmp_path / f"unpacked{number}").rglob("*.so"):
            (image,) = read_binary(library).images
            assert any(section.name == ".debug_info" for section in image.sections) != bool(options), library
    environment.install(result)
    assert environment.run("-c", "from sample._library import LIB; print(LIB.scale(4))") == "40\n"


def test_an_extension_that_another_one_of_the_wheel_needs_is_there_once(
    built: Path, link: Callable[..., Path], tmp_path: Path
) -> None:
    second = link(tmp_path / "libsecond.so", SECOND, built / "libsample.so", "-Wl,-rpath,$ORIGIN")
    files = {"sample/libsample.so": built / "libsample.so", "sample/libsecond.so": second}
    result = repaired(tmp_path / "out", write_wheel(tmp_path, TAG, files), "--lib-path", built / "outside")
    assert [name for name in names_in(result) if "libhelper" not in name and name.endswith(".so")] == list(files)


def test_libraries_in_nested_packages_share_one_copy(built: Path, tmp_path: Path) -> None:
    files = {f"{package}/libsample.so": built / "libsample.so" for package in ("sample", "sample/a/b")}
    result = repaired(tmp_path / "out", write_wheel(tmp_path, TAG, files), "--lib-path", built / "outside")
    assert sum("libhelper" in name for name in names_in(result)) == 1
    (image,) = read_binary(unpack(result, tmp_path / "unpacked") / "sample/a/b/libsample.so").images
    assert "$ORIGIN/../../../sample.libs" in image.run_paths


def test_an_extension_module_of_one_python_keeps_its_tag(built: Path, tmp_path: Path) -> None:
    files = {f"sample.cpython-312-{MACHINE}-linux-gnu.so": built / "libsample.so"}
    wheel = write_wheel(tmp_path, f"cp312-cp312-linux_{MACHINE}", files)
    result = repaired(tmp_path / "out", wheel, "--lib-path", built / "outside")
    assert result.name.startswith("sample-1.0-cp312-cp312-manylinux")


def chain(folder: Path, link: Callable[..., Path]) -> Path:
    """Make a wheel whose extension needs a library that needs another one, both in the folder "outside"."""
    third = link(folder / "outside/libthird.so", THIRD)
    extension = link(folder / "libsample.so", EXTENSION, link(folder / "outside/libhelper.so", CHAINED, third))
    return write_wheel(folder, TAG, {"sample/__init__.py": "", "sample/libsample.so": extension})


def test_what_a_copied_library_needs_is_copied_too(link: Callable[..., Path], tmp_path: Path) -> None:
    result = repaired(tmp_path / "out", chain(tmp_path, link), "--lib-path", tmp_path / "outside")
    assert sum("helper" in name or "third" in name for name in names_in(result)) == 2


def test_what_is_copied_is_led_to(link: Callable[..., Path], tmp_path: Path) -> None:
    """Also what a copied library needs, which auditwheel leaves to the run path of the extension."""
    done = repair(chain(tmp_path, link), "-w", tmp_path / "out", "--lib-path", tmp_path / "outside")
    assert "grafted libhelper.so" in done.stdout
    assert "P355" not in done.stderr


def test_a_library_that_is_there_and_not_led_to_is_told(
    link: Callable[..., Path], tmp_path: Path, environment: Environment
) -> None:
    helper = link(tmp_path / "libhelper.so", HELPER)
    extension = link(tmp_path / "libsample.so", EXTENSION, helper)
    files = {"sample/__init__.py": "", "sample/_library.py": LOADER, "sample/libsample.so": extension}
    wheel = write_wheel(tmp_path, TAG, {**files, "sample/libhelper.so": helper})
    done = repair(wheel, "-w", tmp_path / "out")
    assert "P355 warning: sample/libsample.so has no run path to libhelper.so of this wheel" in done.stderr
    environment.install(*(tmp_path / "out").iterdir())
    said = environment.run("-c", "import sample._library", ok=False)
    assert "libhelper.so: cannot open shared object file" in said


def test_what_a_copied_library_needs_and_nobody_has_is_refused(link: Callable[..., Path], tmp_path: Path) -> None:
    wheel = chain(tmp_path, link)
    (tmp_path / "outside/libthird.so").unlink()
    assert " needs libthird.so, which cannot be found" in refused(
        repair(wheel, "-w", tmp_path / "out", "--lib-path", tmp_path / "outside")
    )


def test_a_library_that_is_asked_for_by_its_path(link: Callable[..., Path], tmp_path: Path) -> None:
    """As linkers note it for one without a name of its own."""
    path = tmp_path / "outside/libhelper.so"
    helper = link(path, HELPER, name=str(path))
    extension = link(tmp_path / "libsample.so", EXTENSION, helper)
    assert str(path) in read_binary(extension).libraries
    wheel = write_wheel(tmp_path, TAG, {"sample/libsample.so": extension})
    result = repaired(tmp_path / "out", wheel)
    (helper_name,) = (name for name in names_in(result) if "libhelper" in name)
    needed = read_binary(unpack(result, tmp_path / "unpacked") / "sample/libsample.so").libraries
    assert helper_name.rpartition("/")[2] in needed
    assert str(path) not in needed


@pytest.mark.slow
def test_a_wheel_for_another_processor(unpacked_runtime: Callable[..., Path], zig_cache: Path, tmp_path: Path) -> None:
    runtime = unpacked_runtime("0.1.15.post2", "aarch64-manylinux_2_28")
    link = link_with(Toolchain.zig("aarch64-linux-gnu.2.17", runtime, zig_cache))
    helper = link(tmp_path / "outside/libhelper.so", HELPER)
    extension = link(tmp_path / "libsample.so", EXTENSION, helper)
    wheel = write_wheel(tmp_path, "py3-none-linux_aarch64", {"sample/libsample.so": extension})
    result = repaired(tmp_path / "out", wheel, "--lib-path", tmp_path / "outside")
    assert result.name == "sample-1.0-py3-none-manylinux2014_aarch64.manylinux_2_17_aarch64.whl"
    assert sum("libhelper" in name for name in names_in(result)) == 1
    assert runtime_copies(result) == []


def test_what_an_excluded_library_needs_does_not_raise_the_tag(link: Callable[..., Path], tmp_path: Path) -> None:
    helper = link(tmp_path / "outside/libhelper.so", NEEDS_GLIBC_2_30)
    extension = link(tmp_path / "libsample.so", EXTENSION, helper)
    wheel = write_wheel(tmp_path, TAG, {"sample/libsample.so": extension})
    result = repaired(tmp_path / "out", wheel, "--lib-path", tmp_path / "outside", "--exclude", "libhelper.so")
    assert "2_17" in result.name


# ---- The spec's line, as it is typed there -----------------------------------------------------------------------

SPEC = "auditwheel repair --exclude libtvm_ffi.so dist/*.whl"


@pytest.fixture
def as_typed(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Return a function that types the line where the folder "dist" holds some wheels."""

    def type_line(*wheels: Path, paths: str = "") -> subprocess.CompletedProcess[str]:
        (tmp_path / "dist").mkdir()
        for wheel in wheels:
            shutil.copy(wheel, tmp_path / "dist")
        scripts = sysconfig.get_path("scripts")
        env = {**os.environ, "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}", "LD_LIBRARY_PATH": paths}
        return run("bash", "-c", SPEC, ok=False, cwd=tmp_path, env=env)

    return type_line


def test_the_specs_line_leaves_a_wheel_behind_that_it_could_not_repair(
    as_typed: Callable[..., subprocess.CompletedProcess[str]], wheel: Path, tmp_path: Path
) -> None:
    done = as_typed(wheel)
    assert "Traceback" in done.stderr
    assert [path.name for path in (tmp_path / "wheelhouse").iterdir()] == [wheel.name]


def test_the_specs_line_stops_at_a_pure_wheel(
    as_typed: Callable[..., subprocess.CompletedProcess[str]], wheel: Path, built: Path, tmp_path: Path
) -> None:
    pure = write_wheel(tmp_path, "py3-none-any", {"typing_of.py": ""}, name="aaa_typing")
    done = as_typed(pure, wheel, paths=str(built / "outside"))
    assert done.returncode == 1
    assert not any(tmp_path.glob("wheelhouse/*"))


def test_the_specs_line_copies_the_runtime_under_a_name_with_a_version(
    as_typed: Callable[..., subprocess.CompletedProcess[str]], versioned: Path, tmp_path: Path
) -> None:
    done = as_typed(versioned, paths=f"{versioned.parent / 'runtime'}:{versioned.parent / 'outside'}")
    assert done.returncode == 0, done.stderr
    (result,) = (tmp_path / "wheelhouse").iterdir()
    assert any(name.startswith("sample.libs/libtvm_ffi-") for name in names_in(result))
