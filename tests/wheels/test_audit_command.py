"""``tvm-ffi-build audit`` on the example's wheel and on wheels of others from the index."""

from __future__ import annotations

import json
import shutil
import sys
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
from support.commands import run_command
from support.downloads import download_wheels
from support.processes import run
from support.wheels import record_row
from wheels.who_sees_what import BEGIN, END, MANUAL, REAL, table

from tvm_ffi_build.runtime import find_runtime

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def downloaded(once: Callable[[str, Callable[[Path], None]], Path]) -> Callable[[str], Path]:
    """Return a function that gets a wheel of others."""

    def get(name: str) -> Path:
        requirement, platform = REAL[name]

        def fill(folder: Path) -> None:
            download_wheels(folder, requirement, platform=platform)

        (wheel,) = once(f"audited-{requirement}-{platform}", fill).glob("*.whl")
        return wheel

    return get


@pytest.fixture(scope="session")
def repaired(example_wheel: Path, once: Callable[[str, Callable[[Path], None]], Path]) -> Path:
    """Return the example's wheel, repaired."""

    def fill(folder: Path) -> None:
        run(sys.executable, "-m", "tvm_ffi_build", "repair", example_wheel, "-w", folder)

    (wheel,) = once("repaired-example", fill).glob("*.whl")
    return wheel


def audit(*arguments: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
    if options:
        return run(sys.executable, "-m", "tvm_ffi_build", "audit", *arguments, ok=False, **options)
    return run_command("audit", *arguments)


def found_in(wheel: Path) -> dict[str, dict[str, Any]]:
    """Return what is found in a wheel, by rule."""
    (artifact,) = json.loads(audit(wheel, "--format", "json").stdout)["artifacts"]
    assert artifact["status"] == "audited"
    return {finding["rule"]: finding for finding in artifact["findings"]}


def test_the_examples_wheel_is_clean(repaired: Path) -> None:
    done = audit(repaired, "--strict")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1].partition(": ")[2].startswith("clean")


def test_as_it_was_built_it_is_for_one_machine(example_wheel: Path) -> None:
    assert set(found_in(example_wheel)) == {"P303"}


def test_leaked_symbols_are_found(downloaded: Callable[[str], Path]) -> None:
    wheel = downloaded("jax-tvm-ffi 0.1.3, Linux")
    found = found_in(wheel)
    assert "_ZSt28__throw_bad_array_new_lengthv" in found["R206"]["evidence"]
    assert set(found) == {"R206", "R207", "R209", "R253", "P352", "C406"}
    assert audit(wheel).returncode == 1


@pytest.mark.parametrize(
    ("name", "rules"),
    [
        ("jax-tvm-ffi 0.1.3, macOS", {"R207", "R209", "R253", "P352", "C406"}),
        ("xgrammar 0.2.8, Linux", {"A105", "R209", "R253", "P352", "C406"}),
        ("xgrammar 0.2.8, macOS", {"A105", "R207", "R209", "R253", "P352", "C406"}),
        ("xgrammar 0.2.8, Windows", {"A105", "R209", "R253", "P354", "C406"}),
        ("apache-tvm-ffi-orcjit 0.1.3, Linux", {"R209", "R253", "P352", "C406"}),
        ("apache-tvm-ffi-orcjit 0.1.3, macOS", {"R209", "R253", "P352", "C406"}),
        ("apache-tvm-ffi-orcjit 0.1.3, Windows", {"R209", "R253", "P354", "C405", "C406"}),
    ],
)
def test_wheels_of_others_work_and_have_their_ways(
    downloaded: Callable[[str], Path], name: str, rules: set[str]
) -> None:
    wheel = downloaded(name)
    found = found_in(wheel)
    assert set(found) == rules
    if "P354" in rules:
        assert found["P354"]["evidence"] == ["MSVCP140.dll"]
    assert audit(wheel).returncode == 0


def test_what_each_verdict_rests_on_is_said_of_each_release(downloaded: Callable[[str], Path]) -> None:
    done = audit(downloaded("xgrammar 0.2.8, Linux"), "--format", "json")
    (artifact,) = json.loads(done.stdout)["artifacts"]
    assert artifact["built_with"] == ["0.1.14", "0.1.14.post0", "0.1.14.post1"]
    assert artifact["runtimes"]["0.1.5"] == "bad"
    assert artifact["runtimes"]["0.1.15.post2"] == "ok"
    assert artifact["declares"] == ">=0.1.11"
    assert artifact["requires"] == ">=0.1.6,<0.2"


@pytest.mark.parametrize("how", ["text", "json", "sarif", "github"])
def test_every_format_has_every_finding(downloaded: Callable[[str], Path], how: str) -> None:
    wheel = downloaded("xgrammar 0.2.8, Windows")
    said = audit(wheel, "--format", how).stdout
    assert all(rule in said for rule in found_in(wheel))
    if how == "sarif":
        assert len(json.loads(said)["runs"][0]["results"]) == len(found_in(wheel))


def with_changed(wheel: Path, folder: Path, changed: dict[str, bytes]) -> Path:
    """Write a wheel with other contents of some files, and a RECORD that is true of them."""
    folder.mkdir(exist_ok=True)
    with zipfile.ZipFile(wheel) as archive:
        members = {name: archive.read(name) for name in archive.namelist()} | changed
    record = next(name for name in members if name.endswith("/RECORD"))
    del members[record]
    rows = "".join(record_row(name, content) for name, content in members.items())
    with zipfile.ZipFile(folder / wheel.name, "w") as archive:
        for name, content in {**members, record: f"{rows}{record},,\n".encode()}.items():
            archive.writestr(name, content)
    return folder / wheel.name


def test_stubs_are_compared_with_what_is_exported_and_loaded(repaired: Path, tmp_path: Path) -> None:
    assert audit(repaired, "--load", "--strict").returncode == 0
    with zipfile.ZipFile(repaired) as archive:
        loader = archive.read("my_ffi_extension/_library.py").decode()
        api = archive.read("my_ffi_extension/_ffi_api.py").decode()
    exported = with_changed(
        repaired,
        tmp_path / "exported",
        {"my_ffi_extension/_library.py": loader.replace("def add_one(", "def add_two(").encode()},
    )
    assert set(found_in(exported)["C412"]["evidence"]) == {
        "add_one is not in the stubs",
        "add_two is not in the library",
    }
    registered = with_changed(
        repaired,
        tmp_path / "registered",
        {"my_ffi_extension/_ffi_api.py": api.replace("def div_mod(", "def mod_div(").encode()},
    )
    assert audit(registered, "--strict").returncode == 0
    done = audit(registered, "--load")
    assert done.returncode == 1
    assert "C412 error: my_ffi_extension/_ffi_api.py is not what the library offers" in done.stdout
    assert "def div_mod(" in done.stdout


def test_the_runtime_bundled_or_renamed(repaired: Path, tmp_path: Path) -> None:
    runtime = find_runtime().library.read_bytes()
    with zipfile.ZipFile(repaired) as archive:
        assert "my_ffi_extension/libmy_ffi_extension.so" in archive.namelist()
    bundled = with_changed(repaired, tmp_path / "bundled", {"my_ffi_extension/libtvm_ffi.so": runtime})
    assert set(found_in(bundled)) == {"R201"}
    # An install name of its own, of the same length.
    renamed = runtime.replace(b"libtvm_ffi.so\0", b"libmy_copy.so\0")
    renamed_wheel = with_changed(repaired, tmp_path / "renamed", {"my_ffi_extension/libmy_copy.so": renamed})
    found = found_in(renamed_wheel)
    assert found["R202"]["file"] == "my_ffi_extension/libmy_copy.so"
    assert "TVMFFIFunctionCall" in found["R202"]["evidence"]


@pytest.mark.slow  # it compiles the runtime
def test_a_static_copy_is_found_when_nothing_of_it_is_exported(tmp_path: Path) -> None:
    """Linked from the sources that the runtime ships, with hidden symbols, and stripped."""
    done = run(sys.executable, "-m", "tvm_ffi_build.config", "--sourcedir")
    (tmp_path / "demo.cc").write_text(
        "#include <tvm/ffi/tvm_ffi.h>\nstatic int One() { return 1; }\nTVM_FFI_DLL_EXPORT_TYPED_FUNC(one, One)\n",
        encoding="utf-8",
    )
    (tmp_path / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.18)\nproject(demo LANGUAGES C CXX)\n"
        f'add_subdirectory("{done.stdout.strip()}" runtime)\n'
        "add_library(demo SHARED demo.cc)\ntarget_link_libraries(demo PRIVATE tvm_ffi::header tvm_ffi::static)\n"
        "target_link_options(demo PRIVATE -Wl,--exclude-libs,ALL -s)\n",
        encoding="utf-8",
    )
    run("cmake", "-G", "Ninja", "-S", tmp_path, "-B", tmp_path / "build", f"-DPython_EXECUTABLE={sys.executable}")
    run("cmake", "--build", tmp_path / "build", "--target", "demo")
    library = shutil.copy(tmp_path / "build/libdemo.so", tmp_path)
    done = audit(library, "--select", "R2")
    assert done.returncode == 1
    assert "R202 error: libdemo.so contains a copy of the runtime" in done.stdout


@pytest.mark.slow
def test_the_manuals_table_of_who_sees_what(tmp_path: Path) -> None:
    shown = MANUAL.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0]
    assert shown == table(tmp_path)
