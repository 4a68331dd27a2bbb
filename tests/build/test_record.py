"""What a build records: the runtime's version in each library, whatever is done to it, and a file in the wheel."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import zipfile
from typing import TYPE_CHECKING

import pytest
from support.commands import run_command
from support.processes import build_configured, run

from tvm_ffi_build import __version__
from tvm_ffi_build.binaries import read_binary
from tvm_ffi_build.config import source_dir
from tvm_ffi_build.contract.evidence.build_record import BuiltLibrary, read_record, recorded_runtime
from tvm_ffi_build.runtime import OLDEST_SUPPORTED, find_runtime

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

    from support.environments import Environment

    Configure = Callable[..., subprocess.CompletedProcess[str]]

VERSION = find_runtime().version
MEMBER = "my_ffi_extension-0.1.0.dist-info/tvm_ffi_build.json"
# Of every compiler that is used here; a library of C alone takes no time to build.
STRICT = "-Wall -Wextra -Wpedantic -Wmissing-declarations -Wunused -Werror"
C_LIBRARY = "add_library(lib SHARED lib.c)"


@pytest.fixture(autouse=True)
def _c_source(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "source/lib.c").write_text("int f(void);\nint f(void) { return 1; }\n", encoding="utf-8")
    (tmp_path / "source/lib.h").touch()
    (tmp_path / "source/plain.cc").write_text("int g();\nint g() { return 1; }\n", encoding="utf-8")


def notes(library: Path) -> list[str]:
    """Return the contents of the notes, as readelf finds them."""
    said = run("readelf", "-nW", library).stdout
    rows = re.findall(r"TVM-FFI +0x0*([0-9a-f]+)\tNT_VERSION \(version\)\t +description data: ([0-9a-f ]+)", said)
    contents = [bytes.fromhex(content) for _, content in rows]
    assert [len(content) for content in contents] == [int(size, 16) for size, _ in rows]
    return [content.decode().removesuffix("\0") for content in contents]


def linked_languages(tmp_path: Path, library: str) -> set[str]:
    """Return which compilers' rules make a library and its objects."""
    listed = run("ninja", "-C", tmp_path / "build", "-t", "query", library).stdout
    return set(re.findall(r"input: (\w+?)_(?:SHARED|MODULE|EXECUTABLE|STATIC)", listed))


def test_each_kind_of_target_has_it_once(configure: Configure, tmp_path: Path) -> None:
    (tmp_path / "source/main.c").write_text("int main(void) { return 0; }\n", encoding="utf-8")
    configure(
        "add_library(shared SHARED lib.c)",
        "add_library(module MODULE lib.c)",
        "add_library(archive STATIC lib.c)",
        "add_executable(program main.c)",
        "add_library(by-headers SHARED lib.c)",
        "foreach(target IN ITEMS shared module archive program)",
        "  tvm_ffi_configure_target(${target})",
        "endforeach()",
        "tvm_ffi_configure_target(by-headers LINK_SHARED OFF)",
        languages="C",
    )
    build_configured(tmp_path)
    for name in ("libshared.so", "libmodule.so", "program", "libby-headers.so"):
        assert notes(tmp_path / "build" / name) == [VERSION]
        assert recorded_runtime(tmp_path / "build" / name) == VERSION
    # Nothing takes a part out of an archive that nobody refers to; what links it as a whole has it.
    assert run("ar", "t", tmp_path / "build/libarchive.a").stdout.split() == ["lib.c.o", "archive_runtime.c.o"]


def test_a_library_in_parts_says_the_same_for_each(configure: Configure, tmp_path: Path) -> None:
    configure(
        "add_library(part OBJECT lib.c)",
        "add_library(archive STATIC lib.c)",
        "add_library(whole SHARED $<TARGET_OBJECTS:part>)",
        "add_library(untold SHARED $<TARGET_OBJECTS:part>)",
        "add_library(around SHARED plain.cc)",
        "target_link_libraries(around PRIVATE -Wl,--whole-archive archive -Wl,--no-whole-archive)",
        "foreach(target IN ITEMS part archive whole around)",
        "  tvm_ffi_configure_target(${target})",
        "endforeach()",
        languages="C CXX",
    )
    build_configured(tmp_path)
    for name, count in (("whole", 2), ("untold", 1), ("around", 2)):
        library = tmp_path / f"build/lib{name}.so"
        assert notes(library) == [VERSION] * count
        assert recorded_runtime(library) == VERSION


def test_no_symbol_comes_with_it(configure: Configure, tmp_path: Path) -> None:
    configure(
        C_LIBRARY,
        "set_target_properties(lib PROPERTIES C_VISIBILITY_PRESET default)",
        'tvm_ffi_configure_target(lib EXPORT "*")',
        languages="C",
    )
    build_configured(tmp_path)
    for table in (["-D"], []):
        names = run(
            "nm", *table, "--defined-only", "--format=just-symbols", tmp_path / "build/liblib.so"
        ).stdout.split()
        assert [name for name in names if "tvm" in name and not name.endswith(".c")] == []
        assert "f" in names


@pytest.mark.parametrize(
    ("languages", "sources", "options", "linker"),
    [
        ("C", "lib.c", "-std=c99", "C"),
        ("CXX", "plain.cc", "-std=c++17;-fno-rtti", "CXX"),
        # Options for one language alone, as people write them: the other's compiler would refuse them.
        ("C CXX", "plain.cc", "-std=c++17;-fno-rtti", "CXX"),
        ("C CXX", "lib.c", "-std=c99;-Wstrict-prototypes", "C"),
        ("C CXX", "lib.c;plain.cc", "", "CXX"),
        ("C CXX", "lib.c;lib.h", "-std=c99;-Wstrict-prototypes", "C"),
        ("C CXX", "$<TARGET_OBJECTS:part>", "", "C"),
        ("C CXX", "", "", "CXX"),
    ],
)
def test_it_is_of_the_languages_of_the_target_and_without_a_warning(
    configure: Configure, tmp_path: Path, languages: str, sources: str, options: str, linker: str
) -> None:
    configure(
        "add_library(part OBJECT lib.c)" if "part" in sources else "",
        "set_target_properties(part PROPERTIES POSITION_INDEPENDENT_CODE ON)" if "part" in sources else "",
        f'add_library(lib SHARED "{sources}")' if sources else "add_library(lib SHARED)",
        f'target_compile_options(lib PRIVATE "{options}")',
        "tvm_ffi_configure_target(lib)",
        "" if sources else "target_sources(lib PRIVATE plain.cc)",
        languages=languages,
        define={f"CMAKE_{language}_FLAGS": STRICT for language in languages.split()},
    )
    said = run("cmake", "--build", tmp_path / "build", "-v").stdout
    assert "warning" not in said
    assert notes(tmp_path / "build/liblib.so") == [VERSION]
    assert linked_languages(tmp_path, "liblib.so") == {linker}


def test_a_source_that_is_said_to_be_of_another_language(configure: Configure, tmp_path: Path) -> None:
    configure(
        "set_source_files_properties(lib.c PROPERTIES LANGUAGE CXX)",
        C_LIBRARY,
        "target_compile_options(lib PRIVATE -fno-rtti -Werror)",
        "tvm_ffi_configure_target(lib)",
        languages="C CXX",
    )
    build_configured(tmp_path)
    assert notes(tmp_path / "build/liblib.so") == [VERSION]


def test_a_target_of_another_folder(configure: Configure, tmp_path: Path) -> None:
    (tmp_path / "source/sub").mkdir()
    (tmp_path / "source/lib.c").rename(tmp_path / "source/sub/lib.c")
    (tmp_path / "source/sub/CMakeLists.txt").write_text(f"{C_LIBRARY}\n", encoding="utf-8")
    configure(
        "add_subdirectory(sub)",
        "target_compile_options(lib PRIVATE -std=c99 -Werror)",
        "set_target_properties(lib PROPERTIES UNITY_BUILD ON)",
        "tvm_ffi_configure_target(lib)",
        languages="C CXX",
    )
    build_configured(tmp_path)
    assert notes(tmp_path / "build/sub/liblib.so") == [VERSION]


def test_by_itself_in_unity_builds_with_precompiled_headers_and_linters(configure: Configure, tmp_path: Path) -> None:
    (tmp_path / "source/pre.h").write_text("#error not for the record\n", encoding="utf-8")
    configure(
        "add_library(lib SHARED plain.cc)",
        "set_target_properties(lib PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 0)",
        "tvm_ffi_configure_target(lib)",
        # Only the record is left to be compiled with them, which it is not.
        "target_precompile_headers(lib PRIVATE pre.h)",
        "set_target_properties(lib PROPERTIES CXX_CPPLINT false)",
        "set_source_files_properties(plain.cc PROPERTIES SKIP_PRECOMPILE_HEADERS ON SKIP_LINTING ON)",
    )
    commands = run("ninja", "-C", tmp_path / "build", "-t", "commands", "liblib.so").stdout.splitlines()
    (command,) = [line for line in commands if "lib_runtime.cc.o -c" in line]
    assert "pch" not in command
    assert "cpplint" not in command
    assert [line for line in commands if "unity_0_cxx.cxx.o -c" in line]


def test_nothing_is_built_again_for_nothing_and_all_for_another_runtime(
    configure: Configure, tmp_path: Path, oldest_runtime: Path
) -> None:
    lines = (C_LIBRARY, "tvm_ffi_configure_target(lib LINK_SHARED OFF)")
    configure(*lines, languages="C")
    build_configured(tmp_path)
    library = tmp_path / "build/liblib.so"
    before = library.stat().st_mtime_ns
    configure(*lines, languages="C")
    build_configured(tmp_path)
    assert library.stat().st_mtime_ns == before
    configure(*lines, languages="C", define={"TVM_FFI_RUNTIME": str(oldest_runtime)})
    build_configured(tmp_path)
    assert recorded_runtime(library) == OLDEST_SUPPORTED


def test_the_version_of_a_runtime_that_is_built_from_source(
    configure: Configure, tmp_path: Path, oldest_runtime: Path
) -> None:
    """Of the distribution: the headers of this one say 0.1.9."""
    configure(
        C_LIBRARY,
        "tvm_ffi_configure_target(lib LINK_SHARED OFF)",
        languages="C",
        find=f'add_subdirectory("{source_dir()}" tvm_ffi)',
        define={"TVM_FFI_RUNTIME": str(oldest_runtime)},
    )
    build_configured(tmp_path)
    assert notes(tmp_path / "build/liblib.so") == ["0.1.8.post0"]


def collected(library: Path) -> None:
    """Do nothing more: the linker has removed what nobody refers to."""
    assert ".text.unused" not in run("readelf", "-SW", library).stdout
    assert "unused" not in run("nm", library).stdout


def stripped(library: Path) -> None:
    run("strip", "--strip-all", library)
    assert ".symtab" not in run("readelf", "-SW", library).stdout


def patched(library: Path) -> None:
    """Make it grow, so that parts of it have to move."""
    run("patchelf", "--set-rpath", "/".join(["$ORIGIN/a/long/path/to/somewhere"] * 200), library)
    run("patchelf", "--add-needed", "libm.so.6", "--set-soname", "libanother.so", library)
    assert "libm.so.6" in run("readelf", "-dW", library).stdout


def copied(library: Path) -> None:
    run("objcopy", "--strip-unneeded", "--remove-section=.comment", library)


def patched_and_stripped(library: Path) -> None:
    patched(library)
    stripped(library)
    patched(library)


@pytest.mark.parametrize("optimised", [False, True])
def test_it_stays_whatever_is_done_to_the_library(configure: Configure, tmp_path: Path, optimised: bool) -> None:
    with (tmp_path / "source/lib.c").open("a", encoding="utf-8") as file:
        file.write('int unused(void);\nint __attribute__((visibility("hidden"))) unused(void) { return 2; }\n')
    configure(
        C_LIBRARY,
        "tvm_ffi_configure_target(lib EXPORT f)",
        "set_target_properties(lib PROPERTIES C_VISIBILITY_PRESET default)",
        "target_compile_options(lib PRIVATE -O2 -g -ffunction-sections -fdata-sections)",
        "target_link_options(lib PRIVATE -Wl,--gc-sections)",
        f"set_target_properties(lib PROPERTIES INTERPROCEDURAL_OPTIMIZATION {optimised})",
        languages="C",
        define={"CMAKE_POLICY_DEFAULT_CMP0069": "NEW"},
    )
    build_configured(tmp_path)
    assert ("-flto" in run("ninja", "-C", tmp_path / "build", "-t", "commands").stdout) == optimised
    for treatment in (stripped, patched, copied, patched_and_stripped, collected):
        library = tmp_path / treatment.__name__ / "liblib.so"
        library.parent.mkdir()
        shutil.copy(tmp_path / "build/liblib.so", library)
        treatment(library)
        assert notes(library) == [VERSION], treatment
        assert recorded_runtime(library) == VERSION, treatment
        run(sys.executable, "-c", f"import ctypes; assert ctypes.CDLL({str(library)!r}).f() == 1")


def members(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_the_examples_wheel_says_how_it_was_built(example_wheel: Path) -> None:
    content = members(example_wheel)
    record = read_record(content[MEMBER])
    assert record.runtime == VERSION
    assert record.tvm_ffi_build == __version__
    assert re.fullmatch(r"\d+\.\d+\.\d+", record.cmake)
    assert record.compilers["CXX"].id == "GNU"
    assert record.compilers["CXX"].version in run("c++", "--version").stdout
    assert record.libraries == (BuiltLibrary("libmy_ffi_extension.so", "prebuilt"),)
    assert recorded_runtime(content["my_ffi_extension/libmy_ffi_extension.so"]) == VERSION


def test_repair_keeps_both(example_wheel: Path, tmp_path: Path) -> None:
    run_command("repair", "--strip", example_wheel, "-w", tmp_path / "out", ok=True)
    (made,) = (tmp_path / "out").iterdir()
    content = members(made)
    assert content[MEMBER] == members(example_wheel)[MEMBER]
    assert recorded_runtime(content["my_ffi_extension/libmy_ffi_extension.so"]) == VERSION


def test_a_wheel_of_c_and_headers_alone(package: Callable[[str], Path], tmp_path: Path) -> None:
    run_command("wheel", "--no-isolation", package("c_only"), "-w", tmp_path / "out", ok=True)
    (wheel,) = (tmp_path / "out").iterdir()
    content = members(wheel)
    (name,) = [name for name in content if name.endswith(".dist-info/tvm_ffi_build.json")]
    record = read_record(content[name])
    assert set(record.compilers) == {"C"}
    assert record.libraries == (BuiltLibrary("libc_only.so", "header"),)
    assert recorded_runtime(content["c_only/libc_only.so"]) == VERSION


@pytest.fixture
def recorded(tmp_path: Path) -> Callable[..., str]:
    """Return a function that installs what was configured for a wheel, and gives its record."""

    def install(*arguments: str, cmake: str = "cmake") -> str:
        run(cmake, "--install", tmp_path / "build", "--prefix", tmp_path / "prefix", *arguments)
        (record,) = (tmp_path / "metadata").iterdir()
        assert record.name == "tvm_ffi_build.json"
        assert str(tmp_path) not in record.read_text(encoding="utf-8")
        return record.read_text(encoding="utf-8")

    return install


@pytest.fixture
def for_wheel(tmp_path: Path) -> dict[str, str]:
    """Return what scikit-build-core defines."""
    return {"SKBUILD_STATE": "wheel", "SKBUILD_METADATA_DIR": str(tmp_path / "metadata")}


def test_the_record_names_the_libraries_of_all_folders(
    configure: Configure, tmp_path: Path, recorded: Callable[..., str], for_wheel: dict[str, str]
) -> None:
    for name in ("first", "second"):
        (tmp_path / "source" / name).mkdir()
        (tmp_path / "source" / name / "CMakeLists.txt").write_text(
            f"add_library({name} MODULE ../lib.c)\ntvm_ffi_configure_target({name} LINK_SHARED OFF)\n", encoding="utf-8"
        )
    configure(
        # What this folder installs is left out.
        "add_subdirectory(first EXCLUDE_FROM_ALL)",
        "add_subdirectory(second)",
        C_LIBRARY,
        "set_target_properties(lib PROPERTIES OUTPUT_NAME third)",
        "tvm_ffi_configure_target(lib)",
        "add_library(part OBJECT lib.c)",
        "tvm_ffi_configure_target(part)",
        languages="C CXX",
        define=for_wheel,
    )
    build_configured(tmp_path)
    text = recorded()
    record = json.loads(text)
    assert list(record) == ["schema", "runtime", "tvm-ffi-build", "cmake", "compilers", "libraries"]
    assert record["schema"] == 1
    assert list(record["compilers"]) == ["C", "CXX"]
    assert record["libraries"] == [
        {"name": "libfirst.so", "link": "header"},
        {"name": "libsecond.so", "link": "header"},
        {"name": "libthird.so", "link": "prebuilt"},
    ]


@pytest.mark.parametrize("arguments", [[], ["--config", "Release"], ["--component", "runtime"]])
def test_the_record_is_installed_with_any_component_and_configuration(
    configure: Configure, tmp_path: Path, recorded: Callable[..., str], for_wheel: dict[str, str], arguments: list[str]
) -> None:
    configure(C_LIBRARY, "tvm_ffi_configure_target(lib)", languages="C", define=for_wheel)
    build_configured(tmp_path)
    assert read_record(recorded(*arguments).encode()).libraries == (BuiltLibrary("liblib.so", "prebuilt"),)


def test_the_record_of_a_configuration_among_several(
    configure: Configure, tmp_path: Path, recorded: Callable[..., str], for_wheel: dict[str, str]
) -> None:
    configure(
        C_LIBRARY,
        "set_target_properties(lib PROPERTIES DEBUG_POSTFIX d)",
        "tvm_ffi_configure_target(lib)",
        languages="C",
        define=for_wheel,
        generator="Ninja Multi-Config",
    )
    run("cmake", "--build", tmp_path / "build", "--config", "Debug")
    assert read_record(recorded("--config", "Debug").encode()).libraries == (BuiltLibrary("liblibd.so", "prebuilt"),)
    assert recorded_runtime(tmp_path / "build/Debug/liblibd.so") == VERSION


def test_with_the_oldest_cmake(
    configure: Configure,
    tmp_path: Path,
    recorded: Callable[..., str],
    for_wheel: dict[str, str],
    old_cmake: Callable[[str], str],
) -> None:
    cmake = old_cmake("3.18.4.post1")
    configure(C_LIBRARY, "tvm_ffi_configure_target(lib)", languages="C", define=for_wheel, cmake=cmake)
    run(cmake, "--build", tmp_path / "build")
    assert read_record(recorded(cmake=cmake).encode()).cmake == "3.18.4"
    assert notes(tmp_path / "build/liblib.so") == [VERSION]


@pytest.mark.parametrize("state", [{}, {"SKBUILD_STATE": "editable"}])
def test_no_record_is_written_but_for_a_wheel(
    configure: Configure, tmp_path: Path, for_wheel: dict[str, str], state: dict[str, str]
) -> None:
    define = {**for_wheel, "SKBUILD_STATE": "", **state}
    configure(C_LIBRARY, "tvm_ffi_configure_target(lib)", languages="C", define=define)
    build_configured(tmp_path)
    run("cmake", "--install", tmp_path / "build", "--prefix", tmp_path / "prefix")
    assert not (tmp_path / "metadata").exists()
    assert list(tmp_path.rglob("tvm_ffi_build.json")) == []
    assert recorded_runtime(tmp_path / "build/liblib.so") == VERSION


def test_an_editable_install_works_without(package: Callable[[str], Path], equipped: Environment) -> None:
    equipped.install("--no-build-isolation", "--no-deps", "-e", package("c_only"))
    assert list(equipped.site_packages.rglob("c_only-*.dist-info/RECORD"))
    assert list(equipped.site_packages.rglob("c_only-*.dist-info/tvm_ffi_build.json")) == []
    (library,) = equipped.site_packages.rglob("libc_only.so")
    assert recorded_runtime(library) == VERSION


@pytest.mark.usefixtures("uncached_compiler")
@pytest.mark.parametrize("language", ["C", "CXX"])
def test_two_builds_in_two_folders_give_the_same_bytes(configure: Configure, tmp_path: Path, language: str) -> None:
    source = {"C": "lib.c", "CXX": "plain.cc"}[language]
    built = []
    for name in ("one", "another one"):
        configure(
            f"add_library(lib SHARED {source})",
            "tvm_ffi_configure_target(lib)",
            languages=language,
            define={"CMAKE_BUILD_TYPE": "RelWithDebInfo", "CMAKE_SKIP_RPATH": "ON"},
        )
        build_configured(tmp_path)
        library = tmp_path / "build/liblib.so"
        content = library.read_bytes()
        assert b"lib_runtime" in content  # in its debug information
        assert str(tmp_path).encode() not in content
        built.append(content)
        (tmp_path / name).mkdir()
        shutil.move(tmp_path / "build", tmp_path / name)
    assert built[0] == built[1]


TOOLCHAIN = """
set(CMAKE_SYSTEM_NAME {system})
set(CMAKE_SYSTEM_PROCESSOR {processor})
foreach(language IN ITEMS C CXX)
  set(CMAKE_${{language}}_COMPILER {folder}/compiler-${{language}})
endforeach()
set(CMAKE_AR {folder}/ar CACHE FILEPATH "")
set(CMAKE_RC_COMPILER {folder}/rc)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
set(CMAKE_INSTALL_NAME_TOOL true)
set(DSYMUTIL true CACHE FILEPATH "")
"""
# Name of the system and the processor for CMake, what the runtime's wheels are for, the library's name.
FOREIGN = {
    "aarch64-macos.11.0": ("Darwin", "arm64", "aarch64-apple-darwin", "liblib.dylib"),
    "x86_64-windows-gnu": ("Windows", "AMD64", "x86_64-pc-windows-msvc", "lib.dll"),
}


@pytest.fixture(params=FOREIGN)
def foreign(
    request: pytest.FixtureRequest,
    configure: Configure,
    tmp_path: Path,
    zig_cache: Path,
    unpacked_runtime: Callable[..., Path],
) -> Callable[..., Path]:
    """Return a function that builds a library for another system from a source, with zig."""
    system, processor, platform, name = FOREIGN[request.param]
    tools = tmp_path / "tools"
    tools.mkdir()

    def tool(name: str, *command: str) -> None:
        path = tools / name
        words = [f'"{sys.executable}"', "-m", "ziglang", *command]
        # zig's linker does not know these, and builds its own libraries once more for a link without optimisation.
        path.write_text(
            "#!/bin/sh\n"
            'for word in "$@"; do shift; case $word in\n'
            "  -Wl,--major-image-version*|-Wl,--enable-auto-import) ;;\n"
            '  *) set -- "$@" "$word" ;;\n'
            f'esac; done\nexec {" ".join(words)} "$@"\n',
            encoding="utf-8",
        )
        path.chmod(0o755)

    tool("compiler-C", "cc", "-target", request.param, "-O2")
    # Its library of C++ would take minutes to build, and is not what this is about.
    tool("compiler-CXX", "c++", "-target", request.param, "-O2", "-nostdlib++", "-Wno-unused-command-line-argument")
    tool("ar", "ar")
    tool("rc", "rc")
    toolchain = tools / "toolchain.cmake"
    toolchain.write_text(TOOLCHAIN.format(system=system, processor=processor, folder=tools), encoding="utf-8")

    def build(language: str, *lines: str) -> Path:
        environment = {**os.environ, "ZIG_GLOBAL_CACHE_DIR": str(zig_cache), "ZIG_LOCAL_CACHE_DIR": str(zig_cache)}
        configure(
            *lines,
            languages=language,
            define={
                "CMAKE_TOOLCHAIN_FILE": str(toolchain),
                "TVM_FFI_RUNTIME": str(unpacked_runtime("0.1.15.post2", platform)),
                f"CMAKE_{language}_FLAGS": STRICT,
            },
            env=environment,
        )
        run("cmake", "--build", tmp_path / "build", env=environment)
        return tmp_path / "build" / name

    return build


@pytest.mark.slow
@pytest.mark.parametrize(("language", "source"), [("C", "lib.c"), ("CXX", "plain.cc")])
def test_on_macos_and_windows_it_stays_as_well(
    foreign: Callable[..., Path], installed: Callable[..., str], tmp_path: Path, language: str, source: str
) -> None:
    with (tmp_path / "source" / source).open("a", encoding="utf-8") as file:
        # What is exported, and what is not used.
        file.write(
            '#ifdef _WIN32\n__declspec(dllexport)\n#else\n__attribute__((visibility("default")))\n#endif\n'
            "int more(int);\nint more(int x) { return x; }\n"
            'extern const char unused_text[];\nconst char unused_text[] = "not used by anybody";\n'
        )
    library = foreign(
        language,
        f"add_library(part OBJECT {source})",
        "add_library(lib SHARED $<TARGET_OBJECTS:part>)",
        "target_compile_options(part PRIVATE -ffunction-sections -fdata-sections)",
        # With debug information lld collects nothing.
        "target_link_options(lib PRIVATE",
        '  "$<IF:$<PLATFORM_ID:Darwin>,-Wl$<COMMA>-dead_strip,-Wl$<COMMA>--gc-sections;-s>")',
        "tvm_ffi_configure_target(part LINK_SHARED OFF)",
        # zig's linker has no export lists for macOS.
        'tvm_ffi_configure_target(lib LINK_SHARED OFF EXPORT "*")',
    )
    assert b"not used by anybody" not in library.read_bytes()
    assert recorded_runtime(library) == "0.1.15.post2"
    (image,) = read_binary(library).images
    names = [symbol.name for symbol in image.exports]
    assert [name for name in names if "more" in name]
    assert [name for name in names if "tvm" in name] == []
    strip = installed(lambda: shutil.which("llvm-strip"), "llvm")
    run(strip, *([] if library.suffix == ".dll" else ["-x"]), library)
    assert recorded_runtime(library) == "0.1.15.post2"


@pytest.mark.slow
@pytest.mark.parametrize("languages", ["CUDA", "C CXX CUDA"])
def test_a_library_of_cuda_alone(configure: Configure, tmp_path: Path, nvcc: Path, languages: str) -> None:
    (tmp_path / "source/kernel.cu").write_text(
        "__global__ void kernel(int* x) { *x = 1; }\n"
        "int f(int* x);\n"
        "int f(int* x) { kernel<<<1, 1>>>(x); return 1; }\n",
        encoding="utf-8",
    )
    configure(
        "add_library(lib SHARED kernel.cu)",
        # No other compiler takes it.
        "target_compile_options(lib PRIVATE --use_fast_math)",
        "tvm_ffi_configure_target(lib)",
        languages=languages,
        # Its wheel on the index has no library to link to but the static one.
        define={
            "CMAKE_CUDA_COMPILER": str(nvcc),
            "CMAKE_CUDA_ARCHITECTURES": "80",
            "CMAKE_CUDA_RUNTIME_LIBRARY": "Static",
            "CMAKE_CUDA_FLAGS": "-Xcompiler=-Wall,-Wextra,-Werror",
        },
    )
    build_configured(tmp_path)
    assert notes(tmp_path / "build/liblib.so") == [VERSION]
    assert linked_languages(tmp_path, "liblib.so") == {"CUDA"}
