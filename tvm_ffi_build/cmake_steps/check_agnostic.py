"""Check that a library does not call CPython before it goes into a ``py3`` wheel. Called by CMake."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..binaries.python_calls import require_agnostic
from ..terminal.arguments import read_path
from ..terminal.command import Parser, help_formatter, run_command

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> None:
    """Run the check over the libraries named in ``argv``."""
    parser = Parser(
        prog="tvm-ffi-build", description="Fail if a library calls into CPython.", formatter_class=help_formatter
    )
    parser.add_argument("library", nargs="+", type=read_path)
    args = parser.parse_args(argv)

    def check() -> None:
        for library in args.library:
            require_agnostic(library)

    run_command(check, program=parser.prog)


if __name__ == "__main__":
    main()
