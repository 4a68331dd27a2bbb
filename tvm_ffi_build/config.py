"""The path queries: what ``tvm-ffi-config`` answers, and the same as functions.

Standard output is byte for byte that of the runtime's own command, flag by flag and combined, except where a path
holds characters that a shell or compiler would split at (then it is quoted), for ``--cmakedir`` (this package's) and
for ``--sourcedir`` (a folder that ``add_subdirectory`` accepts).
"""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

from . import __version__
from .host.package_data import resource_path
from .runtime import find_runtime
from .terminal.command import Parser, add_output_options, help_formatter, run_command
from .terminal.output import Output
from .terminal.screen import AUTO
from .terminal.streams import json_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from .runtime import Runtime

__all__ = [
    "c_flags",
    "cmake_dir",
    "cmake_variables",
    "cxx_flags",
    "link_libraries",
    "linker_flags",
    "main",
    "populate_parser",
    "source_dir",
]


def cmake_dir() -> Path:
    """Return the folder of the CMake package, for ``tvm_ffi_DIR``."""
    return resource_path("cmake")


def source_dir() -> Path:
    """Return a folder for ``add_subdirectory`` that builds the runtime from the sources it ships."""
    return resource_path("cmake") / "source"


def c_flags(runtime: Runtime) -> list[str]:
    """Return the include arguments for a C compiler."""
    return [f"-I{runtime.include_dir}", f"-I{runtime.dlpack_include_dir}"]


def cxx_flags(runtime: Runtime) -> list[str]:
    """Return the include and language arguments for a C++ compiler."""
    return [*c_flags(runtime), "-std=c++17"]


def link_libraries(runtime: Runtime) -> list[str]:
    """Return what names the runtime's library on a linker's command line."""
    return [runtime.platform.link_flags or str(runtime.link_library)]


def linker_flags(runtime: Runtime) -> list[str]:
    """Return where a linker finds the library; nothing on Windows, where it is given whole."""
    return [] if runtime.platform.link_flags is None else [f"-L{runtime.library_dir}"]


def cmake_variables(runtime: Runtime) -> dict[str, str]:
    """Return the facts that the CMake package needs, by the names of its variables.

    The plugin defines them when CMake is configured; without the plugin the CMake package asks for them once.

    Raises:
        BrokenRuntimeError: The runtime's import library is missing.
        UnsupportedRuntimeError: The runtime is too old to build against.

    """
    runtime.require_supported()
    return {
        "TVM_FFI_RUNTIME_VERSION": runtime.version,
        "TVM_FFI_RUNTIME_INCLUDE_DIR": runtime.include_dir.as_posix(),
        "TVM_FFI_RUNTIME_DLPACK_INCLUDE_DIR": runtime.dlpack_include_dir.as_posix(),
        "TVM_FFI_RUNTIME_LIBRARY": runtime.library.as_posix(),
        "TVM_FFI_RUNTIME_LINK_LIBRARY": runtime.link_library.as_posix(),
        "TVM_FFI_RUNTIME_SOURCE_DIR": runtime.source_dir.as_posix() if runtime.source_dir else "",
        "TVM_FFI_BUILD_VERSION": __version__,
    }


def _quote_words(words: Sequence[str]) -> str:
    """Join words of a command line, quoted for the shell of this machine where one needs it."""
    if os.name == "nt":
        import subprocess  # noqa: PLC0415

        return subprocess.list2cmdline(words)
    import shlex  # noqa: PLC0415

    return shlex.join(words)


# In the order in which the runtime's command answers when several are asked for.
_QUERIES: dict[str, tuple[str, Callable[[Runtime], str]]] = {
    "includedir": ("directory of the runtime's headers", lambda r: str(r.include_dir)),
    "dlpack-includedir": ("directory of the DLPack headers", lambda r: str(r.dlpack_include_dir)),
    "cmakedir": ("directory of the CMake package of tvm-ffi-build, for tvm_ffi_DIR", lambda _: str(cmake_dir())),
    "libdir": ("directory of the runtime's library", lambda r: str(r.library_dir)),
    "libfiles": ("the file to link against", lambda r: str(r.link_library)),
    "sourcedir": ("directory for add_subdirectory that builds the runtime", lambda _: str(source_dir())),
    "cython-lib-path": ("the compiled module tvm_ffi.core", lambda r: str(r.cython_library)),
    "cxxflags": ("arguments for a C++ compiler", lambda r: _quote_words(cxx_flags(r))),
    "cflags": ("arguments for a C compiler", lambda r: _quote_words(c_flags(r))),
    "libs": ("arguments that name the library to a linker", lambda r: _quote_words(link_libraries(r))),
    "ldflags": ("arguments that say where the library is", lambda r: _quote_words(linker_flags(r))),
    "version": ("version of the runtime", lambda r: r.version),
}


def populate_parser(parser: argparse.ArgumentParser) -> None:
    """Add the options of the path queries to a parser."""
    for name, (meaning, _) in _QUERIES.items():
        parser.add_argument(f"--{name}", action="append_const", const=name, dest="queries", help=meaning)
    parser.add_argument("--json", action="store_true", help="print everything as one JSON object")
    # The CMake package's own question; the format is private to the two.
    parser.add_argument("--cmake-variables", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument(
        "--runtime",
        metavar="DIR",
        help="use the runtime in DIR: a directory with tvm_ffi/ and its .dist-info, or a source checkout "
        "(default: $TVM_FFI_RUNTIME, or the one that this Python imports)",
    )
    add_output_options(parser)
    parser.set_defaults(command=lambda args: print_answers(parser, args))


def print_answers(parser: argparse.ArgumentParser, args: argparse.Namespace) -> None:
    """Print the answers to the queries in ``args`` on standard output, or the help if there are none."""
    asked = set(args.queries or ())
    if not asked and not args.json and not args.cmake_variables:
        parser.print_help()
        return
    output = Output(args.verbosity, args.color)
    runtime = find_runtime(args.runtime)
    output.detail(f"runtime {runtime.version} in {runtime.package}")
    # All answers first: a part that is missing must not leave half of them printed.
    lines = [query(runtime) for name, (_, query) in _QUERIES.items() if name in asked]
    if args.cmake_variables:
        lines.extend(f"{name}={value}" for name, value in cmake_variables(runtime).items())
    if args.json:
        lines.append(_runtime_as_json(runtime))
    # An answer without words prints no line, as in the runtime's command.
    output.answer("".join(f"{line}\n" for line in lines if line))


def _runtime_as_json(runtime: Runtime) -> str:
    return json_text(
        {
            "version": runtime.version,
            "platform": runtime.platform.name,
            "includedir": str(runtime.include_dir),
            "dlpack_includedir": str(runtime.dlpack_include_dir),
            "cmakedir": str(cmake_dir()),
            "sourcedir": str(source_dir()),
            "libdir": str(runtime.library_dir),
            "library": str(runtime.library),
            "libfiles": str(runtime.link_library),
            "cython_lib_path": str(runtime.cython_library),
            "cxxflags": cxx_flags(runtime),
            "cflags": c_flags(runtime),
            "libs": link_libraries(runtime),
            "ldflags": linker_flags(runtime),
        }
    ).rstrip("\n")


def main(argv: Sequence[str] | None = None) -> None:
    """Run ``tvm-ffi-config``."""
    parser = Parser(
        prog="tvm-ffi-config",
        description="Where the TVM-FFI runtime is and how to compile against it.",
        formatter_class=help_formatter,
    )
    populate_parser(parser)
    parser.set_defaults(verbosity=0, color=AUTO)
    args = parser.parse_args(argv)
    run_command(lambda: args.command(args), program=parser.prog, color=args.color)


if __name__ == "__main__":
    main()
