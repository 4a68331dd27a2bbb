"""``tvm-ffi-build wheel`` as a program, given what it wants and what it does not."""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from conftest import ROOT, run

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator

    from conftest import Environment


def wheel(*arguments: str | Path, **options: object) -> subprocess.CompletedProcess[str]:
    return run(sys.executable, "-m", "tvm_ffi_build", "wheel", *arguments, ok=False, **options)


def test_the_readmes_first_command(tmp_path: Path, environment: Environment) -> None:
    """In a copy of the checkout, with pip from the index alone, as a newcomer types it."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    command = 'python -m pip install ".[wheel]" && tvm-ffi-build wheel examples/python_packaging -w dist'
    assert command in text
    environment.install("pip")
    checkout = tmp_path / "checkout"
    run("git", "-C", ROOT, "checkout-index", "--all", f"--prefix={checkout}/")
    path = f"{environment.path / 'bin'}{os.pathsep}/usr/local/bin{os.pathsep}/usr/bin{os.pathsep}/bin"
    done = run("bash", "-c", command, cwd=checkout, env={**os.environ, "PATH": path})
    last = done.stdout.splitlines()[-1]
    assert re.fullmatch(r"dist/my_ffi_extension-0\.1\.0-py3-none-\w+\.whl  [\d.]+ kB  py3-none-\w+", last)
    assert [file.name for file in (checkout / "dist").iterdir()] == [Path(last.split()[0]).name]


def test_steps_go_to_standard_error_and_the_answer_to_standard_output(
    package: Callable[[str], Path], tmp_path: Path
) -> None:
    done = wheel(package("minimal"), "-w", tmp_path / "out")
    assert "* Configuring CMake" in done.stderr
    assert re.fullmatch(r"\S+/minimal-1\.0-py3-none-\w+\.whl  [\d.]+ kB  py3-none-\w+\n", done.stdout)
    quiet = wheel(package("c_only"), "-w", tmp_path / "out", "-q")
    assert quiet.stderr == ""
    assert quiet.returncode == 0


def test_settings_reach_the_backend_without_isolation_too(
    package: Callable[[str], Path], tmp_path: Path, environment: Environment
) -> None:
    environment.install("-e", f"{ROOT}[wheel]", "scikit-build-core", "cmake", "ninja")
    for frontend in ("build", "uv"):
        out = environment.run(
            "-m", "tvm_ffi_build", "wheel", package("minimal"), "-w", tmp_path / frontend, "--no-isolation", "-v",
            "-C", "cmake.build-type=Debug", "-C", "build.verbose=true", "--frontend", frontend,
        )  # fmt: skip
        assert 'Install configuration: "Debug"' in out
        shutil.rmtree(tmp_path / "minimal")


def test_an_editable_install_hands_its_own_code_to_isolated_builds(
    package: Callable[[str], Path], tmp_path: Path, environment: Environment
) -> None:
    """And not a release of the same version from anywhere else."""
    checkout = tmp_path / "checkout"
    run("git", "-C", ROOT, "checkout-index", "--all", f"--prefix={checkout}/")
    environment.install("-e", f"{checkout}[wheel]")
    config = checkout / "cmake/tvm_ffi-config.cmake"
    for word in ("first", "second"):
        config.write_text(f'{config.read_text(encoding="utf-8")}message(STATUS "edited: {word}")\n', encoding="utf-8")
        for frontend in ("build", "uv"):
            out = environment.run(
                "-m", "tvm_ffi_build", "wheel", package("c_only"), "-v", "-w", tmp_path / "out", "--frontend", frontend,
                env={**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"},
            )  # fmt: skip
            assert f"edited: {word}" in out
            shutil.rmtree(tmp_path / "c_only")


def refused(done: subprocess.CompletedProcess[str], code: int, message: str) -> None:
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    last = done.stderr.splitlines()[-1]
    assert re.match(rf"tvm-ffi-build: error: .*{message}", last), last
    assert "Traceback" not in done.stderr


def test_a_source_that_is_no_project(tmp_path: Path) -> None:
    refused(wheel(tmp_path / "nowhere", "-w", tmp_path / "out"), 6, r"nowhere has no pyproject\.toml; name the folder")
    (tmp_path / "pyproject.toml").write_text("[", encoding="utf-8")
    refused(wheel(tmp_path, "-w", tmp_path / "out"), 6, r"pyproject\.toml cannot be read")
    assert not (tmp_path / "out").exists()


def test_a_setting_that_is_none(package: Callable[[str], Path], tmp_path: Path) -> None:
    done = wheel(package("minimal"), "-w", tmp_path / "out", "-C", "cmake.build-type")
    refused(done, 6, "config setting 'cmake.build-type' is not KEY=VALUE")


def test_an_output_folder_that_is_a_file(package: Callable[[str], Path], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    refused(
        wheel(package("minimal"), "-w", tmp_path / "file"), 8, "file cannot be written: .*; name another folder with -w"
    )


@pytest.fixture
def mount(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Return a function that gives a folder on a file system of its own: root may write wherever a mode forbids it."""
    folder = tmp_path / "mounted"
    folder.mkdir()

    def make(options: str) -> Path:
        run("mount", "-t", "tmpfs", "-o", options, "tmpfs", folder)
        return folder

    yield make
    run("umount", folder, ok=False)


def test_a_read_only_output_folder(
    package: Callable[[str], Path], tmp_path: Path, mount: Callable[[str], Path]
) -> None:
    done = wheel(package("minimal"), "-w", mount("ro"))
    refused(done, 8, "mounted cannot be written: Read-only file system; name another folder with -w")


def test_a_full_output_folder(package: Callable[[str], Path], tmp_path: Path, mount: Callable[[str], Path]) -> None:
    folder = mount("size=16k")
    refused(wheel(package("minimal"), "-w", folder), 8, "mounted cannot be written: No space left on device")
    assert list(folder.iterdir()) == []


def test_no_compiler(package: Callable[[str], Path], tmp_path: Path) -> None:
    empty = tmp_path / "bin"
    empty.mkdir()
    env = {key: value for key, value in os.environ.items() if key not in {"CC", "CXX"}}
    env["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{empty}"
    done = wheel(package("minimal"), "-w", tmp_path / "out", env=env)
    refused(done, 7, r"minimal could not be built: no C\+\+ compiler was found; install one")
    assert list((tmp_path / "out").iterdir()) == []


def test_no_runtime(package: Callable[[str], Path], tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    env = {**os.environ, "TVM_FFI_RUNTIME": str(tmp_path / "empty")}
    done = wheel(package("minimal"), "-w", tmp_path / "out", env=env)
    refused(done, 7, r"could not be built: \S+/empty holds no apache-tvm-ffi: .*; run: python -m pip install")


def test_a_runtime_that_is_too_old(
    package: Callable[[str], Path], tmp_path: Path, unpacked_runtime: Callable[..., Path]
) -> None:
    env = {**os.environ, "TVM_FFI_RUNTIME": str(unpacked_runtime("0.1.7"))}
    refused(
        wheel(package("minimal"), "-w", tmp_path / "out", env=env), 7, r"0\.1\.7 in \S+ is too old to build against"
    )


def test_code_that_does_not_compile(package: Callable[[str], Path], tmp_path: Path) -> None:
    source = package("minimal")
    (source / "extension.cc").write_text("int broken(\n", encoding="utf-8")
    refused(wheel(source, "-w", tmp_path / "out"), 7, r"extension\.cc:\d+:\d+: error: ")


def test_a_wrong_call_of_a_function(package: Callable[[str], Path], tmp_path: Path) -> None:
    source = package("minimal")
    with (source / "CMakeLists.txt").open("a", encoding="utf-8") as file:
        file.write("tvm_ffi_configure_target(minimal LINK_SHARD ON)\n")
    done = wheel(source, "-w", tmp_path / "out")
    refused(done, 7, r"tvm_ffi_configure_target\(minimal\): unknown argument: LINK_SHARD ON")


@pytest.mark.parametrize("frontend", ["build", "uv"])
def test_a_scikit_build_core_that_cannot_be_plugged_into(
    package: Callable[[str], Path], tmp_path: Path, frontend: str
) -> None:
    source = package("minimal")
    project = source / "pyproject.toml"
    text = project.read_text(encoding="utf-8").replace("scikit-build-core>=1.0", "scikit-build-core<1")
    project.write_text(text, encoding="utf-8")
    done = wheel(source, "-w", tmp_path / "out", "--frontend", frontend)
    refused(done, 7, r"tvm-ffi-build.* depends on scikit-build-core>=1\.0")


def test_a_scikit_build_core_that_cannot_be_plugged_into_in_this_environment(
    package: Callable[[str], Path], tmp_path: Path, environment: Environment
) -> None:
    environment.install("-e", f"{ROOT}[wheel]")
    environment.install("scikit-build-core==0.12.2")
    out = environment.run(
        "-m", "tvm_ffi_build", "wheel", package("minimal"), "-w", tmp_path / "out", "--no-isolation", ok=False
    )
    assert re.match(r"tvm-ffi-build: error: scikit-build-core 0\.12\.2 cannot be plugged into, 1\.0 can; run: ", out)


def test_switched_off_providers_are_warned_of(package: Callable[[str], Path], tmp_path: Path) -> None:
    env = {**os.environ, "SKBUILD_NO_ENTRYPOINT_CONFIG": "1"}
    done = wheel(package("c_only"), "-w", tmp_path / "out", env=env)
    assert "warning: SKBUILD_NO_ENTRYPOINT_CONFIG is set" in done.stderr
