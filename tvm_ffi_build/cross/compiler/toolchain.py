"""All that CMake needs to build for a platform, in a folder: compilers, tools, and a toolchain file that names them."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from ...host.unfinished import move_into_place, unfinished_folder
from ...platforms.systems import MACOS, WINDOWS
from ..cache_contents import discard, holds_texts
from .script import OBJCOPY, compiler_script, tool_script

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..targets import Target
    from .zig import Zig

__all__ = ["cached_toolchain", "toolchain_files", "write_toolchain"]

TOOLCHAIN = "toolchain.cmake"
_HEADER = "windows_gnu.h"
# As people who have only seen Windows write them.
_HEADERS = (
    "DbgHelp.h",
    "Guiddef.h",
    "Iphlpapi.h",
    "Objbase.h",
    "PathCch.h",
    "ProcessThreadsApi.h",
    "Psapi.h",
    "ShlObj.h",
    "Shellapi.h",
    "Shlwapi.h",
    "Softpub.h",
    "SysInfoApi.h",
    "TlHelp32.h",
    "VersionHelpers.h",
    "WS2tcpip.h",
    "WinBase.h",
    "WinDef.h",
    "WinError.h",
    "WinInet.h",
    "WinNT.h",
    "WinSock.h",
    "WinSock2.h",
    "WinUser.h",
    "Windows.h",
    "Winnls.h",
    "Ws2tcpip.h",
)

_FILE = """# {tag}, by zig {version}; made by tvm-ffi-build.
{system}
set(CMAKE_C_COMPILER "${{CMAKE_CURRENT_LIST_DIR}}/{triple}-cc")
set(CMAKE_CXX_COMPILER "${{CMAKE_CURRENT_LIST_DIR}}/{triple}-c++")
# CMake tries compilers with programs that are not optimised, for which zig would build its libraries once more.
set(CMAKE_TRY_COMPILE_CONFIGURATION Release)
set(CMAKE_AR "${{CMAKE_CURRENT_LIST_DIR}}/ar" CACHE FILEPATH "")
set(CMAKE_RANLIB "${{CMAKE_CURRENT_LIST_DIR}}/ranlib" CACHE FILEPATH "")
# The compiler strips what it links; the strip of this machine knows no other format.
set(CMAKE_STRIP "${{CMAKE_CURRENT_LIST_DIR}}/strip" CACHE FILEPATH "")
set(CMAKE_OBJCOPY "${{CMAKE_CURRENT_LIST_DIR}}/objcopy" CACHE FILEPATH "")
"""
_SYSTEM = """set(CMAKE_SYSTEM_NAME {name})
set(CMAKE_SYSTEM_PROCESSOR {processor})
# Programs of this machine are run; its libraries and headers are not to be found (cmake-toolchains(7), "Cross
# Compiling"). Those that the build environment or the project brings are.
set(
  CMAKE_FIND_ROOT_PATH
  "${CMAKE_CURRENT_LIST_DIR}/root" "${CMAKE_SOURCE_DIR}" "${CMAKE_BINARY_DIR}" ${CMAKE_PREFIX_PATH}
)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
"""
_RULES = "rules.cmake"
# CMake before 4.0 takes every cross-compiled macOS for one without rpaths. It reads this in each directory of a project
# after its own Darwin.cmake; cmake/runtime.cmake does the same for other toolchains.
_RUN_PATHS = 'set(CMAKE_SHARED_LIBRARY_RUNTIME_C_FLAG "-Wl,-rpath,")\n'
_MACOS = """# The compiler knows the oldest macOS and the architecture, and there is no SDK.
set(CMAKE_OSX_DEPLOYMENT_TARGET "" CACHE STRING "" FORCE)
set(CMAKE_OSX_SYSROOT "" CACHE STRING "" FORCE)
set(CMAKE_OSX_ARCHITECTURES "" CACHE STRING "" FORCE)
# Nothing here makes a dSYM, or writes rpaths again.
set(DSYMUTIL "${CMAKE_CURRENT_LIST_DIR}/dsymutil" CACHE FILEPATH "")
set(CMAKE_INSTALL_NAME_TOOL "${CMAKE_CURRENT_LIST_DIR}/install_name_tool" CACHE FILEPATH "")
set(CMAKE_BUILD_WITH_INSTALL_RPATH ON)
set(CMAKE_BUILD_WITH_INSTALL_NAME_DIR ON)
set(CMAKE_USER_MAKE_RULES_OVERRIDE "${CMAKE_CURRENT_LIST_DIR}/rules.cmake")
"""
_WINDOWS = """set(CMAKE_RC_COMPILER "${CMAKE_CURRENT_LIST_DIR}/rc")
"""


def toolchain_files(target: Target, zig: Zig, folder: Path, variables: Mapping[str, str]) -> dict[str, str]:
    """Return what is in the folder, by name.

    Args:
        target: The platform.
        zig: What compiles.
        folder: Where the files will be.
        variables: What projects find in CMake's cache beside the compilers.

    """
    # By default zig checks for undefined behaviour in what is not optimised, with functions that it links nowhere.
    both = ["-fno-sanitize=undefined"]
    arguments = {"cc": both, "c++": both}
    if target.system == WINDOWS:
        both = [*both, "-isystem", str(folder / "include")]
        arguments = {"cc": both, "c++": ["-include", str(folder / _HEADER), *both]}
    files = {f"{target.triple}-{name}": compiler_script(name, target, zig, words) for name, words in arguments.items()}
    files.update((tool, tool_script(tool, zig)) for tool in ("ar", "ranlib"))
    files["strip"] = tool_script("", zig)
    files["objcopy"] = OBJCOPY
    text = _FILE.format(tag=target.tag, version=zig.version, triple=target.triple, system=_describe_system(target))
    if target.system == MACOS:
        files.update((tool, tool_script("", zig)) for tool in ("dsymutil", "install_name_tool"))
        files[_RULES] = _RUN_PATHS
        text += _MACOS
    elif target.system == WINDOWS:
        files["rc"] = tool_script("rc", zig)
        files[_HEADER] = Path(__file__).with_name(_HEADER).read_text(encoding="utf-8")
        for name in _HEADERS:
            files[f"include/{name}"] = f"#include <{name.lower()}>\n"
        text += _WINDOWS
    for name, value in variables.items():
        text += f'set({name} [==[{value}]==] CACHE STRING "" FORCE)\n'
    files[TOOLCHAIN] = text
    return files


def write_toolchain(target: Target, zig: Zig, folder: Path, variables: Mapping[str, str]) -> Path:
    """Write the files into a folder, which is made if need be, and return the toolchain file's path.

    Raises:
        OutputError: They cannot be written there.

    """
    folder = folder.absolute()
    with unfinished_folder(folder, "choose another directory with -o") as unfinished:
        files = toolchain_files(target, zig, folder, variables)
        _write_file(files, unfinished)
        # The toolchain file, which names the others, is the last.
        for name in files:
            (folder / name).parent.mkdir(exist_ok=True)
            (unfinished / name).replace(folder / name)
    return folder / TOOLCHAIN


def cached_toolchain(target: Target, zig: Zig, cache: Path, on_note: Callable[[str], None] = lambda _: None) -> Path:
    """Return the toolchain file of a platform from the cache, where it is made if need be.

    The folder's name says what is in it, and a file that is there stays as it is: compiler caches look at the time of a
    compiler.

    Args:
        target: The platform.
        zig: What compiles.
        cache: The folder of :func:`~tvm_ffi_build.cross.runtimes.cache_dir`.
        on_note: Is called with a line if the folder is made again because it is damaged.

    Raises:
        OutputError: The cache cannot be written.

    """
    inside = cache / "toolchains"
    files = toolchain_files(target, zig, Path(), {})
    digest = hashlib.sha256("\0".join(f"{name}\0{text}" for name, text in sorted(files.items())).encode()).hexdigest()
    folder = inside / f"{target.tag}-{digest[:16]}"
    files = toolchain_files(target, zig, folder, {})
    if not holds_texts(folder, files):
        with unfinished_folder(inside, "set XDG_CACHE_HOME to another directory") as unfinished:
            made = unfinished / folder.name
            made.mkdir()
            _write_file(files, made)
            # Another process may have been faster.
            if not holds_texts(folder, files) and os.path.lexists(folder):
                on_note(f"{folder} was damaged, so it is made again")
                discard(folder)
            move_into_place(made, folder)
    return folder / TOOLCHAIN


def _write_file(files: Mapping[str, str], folder: Path) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        if text.startswith("#!"):
            path.chmod(0o755)


def _describe_system(target: Target) -> str:
    if target.runs_here:
        # Of another glibc, but for this machine: nothing is crossed, and programs of the build can be run.
        return "# For this machine, if for an older glibc as well."
    return _SYSTEM.replace("{name}", target.cmake_system).replace("{processor}", target.cmake_processor).rstrip()
