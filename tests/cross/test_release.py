"""Wheels for every platform, built on this machine, and run on all but macOS: there they are looked at."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import interpreters
import pytest
from interpreters import find_interpreter
from support.downloads import install_to
from support.errors import last_error
from support.processes import command_line, run
from support.project import EXAMPLE, ROOT

from tvm_ffi_build.binaries import read_binary
from tvm_ffi_build.binaries.signature import signature_problem
from tvm_ffi_build.cross.compiler.zig import find_zig
from tvm_ffi_build.wheels import open_wheel
from tvm_ffi_build.wheels.markers import SUPPORTED_PYTHONS

if TYPE_CHECKING:
    from collections.abc import Callable

    from interpreters import Interpreter
    from support.environments import Builder, Environment

pytestmark = pytest.mark.slow

TAGS = ("manylinux_2_24_x86_64", "manylinux_2_24_aarch64", "macosx_11_0_arm64", "win_amd64", "win_arm64")
LIBRARY = re.compile(r"\.(so|dylib|dll)$")
# What every kind of library has to answer; see tests/packages/hard.
ASKED = """
import tvm_ffi, hard
from hard._library import LIB
from pathlib import Path
folder = Path(hard.__file__).parent
def other(name):
    (path,) = [path for path in folder.iterdir() if path.stem.removeprefix("lib") == name]
    return tvm_ffi.load_module(str(path))
print([LIB.caught(kind) for kind in range(4)])
print([other("open").caught(kind) for kind in range(4)])
print(LIB.churn(500), LIB.threads(1000), LIB.scale(4), other("plain").twice(4))
try:
    LIB.raise_()
except RuntimeError as error:
    print(error)
"""
CAUGHT = ["exception range", "exception mine", "Error value", "42"]
ANSWER = f"{CAUGHT}\n{CAUGHT}\n0 4000 40 8\nraised\n"


def members(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def library_of(wheel: Path, folder: Path) -> Path:
    (name,) = [name for name in members(wheel) if LIBRARY.search(name)]
    with zipfile.ZipFile(wheel) as archive:
        return Path(archive.extract(name, folder))


# ---- The example, on every platform -------------------------------------------------------------------------------


def test_all_gives_a_wheel_for_each_platform_of_the_runtime(all_wheels: Path) -> None:
    made = [path.name for path in (all_wheels / "wheels").iterdir()]
    assert sorted(made) == sorted(f"my_ffi_extension-0.1.0-py3-none-{tag}.whl" for tag in TAGS)
    lines = (all_wheels / "said").read_text(encoding="utf-8").splitlines()
    path, runtimes = r".+/my_ffi_extension-0\.1\.0-py3-none-(\w+)\.whl", r"\S*>=0\.1\.15\.post2"
    row = rf"{path} +[\d.]+ kB +py3-none-\1 +{runtimes} +clean +[\d.]+ s"
    assert sorted(re.fullmatch(row, line)[1] for line in lines) == sorted(TAGS)  # type: ignore[index]


def test_the_pages_table_is_what_is_said(all_wheels: Path) -> None:
    """But for how long it took; other releases of zig give other sizes, and not very different ones."""

    def rows(text: str) -> dict[str, tuple[list[str], float]]:
        cells = [
            re.split(" {2,}", line.rpartition("/")[2]) for line in text.splitlines() if line.count("py3-none") == 2
        ]
        return {name: (more[:-1], float(size.split()[0])) for name, size, *more in cells}

    page = rows((ROOT / "docs/how-to/cross-build.md").read_text(encoding="utf-8"))
    said = rows((all_wheels / "said").read_text(encoding="utf-8"))
    assert {name: words for name, (words, _) in page.items()} == {name: words for name, (words, _) in said.items()}
    for name, (_, size) in page.items():
        assert abs(size - said[name][1]) < 0.2 * size, name


def test_all_carry_the_stubs_that_a_native_build_makes(
    all_wheels: Path, example_wheel: Path, package: Callable[[str], Path]
) -> None:
    def stubs(wheel: Path) -> dict[str, bytes]:
        return {
            name: content for name, content in members(wheel).items() if name.endswith(".py") and "_runtime" not in name
        }

    wheels = list((all_wheels / "wheels").iterdir())
    assert len(wheels) == len(TAGS)
    for wheel in wheels:
        assert stubs(wheel) == stubs(example_wheel)
    del package


def test_on_this_machine_it_passes_its_tests(
    wheel_for: Callable[[str], Path], environment: Environment, tmp_path: Path
) -> None:
    environment.install(wheel_for("linux_2_24_x86_64"), "numpy", "pytest")
    shutil.copytree(EXAMPLE / "tests", tmp_path / "tests")
    assert "11 passed" in environment.run("-m", "pytest", "-q", "-p", "no:cacheprovider", tmp_path / "tests")


@pytest.mark.parametrize("version", [f"3.{minor}" for minor in SUPPORTED_PYTHONS])
def test_on_every_python_it_passes_its_tests(wheel_for: Callable[[str], Path], tmp_path: Path, version: str) -> None:
    interpreter = find_interpreter(version, tmp_path)
    assert passed_with(interpreter, wheel_for("linux_2_24_x86_64")) == "11 passed"


def passed_with(interpreter: Interpreter, wheel: Path) -> str:
    """Install a wheel by pip in an environment of a Python, and run the example's tests there."""
    shutil.copy(wheel, interpreter.folder)
    shutil.copytree(EXAMPLE / "tests", interpreter.folder / "tests")
    interpreter.run(interpreter.python, "-m", "venv", "environment")
    python = f"{interpreter.inside}/environment/bin/python"
    interpreter.run(python, "-m", "pip", "install", "-q", f"./{wheel.name}", "numpy", "pytest")
    said = interpreter.run(python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests")
    found: list[str] = re.findall(r"\d+ (?:passed|failed)", said)
    return found[-1]


def test_the_glibc_of_the_tag_is_enough(wheel_for: Callable[[str], Path]) -> None:
    said = json.loads(run(sys.executable, "-m", "auditwheel", "show", "--json", wheel_for("linux_2_24_x86_64")).stdout)
    assert said["sym_tag"] in {"manylinux_2_17_x86_64", "manylinux_2_24_x86_64"}
    # Which no policy has, and the other wheel brings.
    assert list(said["external_libs"]) == ["libtvm_ffi.so"]


def test_on_aarch64_it_passes_its_tests(wheel_for: Callable[[str], Path], aarch64: Interpreter, tmp_path: Path) -> None:
    python = aarch64.python
    site = tmp_path / "site"
    aarch64.run(
        python,
        "-m",
        "pip",
        "install",
        "-q",
        "--no-index",
        "--no-deps",
        "--target",
        str(site),
        str(wheel_for("aarch64")),
    )
    shutil.copytree(EXAMPLE / "tests", tmp_path / "tests")
    code = f"import sys, pytest; sys.path.insert(0, {str(site)!r}); sys.exit(pytest.main(sys.argv[1:]))"
    assert "11 passed" in aarch64.run(python, "-c", code, "-q", "-p", "no:cacheprovider", str(tmp_path / "tests"))


def test_on_windows_it_passes_its_tests(
    wheel_for: Callable[[str], Path], on_windows: Callable[..., str], tmp_path: Path
) -> None:
    shutil.copytree(EXAMPLE / "tests", tmp_path / "tests")
    tests = f"Z:{tmp_path / 'tests'}"
    # From there on: on Windows pytest takes a folder for the same as the link to it that it made itself.
    code = f"import pytest\npytest.main(['-q', '-p', 'no:cacheprovider', '--rootdir', {tests!r}, {tests!r}])"
    said = on_windows(code, wheel_for("win_amd64"), "numpy", "pytest")
    assert "11 passed" in said


def test_on_macos_all_that_can_be_seen_from_here_is_right(wheel_for: Callable[[str], Path], tmp_path: Path) -> None:
    """It is not run."""
    library = library_of(wheel_for("macosx_11_0_arm64"), tmp_path)
    (image,) = read_binary(library).images
    assert image.architecture == "arm64"
    assert image.minimum_os == "11.0"
    assert set(image.libraries) == {"/usr/lib/libSystem.B.dylib", "@rpath/libtvm_ffi.dylib"}
    assert image.run_paths == ("@loader_path/../tvm_ffi/lib",)
    assert signature_problem(library) is None
    names = {symbol.name for symbol in image.exports}
    assert {name for name in names if "tvm" in name} == {
        f"__tvm_ffi_{part}add_one" for part in ("", "_metadata_", "_doc_")
    }
    # The operators new and delete, which are zig's.
    assert {name for name in names if name.startswith("_Z")} <= {
        name for name in names if re.match(r"_Z(n|d)[wal]", name)
    }


def test_for_windows_on_arm_too(wheel_for: Callable[[str], Path], tmp_path: Path) -> None:
    (image,) = read_binary(library_of(wheel_for("win_arm64"), tmp_path)).images
    assert image.architecture == "arm64"
    assert "tvm_ffi.dll" in image.libraries


def test_no_wheel_names_this_machine(all_wheels: Path) -> None:
    for wheel in (all_wheels / "wheels").iterdir():
        for content in members(wheel).values():
            for path in (str(all_wheels.parent), str(ROOT), sys.prefix):
                assert path.encode() not in content


def test_built_again_they_are_the_same_bytes(all_wheels: Path, builder: Builder, tmp_path: Path) -> None:
    shutil.copytree(all_wheels / "source", tmp_path / "another place")
    builder("wheel", tmp_path / "another place", "-w", tmp_path / "out", "--platform", "all", "--jobs", "2")
    for wheel in (all_wheels / "wheels").iterdir():
        assert (tmp_path / "out" / wheel.name).read_bytes() == wheel.read_bytes(), wheel.name


# ---- What differs between C++ libraries and systems ---------------------------------------------------------------


@pytest.fixture(scope="session")
def hard_wheels(once: Callable[[str, Callable[[Path], None]], Path], builder: Builder) -> Path:
    """Return a folder with the wheels of a project that has all that is hard."""

    def fill(folder: Path) -> None:
        shutil.copytree(ROOT / "tests/packages/hard", folder / "source")
        words = [word for tag in TAGS[:4] for word in ("--platform", tag)]
        builder("wheel", folder / "source", "-w", folder / "wheels", *words)

    return once("hard-wheels", fill) / "wheels"


def test_all_that_is_hard_works_on_linux(hard_wheels: Path, environment: Environment) -> None:
    (wheel,) = hard_wheels.glob("*x86_64.whl")
    environment.install(wheel)
    assert environment.run("-c", ASKED) == ANSWER


def test_all_that_is_hard_works_on_aarch64(hard_wheels: Path, aarch64: Interpreter, tmp_path: Path) -> None:
    (wheel,) = hard_wheels.glob("*aarch64.whl")
    shutil.unpack_archive(wheel, tmp_path / "site", "zip")
    code = f"import sys; sys.path.insert(0, {str(tmp_path / 'site')!r})\n{ASKED}"
    assert aarch64.run(aarch64.python, "-c", code) == ANSWER


def test_all_that_is_hard_works_on_windows(hard_wheels: Path, on_windows: Callable[..., str]) -> None:
    (wheel,) = hard_wheels.glob("*win_amd64.whl")
    assert not [name for name in members(wheel) if name.endswith((".a", ".lib"))]
    said = on_windows(ASKED, wheel, debug="warn+heap")
    # Between the lines, and before them, wine talks of itself.
    assert re.sub(r"^[0-9a-f]{4}:(fixme|warn|err):.*\n", "", said, flags=re.MULTILINE).endswith(ANSWER)
    assert "heap" not in said


def test_a_dll_from_elsewhere_comes_along_and_is_found(
    builder: Builder, on_windows: Callable[..., str], tmp_path: Path
) -> None:
    """Found by the loader that stubs come with: that of the runtime does not look where repair puts them."""
    project = tmp_path / "project"
    shutil.copytree(EXAMPLE, project)
    (project / "deps").mkdir()
    (project / "deps/helper.c").write_text(
        "__declspec(dllexport) int helper(int x) { return x + 1; }\n", encoding="utf-8"
    )
    builder("toolchain", "--platform", "win_amd64", "-o", tmp_path / "toolchain")
    run(
        tmp_path / "toolchain/x86_64-windows-gnu-cc",
        "-shared",
        "-o",
        "helper.dll",
        "helper.c",
        "-Wl,--out-implib,helper.lib",
        cwd=project / "deps",
        env=builder.environment,
    )
    additions = {
        "CMakeLists.txt": """
            if(WIN32)
              target_link_libraries(my_ffi_extension PRIVATE ${CMAKE_SOURCE_DIR}/deps/helper.lib)
            endif()
            """,
        "pyproject.toml": """
            [tool.tvm-ffi-build.repair]
            lib-path = ["deps"]
            """,
        "src/extension.cc": """
            #ifdef _WIN32
            extern "C" int helper(int);
            #else
            static int helper(int x) { return x; }
            #endif
            static int64_t Helped(int64_t x) { return helper(x); }
            TVM_FFI_DLL_EXPORT_TYPED_FUNC(helped, Helped);
            """,
    }
    for name, text in additions.items():
        with (project / name).open("a", encoding="utf-8") as file:
            file.write(textwrap.dedent(text))
    builder("wheel", project, "-w", tmp_path / "out", "--platform", "win_amd64")
    (wheel,) = (tmp_path / "out").iterdir()
    assert any(re.fullmatch(r"my_ffi_extension\.libs/helper-\w+\.dll", name) for name in members(wheel))
    assert "\n42" in "\n" + on_windows("from my_ffi_extension._library import LIB\nprint(LIB.helped(41))", wheel)


def test_libraries_on_macos_find_each_other(hard_wheels: Path, tmp_path: Path) -> None:
    (wheel,) = hard_wheels.glob("*macosx*.whl")
    shutil.unpack_archive(wheel, tmp_path, "zip")
    (image,) = read_binary(tmp_path / "hard/libhard.dylib").images
    assert "@rpath/libhelper.dylib" in image.libraries
    assert set(image.run_paths) == {"@loader_path/../tvm_ffi/lib", "@loader_path"}
    for library in (tmp_path / "hard").glob("*.dylib"):
        assert signature_problem(library) is None
    (helper,) = read_binary(tmp_path / "hard/libhelper.dylib").images
    assert helper.name == "@rpath/libhelper.dylib"


# ---- Older systems --------------------------------------------------------------------------------------------------


def test_an_older_runtime_gives_wheels_for_older_systems(
    builder: Builder, package: Callable[[str], Path], tmp_path: Path
) -> None:
    builder(
        *command_line(
            "wheel {minimal} -w {out} --platform manylinux_2_17_x86_64 --runtime-version 0.1.12",
            minimal=package("minimal"),
            out=tmp_path / "out",
        )
    )
    (wheel,) = (tmp_path / "out").iterdir()
    assert wheel.name == "minimal-1.0-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl"
    assert '"manylinux_2_17_x86_64"' in run(sys.executable, "-m", "auditwheel", "show", wheel).stdout
    (metadata,) = [content for name, content in members(wheel).items() if name.endswith("METADATA")]
    assert b"Requires-Dist: apache-tvm-ffi<0.2,>=0.1.12\n" in metadata


def test_it_runs_on_the_oldest_debian_that_can_be_had(
    builder: Builder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With glibc 2.31 and Python 3.9, and a runtime that is for 2.17 as well."""
    shutil.copytree(EXAMPLE, tmp_path / "example")
    builder(
        *command_line(
            "wheel {example} -w {out} --platform manylinux_2_17_x86_64 --runtime-version 0.1.12",
            example=tmp_path / "example",
            out=tmp_path / "out",
        )
    )
    (wheel,) = (tmp_path / "out").iterdir()
    monkeypatch.setattr(interpreters, "_here", lambda _: [])
    bullseye = find_interpreter("3.9", tmp_path / "bullseye")
    assert bullseye.root != Path("/")
    assert "2.31" in bullseye.run("/usr/bin/python3.9", "-c", "import platform; print(platform.libc_ver())")
    # Its pip is another package's.
    platform = ("--python-version", "3.9", "--python-platform", "x86_64-manylinux_2_31", "--only-binary", ":all:")
    install_to(bullseye.folder / "site", *platform, wheel, "numpy", "pytest")
    shutil.copytree(EXAMPLE / "tests", bullseye.folder / "tests")
    code = "import sys; sys.path.insert(0, 'site'); import pytest; sys.exit(pytest.main(['-q', 'tests']))"
    assert "11 passed" in bullseye.run("/usr/bin/python3.9", "-c", code)


def test_without_a_network_as_the_page_has_it(builder: Builder, environment: Environment, tmp_path: Path) -> None:
    """In an environment that has this package, and what the page puts into it."""
    page = (ROOT / "docs/how-to/cross-build.md").read_text(encoding="utf-8")
    section = page.partition("\n## Without a network\n")[2].partition("\n## ")[0]
    prepared, typed = re.findall(r"^```console\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    environment.install(f"{ROOT}[cross]")
    # In another place zig would build its libraries anew.
    shutil.rmtree(environment.site_packages / "ziglang")
    (environment.site_packages / "ziglang").symlink_to(find_zig().program.parent)
    shutil.copytree(EXAMPLE, tmp_path / "project")
    path = f"{environment.path / 'bin'}{os.pathsep}/usr/bin{os.pathsep}/bin"
    # Nothing is in the cache of runtimes.
    variables = {**builder.environment, "PATH": path, "XDG_CACHE_HOME": str(tmp_path / "cache")}
    run("sh", "-ec", prepared, cwd=tmp_path / "project", env=variables)
    alone = ["unshare", "--net"] if os.getuid() == 0 else ["unshare", "--map-root-user", "--net"]
    run(*alone, "sh", "-ec", typed, cwd=tmp_path / "project", env=variables)
    (wheel,) = (tmp_path / "project/dist").iterdir()
    assert wheel.name == "my_ffi_extension-0.1.0-py3-none-win_amd64.whl"


# ---- What goes wrong ------------------------------------------------------------------------------------------------


def test_one_that_fails_leaves_the_others_alone(
    builder: Builder, package: Callable[[str], Path], tmp_path: Path
) -> None:
    source = package("c_only")
    with (source / "kernel.c").open("a", encoding="utf-8") as file:
        file.write('#ifdef _WIN32\n#error "not on Windows"\n#endif\n')
    words = ("wheel", source, "-w", tmp_path / "out", "--platform", "win_amd64", "--platform", "native", "--json")
    done = builder(*words, "--keep-going", ok=False)
    assert done.returncode == 3
    rows = json.loads(done.stdout)["wheels"]
    assert [(row["platform"], bool(row["path"])) for row in rows] == [("native", True), ("win_amd64", False)]
    assert "kernel.c" in rows[1]["error"]
    assert "error: 1 of 2 wheels were not built: win_amd64" in done.stderr.splitlines()[-1]
    assert [path.name.endswith("_x86_64.whl") for path in (tmp_path / "out").iterdir()] == [True]


@pytest.mark.parametrize("step", ["native: Building", "win_amd64: Configuring", "win_amd64: Repairing"])
def test_killed_it_leaves_no_half_a_wheel_and_the_next_run_goes_through(
    builder: Builder, package: Callable[[str], Path], tmp_path: Path, step: str
) -> None:
    """While what it has started may still run."""
    words = ("wheel", str(package("c_only")), "-w", str(tmp_path / "out"), "--platform", "win_amd64")
    command = [sys.executable, "-m", "tvm_ffi_build", *words]
    with subprocess.Popen(command, stderr=subprocess.PIPE, encoding="utf-8", env=builder.environment) as process:
        assert process.stderr is not None
        assert any(line.startswith(f"* {step}") for line in process.stderr)
        process.kill()
    assert not list((tmp_path / "out").glob("*.whl"))
    builder(*words)
    (made,) = (tmp_path / "out").glob("*.whl")
    with open_wheel(made) as wheel:
        wheel.verify()


def test_a_build_that_runs_what_it_builds(builder: Builder, package: Callable[[str], Path], tmp_path: Path) -> None:
    source = package("c_only")
    (source / "main.c").write_text("int main(void) { return 0; }\n", encoding="utf-8")
    with (source / "CMakeLists.txt").open("a", encoding="utf-8") as file:
        file.write(
            "add_executable(program main.c)\n"
            "add_custom_command(TARGET c_only POST_BUILD COMMAND $<TARGET_FILE:program>)\n"
            "add_dependencies(c_only program)\n"
        )
    done = builder("wheel", source, "-w", tmp_path / "out", "--platform", "macosx_11_0_arm64", ok=False)
    assert done.returncode == 3
    assert "the build runs a program that it has made for that platform" in done.stderr
    assert not any((tmp_path / "out").glob("*")) or not (tmp_path / "out").exists()


def test_the_extra_cxx_api_on_windows(builder: Builder, package: Callable[[str], Path], tmp_path: Path) -> None:
    source = package("minimal")
    with (source / "extension.cc").open("a", encoding="utf-8") as file:
        file.write(
            "#include <tvm/ffi/extra/json.h>\n"
            "static tvm::ffi::Any P(tvm::ffi::String s) { return tvm::ffi::json::Parse(s); }\n"
            "TVM_FFI_DLL_EXPORT_TYPED_FUNC(parse, P);\n"
        )
    done = builder("wheel", source, "-w", tmp_path / "out", "--platform", "win_amd64", ok=False)
    assert done.returncode == 3
    last = last_error(done.stderr)
    assert "undefined symbol: " in last
    assert "tvm_ffi.dll has tvm::ffi::json::Parse under the name of Microsoft's compiler" in last
