"""Other platforms, without building for them: which are meant, what the compiler is told, what stops a build first."""

from __future__ import annotations

import argparse
import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from scikit_build_core.settings.skbuild_read_settings import SettingsReader
from support.errors import read_error
from support.processes import command_line, run
from support.project import ROOT

from tvm_ffi_build.cross import command
from tvm_ffi_build.cross.build_folder import BuildFolder
from tvm_ffi_build.cross.compiler.hide_symbols import hide_symbols
from tvm_ffi_build.cross.compiler.script import HEADERS, LIBRARIES, compiler_script
from tvm_ffi_build.cross.compiler.toolchain import TOOLCHAIN, cached_toolchain, toolchain_files, write_toolchain
from tvm_ffi_build.cross.compiler.zig import Zig, find_zig
from tvm_ffi_build.cross.failure_causes import explain_failure
from tvm_ffi_build.cross.platform_choice import choose_platforms
from tvm_ffi_build.cross.request import for_target, require_crossable
from tvm_ffi_build.cross.runtimes import fetch_runtime, require_available
from tvm_ffi_build.cross.targets import parse_target, parse_version
from tvm_ffi_build.errors import BuildError, MissingToolError, PlatformError, ProjectError
from tvm_ffi_build.frontend.failure_cause import find_cause
from tvm_ffi_build.frontend.run_frontend import BuildRequest
from tvm_ffi_build.runtime import find_runtime

if TYPE_CHECKING:
    from collections.abc import Callable

    from tvm_ffi_build.cross.targets import Target
    from tvm_ffi_build.runtime import Runtime

VERSION = "0.1.15.post2"
AARCH64 = parse_target("manylinux_2_28_aarch64")
MACOS = parse_target("macosx_11_0_arm64")
WINDOWS = parse_target("win_amd64")


@pytest.fixture(autouse=True)
def _on_x86_64(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")


@pytest.mark.parametrize(
    ("tag", "triple", "built", "cmake"),
    [
        ("manylinux_2_17_x86_64", "x86_64-linux-gnu.2.17", "linux_x86_64", "Linux x86_64"),
        ("manylinux2014_x86_64", "x86_64-linux-gnu.2.17", "linux_x86_64", "Linux x86_64"),
        ("manylinux_2_28_aarch64", "aarch64-linux-gnu.2.28", "linux_aarch64", "Linux aarch64"),
        ("macosx_11_0_arm64", "aarch64-macos.11.0", "macosx_11_0_arm64", "Darwin arm64"),
        ("macosx_10_15_x86_64", "x86_64-macos.10.15", "macosx_10_15_x86_64", "Darwin x86_64"),
        ("win_amd64", "x86_64-windows-gnu", "win_amd64", "Windows AMD64"),
        ("win_arm64", "aarch64-windows-gnu", "win_arm64", "Windows ARM64"),
        ("WIN_AMD64", "x86_64-windows-gnu", "win_amd64", "Windows AMD64"),
    ],
)
def test_what_a_tag_is_to_others(tag: str, triple: str, built: str, cmake: str) -> None:
    target = parse_target(tag)
    assert target.triple == triple
    assert target.built_tag == built
    assert f"{target.cmake_system} {target.cmake_processor}" == cmake
    assert parse_target(target.tag) == target


@pytest.mark.parametrize(
    ("tag", "message"),
    [
        ("win_amd46", "'win_amd46' is not a platform .*; did you mean win_amd64 or win_arm64"),
        ("manylinux_2_17_x86", "did you mean manylinux_2_28_x86_64"),
        ("macos_11_0_arm64", "did you mean macosx_11_0_arm64"),
        ("linux_x86_64", "did you mean manylinux_2_28_x86_64"),
        ("win32", "is not a platform that wheels can be built for"),
        ("", "is not a platform that wheels can be built for"),
        ("nativ", "did you mean native"),
        ("musllinux_1_2_x86_64", "apache-tvm-ffi, which every wheel needs, has no wheels for musl"),
        ("manylinux_3_1_x86_64", r"unknown version: glibc 3\.1"),
        ("macosx_12_3_arm64", "from macOS 11 on, .* write macosx_12_0 or macosx_13_0"),
    ],
)
def test_what_is_no_platform(tag: str, message: str) -> None:
    with pytest.raises(PlatformError, match=message):
        choose_platforms([tag], VERSION)


def test_versions_of_options() -> None:
    assert parse_version("2_28") == parse_version("2.28") == (2, 28)
    for text in ("new", "2_28_1", "", "2_", "99999_1"):
        with pytest.raises(PlatformError, match="is not a version; use the form of tags"):
            parse_version(text)


def names(words: list[str], version: str = VERSION, **options: tuple[int, int]) -> list[str]:
    return [target.tag if target else "native" for target in choose_platforms(words, version, **options).platforms]


def test_all_are_those_of_the_runtime_that_of_this_machine_first() -> None:
    assert names(["all"]) == [
        "manylinux_2_24_x86_64",
        "macosx_11_0_arm64",
        "manylinux_2_24_aarch64",
        "win_amd64",
        "win_arm64",
    ]
    assert names(["all"], "0.1.12") == [
        "manylinux_2_17_x86_64",
        "macosx_11_0_arm64",
        "manylinux_2_17_aarch64",
        "win_amd64",
    ]
    # However the release is spelled.
    assert names(["all"], "v0.1.12") == names(["all"], "0.1.12")
    assert choose_platforms(["all"], "0.1.8-post0").version == "0.1.8.post0"
    # Of a release that came later nobody here knows more than of the newest.
    assert names(["all"], "0.1.99") == names(["all"])
    assert "manylinux_2_28_aarch64" in names(["all"], manylinux=(2, 28), macos=(12, 0))
    assert "macosx_12_0_arm64" in names(["all"], manylinux=(2, 28), macos=(12, 0))


def test_each_platform_once_in_the_order_asked_for() -> None:
    assert names(["win_amd64", "native", "all", "win_amd64"])[:2] == ["win_amd64", "native"]
    assert len(names(["all", "all"])) == 5


def test_what_can_be_loaded_here_leads() -> None:
    assert choose_platforms(["win_amd64"], VERSION).leader is None
    leader = choose_platforms(["win_amd64", "manylinux_2_24_x86_64"], VERSION).leader
    assert leader is not None
    assert leader.tag == "manylinux_2_24_x86_64"


@pytest.mark.parametrize(
    ("tag", "version", "message"),
    [
        (
            "manylinux_2_17_x86_64",
            VERSION,
            (
                r"are for manylinux_2_24_x86_64 and newer, .*; "
                r"write manylinux_2_24_x86_64, or add --runtime-version 0\.1\.12$"
            ),
        ),
        ("macosx_10_15_x86_64", VERSION, r"no release of apache-tvm-ffi has a wheel for it, .*macosx_11_0_arm64"),
        ("macosx_10_15_arm64", VERSION, "are for macosx_11_0_arm64 and newer, .*; write macosx_11_0_arm64$"),
        ("win_arm64", "0.1.12", r"0\.1\.12 has no wheel for it; 0\.1\.15\.post2 has: add --runtime-version 0\.1\.15"),
        ("win_amd64", "0.1.2", r"0\.1\.2 is too old to build against; name 0\.1\.8\.post0 or newer"),
        ("win_amd64", "newest", "--runtime-version 'newest' is not a version"),
    ],
)
def test_what_the_runtime_is_not_there_for(tag: str, version: str, message: str) -> None:
    with pytest.raises(PlatformError, match=message):
        choose_platforms([tag], version)


def test_a_toolchain_is_for_a_release_that_can_be_built_against(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Which may be spelled as people do, and is checked before it is fetched."""
    fetched: list[str] = []

    def fetch(_target: Target, version: str, *_: object) -> Runtime:
        fetched.append(version)
        return find_runtime()

    monkeypatch.setattr(command, "fetch_runtime", fetch)
    parser = argparse.ArgumentParser()
    parser.set_defaults(verbosity=0, color="auto")
    command.populate_parser(parser)

    def toolchain(version: str) -> None:
        args = parser.parse_args(["--platform", "win_amd64", "-o", str(tmp_path), "--runtime-version", version])
        args.command(args)

    toolchain("v0.1.12")
    assert fetched == ["0.1.12"]
    assert capsys.readouterr().out == f"{tmp_path / TOOLCHAIN}\n"
    for version, said in (("0.1.2", "too old to build against"), ("newest", "is not a version; write one such as")):
        with pytest.raises(PlatformError, match=said):
            toolchain(version)
    assert fetched == ["0.1.12"]


def test_a_glibc_that_zig_does_not_know() -> None:
    zig = find_zig()
    assert zig.glibc_versions()[0] < (2, 17) < zig.glibc_versions()[-1]
    require_available(parse_target("manylinux_2_99_x86_64"), VERSION)
    with pytest.raises(
        PlatformError, match=r"manylinux_2_99_x86_64: zig \S+ knows glibc up to 2\.\d+; name an older one"
    ):
        zig.require(parse_target("manylinux_2_99_x86_64"))


# ---- The front ends: sh, before a zig that says what it is told ---------------------------------------------------


@pytest.fixture
def told(tmp_path: Path) -> Callable[..., str]:
    """Return a function that gives what zig is told where a compiler is told something."""
    zig = tmp_path / "zig"
    zig.write_text('#!/bin/sh\necho "$*"\n', encoding="utf-8")
    zig.chmod(0o755)

    def call(target: Target, *words: str, ok: bool = True) -> str:
        script = tmp_path / "compiler"
        script.write_text(compiler_script("c++", target, Zig(zig, "1"), ["-include", "a header.h"]), encoding="utf-8")
        done = run("sh", script, *words, ok=ok)
        prefix = f"c++ -target {target.triple} -include a header.h "
        return done.stdout.rstrip("\n").removeprefix(prefix) if ok else done.stderr

    return call


def test_a_compilation_is_left_alone(told: Callable[..., str]) -> None:
    for target in (AARCH64, MACOS, WINDOWS):
        assert told(target, "-g", "-O0", "-DX=a b", "-o", "x.o", "-c", "x.cc") == "-g -O0 -DX=a b -o x.o -c x.cc"


def test_a_link_is_optimised_and_stripped_unless_it_is_to_be_debugged(told: Callable[..., str]) -> None:
    """In one way, for which zig's libraries are there; so that way is the last word."""
    assert told(WINDOWS, "x.o") == "x.o -O2 -s"
    assert told(WINDOWS, "-O3", "x.o") == "-O3 x.o -O2 -s"
    assert told(WINDOWS, "-O0", "-g", "x.o") == "-O0 -g x.o -O2"


def test_what_it_compiles_as_well_is_optimised_as_it_says(told: Callable[..., str]) -> None:
    assert told(WINDOWS, "-Os", "x.cc") == "-Os x.cc -s"
    assert told(WINDOWS, "x.cc") == "x.cc -O2 -s"
    assert told(AARCH64, "-O3", "-flto=auto", "x.o") == "-O3 -flto=auto x.o -s"


@pytest.mark.parametrize("words", [("-c", "x.cc"), ("x.o",)])
def test_the_whole_program_is_looked_at_on_linux_alone(told: Callable[..., str], words: tuple[str, ...]) -> None:
    for target in (WINDOWS, MACOS):
        assert "lto" not in told(target, "-O3", "-flto", "-flto=thin", *words)
    assert "-flto=thin" in told(AARCH64, "-O3", "-flto=thin", *words)


def test_libraries_for_linux_bind_inside(told: Callable[..., str]) -> None:
    assert told(AARCH64, "-shared", "x.o") == "-shared x.o -O2 -s -Wl,-Bsymbolic"
    assert "-Bsymbolic" not in told(AARCH64, "x.o")


def test_words_that_linkers_do_not_know_are_dropped(told: Callable[..., str]) -> None:
    given = "-Xlinker --exclude-libs -Xlinker ALL -Xlinker --version-script=a,b -Wl,--exclude-libs,ALL"
    assert told(AARCH64, *given.split()) == "-Xlinker --version-script=a,b -O2 -s"
    given = "-Wl,--out-implib,x.dll.a -Wl,--major-image-version,0,--minor-image-version,0 -Wl,--enable-auto-import"
    assert told(WINDOWS, *given.split()) == "-Wl,--out-implib,x.dll.a -O2 -s"


def test_libraries_of_windows_are_found_in_any_case(told: Callable[..., str]) -> None:
    assert told(WINDOWS, "-lWs2_32", "-lkernel32") == "-lws2_32 -lkernel32 -O2 -s"
    assert told(AARCH64, "-lMine") == "-lMine -O2 -s"


@pytest.mark.parametrize(
    "words",
    [
        *(
            f"{option}{blank}{folder}"
            for option in ("-I", "-iquote", "-isystem", "-idirafter")
            for blank in ("", " ")
            for folder in ("/usr/include", "/usr/local/include/x")
        ),
        *(f"-L{blank}{folder}" for blank in ("", " ") for folder in (*LIBRARIES, "/usr/lib/x86_64-linux-gnu")),
        *(f"{folder}/{name}" for folder in LIBRARIES for name in ("libz.a", "libz.so", "x86_64-linux-gnu/libz.so.1")),
    ],
)
def test_what_is_of_this_machine_is_refused(told: Callable[..., str], words: str) -> None:
    given = ["-isystem", "include", "-c", *words.split(), "x.cc"]
    said = told(AARCH64, *given, ok=False)
    assert said == (
        f"tvm-ffi-build: error: {words} is of this machine, and this is for manylinux_2_28_aarch64; take it out of the "
        "project's CMake for cross builds\n"
    )
    assert "of this machine" in find_cause([said.rstrip("\n")]).what
    # For itself it may be used.
    assert told(parse_target("manylinux_2_28_x86_64"), *given) == " ".join(given)


@pytest.mark.parametrize(
    "words",
    [
        "--sysroot=/usr/lib/sysroot -isysroot /usr/include",
        "--sysroot /usr/local/lib -iwithsysroot /usr/include",
        "-I include -I /home/me/usr/include -isystem /usr/include2 -L /usr/libx -L deps /opt/usr/lib/libz.a",
        "-isystem /usr/lib/python3/dist-packages/numpy/include",
        "-Wl,-rpath,/usr/lib -Xlinker -rpath -Xlinker /usr/lib/x.so",
        "-MF /usr/include/x.d -D X=/usr/include -include /usr/include/x.h",
        # The folder belongs to the option right before it alone.
        "-I include /usr/include",
    ],
)
def test_what_only_looks_so_is_left_alone(told: Callable[..., str], words: str) -> None:
    for target in (AARCH64, MACOS, WINDOWS):
        assert told(target, *words.split(), "-c", "x.cc") == f"{words} -c x.cc"


def test_the_folders_that_are_refused_are_those_of_the_page() -> None:
    page = (ROOT / "docs/reference/cross.md").read_text(encoding="utf-8")
    (paragraph,) = [text for text in page.split("\n\n") if text.startswith("These directories belong to this machine")]
    assert re.findall(r"`(/\S*)`", paragraph) == [*HEADERS, *LIBRARIES]


# ---- Lists of exports for Mach-O ----------------------------------------------------------------------------------

SOURCE = """
int imported(void);
int kept_one(void) { return imported(); }
int other(void) { return 2; }
int common;
"""


def exported(path: Path) -> set[str]:
    listed = run("llvm-nm" if shutil.which("llvm-nm") else "llvm-nm-14", "--extern-only", "--format=posix", path).stdout
    return {line.split()[0] for line in listed.splitlines() if " U" not in line and line.startswith("_")}


@pytest.mark.parametrize("kind", ["object", "archive"])
def test_all_but_some_symbols_become_private(tmp_path: Path, kind: str, installed: Callable[..., str]) -> None:
    installed(lambda: shutil.which("llvm-nm") or shutil.which("llvm-nm-14"), "llvm")
    (tmp_path / "x.c").write_text(SOURCE, encoding="utf-8")
    zig = (sys.executable, "-m", "ziglang")
    path = tmp_path / "x.o"
    run(*zig, "cc", "-target", MACOS.triple, "-fcommon", "-c", tmp_path / "x.c", "-o", path)
    if kind == "archive":
        shutil.copy(path, tmp_path / "an object with a rather long name.o")
        run(*zig, "ar", "qc", tmp_path / "x.a", path, tmp_path / "an object with a rather long name.o")
        path = tmp_path / "x.a"
    assert exported(path) >= {"_kept_one", "_other", "_common"}
    data = bytearray(path.read_bytes())
    hide_symbols(data, ["_kept_*"])
    changed = sum(one != other for one, other in zip(data, path.read_bytes()))
    assert changed == (2 if kind == "object" else 4)
    hide_symbols(data, ["_kept_*"])
    path.write_bytes(data)
    said = run("llvm-nm" if shutil.which("llvm-nm") else "llvm-nm-14", "-m", path).stdout
    assert said.count("private external _other") == said.count("private external _common") == changed // 2
    assert said.count(" external _kept_one") == changed // 2
    assert "private external _kept" not in said


def test_what_is_no_mach_o_stays() -> None:
    for content in (b"", b"BC\xc0\xde bitcode", b"!<arch>\n", b"\x7fELF"):
        data = bytearray(content)
        hide_symbols(data, [])
        assert bytes(data) == content


# ---- The folder ---------------------------------------------------------------------------------------------------


def test_a_toolchain_is_made_once_and_kept(tmp_path: Path) -> None:
    zig = Zig(tmp_path / "zig", "1")
    first = cached_toolchain(AARCH64, zig, tmp_path)
    before = {path: path.stat().st_mtime_ns for path in first.parent.rglob("*")}
    assert cached_toolchain(AARCH64, zig, tmp_path) == first
    assert {path: path.stat().st_mtime_ns for path in first.parent.rglob("*")} == before
    assert cached_toolchain(AARCH64, Zig(tmp_path / "zig", "2"), tmp_path) != first
    assert cached_toolchain(parse_target("manylinux_2_17_aarch64"), zig, tmp_path) != first
    # In part, it is made again.
    first.unlink()
    assert cached_toolchain(AARCH64, zig, tmp_path) == first
    assert first.is_file()


def test_its_files_name_only_each_other(tmp_path: Path) -> None:
    for target in (AARCH64, MACOS, WINDOWS):
        files = toolchain_files(target, Zig(Path("/zig"), "1"), tmp_path, {})
        assert str(tmp_path) not in files[TOOLCHAIN]
        named = {name for name in files if f'/{name}"' in files[TOOLCHAIN]}
        assert named >= {"ar", "ranlib", "strip", f"{target.triple}-cc", f"{target.triple}-c++"}
    assert (
        "CMAKE_SYSTEM_NAME"
        not in toolchain_files(parse_target("manylinux_2_17_x86_64"), Zig(Path("/z"), "1"), tmp_path, {})[TOOLCHAIN]
    )


def test_the_scripts_can_be_run(tmp_path: Path) -> None:
    toolchain = write_toolchain(WINDOWS, find_zig(), tmp_path / "a folder", {"ANSWER": "4;2"})
    assert 'set(ANSWER [==[4;2]==] CACHE STRING "" FORCE)' in toolchain.read_text(encoding="utf-8")
    for name in ("strip", "ar", f"{WINDOWS.triple}-cc", f"{WINDOWS.triple}-c++"):
        subprocess.run(["sh", "-n", toolchain.parent / name], check=True)
    assert "LLVM" in run(toolchain.parent / "ar", "--version").stdout
    (tmp_path / "x.c").write_text("#include <Windows.h>\n#include <WinSock2.h>\nint f(void) { return MAX_PATH; }\n")
    run(toolchain.parent / f"{WINDOWS.triple}-cc", "-c", tmp_path / "x.c", "-o", tmp_path / "x.o")


# ---- What stops a build before it begins, and what is said of one that failed ---------------------------------------


def test_a_project_for_one_python_is_refused(package: Callable[[str], Path]) -> None:
    with pytest.raises(ProjectError, match=r"so its wheel is for the Python of this machine"):
        require_crossable(BuildRequest(package("mixed"), Path("out")))
    project = package("minimal")
    request = BuildRequest(project, Path("out"))
    path = project / "pyproject.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(f'{text}\n[tool.scikit-build]\nwheel.py-api = "cp312"\n', encoding="utf-8")
    with pytest.raises(ProjectError, match=r"wheel\.py-api of .* is 'cp312', so its wheel"):
        require_crossable(request)
    path.write_text(text.replace("tvm-ffi-build", "other"), encoding="utf-8")
    with pytest.raises(ProjectError, match="does not ask for tvm-ffi-build"):
        require_crossable(request)
    path.write_text(text.replace("scikit_build_core.build", "mesonpy"), encoding="utf-8")
    with pytest.raises(ProjectError, match="mesonpy, which builds only for this machine; build it on each platform"):
        require_crossable(request)


def test_the_last_word_on_the_tag_is_that_of_scikit_build_core(
    package: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The environment's, then the command line's, then the project's."""
    project = package("minimal")

    def asked(*settings: str) -> BuildRequest:
        return BuildRequest(project, Path("out"), config_settings=settings)

    for key in ("wheel.py-api", "skbuild.wheel.py-api"):
        for value in ("cp312", ""):
            with pytest.raises(ProjectError, match=rf"wheel\.py-api of .* is '{value}', so its wheel"):
                require_crossable(asked("logging.level=INFO", f"{key}={value}"))
    with (project / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write('\n[tool.scikit-build]\nwheel.py-api = "cp312"\n')
    require_crossable(asked("wheel.py-api=py3"))
    monkeypatch.setenv("SKBUILD_WHEEL_PY_API", "py2.py3")
    require_crossable(asked("wheel.py-api=cp312"))


@pytest.mark.parametrize(
    ("variable", "settings", "excluded"),
    [
        ("", {}, "a.txt"),
        ("", {"wheel.exclude": ["b.txt"]}, "b.txt"),
        ("", {"wheel.exclude": ["b.txt", "c.txt"]}, "b.txt;c.txt"),
        ("", {"wheel.exclude": ["b.txt"], "skbuild.wheel.exclude": ["c.txt"]}, "c.txt"),
        ("", {"wheel.exclude": [""]}, ""),
        ("d.txt;e.txt", {"wheel.exclude": ["b.txt"]}, "d.txt;e.txt"),
    ],
)
def test_what_is_left_out_for_all_platforms_is_left_out_for_windows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, settings: dict[str, list[str]], excluded: str
) -> None:
    """Besides import libraries, and by scikit-build-core's own account of what that is."""
    path = tmp_path / "pyproject.toml"
    path.write_text('[tool.scikit-build]\nwheel.exclude = ["a.txt"]\n', encoding="utf-8")
    monkeypatch.setenv("SKBUILD_WHEEL_EXCLUDE", variable)
    # A setting that is given twice reaches the backend as a list.
    passed = {key: values[0] if len(values) == 1 else values for key, values in settings.items()}
    known = SettingsReader.from_file(path, passed).settings.wheel.exclude
    assert list(filter(None, known)) == list(filter(None, excluded.split(";")))
    given = tuple(f"{key}={value}" for key, values in settings.items() for value in values)
    request = BuildRequest(tmp_path, tmp_path, config_settings=given)
    told = for_target(request, WINDOWS, find_runtime(), tmp_path / TOOLCHAIN, BuildFolder(tmp_path / "new", ()))
    assert told.environment["SKBUILD_WHEEL_EXCLUDE"] == ";".join(filter(None, (excluded, "**/*.dll.a")))


def test_what_the_build_is_told(package: Callable[[str], Path], tmp_path: Path) -> None:
    source = package("minimal")
    with (source / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write('\n[tool.scikit-build]\nwheel.exclude = ["*.txt"]\nbuild-dir = "build"\n')
    folder = BuildFolder(tmp_path / "new", (3,))
    request = for_target(BuildRequest(source, tmp_path), WINDOWS, find_runtime(), tmp_path / TOOLCHAIN, folder)
    assert request.held == (3,)
    assert request.platform == "win_amd64"
    assert request.environment == {
        "TVM_FFI_RUNTIME": str(find_runtime().package.parent),
        "SKBUILD_CMAKE_TOOLCHAIN_FILE": str(tmp_path / TOOLCHAIN),
        "SKBUILD_WHEEL_TAGS": "py3-none-win_amd64",
        "SKBUILD_BUILD_DIR": str(tmp_path / "new"),
        "SKBUILD_WHEEL_EXCLUDE": "*.txt;**/*.dll.a",
    }


def test_hatchling_is_told_of_no_setting_at_which_it_stops(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[build-system]\nbuild-backend = "hatchling.build"\n', encoding="utf-8")
    request = BuildRequest(tmp_path, tmp_path)
    told = for_target(request, WINDOWS, find_runtime(), tmp_path / TOOLCHAIN, BuildFolder(tmp_path / "new", ()))
    assert "SKBUILD_WHEEL_EXCLUDE" not in told.environment


@pytest.mark.parametrize(
    ("target", "said", "hint"),
    [
        (
            WINDOWS,
            "error: undefined symbol: tvm::ffi::json::Parse(tvm::ffi::String const&)",
            "under the name of Micro",
        ),
        (AARCH64, "/bin/sh: 1: ./generate: Exec format error", "the build runs a program that it has made"),
        (AARCH64, "CMakeLists.txt:4: Failed to clone repository", "the project fetches sources"),
        (AARCH64, "try_run() invoked in cross-compiling mode, please set", "give them their values for that platform"),
    ],
)
def test_what_is_said_of_a_build_that_failed(target: Target, said: str, hint: str) -> None:
    assert hint in explain_failure(BuildError("it failed", output=said), target).remedy
    assert str(explain_failure(BuildError(said, output="else"), target)) == said


@pytest.mark.parametrize(
    ("module", "said"),
    [
        ("ziglang", "ziglang is not installed, which compiles for other platforms"),
        ("platformdirs", "platformdirs is not installed"),
        ("delvewheel", "delvewheel is not installed, which the repair of these wheels needs"),
    ],
)
def test_what_is_missing_is_missed_before_anything_is_built(
    package: Callable[[str], Path], tmp_path: Path, module: str, said: str
) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import importlib.util as util\nfind = util.find_spec\n"
        f"util.find_spec = lambda name, *more: None if name == {module!r} else find(name, *more)\n",
        encoding="utf-8",
    )
    done = run(
        *command_line(
            "{python} -m tvm_ffi_build wheel {minimal} -w {out} --platform win_amd64",
            python=sys.executable,
            minimal=package("minimal"),
            out=tmp_path / "out",
        ),
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        ok=False,
    )
    assert done.returncode == 4
    line = read_error(done.stderr)
    assert line.startswith(said)
    assert "-m pip install 'tvm-ffi-build[cross]'" in line
    assert not (tmp_path / "out").exists()


def test_a_missing_pip_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = f"{sys.executable}: No module named pip\n"
    monkeypatch.setattr(subprocess, "run", lambda words, **_: subprocess.CompletedProcess(words, 1, "", said))
    with pytest.raises(MissingToolError, match=r"^pip is not installed in .*; run: .* -m ensurepip$"):
        fetch_runtime(WINDOWS, "0.1.15.post2", tmp_path)
