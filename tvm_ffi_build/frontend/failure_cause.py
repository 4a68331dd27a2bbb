"""Why a build failed: the most telling thing in the output of front end, backend, CMake, compiler and linker."""

from __future__ import annotations

import os
import re
from itertools import takewhile
from typing import TYPE_CHECKING, NamedTuple

from ..host.programs import python_command
from ..terminal.output import HINT, OWN_ERROR

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Cause", "find_cause"]

_AGAIN = "run it again with -v"
# A message of CMake has fewer lines.
_MESSAGE_LINES = 20

_OWN_ERROR = re.compile(OWN_ERROR)
_NO_COMPILER = re.compile(r".*(No CMAKE_(?P<a>\w+)_COMPILER could be found|CMAKE_(?P<b>\w+)_COMPILER not set)")
# Of CMake's modules CMakeDetermine<LANGUAGE>Compiler: from the environment, and from the command line or a toolchain.
_ABSENT_COMPILER = re.compile(
    r"Could not find the compiler specified in the environment variable (?P<variable>\w+): "
    r"(?P<name>.+?)\.(?= Call Stack|$)"
    r"|The CMAKE_(?P<language>\w+)_COMPILER: (?P<path>.+?) is not a full path"
)
# Of build, and of scikit-build-core.
_UNMET = re.compile(r"(ERROR:? )?(Unmet|Missing) dependencies.*:$")
_NO_CMAKE = re.compile(r".*CMakeNotFoundError: (?P<text>Could not find CMake with version (?P<version>\S+))")
_BROKEN_COMPILER = re.compile(r'The (?P<language>\S+) compiler (?P<path>".*?") is not able to compile')
_CMAKE_ERROR = re.compile(r"CMake Error( at (?P<place>\S*CMakeLists\.txt:\d+) \(.*| at .*|:)? ?(?P<text>.*)")
_NVCC_ERROR = re.compile(r".*nvcc fatal\s*: (?P<text>.*)")
_NVCC_TOO_OLD = re.compile(r".*#error -- unsupported (?P<kind>GNU|clang) version! (?P<text>.*?not supported)")
_NINJA_ERROR = re.compile(r"ninja: error: (?P<text>.*)")
_UNKNOWN_FUNCTION = re.compile(r'Unknown CMake command "(add_)?tvm_ffi_')
_COMPILER_ERROR = re.compile(
    r"\S.*:\d+(:\d+)?: (fatal )?error: |(\S*/)?(cc1plus|cc1|g\+\+|gcc|c\+\+|clang\S*|nvcc)( \S+)?: (fatal )?error: "
)
_GCC_ASKED = re.compile(r"(?P<place>\S+?:\d+(:\d+)?):\s+required from here$")
_CLANG_ASKED = re.compile(r"(?P<place>\S+?:\d+(:\d+)?): note: in instantiation of .* requested here$")
_LINKER_ERROR = re.compile(
    r"(\S*/)?(\S+-)?ld(\.\w+)?: (?!.*warning: )|.*undefined reference to |Undefined symbols for"
    r"|(\S*lld\S*: )?error: (undefined symbol|unsupported linker arg|unable to find .*library|lld-link): "
    r"|.*error while loading shared libraries: "
)
# Of a name in an export list of Windows: what lld, Microsoft's linker and MinGW's ld say.
_EXPORT_ERROR = re.compile(
    r"(.*lld-link: error: <root>: undefined symbol: |.*\.exp : error LNK2001: unresolved external symbol "
    r"|.*: Cannot export )(?P<name>[^\s:]+)"
)
# Of a program that the build runs.
_SHELL_ERROR = re.compile(r"\S*sh: (line )?(\d+: )?(?P<text>\S+: (Exec format error|cannot execute binary file.*))$")
_MESON_ERROR = re.compile(r"\S*?(?P<place>[\w./-]*meson\.build:\d+:\d+): ERROR: (?P<text>.*)")
# Of setuptools. uv and gcc begin lines the same way.
_SETUP_ERROR = re.compile(r"error: (?!Failed to |Build |command )(?P<text>.*)")
_TOOL_ERROR = re.compile(r"ERROR: (?!Backend|Failed|Exception)(?P<text>.*)")
# At the end: a compiler quotes lines that may say so too.
_FULL_DISK = re.compile(
    r"(No space left on device|not enough space on the disk\.?)( \(os error \d+\))?['\"]?$"
    # pip, while it downloads.
    r"|OSError\(28, 'No space left on device'\)+$"
    # CMake goes on with the file.
    r"|file write failed \(No space left on device\): "
)
_EXCEPTION = re.compile(r"\s*([\w.]+\.)?\w*(Error|Exception)(: |$)")


class Cause(NamedTuple):
    """Why a build failed: the first two fields of an error.

    Attributes:
        what: What went wrong.
        remedy: What to do about it; empty where that depends on the project.

    """

    what: str
    remedy: str = ""


# What CMake says of things that have one remedy here, and what to say of them.
_CMAKE_HINTS = (
    (_UNKNOWN_FUNCTION, Cause("{} Call find_package(tvm_ffi CONFIG REQUIRED) before it.")),
    (
        re.compile(r'package configuration file provided by "tvm_ffi"'),
        Cause("find_package(tvm_ffi) found nothing", 'write "tvm-ffi-build" in build-system.requires'),
    ),
    (
        re.compile(r'provided by "(?i:tvm|tvm-ffi|tvmffi)"'),
        Cause("this CMake package does not exist", "write find_package(tvm_ffi CONFIG REQUIRED)"),
    ),
    (
        re.compile(r"does not appear to contain CMakeLists\.txt"),
        Cause("{} Create one there, or set cmake.source-dir in [tool.scikit-build]."),
    ),
    (
        re.compile(r"CMakeCache\.txt directory .* is different than|does not match the source .* used to generate"),
        Cause("the build directory was created for another place: {} Delete it."),
    ),
)


def find_cause(lines: Sequence[str]) -> Cause:
    """Return what went wrong, from the lines that a failed build has printed."""
    finders: tuple[Callable[[Sequence[str]], Cause | None], ...] = (
        _find_own_error,
        _find_full_disk,
        _find_unmet_requirement,
        _find_absent_compiler,
        _find_missing_compiler,
        _find_nvcc_error,
        _find_cmake_error,
        _find_compiler_error,
        _find_export_error,
        _find_linker_error,
        _find_shell_error,
        _find_ninja_error,
        _find_meson_error,
        _find_pip_conflict,
        _find_tool_error,
        _find_exception,
        _find_setup_error,
        _find_uv_cause,
    )
    for find in finders:
        found = find(lines)
        if found:
            return found
    last = next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")
    return Cause(last, _AGAIN)


def _find_match(pattern: re.Pattern[str], lines: Sequence[str]) -> re.Match[str] | None:
    return next((match for match in map(pattern.match, lines) if match), None)


def _join_lines(parts: Sequence[str]) -> str:
    return " ".join(" ".join(parts).split())


def _find_own_error(lines: Sequence[str]) -> Cause | None:
    match = _find_match(_OWN_ERROR, lines)
    if not match:
        return None
    after = "".join(lines[lines.index(match.string) + 1 :][:1])
    return Cause(match["text"], after[len(HINT) :] if after.startswith(HINT) else "")


def _find_unmet_requirement(lines: Sequence[str]) -> Cause | None:
    """Return the requirements of a build without isolation that this environment does not meet."""
    match = _find_match(_UNMET, lines)
    if match:
        rest = list(takewhile(lambda line: line.startswith(("\t", " ")), lines[list(lines).index(match.string) + 1 :]))
        # The deeper lines say what was wanted and found.
        names = [
            line.strip().rpartition(" -> ")[2] for line in rest if not line.lstrip().startswith(("wanted:", "found:"))
        ]
        return _describe_unmet(names) if names else None
    match = _find_match(_NO_CMAKE, lines)
    return _describe_unmet([f"cmake{match['version']}"]) if match else None


def _describe_unmet(requirements: Sequence[str]) -> Cause:
    words = " ".join(f"'{requirement}'" for requirement in requirements)
    return Cause(
        f"this environment lacks what the build requires: {', '.join(requirements)}",
        f"run: {python_command()} -m pip install {words}, or leave out --no-isolation",
    )


def _find_absent_compiler(lines: Sequence[str]) -> Cause | None:
    """Return the compiler that was named and is not there."""
    start = next((number for number, line in enumerate(lines) if _CMAKE_ERROR.match(line)), None)
    match = None if start is None else _ABSENT_COMPILER.search(_join_lines(lines[start : start + _MESSAGE_LINES]))
    if not match:
        return None
    if match["variable"] and match["variable"] not in os.environ:
        # scikit-build-core sets it, to the compiler that CPython was built by.
        return _missing_compiler("C++" if match["variable"] == "CXX" else "C")
    if match["variable"]:
        return Cause(
            f"{match['variable']} names {match['name']}, and there is no such program",
            f"correct {match['variable']}, or unset it",
        )
    return Cause(
        f"CMAKE_{match['language']}_COMPILER names {match['path']}, and there is no such program", "correct it"
    )


def _find_missing_compiler(lines: Sequence[str]) -> Cause | None:
    match = _find_match(_NO_COMPILER, lines)
    if not match:
        return None
    return _missing_compiler((match["a"] or match["b"]).replace("CXX", "C++"))


def _missing_compiler(language: str) -> Cause:
    variable = "CXX" if language == "C++" else "CC"
    remedy = f"install one (on Debian: apt-get install g++), or name it in {variable}"
    return Cause(f"no {language} compiler was found", remedy)


def _find_nvcc_error(lines: Sequence[str]) -> Cause | None:
    """Return what nvcc says of its options and of the compiler beside it, also from within a message of CMake."""
    old = _find_match(_NVCC_TOO_OLD, lines)
    if old:
        remedy = "name an older compiler in CUDAHOSTCXX, or install a newer nvcc"
        return Cause(f"nvcc is too old for the C++ compiler ({old['text']})", remedy)
    match = _find_match(_NVCC_ERROR, lines)
    if not match:
        return None
    unknown = re.fullmatch(r"Unsupported gpu architecture '\w+?_(\w+)'", match["text"])
    if unknown:
        return Cause(
            f"nvcc knows no architecture {unknown[1]}",
            "write one into CMAKE_CUDA_ARCHITECTURES that nvcc --list-gpu-arch names, or install a nvcc that knows it",
        )
    return Cause(f"nvcc: {match['text']}", _AGAIN)


def _find_cmake_error(lines: Sequence[str]) -> Cause | None:
    """Return the text of CMake's first error: what follows its headline, up to the call stack."""
    match = _find_match(_CMAKE_ERROR, lines)
    if not match:
        return None
    text = [match["text"]]
    for line in lines[lines.index(match.string) + 1 :]:
        if line and not line.startswith("  "):
            break
        text.append(line)
    # CMake breaks long lines, also those that quote this package.
    message = _join_lines(text)
    own = _OWN_ERROR.search(message)
    if own:
        what, _, remedy = own["text"].partition(f" {HINT}")
        return Cause(what, remedy)
    broken = _BROKEN_COMPILER.search(message)
    if broken:
        return Cause(
            f"the {broken['language']} compiler {broken['path']} cannot compile a simple program",
            f"check CC, CXX, CFLAGS, CXXFLAGS and LDFLAGS; {_AGAIN}",
        )
    hint = next((hint for pattern, hint in _CMAKE_HINTS if pattern.search(message)), Cause("{}"))
    place = f"{match['place']}: " if match["place"] else ""
    return hint._replace(what=f"{place}{hint.what.format(message)}")


def _find_compiler_error(lines: Sequence[str]) -> Cause | None:
    """Return the first error; of one in a template, also the line that asked for it, which is the one to change."""
    match = _find_match(_COMPILER_ERROR, lines)
    if not match:
        return None
    index = lines.index(match.string)
    # GCC says so right before the error; Clang after it, the line that is farthest from the template last.
    before = _GCC_ASKED.match(lines[index - 1]) if index else None
    after = takewhile(lambda line: not _COMPILER_ERROR.match(line), lines[index + 1 :])
    asked = [before] if before else [found for found in map(_CLANG_ASKED.match, after) if found]
    return Cause(f"{match.string}; asked for at {asked[-1]['place']}" if asked else match.string)


def _find_export_error(lines: Sequence[str]) -> Cause | None:
    match = _find_match(_EXPORT_ERROR, lines)
    if not match:
        return None
    return Cause(
        f"a library is to export {match['name']} and does not define it",
        "correct the name in EXPORT of tvm_ffi_configure_target, or compile its source into the target",
    )


def _find_linker_error(lines: Sequence[str]) -> Cause | None:
    match = _find_match(_LINKER_ERROR, lines)
    if match and re.search(r"cannot find -lcuda\b(?!\w)", match.string):
        return Cause("libcuda was not found by the linker", "install CUDA's stub of it (the package cuda-driver-dev)")
    return Cause(match.string.strip()) if match else None


def _find_shell_error(lines: Sequence[str]) -> Cause | None:
    match = _find_match(_SHELL_ERROR, lines)
    return Cause(match["text"]) if match else None


def _find_ninja_error(lines: Sequence[str]) -> Cause | None:
    match = _find_match(_NINJA_ERROR, lines)
    if not match:
        return None
    if "Makefile:" in match["text"]:
        return Cause("the build directory was created with another generator than Ninja", "delete it")
    return Cause(match.string, _AGAIN)


def _find_meson_error(lines: Sequence[str]) -> Cause | None:
    match = _find_match(_MESON_ERROR, lines)
    if not match:
        return None
    remedy = ""
    if 'Dependency "tvm_ffi" not found' in match["text"]:
        remedy = (
            'add "cmake" to build-system.requires, and pass to cmake_module_path and cmake_args of dependency() what '
            "python -m tvm_ffi_build.config --cmakedir prints"
        )
    return Cause(f"{match['place'].removeprefix('../')}: {match['text']}", remedy)


def _find_setup_error(lines: Sequence[str]) -> Cause | None:
    # What uv itself says goes on with causes, which tell more.
    ends = (line for line, after in zip(lines, [*lines[1:], ""]) if not after.startswith("  cause: "))
    match = next((match for match in map(_SETUP_ERROR.match, ends) if match), None)
    return Cause(match["text"]) if match else None


def _find_full_disk(lines: Sequence[str]) -> Cause | None:
    if any(map(_FULL_DISK.search, lines)):
        return Cause("no space left on device", "free some space, or choose other directories with TMPDIR and -w")
    return None


def _find_pip_conflict(lines: Sequence[str]) -> Cause | None:
    marker = "The conflict is caused by:"
    if marker not in lines:
        return None
    start = list(lines).index(marker) + 1
    reasons = "; ".join(line.strip() for line in takewhile(str.strip, lines[start:]))
    return Cause(reasons) if reasons else None


def _find_tool_error(lines: Sequence[str]) -> Cause | None:
    """Return the first error of pip or of scikit-build-core, with the lines that an announcing colon leads to."""
    match = _find_match(_TOOL_ERROR, lines)
    if not match:
        return None
    more: list[str] = []
    if match["text"].endswith(":"):
        more = list(takewhile(str.strip, lines[list(lines).index(match.string) + 1 :]))
    return Cause(_join_lines([match["text"], *more]))


def _find_exception(lines: Sequence[str]) -> Cause | None:
    """Return how the last traceback ends that is not the front end's own."""
    found = [line.strip() for line in lines if _EXCEPTION.match(line) and "CalledProcessError" not in line]
    if found and "must be listed in project.dynamic" in found[-1]:
        return Cause("the runtime is added to the dependencies", 'write dynamic = ["dependencies"] in [project]')
    return Cause(found[-1], _AGAIN) if found else None


def _find_uv_cause(lines: Sequence[str]) -> Cause | None:
    """Return the innermost of uv's causes; it may go on over indented lines."""
    starts = [number for number, line in enumerate(lines) if line.startswith("  cause: ")]
    if not starts:
        return None
    first, *rest = lines[starts[-1] :]
    found = _join_lines([first.partition("cause: ")[2], *takewhile(lambda line: line.startswith("    "), rest)])
    return Cause(found, _AGAIN if found.startswith("Call to ") else "")
