"""``tvm-ffi-build``: wires the sub-commands."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING

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
    from collections.abc import Sequence

__all__ = ["main"]

# Name, module and summary of each.
COMMANDS = (
    ("new", ".new_project.command", "begin a project"),
    ("wheel", ".pipeline.command", "build a source tree into a wheel"),
    ("toolchain", ".cross.command", "let CMake build for another platform"),
    ("repair", ".repair.command", "make built wheels ready for other machines"),
    ("audit", ".audit.command", "prove that wheels are what their tags say"),
    ("contract", ".contract.command", "which runtimes a wheel works with, and why"),
    ("stubgen", ".stubgen.command", "keep the Python stubs of a library up to date"),
    ("doctor", ".doctor.command", "what is installed, what is missing, what to type"),
    ("config", ".config", "where the runtime is and how to compile against it"),
)


def main(argv: Sequence[str] | None = None) -> None:
    """Run ``tvm-ffi-build``."""
    argv = sys.argv[1:] if argv is None else argv
    parser = Parser(
        prog="tvm-ffi-build",
        description="From a C++ source tree to a wheel that serves every Python.",
        formatter_class=help_formatter,
    )
    add_version(parser)
    add_output_options(parser)
    parser.set_defaults(verbosity=0, color=AUTO)
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    chosen = next((word for word in argv if not word.startswith("-")), None)
    for name, module, summary in COMMANDS:
        description = f"{summary[0].upper()}{summary[1:]}."
        command = commands.add_parser(name, help=summary, description=description, formatter_class=help_formatter)
        command.set_defaults(parser=command)
        if name == chosen:  # of the others no more than the summary is asked for, and some take long to import
            import_module(module, __package__).populate_parser(command)
    args, unknown = parser.parse_known_args(argv)
    if unknown:  # said by the command itself, whose usage shows what there is
        args.parser.error(f"unrecognized arguments: {' '.join(unknown)}")
    end_on_signals()
    run_command(lambda: args.command(args), color=args.color)


if __name__ == "__main__":
    main()
