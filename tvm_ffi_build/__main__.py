"""``tvm-ffi-build``: wires the sub-commands."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING

from . import __version__
from .terminal.command import (
    Parser,
    add_output_options,
    add_version,
    end_on_signals,
    help_formatter,
    run_command,
)
from .terminal.screen import AUTO

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

__all__ = ["main"]

# Name, module and summary of each.
COMMANDS = (
    ("new", ".new_project.command", "create a project"),
    ("wheel", ".pipeline.command", "build a wheel from a source tree"),
    ("toolchain", ".cross.command", "write a CMake toolchain file for another platform"),
    ("repair", ".repair.command", "make wheels work on other machines"),
    ("audit", ".audit.command", "check wheels for what fails at install or import"),
    ("contract", ".contract.command", "print the compatible runtime releases, and why"),
    ("stubgen", ".stubgen.command", "generate and check the Python stubs of a library"),
    ("doctor", ".doctor.command", "check this machine for what builds need"),
    ("config", ".config", "print where the runtime is and how to compile against it"),
)
# What ends the help of each.
_EXAMPLES = {
    "new": "tvm-ffi-build new my-kernels",
    "wheel": "tvm-ffi-build wheel -w dist",
    "toolchain": "tvm-ffi-build toolchain --platform win_amd64 -o toolchain",
    "repair": "tvm-ffi-build repair dist -w wheelhouse",
    "audit": "tvm-ffi-build audit dist --strict",
    "contract": "tvm-ffi-build contract dist",
    "stubgen": "tvm-ffi-build stubgen python --dlls build/libdemo.so --check",
    "doctor": "tvm-ffi-build doctor",
    "config": "tvm-ffi-build config --cxxflags --ldflags --libs",
}
# What other tools call these commands, for suggestions.
_SYNONYMS = {
    "build": "wheel",
    "bdist_wheel": "wheel",
    "init": "new",
    "create": "new",
    "check": "audit",
    "lint": "audit",
}
# Is set by the shell where a word is to be completed ("argcomplete" in its manual).
_COMPLETES = "_ARGCOMPLETE"


def main(argv: Sequence[str] | None = None) -> None:
    """Run ``tvm-ffi-build``."""
    argv = sys.argv[1:] if argv is None else argv
    names = [name for name, _, _ in COMMANDS]
    chosen = [word for word in argv if word in names][:1]
    parser = _make_parser(names if _COMPLETES in os.environ else chosen)
    if _COMPLETES in os.environ:
        import argcomplete  # noqa: PLC0415  (an extra)

        argcomplete.autocomplete(parser)
    if not argv:
        parser.print_help()
        return
    args, unknown = parser.parse_known_args(argv)
    if unknown:  # reported by the parser of the command, which knows its options
        args.parser.error(f"unrecognized arguments: {' '.join(unknown)}")
    end_on_signals()
    run_command(lambda: args.command(args), color=args.color)


def _make_parser(chosen: Collection[str]) -> Parser:
    """Return the parser, with the arguments of some commands; the modules of the others take long to import."""
    parser = Parser(
        prog="tvm-ffi-build",
        description="Build, repair and check wheels of TVM-FFI extensions.",
        formatter_class=help_formatter,
    )
    parser.synonyms = _SYNONYMS
    add_version(parser, _list_versions)
    add_output_options(parser)
    parser.set_defaults(verbosity=0, color=AUTO)
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for name, module, summary in COMMANDS:
        description = f"{summary[0].upper()}{summary[1:]}."
        example = f"Example: {_EXAMPLES[name]}"
        command = commands.add_parser(
            name, help=summary, description=description, epilog=example, formatter_class=help_formatter
        )
        command.set_defaults(parser=command)
        if name in chosen:
            import_module(module, __package__).populate_parser(command)
            # "--version" of the path queries is the runtime's, as in the runtime's own command.
            add_version(command, _list_versions, short_only=name == "config")
    return parser


def _list_versions() -> str:
    """Return the versions of this package, of the runtime and of the ledger, a line each."""
    from .contract.releases.ledger import read_ledger  # noqa: PLC0415  (few ask for it)
    from .errors import TvmFfiBuildError  # noqa: PLC0415
    from .runtime import DISTRIBUTION, find_runtime  # noqa: PLC0415

    try:
        runtime = find_runtime().version
    except TvmFfiBuildError:
        runtime = "not installed"
    newest = list(read_ledger().releases)[-1]
    return f"tvm-ffi-build {__version__}\n{DISTRIBUTION} {runtime}\nknown releases of {DISTRIBUTION}: up to {newest}\n"


if __name__ == "__main__":
    main()
