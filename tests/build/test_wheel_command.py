"""``tvm-ffi-build wheel`` as a program, given what it wants and what it does not."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal as signals
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.commands import run_command
from support.errors import last_error, read_error
from support.processes import run
from support.project import ROOT, copy_project

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.environments import Environment


def isolated_wheel(*arguments: str | Path, **options: object) -> subprocess.CompletedProcess[str]:
    return run(sys.executable, "-m", "tvm_ffi_build", "wheel", *arguments, ok=False, **options)


def wheel(*arguments: str | Path, **options: object) -> subprocess.CompletedProcess[str]:
    """Build with what the tests' environment has: to make one for each wheel takes a third of the time."""
    if not options:
        return run_command("wheel", "--no-isolation", *arguments)
    return isolated_wheel("--no-isolation", *arguments, **options)


def test_the_readmes_first_command(tmp_path: Path, with_pip: Environment) -> None:
    """In a copy of the checkout, with pip from the index alone, as a newcomer types it."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    command = 'python -m pip install ".[wheel]" && tvm-ffi-build wheel examples/python_packaging -w dist'
    assert command in text
    checkout = copy_project(tmp_path / "checkout")
    path = f"{with_pip.path / 'bin'}{os.pathsep}/usr/local/bin{os.pathsep}/usr/bin{os.pathsep}/bin"
    done = run("bash", "-c", command, cwd=checkout, env={**os.environ, "PATH": path})
    last = done.stdout.splitlines()[-1]
    assert re.fullmatch(r"dist/my_ffi_extension-0\.1\.0-py3-none-\w+\.whl  [\d.]+ kB  py3-none-\w+", last)
    assert [file.name for file in (checkout / "dist").iterdir()] == [Path(last.split()[0]).name]


def test_steps_go_to_standard_error_and_the_answer_to_standard_output(
    package: Callable[[str], Path], tmp_path: Path
) -> None:
    done = isolated_wheel(package("c_only"), "-w", tmp_path / "out")
    assert "* Configuring CMake" in done.stderr
    assert re.fullmatch(r".+/c_only-1\.0-py3-none-\w+\.whl  [\d.]+ kB  py3-none-\w+\n", done.stdout)
    quiet = isolated_wheel(tmp_path / "c_only", "-w", tmp_path / "out", "-q")
    assert quiet.stderr == ""
    assert quiet.returncode == 0


def test_settings_reach_the_backend_without_isolation_too(
    package: Callable[[str], Path], tmp_path: Path, equipped: Environment
) -> None:
    for frontend in ("build", "uv"):
        out = equipped.run(
            "-m",
            "tvm_ffi_build",
            "wheel",
            package("c_only"),
            "-w",
            tmp_path / frontend,
            "--no-isolation",
            "-v",
            "-C",
            "cmake.build-type=Debug",
            "-C",
            "build.verbose=true",
            "--frontend",
            frontend,
        )
        assert 'Install configuration: "Debug"' in out
        shutil.rmtree(tmp_path / "c_only")


def test_an_editable_install_hands_its_own_code_to_isolated_builds(
    package: Callable[[str], Path], tmp_path: Path, equipped: Environment
) -> None:
    """And not a release of the same version from anywhere else."""
    checkout = copy_project(tmp_path / "checkout")
    equipped.install("-e", checkout)
    config = checkout / "cmake/tvm_ffi-config.cmake"
    text = config.read_text(encoding="utf-8")
    for word in ("first", "second"):
        # The build ends here: it has read what the edit says.
        config.write_text(f'{text}message(FATAL_ERROR "edited: {word}")\n', encoding="utf-8")
        for frontend in ("build", "uv"):
            out = equipped.run(
                "-m",
                "tvm_ffi_build",
                "wheel",
                package("c_only"),
                "-v",
                "-w",
                tmp_path / "out",
                "--frontend",
                frontend,
                env={**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"},
                ok=False,
            )
            assert f"edited: {word}" in out
            shutil.rmtree(tmp_path / "c_only")


def refused(done: subprocess.CompletedProcess[str], code: int, message: str) -> None:
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    error = last_error(done.stderr)
    assert re.search(message, error), error
    assert "Traceback" not in done.stderr


def test_a_source_that_is_no_project(tmp_path: Path) -> None:
    refused(
        wheel(tmp_path / "nowhere", "-w", tmp_path / "out"), 2, r"nowhere has no pyproject\.toml; pass the directory"
    )
    (tmp_path / "pyproject.toml").write_text("[", encoding="utf-8")
    refused(wheel(tmp_path, "-w", tmp_path / "out"), 2, r"pyproject\.toml is not valid TOML")
    assert not (tmp_path / "out").exists()


def test_a_source_without_cmakelists(package: Callable[[str], Path], tmp_path: Path) -> None:
    source = package("minimal")
    (source / "CMakeLists.txt").unlink()
    done = wheel(source, "-w", tmp_path / "out")
    refused(done, 3, r'minimal" does not appear to contain CMakeLists\.txt\. Create one there, or set cmake')


def test_a_source_without_this_plugin(package: Callable[[str], Path], tmp_path: Path) -> None:
    source = package("minimal")
    project = source / "pyproject.toml"
    text = project.read_text(encoding="utf-8").replace(', "tvm-ffi-build"', "").partition("dynamic")[0]
    project.write_text(text, encoding="utf-8")
    done = isolated_wheel(source, "-w", tmp_path / "out")
    refused(done, 3, r'find_package\(tvm_ffi\) found nothing; write "tvm-ffi-build" in build-system\.requires')


def test_an_sdist_that_lacks_a_file(package: Callable[[str], Path], tmp_path: Path) -> None:
    source = package("minimal")
    with (source / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write('\n[tool.scikit-build]\nsdist.exclude = ["*.cc"]\n')
    run(sys.executable, "-m", "build", "--no-isolation", "--sdist", "-o", tmp_path, source)
    shutil.unpack_archive(tmp_path / "minimal-1.0.tar.gz", tmp_path)
    done = wheel(tmp_path / "minimal-1.0", "-w", tmp_path / "out")
    refused(done, 3, r"CMakeLists\.txt:4: Cannot find source file: extension\.cc")


@pytest.mark.parametrize("made", ["with another generator", "for another place"])
def test_a_build_folder_of_another_cmake(package: Callable[[str], Path], tmp_path: Path, made: str) -> None:
    source = package("minimal")
    with (source / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write('\n[tool.scikit-build]\nbuild-dir = "build"\n')
    run(
        "cmake",
        "-G",
        "Unix Makefiles",
        "-S",
        source,
        "-B",
        source / "build",
        f"-Dtvm_ffi_DIR={ROOT / 'cmake'}",
        f"-DTVM_FFI_PYTHON={sys.executable}",
    )
    if made == "for another place":
        source = source.rename(tmp_path / "moved")
    refused(wheel(source, "-w", tmp_path / "out"), 3, f"the build directory was created {made}.*[Dd]elete it")


def test_a_setting_that_is_none(package: Callable[[str], Path], tmp_path: Path) -> None:
    done = wheel(package("minimal"), "-w", tmp_path / "out", "-C", "cmake.build-type")
    refused(done, 2, "config setting 'cmake.build-type' is not KEY=VALUE")


def test_an_output_folder_that_is_a_file(package: Callable[[str], Path], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    refused(
        wheel(package("minimal"), "-w", tmp_path / "file"),
        2,
        "file cannot be written: .*; choose another directory with -w",
    )


@pytest.mark.slow  # as all that mounts: in a container that may take more rights than the tests have
def test_a_read_only_output_folder(
    package: Callable[[str], Path], tmp_path: Path, read_only: Callable[[Path], Path]
) -> None:
    (tmp_path / "locked").mkdir()
    done = wheel(package("minimal"), "-w", read_only(tmp_path / "locked"))
    refused(
        done, 2, "locked cannot be written: (Read-only file system|Permission denied); choose another directory with -w"
    )


@pytest.mark.slow
@pytest.mark.parametrize("size", ["32k", "600k"])
def test_a_full_temporary_folder(
    package: Callable[[str], Path], tmp_path: Path, small_disk: Callable[[str], Path], size: str
) -> None:
    env = {**os.environ, "TMPDIR": str(small_disk(size))}
    done = isolated_wheel(package("minimal"), "-w", tmp_path / "out", "--frontend", "build", env=env)
    if size == "32k":  # no room for what is handed over
        refused(done, 2, "disk-32k cannot be written: No space left on device; set TMPDIR to another directory")
    else:  # nor for an environment
        refused(done, 3, "no space left on device; free some space, or choose other directories with TMPDIR and -w")
    assert list((tmp_path / "out").glob("*")) == []


def test_a_file_that_must_not_grow_is_like_a_full_disk(package: Callable[[str], Path], tmp_path: Path) -> None:
    code = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))\n"
        "from tvm_ffi_build.__main__ import main; main(sys.argv[1:])"
    )
    done = run(sys.executable, "-c", code, "wheel", package("minimal"), "-w", tmp_path / "out", ok=False)
    refused(done, 2, " cannot be written: File too large; set TMPDIR to another directory")
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.slow
def test_a_full_output_folder(package: Callable[[str], Path], small_disk: Callable[[str], Path]) -> None:
    disk = small_disk("8k")
    refused(
        wheel(package("minimal"), "-w", disk),
        3,
        "no space left on device; free some space, or choose other directories",
    )
    assert list(disk.iterdir()) == []


@pytest.mark.parametrize("signal", ["INT", "TERM"])
def test_an_end_in_the_middle_leaves_nothing(package: Callable[[str], Path], tmp_path: Path, signal: str) -> None:
    source = package("minimal")
    with (source / "CMakeLists.txt").open("a", encoding="utf-8") as file:
        file.write("execute_process(COMMAND sleep 600)\n")
    command = [sys.executable, "-m", "tvm_ffi_build", "wheel", str(source), "-w", str(tmp_path / "out")]
    with subprocess.Popen(command, stderr=subprocess.PIPE, encoding="utf-8") as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "Configuring CMake" in line:
                break
        os.kill(process.pid, getattr(signals, f"SIG{signal}"))
        rest = process.stderr.read()
        assert process.wait() == {"INT": 130, "TERM": 143}[signal]
    assert "Traceback" not in rest
    assert list((tmp_path / "out").iterdir()) == []


def test_progress_on_a_terminal_is_text_and_no_markup(package: Callable[[str], Path], tmp_path: Path) -> None:
    source = package("c_only")
    with (source / "CMakeLists.txt").open("a", encoding="utf-8") as file:
        file.write('message("* [/red] step")\n')
    command = shlex.join([sys.executable, "-m", "tvm_ffi_build", "wheel", str(source), "-w", str(tmp_path / "out")])
    # script(1) gives the command a terminal.
    done = run("script", "-qec", command, "/dev/null", env={**os.environ, "TERM": "xterm"})
    assert "Traceback" not in done.stdout
    assert "c_only-1.0-py3-none-" in done.stdout


def test_no_compiler(package: Callable[[str], Path], tmp_path: Path) -> None:
    empty = tmp_path / "bin"
    empty.mkdir()
    env = {key: value for key, value in os.environ.items() if key not in {"CC", "CXX"}}
    env["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{empty}"
    done = wheel(package("minimal"), "-w", tmp_path / "out", env=env)
    refused(done, 3, r"minimal could not be built: no C\+\+ compiler was found; install one")
    assert list((tmp_path / "out").iterdir()) == []


def test_no_runtime(package: Callable[[str], Path], tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    env = {**os.environ, "TVM_FFI_RUNTIME": str(tmp_path / "empty")}
    done = isolated_wheel(package("minimal"), "-w", tmp_path / "out", env=env)
    refused(done, 3, r"could not be built: .+/empty holds no apache-tvm-ffi: .*; run: python -m pip install")


def test_a_runtime_that_is_too_old(
    package: Callable[[str], Path], tmp_path: Path, unpacked_runtime: Callable[..., Path]
) -> None:
    env = {**os.environ, "TVM_FFI_RUNTIME": str(unpacked_runtime("0.1.7"))}
    refused(
        isolated_wheel(package("minimal"), "-w", tmp_path / "out", env=env),
        3,
        r"0\.1\.7 in .+ is too old to build against",
    )


def test_a_broken_runtime(package: Callable[[str], Path], tmp_path: Path, oldest_runtime: Path) -> None:
    broken = Path(shutil.copytree(oldest_runtime, tmp_path / "broken"))
    shutil.rmtree(broken / "tvm_ffi/lib")
    # Relative to where the command runs, though the build runs elsewhere.
    env = {**os.environ, "TVM_FFI_RUNTIME": "broken"}
    done = isolated_wheel(package("minimal"), "-w", tmp_path / "out", env=env, cwd=tmp_path)
    refused(done, 3, rf"in {broken}/tvm_ffi has no libtvm_ffi\.so; run: .*--force-reinstall")


def test_a_project_that_names_no_backend(package: Callable[[str], Path], tmp_path: Path) -> None:
    source = package("minimal")
    project = source / "pyproject.toml"
    for text in ("", project.read_text(encoding="utf-8").partition("[project]")[2]):
        project.write_text(text and f"[project]{text}", encoding="utf-8")
        refused(
            wheel(source, "-w", tmp_path / "out"), 2, r"pyproject\.toml has no build-backend; write \[build-system\]"
        )


def test_a_source_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    refused(wheel(tmp_path / "file", "-w", tmp_path / "out"), 2, "file is not a directory; pass the directory")


def test_a_folder_whose_name_is_no_text(tmp_path: Path) -> None:
    for name in (b"bad\xff", b"two\nlines"):
        folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))
        folder.mkdir()
        (folder / "pyproject.toml").write_text('[build-system]\nrequires = []\nbuild-backend = "x"\n', encoding="utf-8")
        refused(wheel(folder, "-w", tmp_path / "out"), 2, "contains a line break or bytes that are not text; rename")


def test_a_wheel_without_its_library_is_refused_unless_that_is_allowed(
    package: Callable[[str], Path], tmp_path: Path
) -> None:
    source = package("c_only")
    cmake = source / "CMakeLists.txt"
    lines = cmake.read_text(encoding="utf-8").splitlines(keepends=True)
    cmake.write_text("".join(line for line in lines if not line.startswith("install(")), encoding="utf-8")
    refused(
        wheel(source, "-w", tmp_path / "out"),
        3,
        r"holds no library; put one in with install\(TARGETS \.\.\.\), .*; or allow",
    )
    assert list((tmp_path / "out").iterdir()) == []
    assert wheel(source, "-w", tmp_path / "out", "--allow-no-library").returncode == 0


def test_an_import_that_fails_is_an_error_and_destdir_is_not(package: Callable[[str], Path], tmp_path: Path) -> None:
    """By the whole way: the library is found in the installed wheel, or is not since the loader asks for another."""
    source = package("c_only")
    (source / "c_only").mkdir()
    loader = source / "c_only/__init__.py"
    text = "from tvm_ffi.libinfo import load_lib_module\nLIB = load_lib_module('c-only', 'c_only')\n"
    loader.write_text(text, encoding="utf-8")
    done = wheel(source, "-w", tmp_path / "out", env={**os.environ, "DESTDIR": str(tmp_path / "staging")})
    assert done.returncode == 0
    assert "* Importing c_only-1.0-" in done.stderr
    assert "not checked" not in done.stderr
    assert not (tmp_path / "staging").exists()
    loader.write_text(text.replace("'c_only')", "'other')"), encoding="utf-8")
    refused(
        wheel(source, "-w", tmp_path / "new", "--no-audit"), 3, "import c_only fails: RuntimeError: Cannot find lib"
    )
    assert list((tmp_path / "new").iterdir()) == []
    assert wheel(source, "-w", tmp_path / "new", "--no-audit", "--no-import-check").returncode == 0
    (made,) = (tmp_path / "new").iterdir()
    audited = run_command("audit", "--import", made)
    assert audited.returncode == 1
    assert [line.split()[0] for line in audited.stdout.splitlines() if " error: " in line] == ["C415", "C418"]


def test_an_output_folder_inside_the_package_does_not_end_up_in_the_wheel(
    package: Callable[[str], Path], tmp_path: Path
) -> None:
    source = package("c_only")
    (source / "c_only").mkdir()
    (source / "c_only/__init__.py").write_text("", encoding="utf-8")
    done = wheel(source, "-w", source / "c_only")
    assert done.returncode == 0
    (path,) = (source / "c_only").glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        assert sorted(name for name in archive.namelist() if ".dist-info/" not in name) == [
            "c_only/__init__.py",
            "c_only/libc_only.so",
        ]


def test_modules_in_the_project_are_not_the_front_ends(package: Callable[[str], Path], tmp_path: Path) -> None:
    source = package("c_only")
    for name in ("packaging", "json", "tvm_ffi_build", "build"):
        (source / f"{name}.py").write_text("raise SystemExit('imported')", encoding="utf-8")
    script = Path(sys.executable).parent / "tvm-ffi-build"
    for frontend in ("build", "uv"):
        run(script, "wheel", ".", "-w", tmp_path / "out", "--frontend", frontend, cwd=source)


def test_constraints_of_the_user_hold(package: Callable[[str], Path], tmp_path: Path) -> None:
    """Those with relative names too."""
    (tmp_path / "constraints.txt").write_text("apache-tvm-ffi==0.1.12\n", encoding="utf-8")
    source = package("c_only")
    lists = source / "CMakeLists.txt"
    # The build ends where the runtime was found.
    text = re.sub(r"(find_package\(tvm_ffi .*\n)", r'\1message(FATAL_ERROR "found")\n', lists.read_text("utf-8"))
    lists.write_text(text, encoding="utf-8")
    for frontend, variable in (("build", "PIP_CONSTRAINT"), ("uv", "UV_BUILD_CONSTRAINT")):
        env = {**os.environ, variable: "constraints.txt"}
        done = isolated_wheel(source, "-w", tmp_path / frontend, "--frontend", frontend, "-v", env=env, cwd=tmp_path)
        assert "(version 0.1.12)" in done.stderr
        assert done.returncode == 3


@pytest.mark.parametrize(
    ("settings", "arguments"),
    [
        ('wheel.py-api = ""', ["-C", "wheel.py-api=py3"]),
        ('[[tool.scikit-build.overrides]]\nif.state = "wheel"\nwheel.py-api = "py3"', []),
    ],
)
def test_however_a_wheel_comes_to_claim_every_python_its_libraries_are_checked(
    package: Callable[[str], Path], tmp_path: Path, settings: str, arguments: list[str]
) -> None:
    source = package("calls_python")
    with (source / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write(f"\n[tool.scikit-build]\n{settings}\n")
    done = wheel(source, "-w", tmp_path / "out", *arguments)
    refused(done, done.returncode, r"libcalls_python\.so calls into CPython \(PyErr_CheckSignals\)")
    assert done.returncode in {3, 5}
    assert list((tmp_path / "out").iterdir()) == []


def test_a_wheel_for_every_platform_holds_no_library(package: Callable[[str], Path], tmp_path: Path) -> None:
    done = wheel(package("c_only"), "-w", tmp_path / "out", "-C", "wheel.platlib=false")
    refused(
        done,
        3,
        r"py3-none-any\.whl: the wheel is tagged for every platform, and holds libraries of one "
        r"\(c_only/libc_only\.so\); write wheel\.platlib = true",
    )


def test_a_versioned_library_is_one_too(package: Callable[[str], Path], tmp_path: Path) -> None:
    source = package("c_only")
    cmake = source / "CMakeLists.txt"
    text = cmake.read_text(encoding="utf-8").replace(
        "c_only DESTINATION c_only)", "c_only LIBRARY DESTINATION c_only NAMELINK_SKIP)", 1
    )
    cmake.write_text(f"{text}set_target_properties(c_only PROPERTIES VERSION 1.2 SOVERSION 1)\n", encoding="utf-8")
    done = wheel(source, "-w", tmp_path / "out", "-C", "wheel.platlib=false")
    refused(done, 3, r"py3-none-any\.whl: the wheel is tagged for every platform, and holds libraries of one")


def test_programs_and_stubs_run_during_the_build(package: Callable[[str], Path], tmp_path: Path) -> None:
    """Though libraries are linked for their place in the wheel, where no other of the build lies beside them."""
    source = package("c_only")
    (source / "gen.c").write_text(
        "#include <tvm/ffi/c_api.h>\n"
        'int main(void) { TVMFFIByteArray name = {"ffi.String", 10}; TVMFFIObjectHandle found = 0;\n'
        "  return TVMFFIFunctionGetGlobal(&name, &found) || !found; }\n",
        encoding="utf-8",
    )
    (source / "helper.c").write_text("int helper(void) { return 2; }\n", encoding="utf-8")
    (source / "CMakeLists.txt").write_text(
        """cmake_minimum_required(VERSION 3.18)
project(c_only LANGUAGES C)
find_package(tvm_ffi CONFIG REQUIRED)
add_executable(gen gen.c)
tvm_ffi_configure_target(gen)
add_custom_command(OUTPUT made.c COMMAND gen COMMAND ${CMAKE_COMMAND} -E copy
  ${CMAKE_CURRENT_SOURCE_DIR}/kernel.c made.c)
add_subdirectory(helper)
add_library(c_only SHARED ${CMAKE_CURRENT_BINARY_DIR}/made.c)
target_link_libraries(c_only PRIVATE -Wl,--no-as-needed helper)
tvm_ffi_configure_target(c_only STUB_DIR python STUB_INIT ON)
install(TARGETS c_only DESTINATION c_only)
tvm_ffi_install(c_only DESTINATION c_only)
""",
        encoding="utf-8",
    )
    (source / "helper").mkdir()
    (source / "helper/CMakeLists.txt").write_text("add_library(helper SHARED ../helper.c)\n", encoding="utf-8")
    # Nothing puts the helper into the wheel, which therefore cannot be imported.
    done = wheel(source, "-w", tmp_path / "out", "--no-repair", "--no-import-check")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("value", ["", "cp3{}"])
def test_a_tag_for_one_python_may_be_asked_for_on_the_command_line(
    package: Callable[[str], Path], tmp_path: Path, value: str
) -> None:
    done = wheel(
        package("calls_python"), "-w", tmp_path / "out", "-C", f"wheel.py-api={value.format(sys.version_info.minor)}"
    )
    assert done.returncode == 0, done.stderr
    assert f"-cp3{sys.version_info.minor}-" in done.stdout


def test_code_that_does_not_compile(package: Callable[[str], Path], tmp_path: Path) -> None:
    source = package("minimal")
    (source / "extension.cc").write_text("int broken(\n", encoding="utf-8")
    refused(wheel(source, "-w", tmp_path / "out"), 3, r"extension\.cc:\d+:\d+: error: ")


def test_a_wrong_call_of_a_function(package: Callable[[str], Path], tmp_path: Path) -> None:
    source = package("minimal")
    with (source / "CMakeLists.txt").open("a", encoding="utf-8") as file:
        file.write("tvm_ffi_configure_target(minimal LINK_SHARD ON)\n")
    done = wheel(source, "-w", tmp_path / "out")
    refused(
        done,
        3,
        r"tvm_ffi_configure_target\(minimal\): unknown argument: LINK_SHARD ON; "
        r"it takes LINK_SHARED, LINK_HEADER, .*, STUB_TARGET, EXPORT",
    )


@pytest.mark.parametrize("frontend", ["build", "uv"])
def test_a_scikit_build_core_that_cannot_be_plugged_into(
    package: Callable[[str], Path], tmp_path: Path, frontend: str
) -> None:
    source = package("minimal")
    project = source / "pyproject.toml"
    text = project.read_text(encoding="utf-8").replace("scikit-build-core>=1.0", "scikit-build-core<1")
    project.write_text(text, encoding="utf-8")
    done = isolated_wheel(source, "-w", tmp_path / "out", "--frontend", frontend)
    refused(done, 3, r"tvm-ffi-build.* depends on scikit-build-core>=1\.0")


def test_a_scikit_build_core_that_cannot_be_plugged_into_in_this_environment(
    package: Callable[[str], Path], tmp_path: Path, equipped: Environment
) -> None:
    equipped.install("scikit-build-core==0.12.2")
    out = equipped.run(
        "-m", "tvm_ffi_build", "wheel", package("minimal"), "-w", tmp_path / "out", "--no-isolation", ok=False
    )
    assert re.match(r"scikit-build-core 0\.12\.2 cannot be plugged into, 1\.0 can; run: ", read_error(out))


def test_switched_off_providers_are_warned_of(package: Callable[[str], Path], tmp_path: Path) -> None:
    env = {**os.environ, "SKBUILD_NO_ENTRYPOINT_CONFIG": "1"}
    done = isolated_wheel(package("c_only"), "-w", tmp_path / "out", env=env)
    assert "warning: SKBUILD_NO_ENTRYPOINT_CONFIG is set" in done.stderr


def test_a_wheel_is_audited_before_it_appears(package: Callable[[str], Path], tmp_path: Path) -> None:
    """Held to what the project has set; what that is, is known to be right before anything is built."""
    source = package("c_only")
    with (source / "CMakeLists.txt").open("a", encoding="utf-8") as file:
        file.write('\nfile(WRITE "${CMAKE_CURRENT_BINARY_DIR}/README.md" "")\n')
        file.write('install(FILES "${CMAKE_CURRENT_BINARY_DIR}/README.md" DESTINATION .)\n')
    (source / "c_only").mkdir()
    (source / "c_only/__init__.py").write_text("import tvm_ffi\n", encoding="utf-8")
    settings = (source / "pyproject.toml").read_text(encoding="utf-8")

    done = wheel(source, "-w", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    found = re.findall(r"^  (\w+) warning: ", done.stderr, re.MULTILINE)
    assert len(found) == 1

    table = "\n[tool.tvm-ffi-build.audit]\nstrict = "
    (source / "pyproject.toml").write_text(f"{settings}{table}true\n", encoding="utf-8")
    done = wheel(source, "-w", tmp_path / "strict")
    assert done.returncode == 5
    assert f"is not fit for use: {found[0]}: " in last_error(done.stderr)
    assert list((tmp_path / "strict").iterdir()) == []

    done = wheel(source, "-w", tmp_path / "strict", "--no-audit")
    assert done.returncode == 0, done.stderr
    assert f"{found[0]} warning" not in done.stderr

    (source / "pyproject.toml").write_text(f"{settings}{table}1\n", encoding="utf-8")
    done = wheel(source, "-w", tmp_path / "wrong")
    assert done.returncode == 2
    said = f"{source / 'pyproject.toml'}: tool.tvm-ffi-build.audit.strict is not true or false"
    assert read_error(done.stderr) == said
